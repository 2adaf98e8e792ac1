//! What is broken and mended, and which troubles are made of it.

use std::time::Duration;

use ostler_tests::dice::Dice;
use ostler_tests::history::Fault;

use super::zones::ZONES;

/// One thing that is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wound {
    /// The replica of a zone is killed.
    ReplicaKilled(usize),
    /// The replica of a zone is stopped.
    ReplicaStopped(usize),
    /// The member of etcd in a zone is killed.
    EtcdKilled(usize),
    /// What one zone sends to another one is lost.
    Cut(usize, usize),
    /// The ways of a replica to all members of etcd, by an order to its proxies.
    Ways(usize, String),
    /// The agent of a node is killed.
    AgentKilled(usize, usize),
    /// The agent of a node is stopped.
    AgentStopped(usize, usize),
    /// Nothing reaches a node or comes from it.
    NodeDark(usize, usize),
    /// The disk of a replica is full.
    DiskFull(usize),
    /// What a replica calls at the sink is held up on its way.
    CallsHeld(usize),
    /// Time passes before the next thing breaks.
    Wait(Duration),
    /// By all that is broken, a replica reaches no majority of etcd. It is only written down, and always last.
    CutOff(usize),
}

impl Wound {
    /// As the history has it.
    pub(crate) fn fault(&self) -> Fault {
        match self {
            Wound::ReplicaKilled(zone) => Fault::ReplicaKilled(replica_name(*zone)),
            Wound::ReplicaStopped(zone) => Fault::ReplicaStopped(replica_name(*zone)),
            Wound::EtcdKilled(zone) => Fault::Other(format!("etcd of {} killed", zone_name(*zone))),
            Wound::Cut(from, to) => Fault::Cut { from: zone_name(*from), to: zone_name(*to) },
            Wound::Ways(zone, order) => {
                Fault::Other(format!("ways of {} to etcd: {order}", replica_name(*zone)))
            }
            Wound::AgentKilled(zone, node) | Wound::AgentStopped(zone, node) => {
                Fault::AgentDown(node_name(*zone, *node))
            }
            Wound::NodeDark(zone, node) => Fault::NodeDark(node_name(*zone, *node)),
            Wound::DiskFull(zone) => Fault::Other(format!("disk of {} full", replica_name(*zone))),
            Wound::CallsHeld(zone) => Fault::Other(format!("calls of {} held up", replica_name(*zone))),
            Wound::Wait(time) => Fault::Other(format!("{} s", time.as_secs())),
            Wound::CutOff(zone) => Fault::ReplicaCutOff(replica_name(*zone)),
        }
    }
}

/// "zone-0"
pub(crate) fn zone_name(zone: usize) -> String {
    format!("zone-{zone}")
}

/// "replica-0", in zone-0.
pub(crate) fn replica_name(zone: usize) -> String {
    format!("replica-{zone}")
}

/// "node-0-1", in zone-0.
pub(crate) fn node_name(zone: usize, node: usize) -> String {
    format!("node-{zone}-{node}")
}

/// Something that happens to a fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    KillLeader,
    StopLeader,
    CutLeaderZone,
    CutLeaderZoneOneWay,
    HalfOpenEtcd,
    SlowEtcd,
    DripEtcd,
    RefusedEtcd,
    KillEtcdLeader,
    LoseEtcdMajority,
    KillAgent,
    StopAgent,
    DarkNode,
    FullDisk,
    KillLeaderAndAgent,
    DarkNodeAndStopLeader,
    LateCall,
}

/// How long a leader takes at most to find a node dark, to decide, and to call; and a new one to be elected besides.
const ACTS_WITHIN: Duration = Duration::from_secs(6);

impl Trouble {
    /// Troubles for anywhere, the most telling first.
    pub(crate) const ANYWHERE: [Trouble; 11] = [
        Trouble::KillLeader,
        Trouble::HalfOpenEtcd,
        Trouble::StopLeader,
        Trouble::KillEtcdLeader,
        Trouble::KillAgent,
        Trouble::LoseEtcdMajority,
        Trouble::RefusedEtcd,
        Trouble::SlowEtcd,
        Trouble::DripEtcd,
        Trouble::StopAgent,
        Trouble::KillLeaderAndAgent,
    ];

    /// Troubles that need zones of their own, the most telling first.
    pub(crate) const IN_ZONES: [Trouble; 6] = [
        Trouble::CutLeaderZone,
        Trouble::DarkNodeAndStopLeader,
        Trouble::CutLeaderZoneOneWay,
        Trouble::DarkNode,
        Trouble::FullDisk,
        Trouble::LateCall,
    ];

    /// Whether a node is then unreachable indeed, and must be called so.
    pub(crate) fn darkens(self) -> bool {
        matches!(self, Trouble::DarkNode | Trouble::DarkNodeAndStopLeader | Trouble::LateCall)
    }

    /// What is broken, in order, with the zones of the leader and of etcd's own, and so many nodes a zone.
    pub(crate) fn wounds(
        self,
        leader: usize,
        etcd_leader: usize,
        nodes: usize,
        dice: &mut Dice,
    ) -> Vec<Wound> {
        let others: Vec<usize> = (0..ZONES).filter(|zone| *zone != leader).collect();
        let mut below = |end: usize| usize::try_from(dice.below(end as u64)).expect("an index");
        let (zone, node, either) = (below(ZONES), below(nodes), below(2));
        let ways = |order: &str| Wound::Ways(leader, order.to_owned());
        let cut_all = |from_leader: bool| {
            others.iter().map(
                move |&other| if from_leader { Wound::Cut(leader, other) } else { Wound::Cut(other, leader) },
            )
        };
        match self {
            Trouble::KillLeader => vec![Wound::ReplicaKilled(leader)],
            Trouble::StopLeader => vec![Wound::ReplicaStopped(leader)],
            Trouble::CutLeaderZone => {
                cut_all(true).chain(cut_all(false)).chain([Wound::CutOff(leader)]).collect()
            }
            Trouble::CutLeaderZoneOneWay => cut_all(either == 0).chain([Wound::CutOff(leader)]).collect(),
            Trouble::HalfOpenEtcd => vec![ways("silent"), Wound::CutOff(leader)],
            Trouble::SlowEtcd => vec![ways("delay 200 300 11")],
            Trouble::DripEtcd => vec![ways("drip 2000")],
            Trouble::RefusedEtcd => vec![ways("refuse"), ways("reset"), Wound::CutOff(leader)],
            Trouble::KillEtcdLeader => vec![Wound::EtcdKilled(etcd_leader)],
            Trouble::LoseEtcdMajority => {
                let second = (etcd_leader + 1 + either) % ZONES;
                let killed = [Wound::EtcdKilled(etcd_leader), Wound::EtcdKilled(second)];
                killed.into_iter().chain((0..ZONES).map(Wound::CutOff)).collect()
            }
            Trouble::KillAgent => vec![Wound::AgentKilled(zone, node)],
            Trouble::StopAgent => vec![Wound::AgentStopped(zone, node)],
            Trouble::DarkNode => vec![Wound::NodeDark(zone, node)],
            Trouble::FullDisk => vec![Wound::DiskFull(if either == 0 { leader } else { others[0] })],
            Trouble::KillLeaderAndAgent => vec![Wound::AgentKilled(zone, node), Wound::ReplicaKilled(leader)],
            Trouble::LateCall => vec![
                Wound::CallsHeld(leader),
                Wound::NodeDark(zone, node),
                Wound::Wait(ACTS_WITHIN),
                Wound::ReplicaStopped(leader),
                Wound::Wait(ACTS_WITHIN),
            ],
            Trouble::DarkNodeAndStopLeader => {
                vec![Wound::NodeDark(zone, node), Wound::ReplicaStopped(leader)]
            }
        }
    }
}

/// The troubles of a run: a short one takes the first of each kind, a long one all of them, in an order that the seed
/// decides.
pub(crate) fn schedule(quick: bool, in_zones: bool, dice: &mut Dice) -> Vec<Trouble> {
    let (anywhere, zoned) = match (quick, in_zones) {
        (true, true) => (2, 2),
        (true, false) => (4, 0),
        (false, true) => (Trouble::ANYWHERE.len(), Trouble::IN_ZONES.len()),
        (false, false) => (Trouble::ANYWHERE.len(), 0),
    };
    let mut troubles = [&Trouble::ANYWHERE[..anywhere], &Trouble::IN_ZONES[..zoned]].concat();
    dice.shuffle(&mut troubles);
    troubles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_what_happens_and_a_long_run_leaves_nothing_out() {
        let of = |seed| schedule(false, true, &mut Dice::new(seed));
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        for trouble in Trouble::ANYWHERE.iter().chain(&Trouble::IN_ZONES) {
            assert_eq!(of(3).iter().filter(|it| *it == trouble).count(), 1, "{trouble:?}");
        }
        let on_loopback = schedule(false, false, &mut Dice::new(1));
        assert!(on_loopback.iter().all(|it| !Trouble::IN_ZONES.contains(it)));
    }

    #[test]
    fn a_leader_without_a_majority_of_etcd_is_written_down_as_such_and_last() {
        for trouble in [
            Trouble::CutLeaderZone,
            Trouble::CutLeaderZoneOneWay,
            Trouble::HalfOpenEtcd,
            Trouble::RefusedEtcd,
            Trouble::LoseEtcdMajority,
        ] {
            let wounds = trouble.wounds(1, 2, 4, &mut Dice::new(5));
            let first = wounds.iter().position(|it| matches!(it, Wound::CutOff(_))).unwrap();
            assert!(wounds.contains(&Wound::CutOff(1)), "{trouble:?}");
            assert!(wounds[first..].iter().all(|it| matches!(it, Wound::CutOff(_))), "{trouble:?}");
        }
    }
}
