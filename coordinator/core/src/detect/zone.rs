//! A zone: how many of its nodes are silent together, and whether it is gone or only out of our reach.
//!
//! Single nodes fail one at a time. When a third of a zone falls silent within seconds, the cause is between us and them
//! or under all of them, and node by node remedies are wrong in both cases.

use std::collections::BTreeMap;
use std::time::Duration;

use super::fact::ZoneReach;
use super::judge::Sign;
use super::roster::Roster;
use super::verdict::Verdict;
use super::watch::Standing;
use crate::id::{NodeKey, ZoneId};
use crate::time::Time;

/// Nodes that must be lost before it is a matter of the zone.
const LOST_MIN: u32 = 3;

/// Share of a zone's nodes that must be lost, in percent.
const LOST_PERCENT: u32 = 33;

/// Within this time.
const TOGETHER: Duration = Duration::from_secs(15);

/// How long after a zone fell as a whole a node of it that is still silent is no case of its own: its nodes come back within
/// seconds of one another, and the last of them is not drained for being late.
const RECOVERY: Duration = Duration::from_secs(15);

/// Share that must be lost for the zone to be gone, and that must be back for it to be well, in percent.
const MOST_PERCENT: u32 = 90;

/// Nodes that must be asked about before a zone is gone, unless it has fewer: if half of the zone lived, nine of ten would
/// be found silent in one case of 100.
const SAMPLE_MIN: u32 = 10;

/// A zone and its counts.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    pub(super) name: ZoneId,
    pub(super) members: Vec<NodeKey>,
    expected: u32,
    unreached: u32,
    unheard: u32,
    /// Nodes whose silence is held against them, and since when.
    lost: BTreeMap<NodeKey, Time>,
    /// Whether so much of it fell together, and is not back, that it is a matter of the zone.
    pub(super) partial: bool,
    /// When it was last found to be so.
    pub(super) partial_at: Option<Time>,
    /// [`Verdict::Healthy`], [`Verdict::ZonePartition`] or [`Verdict::ZoneDown`].
    pub(super) verdict: Verdict,
    /// As found at the last look.
    pub(super) signs: ZoneSigns,
}

/// What a zone is judged by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ZoneSigns {
    /// Nodes that should be there.
    pub nodes: u32,
    /// Nodes whose silence is held against them.
    pub lost: u32,
    /// Those of them that fell in the last 15 s.
    pub lost_together: u32,
    /// Lost nodes that somebody reaches all the same.
    pub answered: u32,
    /// Lost nodes of which probers of other zones told anything: all of them in a small zone, a sample in a large one,
    /// whose nodes are not all asked about at once.
    pub asked: u32,
    /// Those of them that no such prober reached.
    pub timed_out: u32,
    /// Zones that these probers are in.
    pub probing_zones: u32,
    /// Requests that gateways saw answered by, and failing at, lost nodes.
    pub data_plane: Sign,
    /// Whether other replicas reach the zone.
    pub replicas: Sign,
    /// Lost nodes whose machines the cloud says are off.
    pub stopped: u32,
}

impl ZoneSigns {
    /// Whether something else than our own view explains the loss.
    pub fn explained(&self) -> bool {
        self.data_plane == Sign::Bad || (self.lost > 0 && self.stopped * 2 >= self.lost)
    }

    fn most_lost(&self) -> bool {
        self.lost >= LOST_MIN && self.lost * 100 >= self.nodes * MOST_PERCENT
    }
}

/// Whether so much of a zone is lost that it is a matter of the zone.
pub(super) fn partial(signs: &ZoneSigns, was: bool) -> bool {
    let falls = signs.lost_together >= LOST_MIN && signs.lost_together * 100 >= signs.nodes * LOST_PERCENT;
    falls || was && signs.lost * 100 > signs.nodes * (100 - MOST_PERCENT)
}

/// The verdict on a zone of which so much is lost; `current` when the signs do not suffice for another one.
pub(super) fn judge(signs: &ZoneSigns, current: Verdict) -> Verdict {
    let lives =
        signs.data_plane == Sign::Good || signs.replicas == Sign::Good || signs.answered * 2 >= signs.lost;
    if lives {
        return Verdict::ZonePartition;
    }
    let unreachable =
        signs.asked >= signs.lost.min(SAMPLE_MIN) && signs.timed_out * 100 >= signs.asked * MOST_PERCENT;
    // One prober's zone may itself be cut off from this one; two, or a witness of another kind, are not.
    let agreed = signs.explained() || signs.replicas == Sign::Bad || signs.probing_zones >= 2;
    if signs.most_lost() && unreachable && agreed { Verdict::ZoneDown } else { current }
}

impl Zone {
    pub(super) fn new(name: ZoneId) -> Zone {
        Zone {
            name,
            members: Vec::new(),
            expected: 0,
            unreached: 0,
            unheard: 0,
            lost: BTreeMap::new(),
            partial: false,
            partial_at: None,
            verdict: Verdict::Healthy,
            signs: ZoneSigns::default(),
        }
    }

    /// Counts a node that stands differently now.
    pub(super) fn count(&mut self, node: NodeKey, was: Standing, is: Standing, now: Time) {
        self.expected = self.expected - u32::from(was.expected) + u32::from(is.expected);
        self.unreached = self.unreached - u32::from(was.unreached) + u32::from(is.unreached);
        self.unheard = self.unheard - u32::from(was.unheard) + u32::from(is.unheard);
        if is.lost && !was.lost {
            self.lost.insert(node, now);
        } else if !is.lost {
            self.lost.remove(&node);
        }
    }

    /// How much of it lives, as far as we or anybody we reach can tell.
    pub(super) fn alive(&self) -> ZoneReach {
        ZoneReach { nodes: self.expected, reached: self.expected - self.unreached }
    }

    /// How much of it we reach ourselves.
    pub(super) fn reach(&self) -> ZoneReach {
        ZoneReach { nodes: self.expected, reached: self.expected - self.unheard }
    }

    /// Whether so much of it may be falling together that no node of it is a case of its own. It is so from the first
    /// question on, before anything is held against anybody.
    pub(super) fn shaken(&self) -> bool {
        self.partial || self.unreached >= LOST_MIN && self.unreached * 100 >= self.expected * LOST_PERCENT
    }

    /// Whether it fell as a whole a moment ago, so that who is still silent may be about to come back.
    pub(super) fn recovers(&self, now: Time) -> bool {
        self.partial_at.is_some_and(|at| now.since(at) < RECOVERY)
    }

    /// Nodes that should be there.
    pub(super) fn expected(&self) -> u32 {
        self.expected
    }

    /// Nodes that were lost since a moment.
    pub(super) fn lost_since(&self, since: Time) -> u32 {
        let recent = self.lost.values().filter(|at| **at >= since);
        u32::try_from(recent.count()).expect("at most 65,536 nodes")
    }

    /// Whether there is anything to look at.
    pub(super) fn quiet(&self) -> bool {
        !self.partial && self.lost.len() < LOST_MIN as usize
    }

    /// Gathers what it is judged by.
    pub(super) fn look(&self, roster: &Roster, replicas: Sign, now: Time) -> ZoneSigns {
        let mut signs = ZoneSigns {
            nodes: self.expected,
            lost: u32::try_from(self.lost.len()).expect("at most 65,536 nodes"),
            lost_together: self.lost_since(now - TOGETHER),
            replicas,
            ..ZoneSigns::default()
        };
        let (mut good, mut bad) = (0u32, 0u32);
        let mut probing = [None; 2];
        for watch in self.lost.keys().filter_map(|node| roster.get(*node)) {
            signs.answered += u32::from(watch.verdict == Verdict::StreamBroken);
            signs.stopped += u32::from(watch.clues.off());
            match watch.data_plane(now) {
                Sign::Good => good += 1,
                Sign::Bad => bad += 1,
                Sign::Unknown => {}
            }
            let Some(question) = &watch.question else { continue };
            let told = question.told_outside();
            signs.asked += u32::from(told.is_some());
            let Some((by, false)) = told else { continue };
            signs.timed_out += 1;
            if let Some(prober) = roster.get(by) {
                note(&mut probing, prober.zone);
            }
        }
        signs.probing_zones = probing.iter().flatten().map(|_| 1).sum();
        signs.data_plane = match (good, bad) {
            (0, 0) => Sign::Unknown,
            _ if bad > good => Sign::Bad,
            _ => Sign::Good,
        };
        signs
    }
}

/// Notes up to two different zones.
fn note(zones: &mut [Option<usize>; 2], zone: usize) {
    match zones {
        [None, _] => zones[0] = Some(zone),
        [Some(first), None] if *first != zone => zones[1] = Some(zone),
        [Some(_), _] => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All of ten nodes lost together, and two other zones do not reach them.
    fn dark() -> ZoneSigns {
        let (nodes, lost, lost_together) = (10, 10, 10);
        let (asked, timed_out, probing_zones) = (10, 9, 2);
        ZoneSigns { nodes, lost, lost_together, asked, timed_out, probing_zones, ..ZoneSigns::default() }
    }

    #[test]
    fn a_zone_is_down_only_when_most_of_it_is_lost_and_others_agree() {
        for (signs, verdict) in [
            (dark(), Verdict::ZoneDown),
            (ZoneSigns { lost: 9, ..dark() }, Verdict::ZoneDown),
            (ZoneSigns { lost: 8, ..dark() }, Verdict::Healthy),
            (ZoneSigns { timed_out: 8, ..dark() }, Verdict::Healthy),
            (ZoneSigns { asked: 8, ..dark() }, Verdict::Healthy),
            (ZoneSigns { nodes: 999, lost: 999, ..dark() }, Verdict::ZoneDown),
            (ZoneSigns { probing_zones: 1, ..dark() }, Verdict::Healthy),
            (ZoneSigns { probing_zones: 1, data_plane: Sign::Bad, ..dark() }, Verdict::ZoneDown),
            (ZoneSigns { probing_zones: 1, replicas: Sign::Bad, ..dark() }, Verdict::ZoneDown),
            (ZoneSigns { probing_zones: 1, stopped: 5, ..dark() }, Verdict::ZoneDown),
        ] {
            assert_eq!(judge(&signs, Verdict::Healthy), verdict, "{signs:?}");
        }
    }

    #[test]
    fn a_zone_that_anybody_reaches_is_a_partition() {
        for signs in [
            ZoneSigns { data_plane: Sign::Good, ..dark() },
            ZoneSigns { replicas: Sign::Good, ..dark() },
            ZoneSigns { answered: 5, ..dark() },
        ] {
            assert_eq!(judge(&signs, Verdict::ZoneDown), Verdict::ZonePartition, "{signs:?}");
        }
    }

    #[test]
    fn a_third_lost_together_concerns_the_zone_until_nine_tenths_are_back() {
        let signs =
            |lost, lost_together| ZoneSigns { nodes: 10, lost, lost_together, ..ZoneSigns::default() };
        assert!(!partial(&signs(3, 3), false), "30 %");
        assert!(partial(&signs(4, 4), false));
        assert!(!partial(&signs(4, 2), false), "one after the other");
        assert!(partial(&signs(2, 0), true));
        assert!(!partial(&signs(1, 0), true));
        let small = ZoneSigns { nodes: 2, lost: 2, lost_together: 2, ..ZoneSigns::default() };
        assert!(!partial(&small, false), "two nodes are two nodes");
    }
}
