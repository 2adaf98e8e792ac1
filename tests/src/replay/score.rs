//! How well the engine told what truly was.

use std::collections::BTreeMap;

use ostler_core::detect::Verdict;

use super::falls::{Extent, Fall};
use super::fleet::{About, Record, Silence, Told};
use super::script::Script;

/// How long a machine must be down to be found for certain.
const FOUND_MS: u64 = 10_000;

/// How long after a machine returned an answer that was on its way may still count against it.
const LATE_MS: u64 = 2_500;

/// How long it takes to see that it is the zone that falls: the silence that starts questions, and a step.
const SEEN_MS: u64 = 3_000;

/// How long a verdict that was right may outlast what it was about: a machine is on trial for 5 s, a zone for 15 s more.
const AFTER_MS: u64 = 25_000;

/// What came of one run or of several.
#[derive(Clone, Debug, Default)]
pub struct Score {
    /// Seconds that machines were up, added up.
    pub machine_s: u64,
    /// Simulated seconds.
    pub simulated_s: u64,
    /// Machines that fell by themselves, and as part of a fall of their zone.
    pub alone: Found,
    /// The same of those that fell with their zone.
    pub with_zone: Found,
    /// Verdicts NODE_UNREACHABLE and NODE_DEAD on machines that were up.
    pub false_unreachable: u64,
    /// The same just after it returned.
    pub late_unreachable: u64,
    /// Other verdicts on machines that were up, by their name; a machine that returned a moment ago is left out.
    pub on_machines_up: BTreeMap<&'static str, u64>,
    /// Falls of zones that were gone: how they were called.
    pub gone: Called,
    /// The same while the engine held itself to be cut off: not counted elsewhere.
    pub gone_held: u64,
    /// Falls of a part of a zone.
    pub part: Called,
    /// Falls that are no clear case.
    pub unclear: Called,
    /// From the moment that a zone was gone to ZONE_DOWN.
    pub down_ms: Vec<u64>,
    /// Zone verdicts on zones that did not fall.
    pub false_zone: u64,
    /// Machines of a zone that fell on which something disruptive was allowed although the fall was to be seen.
    pub zone_taken_for_nodes: u64,
    /// Machines that fell by themselves while a verdict was held against their zone, which had not fallen.
    pub node_taken_for_zone: u64,
    /// GLOBAL_FREEZE while two zones fell, and while they did not.
    pub freezes: (u64, u64),
    /// OBSERVER_ISOLATED while half of all machines were down, and while they were not.
    pub isolations: (u64, u64),
    /// Times that the lead would have been given away.
    pub resignations: u64,
    /// What was told wrong, in words: the first forty.
    pub wrong: Vec<String>,
}

/// Share of all machines whose loss is half of them: some that are back have not connected yet.
const HALF_PERCENT: u64 = 45;

/// Wrong verdicts kept in words.
const WRONG_MAX: usize = 40;

/// How silences were found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Until each was told.
    pub told_ms: Vec<u64>,
    /// Down for 10 s or more, and never told.
    pub missed: u64,
    /// The engine held itself to be cut off, or was just getting over it, before they were told: not counted elsewhere.
    pub held: u64,
    /// Back before they were told, within 10 s.
    pub brief: u64,
    /// Told, and down for 20 s, and nothing disruptive was allowed all the time.
    pub kept: u64,
}

/// How falls of zones were called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Called {
    /// ZONE_DOWN.
    pub down: u64,
    /// ZONE_PARTITION, and never ZONE_DOWN.
    pub partition: u64,
    /// Neither.
    pub neither: u64,
}

impl Score {
    /// Adds a run to it.
    pub fn add(&mut self, script: &Script, record: &Record, falls: &[Fall]) {
        self.machine_s += record.machine_s;
        self.simulated_s += script.length_ms / 1000;
        self.resignations += record.resignations;
        let run = Run { script, record, falls };
        record.silences.iter().filter(|it| !it.again).for_each(|it| self.add_silence(&run, it));
        record.told.iter().for_each(|it| self.add_told(&run, it));
        falls.iter().for_each(|it| self.add_fall(&run, it));
    }

    fn add_silence(&mut self, run: &Run<'_>, silence: &Silence) {
        let zone = run.script.zones[silence.machine];
        let fall = run.fall(zone, silence.from_ms);
        let clear = fall.is_some_and(|fall| fall.extent > Extent::Unclear);
        if fall.is_some() && !clear {
            return;
        }
        let found = if clear { &mut self.with_zone } else { &mut self.alone };
        let length_ms = silence.to_ms - silence.from_ms;
        let isolated = run.isolated(silence.from_ms, silence.told_ms.unwrap_or(silence.from_ms + FOUND_MS));
        match silence.told_ms {
            _ if isolated => found.held += 1,
            Some(told_ms) => found.told_ms.push(told_ms - silence.from_ms),
            None if length_ms < FOUND_MS => found.brief += 1,
            None => {
                found.missed += 1;
                self.wrong(format!(
                    "{} ms: machine {} was missed for {length_ms} ms",
                    silence.from_ms, silence.machine
                ));
            }
        }
        if let Some(fall) = fall
            && let Some(clear_ms) = fall.clear_ms
            && let Some(span_ms) =
                silence.disrupted_ms.iter().find(|it| it.0 < fall.until_ms && it.1 >= clear_ms + SEEN_MS)
        {
            self.zone_taken_for_nodes += 1;
            let machine = silence.machine;
            self.wrong(format!("{span_ms:?} ms: machine {machine} is a case of its own while {fall:?}"));
        }
        if fall.is_none()
            && let Some(told_ms) = silence.told_ms
        {
            let kept = silence.disrupted_ms.is_empty() && silence.to_ms >= told_ms + 2 * FOUND_MS;
            self.alone.kept += u64::from(kept);
            self.node_taken_for_zone += u64::from(run.zone_verdict(zone, told_ms).is_some());
        }
    }

    fn add_told(&mut self, run: &Run<'_>, told: &Told) {
        let wrong = match (told.about, told.verdict) {
            (_, Verdict::Healthy) => false,
            (About::Machine(_), Verdict::NodeUnreachable | Verdict::NodeDead) => {
                let late = told.up_ms < LATE_MS;
                *(if late { &mut self.late_unreachable } else { &mut self.false_unreachable }) += 1;
                !late
            }
            (About::Machine(_), verdict) => {
                if told.up_ms >= FOUND_MS {
                    *self.on_machines_up.entry(verdict.name()).or_default() += 1;
                }
                false
            }
            (About::Zone(zone), verdict) => {
                let explains = |fall: &Fall| {
                    let gone = fall.gone_ms.0 < fall.gone_ms.1;
                    verdict == Verdict::ZonePartition || fall.extent > Extent::Unclear || gone
                };
                let right = run.fell_lately(zone, told.at_ms).any(explains);
                self.false_zone += u64::from(!right);
                !right
            }
            (About::Fleet, _) => {
                let zones = run.falls.iter().filter(|it| during(it, told.at_ms)).map(|it| it.zone);
                let several = zones.collect::<std::collections::BTreeSet<_>>().len() >= 2;
                *(if several { &mut self.freezes.0 } else { &mut self.freezes.1 }) += 1;
                !several
            }
            (About::Observer, _) => {
                let half = told.lost_percent >= HALF_PERCENT;
                *(if half { &mut self.isolations.0 } else { &mut self.isolations.1 }) += 1;
                !half
            }
        };
        if wrong {
            let Told { at_ms, about, verdict, lost_percent, evidence, .. } = told;
            self.wrong(format!("{at_ms} ms: {about:?} is {verdict} with {lost_percent} % lost: {evidence}"));
        }
    }

    fn add_fall(&mut self, run: &Run<'_>, fall: &Fall) {
        if fall.extent == Extent::Gone && run.isolated(fall.gone_ms.0, fall.gone_ms.1) {
            self.gone_held += 1;
            return;
        }
        let told = run.record.told.iter().filter(|it| it.about == About::Zone(fall.zone));
        let told = told.filter(|it| it.at_ms >= fall.from_ms && it.at_ms <= fall.until_ms);
        let is = |verdict: Verdict| move |it: &&Told| it.verdict == verdict;
        let down = told.clone().find(is(Verdict::ZoneDown));
        let partition = told.clone().any(|it| it.verdict == Verdict::ZonePartition);
        let called = match fall.extent {
            Extent::Gone => &mut self.gone,
            Extent::Part => &mut self.part,
            Extent::Unclear => &mut self.unclear,
        };
        match down {
            Some(_) => called.down += 1,
            None if partition => called.partition += 1,
            None => called.neither += 1,
        }
        match (fall.extent, down) {
            (Extent::Gone, Some(down)) => self.down_ms.push(down.at_ms.saturating_sub(fall.gone_ms.0)),
            (Extent::Gone, None) => self.wrong(format!("not called down: {fall:?}")),
            (Extent::Part | Extent::Unclear, _) => {}
        }
    }

    fn wrong(&mut self, words: String) {
        if self.wrong.len() < WRONG_MAX {
            self.wrong.push(words);
        }
    }
}

/// A run and what truly was.
struct Run<'a> {
    script: &'a Script,
    record: &'a Record,
    falls: &'a [Fall],
}

impl Run<'_> {
    /// The fall of its zone that a machine fell in.
    fn fall(&self, zone: usize, at_ms: u64) -> Option<&Fall> {
        let of = |it: &&Fall| it.zone == zone && at_ms + 20_000 >= it.from_ms && at_ms < it.until_ms;
        self.falls.iter().find(of)
    }

    /// Falls of a zone that are not long over.
    fn fell_lately(&self, zone: usize, at_ms: u64) -> impl Iterator<Item = &Fall> {
        self.falls.iter().filter(move |it| it.zone == zone && during(it, at_ms))
    }

    /// Whether the engine held itself to be cut off at any moment of a time.
    fn isolated(&self, from_ms: u64, to_ms: u64) -> bool {
        let told = self.record.told.iter().filter(|it| it.about == About::Observer);
        let before = told.clone().rfind(|it| it.at_ms <= from_ms);
        let within = told.clone().any(|it| it.at_ms > from_ms && it.at_ms <= to_ms);
        within || before.is_some_and(|it| it.verdict != Verdict::Healthy || it.at_ms + LATE_MS * 2 > from_ms)
    }

    /// What was held against a zone that had not fallen.
    fn zone_verdict(&self, zone: usize, at_ms: u64) -> Option<Verdict> {
        let mut told =
            self.record.told.iter().filter(|it| it.about == About::Zone(zone) && it.at_ms <= at_ms);
        let verdict = told.next_back().map(|it| it.verdict).filter(|it| *it != Verdict::Healthy)?;
        self.fell_lately(zone, at_ms).next().is_none().then_some(verdict)
    }
}

/// Whether a fall was at a moment, or a moment ago.
fn during(fall: &Fall, at_ms: u64) -> bool {
    at_ms >= fall.from_ms && at_ms <= fall.until_ms + AFTER_MS
}

/// The value below which so many of a hundred are, in milliseconds; none of none.
pub fn percentile(values: &[u64], percent: usize) -> Option<u64> {
    let mut values = values.to_vec();
    values.sort_unstable();
    let rank = (values.len() * percent).div_ceil(100);
    values.get(rank.saturating_sub(1)).copied()
}
