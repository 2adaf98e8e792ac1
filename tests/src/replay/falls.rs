//! Which zones fell as a whole, as it truly was: read from the script, and never from what was detected.

use std::collections::VecDeque;

use super::script::Script;

/// Machines that must fall together before it is a matter of the zone: the detector's own bound.
const TOGETHER_MIN: usize = 3;

/// Falls within this time, and their share of the zone in percent, begin a fall of the zone. The detector's own bounds are
/// 15 s and 33 %; a fall that is no clear case by them is followed and held against nobody.
const LOOSE: (u64, usize) = (20_000, 25);

/// The same, for a fall of the zone that must be seen as one.
const CLEAR: (u64, usize) = (10_000, 36);

/// Share of a zone that must be lost for it to be gone, and below which it is well, in percent.
const GONE_PERCENT: usize = 90;
const WELL_PERCENT: usize = 10;

/// How long a zone must be gone to be called so: the 6 s in which it must be, and the spread of the falls.
const GONE_MS: u64 = 8_000;

/// How much of a zone fell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// About a third, or not quite together: either reading is right.
    Unclear,
    /// More than a third at once.
    Part,
    /// Nine tenths or all.
    Gone,
}

/// A zone fell as a whole, wholly or in part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fall {
    /// Index of the zone.
    pub zone: usize,
    /// When a quarter of it had fallen.
    pub from_ms: u64,
    /// When more than a third had fallen at once; never for one that is unclear.
    pub clear_ms: Option<u64>,
    /// When nine tenths of it were back.
    pub until_ms: u64,
    /// How much.
    pub extent: Extent,
    /// The longest time in which nine tenths of it were gone; empty when they never were.
    pub gone_ms: (u64, u64),
}

/// All falls of zones, by zone and in order. What is down for longer than `retention_ms` belongs to its zone no more.
pub fn falls(script: &Script, retention_ms: u64) -> Vec<Fall> {
    let zones = script.zones.iter().max().map_or(0, |zone| zone + 1);
    (0..zones).flat_map(|zone| Watched::new(script, zone, retention_ms).falls()).collect()
}

/// One zone.
struct Watched<'a> {
    script: &'a Script,
    zone: usize,
    retention_ms: u64,
    /// By machine: when it fell last, while it is down; zero for one that was never up.
    down_ms: Vec<Option<u64>>,
    /// When machines fell, those of the last 20 s.
    fallen_ms: VecDeque<u64>,
    fall: Option<Fall>,
    gone_since_ms: Option<u64>,
}

impl<'a> Watched<'a> {
    fn new(script: &'a Script, zone: usize, retention_ms: u64) -> Self {
        let down_ms = script.up.iter().map(|up| (!up).then_some(0)).collect();
        let (fallen_ms, fall, gone_since_ms) = (VecDeque::new(), None, None);
        Self { script, zone, retention_ms, down_ms, fallen_ms, fall, gone_since_ms }
    }

    fn falls(mut self) -> Vec<Fall> {
        let mut falls = Vec::new();
        let (script, zone) = (self.script, self.zone);
        for change in script.changes.iter().filter(|it| script.zones[it.machine] == zone) {
            self.down_ms[change.machine] = (!change.up).then_some(change.at_ms);
            if !change.up {
                self.fallen_ms.push_back(change.at_ms);
            }
            falls.extend(self.look(change.up, change.at_ms));
        }
        falls.extend(self.end(self.script.length_ms));
        falls
    }

    /// Looks at the zone after a machine fell or came up; the fall that is over.
    fn look(&mut self, up: bool, now_ms: u64) -> Option<Fall> {
        self.fallen_ms.retain(|at_ms| now_ms - at_ms < LOOSE.0);
        let (known, lost) = self.count(now_ms);
        let together = |(within_ms, percent): (u64, usize)| {
            let fallen = self.fallen_ms.iter().filter(|at_ms| now_ms - **at_ms < within_ms).count();
            !up && fallen >= TOGETHER_MIN && fallen * 100 >= known * percent
        };
        let (loose, clear) = (together(LOOSE), together(CLEAR));
        if self.fall.is_none() && loose {
            let (zone, extent) = (self.zone, Extent::Unclear);
            let (from_ms, until_ms, clear_ms) = (now_ms, now_ms, None);
            self.fall = Some(Fall { zone, from_ms, clear_ms, until_ms, extent, gone_ms: (0, 0) });
        }
        let gone = lost * 100 >= known * GONE_PERCENT;
        if self.fall.is_some() && gone {
            self.gone_since_ms.get_or_insert(now_ms);
        } else {
            self.note_gone(now_ms);
        }
        if let Some(fall) = &mut self.fall
            && clear
        {
            fall.extent = fall.extent.max(Extent::Part);
            fall.clear_ms.get_or_insert(now_ms);
        }
        if lost * 100 <= known * WELL_PERCENT { self.end(now_ms) } else { None }
    }

    fn end(&mut self, now_ms: u64) -> Option<Fall> {
        self.note_gone(now_ms);
        let mut fall = self.fall.take()?;
        fall.until_ms = now_ms;
        if fall.extent == Extent::Part && fall.gone_ms.1 - fall.gone_ms.0 >= GONE_MS {
            fall.extent = Extent::Gone;
        }
        Some(fall)
    }

    /// Nine tenths of it are gone no longer.
    fn note_gone(&mut self, now_ms: u64) {
        if let (Some(since_ms), Some(fall)) = (self.gone_since_ms.take(), &mut self.fall)
            && now_ms - since_ms > fall.gone_ms.1 - fall.gone_ms.0
        {
            fall.gone_ms = (since_ms, now_ms);
        }
    }

    /// Machines that belong to the zone, and those of them that are down.
    fn count(&self, now_ms: u64) -> (usize, usize) {
        let (mut known, mut lost) = (0, 0);
        for (_, down_ms) in
            self.script.zones.iter().zip(&self.down_ms).filter(|(zone, _)| **zone == self.zone)
        {
            let is_known = down_ms.is_none_or(|at_ms| at_ms > 0 && now_ms - at_ms < self.retention_ms);
            known += usize::from(is_known);
            lost += usize::from(is_known && down_ms.is_some());
        }
        (known, lost)
    }
}

#[cfg(test)]
mod tests {
    use super::super::script::Change;
    use super::*;

    /// A zone of ten beside another one, and when its machines fall and return, in seconds.
    fn script(changes: &[(u64, std::ops::Range<usize>, bool)]) -> Script {
        let of = |(at_s, machines, up): &(u64, std::ops::Range<usize>, bool)| {
            let (at_ms, up) = (at_s * 1000, *up);
            machines.clone().map(move |machine| Change { at_ms, machine, up }).collect::<Vec<_>>()
        };
        let zones = (0..20).map(|machine| machine / 10).collect();
        let changes = changes.iter().flat_map(of).collect();
        Script { zones, up: vec![true; 20], changes, length_ms: 300_000 }
    }

    fn found(changes: &[(u64, std::ops::Range<usize>, bool)]) -> Vec<(usize, Extent, u64, u64)> {
        let falls = falls(&script(changes), 240_000).into_iter();
        falls.map(|it| (it.zone, it.extent, it.from_ms / 1000, it.until_ms / 1000)).collect()
    }

    #[test]
    fn a_zone_falls_when_enough_of_it_falls_together() {
        assert_eq!(found(&[(50, 0..2, false), (80, 2..4, false)]), []);
        assert_eq!(found(&[(50, 0..3, false)]), [(0, Extent::Unclear, 50, 300)]);
        assert_eq!(found(&[(50, 0..2, false), (65, 2..5, false)]), [(0, Extent::Unclear, 65, 300)]);
        assert_eq!(found(&[(50, 10..14, false), (60, 10..13, true)]), [(1, Extent::Part, 50, 60)]);
    }

    #[test]
    fn a_zone_is_gone_when_nine_of_ten_are_for_long_enough_to_say_so() {
        assert_eq!(found(&[(50, 0..9, false), (58, 0..9, true)]), [(0, Extent::Gone, 50, 58)]);
        assert_eq!(found(&[(50, 0..9, false), (57, 0..9, true)]), [(0, Extent::Part, 50, 57)]);
        let falls = falls(&script(&[(50, 0..4, false), (55, 4..10, false), (90, 0..10, true)]), 240_000);
        assert_eq!((falls.len(), falls[0].from_ms, falls[0].gone_ms), (1, 50_000, (55_000, 90_000)));
    }
}
