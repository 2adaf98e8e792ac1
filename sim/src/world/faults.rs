//! What breaks, and what becomes of the replicas on it.

use rand::RngExt;

use super::World;
use super::flights::Loss;
use super::queue::Event;
use crate::lifecycle::Phase;
use crate::random::Stream;
use crate::scaler::Kind;
use crate::setup::{Fault, ZoneIndex};
use crate::time::{SimTime, Span};

/// Shortest life of a node, so that time goes on however often nodes are replaced.
const LIFE_MIN: Span = Span::from_seconds(1);

/// How long something lives that ends so often a day; none when it never does.
fn life(ends_per_day: f64, stream: &mut Stream) -> Option<Span> {
    let days = -(1.0 - stream.random::<f64>()).ln() / ends_per_day;
    (ends_per_day > 0.0).then(|| Span::clamped_from_seconds(days * 86_400.0).max(LIFE_MIN))
}

impl World<'_> {
    pub(super) fn strike(&mut self, fault: Fault) {
        match fault {
            Fault::ReplicaCrash => {
                let serving = self.fleet.members.iter().find(|(_, member)| member.phase == Phase::Ready);
                if let Some(number) = serving.map(|(number, _)| *number) {
                    self.kill(vec![number]);
                }
            }
            Fault::NodeDown => {
                let used = self.fleet.members.values().map(|member| member.node).min();
                if let Some(node) = used {
                    self.lose_node(node);
                }
            }
            Fault::SpotNotice { nodes } => {
                let spot = self.fleet.nodes.iter().filter(|(_, node)| node.is_spot_in_use());
                let taken: Vec<u64> = spot.map(|(number, _)| *number).take(nodes as usize).collect();
                taken.into_iter().for_each(|node| self.warn_node(node));
            }
            Fault::ZoneDown { zone, lasts } => {
                self.fleet.set_dark(zone, true);
                let inside = self.fleet.nodes.iter().filter(|(_, node)| node.zone == zone);
                let lost: Vec<u64> = inside.map(|(number, _)| *number).collect();
                self.lose_nodes(&lost);
                self.queue.push(self.now + lasts, Event::ZoneBack { zone });
            }
        }
    }

    /// Draws when a new node dies or is taken away.
    pub(super) fn draw_life(&mut self, node: u64, kind: Kind, from: SimTime) {
        let faults = &self.setup.faults;
        if let Some(life) = life(faults.node_deaths_per_1000_days / 1000.0, &mut self.fleet.lives) {
            self.queue.push(from + life, Event::NodeDies { node });
        }
        if kind == Kind::Spot
            && let Some(life) = life(faults.spot_removals_per_day, &mut self.fleet.lives)
        {
            self.queue.push(from + life, Event::SpotNotice { node });
        }
    }

    /// A node dies, whether suddenly or after its notice.
    pub(super) fn lose_node(&mut self, node: u64) {
        self.lose_nodes(&[node]);
    }

    fn lose_nodes(&mut self, nodes: &[u64]) {
        for node in nodes {
            if let Some(lost) = self.fleet.nodes.get_mut(node) {
                lost.doomed = true;
            }
        }
        self.kill(nodes.iter().flat_map(|node| self.members_of(*node)).collect());
    }

    /// A spot node will be taken away. Its agent tells at once, so that its replicas drain and others start.
    pub(super) fn warn_node(&mut self, node: u64) {
        let Some(warned) = self.fleet.nodes.get_mut(&node).filter(|node| !node.doomed) else { return };
        warned.doomed = true;
        let until = self.now + self.setup.faults.spot_notice;
        self.members_of(node).into_iter().for_each(|member| self.drain_until(member, until));
        self.queue.push(until, Event::NodeDies { node });
        self.reconcile();
    }

    pub(super) fn return_zone(&mut self, zone: ZoneIndex) {
        self.fleet.set_dark(zone, false);
        self.reconcile();
    }

    /// Replicas die in the same instant. All are dead before the requests of any are sent elsewhere, so that none goes to
    /// another one of them. Requests are lost at once; that their replicas are dead is noticed later.
    fn kill(&mut self, mut numbers: Vec<u64>) {
        numbers.retain(|number| self.die(*number));
        for number in numbers {
            self.interrupt(number, Loss::Death);
            if self.fleet.members.get(&number).is_some_and(|member| member.phase == Phase::Draining) {
                self.dismiss(number);
            } else {
                let noticed = self.now + self.setup.faults.noticed_after;
                self.queue.push(noticed, Event::Noticed { member: number });
            }
        }
    }

    /// Lets a replica get nothing more. Tells whether it was alive; one that drains gets nothing anyway.
    fn die(&mut self, number: u64) -> bool {
        let Some(member) = self.fleet.members.get_mut(&number) else { return false };
        match member.phase {
            Phase::Lost => false,
            Phase::Draining => true,
            Phase::PendingNode | Phase::Pull | Phase::Load | Phase::Warm | Phase::Ready => {
                member.phase = Phase::Lost;
                member.version = member.version.wrapping_add(1);
                true
            }
        }
    }

    pub(super) fn notice_death(&mut self, number: u64) {
        self.dismiss(number);
        self.reconcile();
    }

    /// A drain has run out of time.
    pub(super) fn end_drain(&mut self, number: u64) {
        if self.fleet.members.get(&number).is_some_and(|member| member.phase == Phase::Draining) {
            self.interrupt(number, Loss::DrainTooLong);
            self.dismiss(number);
        }
    }

    fn members_of(&self, node: u64) -> Vec<u64> {
        let on_it = self.fleet.members.iter().filter(|(_, member)| member.node == node);
        on_it.map(|(number, _)| *number).collect()
    }
}
