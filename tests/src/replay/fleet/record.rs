//! What the engine told while a script was acted out, and what truly happened to each machine.

use ostler_core::detect::{Class, Subject, Transition, Verdict};

use super::Fleet;

/// How often it is looked at what is allowed.
pub(super) const LOOK_MS: u64 = 1_000;

/// All of a run.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Seconds that machines were up, added up.
    pub machine_s: u64,
    /// Every time a machine fell.
    pub silences: Vec<Silence>,
    /// Verdicts on zones, the fleet and the observer, and those on machines that were up.
    pub told: Vec<Told>,
    /// Times that the engine would have given the lead away.
    pub resignations: u64,
    /// Index of the silence of each machine that is down.
    open: Vec<Option<usize>>,
}

/// A time in which a machine was down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Index of the machine.
    pub machine: usize,
    /// When it fell.
    pub from_ms: u64,
    /// When it returned, or the script was over.
    pub to_ms: u64,
    /// When it was called unreachable.
    pub told_ms: Option<u64>,
    /// Whether it was still held to be lost when it fell again.
    pub again: bool,
    /// From when to when something disruptive was allowed on it, looked at once a second.
    pub disrupted_ms: Vec<(u64, u64)>,
}

/// A verdict that moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// When.
    pub at_ms: u64,
    /// Of what.
    pub about: About,
    /// To which.
    pub verdict: Verdict,
    /// What of all machines that the engine knew was down, in percent.
    pub lost_percent: u64,
    /// For a machine: how long it had been up.
    pub up_ms: u64,
    /// What the engine went by, in words.
    pub evidence: String,
}

/// What a verdict is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum About {
    Observer,
    Fleet,
    Zone(usize),
    Machine(usize),
}

impl Record {
    pub(super) fn new(machines: usize) -> Self {
        Self { open: vec![None; machines], ..Self::default() }
    }

    pub(super) fn falls(&mut self, machine: usize, verdict: Option<Verdict>, from_ms: u64) {
        let again = verdict.is_none_or(condemned);
        self.open[machine] = Some(self.silences.len());
        let (told_ms, disrupted_ms) = (None, Vec::new());
        self.silences.push(Silence { machine, from_ms, to_ms: u64::MAX, told_ms, again, disrupted_ms });
    }

    pub(super) fn rises(&mut self, machine: usize, to_ms: u64) {
        if let Some(at) = self.open[machine].take() {
            self.silences[at].to_ms = to_ms;
        }
    }

    pub(super) fn close(&mut self, end_ms: u64) {
        (0..self.open.len()).for_each(|machine| self.rises(machine, end_ms));
    }

    fn silence(&mut self, machine: usize) -> Option<&mut Silence> {
        self.open[machine].map(|at| &mut self.silences[at])
    }
}

impl Fleet<'_> {
    /// Keeps what the last step told.
    pub(super) fn note_transitions(&mut self) {
        for moved in self.engine.detector().report().transitions.clone() {
            let verdict = moved.finding.verdict;
            let about = match &moved.subject {
                Subject::Observer => About::Observer,
                Subject::Fleet => About::Fleet,
                Subject::Zone(zone) => {
                    About::Zone(self.zones.iter().position(|it| it == zone).expect("it is one of ours"))
                }
                Subject::Node(node) => {
                    let machine = self.at(*node);
                    if let Some(silence) = self.record.silence(machine) {
                        if condemned(verdict) {
                            silence.told_ms.get_or_insert(self.now_ms);
                        }
                        continue;
                    }
                    if !accuses(&moved) {
                        continue;
                    }
                    About::Machine(machine)
                }
                Subject::Gpu(..) | Subject::Engine(..) => continue,
            };
            self.keep(about, &moved);
        }
    }

    fn keep(&mut self, about: About, moved: &Transition) {
        let up_ms = match about {
            About::Machine(machine) => self.now_ms - self.machines[machine].since_ms,
            About::Observer | About::Fleet | About::Zone(_) => 0,
        };
        let (at_ms, verdict, evidence) =
            (self.now_ms, moved.finding.verdict, moved.finding.evidence.to_string());
        let lost_percent = self.lost_percent();
        self.record.told.push(Told { at_ms, about, verdict, lost_percent, up_ms, evidence });
    }

    /// Keeps on which machines something disruptive is allowed now.
    pub(super) fn note_allowed(&mut self) {
        let detector = self.engine.detector();
        for (subject, finding) in detector.findings() {
            let Subject::Node(node) = subject else { continue };
            if condemned(finding.verdict) && detector.allowed(subject).allows(Class::Disruptive) {
                let (machine, now_ms) = (self.places[node.0 as usize], self.now_ms);
                if let Some(silence) = self.record.silence(machine) {
                    match silence.disrupted_ms.last_mut() {
                        Some((_, last_ms)) if now_ms - *last_ms <= LOOK_MS => *last_ms = now_ms,
                        Some(_) | None => silence.disrupted_ms.push((now_ms, now_ms)),
                    }
                }
            }
        }
    }

    fn lost_percent(&self) -> u64 {
        let known = self.machines.iter().filter(|it| it.seen);
        let known = known.filter(|it| it.up || self.now_ms - it.since_ms < self.retention_ms);
        let (all, lost) = known.fold((0, 0), |(all, lost), it| (all + 1, lost + u64::from(!it.up)));
        lost * 100 / all.max(1)
    }
}

/// Whether nobody reaches a machine, by its verdict.
pub(super) fn condemned(verdict: Verdict) -> bool {
    verdict == Verdict::NodeUnreachable || verdict == Verdict::NodeDead
}

/// Whether a verdict on a machine that is up holds anything against it; one that returned is on trial for a while.
fn accuses(moved: &Transition) -> bool {
    let on_trial = moved.finding.verdict == Verdict::NodeSuspect && condemned(moved.was);
    moved.finding.verdict != Verdict::Healthy && !on_trial
}
