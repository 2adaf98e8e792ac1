//! Folding facts: each changes what is known, and has the nodes looked at whose verdict it may move.

use super::step::{LOOK, SECOND};
use super::watch::{Stream, Watch};
use super::{Detector, Devices, Fact, HELD_NOTHING, Identity, Own, Start, Subject};
use crate::id::{Incarnation, NodeKey};
use crate::time::Time;

impl Detector {
    #[inline]
    pub(super) fn beat(&mut self, node: NodeKey, now: Time) {
        if let Some(watch) = self.roster.get_mut(node)
            && watch.stream == Stream::Up
            && watch.beat(now)
        {
            self.wake(node, now);
        }
    }

    pub(super) fn expect(&mut self, identity: &Identity, now: Time) {
        self.begin(now);
        if self.roster.get(identity.node).is_none_or(|known| known.identity.name != identity.name) {
            self.forget(identity.node, now);
            self.roster.put(identity, now);
            self.wake(identity.node, now);
        }
    }

    pub(super) fn join(&mut self, identity: Identity, incarnation: Incarnation, start: Start, now: Time) {
        self.begin(now);
        let node = identity.node;
        let other =
            |known: &Watch| known.identity.name != identity.name || known.identity.zone != identity.zone;
        if self.roster.get(node).is_some_and(other) {
            self.forget(node, now);
        }
        self.roster.put(&identity, now).join(identity, incarnation, start, now);
        if start == Start::Machine
            && let Some(devices) = self.devices(node)
        {
            devices.restart(now);
        }
        self.wake(node, now);
    }

    /// The first fact begins the clock and the learning.
    fn begin(&mut self, now: Time) {
        if self.tick.is_none() {
            self.tick = Some(now + SECOND);
            self.look = Some(now + LOOK);
            self.observer.learn(now);
        }
    }

    pub(super) fn note_own(&mut self, own: Own, now: Time) {
        match own {
            Own::KeyHeld => self.observer.key_held = Some(true),
            Own::KeyMissing => self.observer.key_held = Some(false),
            Own::Doubt(doubt) => self.report.local_health.doubt(doubt),
            Own::Leading => {
                (self.observer.leading, self.observer.key_held) = (true, None);
                self.observer.learn(now);
            }
            // A follower holds no key, and sees without one.
            Own::Following => (self.observer.leading, self.observer.key_held) = (false, None),
        }
        self.look.get_or_insert(now + LOOK);
    }

    /// Folds a fact about one known node.
    pub(super) fn note_clue(&mut self, fact: &Fact<'_>, now: Time) {
        let node = match *fact {
            Fact::Probed(probed) => probed.node,
            Fact::Snapshot(node)
            | Fact::Ended(node, _)
            | Fact::Goodbye(node, _)
            | Fact::Cloud(node, _)
            | Fact::Fenced(node, _)
            | Fact::Canary(node, _)
            | Fact::Lease { node, .. }
            | Fact::DataPlane { node, .. }
            | Fact::Witness { node, .. } => node,
            Fact::Expected(_)
            | Fact::Joined { .. }
            | Fact::Beat(_)
            | Fact::Forgotten(_)
            | Fact::Replica(_)
            | Fact::Own(_)
            | Fact::Gpu { .. }
            | Fact::Xid { .. }
            | Fact::XidTable(..)
            | Fact::Engine { .. } => return,
        };
        let Some(watch) = self.roster.get_mut(node) else { return };
        if watch.note(fact, now) {
            self.wake(node, now);
        }
    }

    pub(super) fn forget(&mut self, node: NodeKey, now: Time) {
        let Some(mut watch) = self.roster.remove(node) else { return };
        self.queue.set(node, None, now);
        if let Some(question) = &mut watch.question {
            let closed = question.close(|_| true, |_| false);
            self.report.rounds_in_flight -= closed.rounds;
        }
        let devices = self.devices.get_mut(node.0 as usize).and_then(Option::take);
        let subjects: Vec<Subject> = devices.iter().flat_map(|it| it.subjects(node)).collect();
        for subject in subjects.iter().chain([&Subject::Node(node)]) {
            self.findings.remove(subject);
        }
        if let Some(held) = self.held.get_mut(node.0 as usize) {
            *held = HELD_NOTHING;
        }
        self.look.get_or_insert(now + LOOK);
    }

    pub(super) fn devices(&mut self, node: NodeKey) -> Option<&mut Devices> {
        self.roster.get(node)?;
        let at = node.0 as usize;
        if at >= self.devices.len() {
            self.devices.resize_with(at + 1, || None);
        }
        Some(self.devices[at].get_or_insert_default())
    }

    /// Has a node looked at in the next step.
    pub(super) fn wake(&mut self, node: NodeKey, now: Time) {
        if self.roster.get(node).is_some() {
            self.queue.set_now(node, now);
        }
    }
}
