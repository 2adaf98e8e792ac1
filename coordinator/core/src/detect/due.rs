//! When to look at which node: one moment a node, in order.

use std::collections::BTreeSet;

use crate::id::NodeKey;
use crate::time::Time;

/// Moments are rounded up to this many milliseconds, so that a step finds several nodes due and not one: 10,000 nodes
/// then take at most 50 steps a second.
const GRAIN_MS: u64 = 20;

/// The nodes by the moment they are due. Each is in it at most once, so it is never longer than the fleet.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue(BTreeSet<(Time, NodeKey)>);

impl Queue {
    /// The earliest moment.
    pub(super) fn first(&self) -> Option<Time> {
        self.0.first().map(|(due, _)| *due)
    }

    /// Takes the next node that is due.
    pub(super) fn pop(&mut self, now: Time) -> Option<NodeKey> {
        let first = *self.0.first()?;
        (first.0 <= now).then(|| {
            self.0.remove(&first);
            first.1
        })
    }

    /// Moves a node from one moment to another, and says to which.
    pub(super) fn set(&mut self, node: NodeKey, from: Option<Time>, to: Option<Time>) -> Option<Time> {
        self.put(node, from, to.map(|to| Time::from_millis(to.as_millis().div_ceil(GRAIN_MS) * GRAIN_MS)))
    }

    /// Moves a node to this moment, which is not rounded up.
    pub(super) fn set_now(&mut self, node: NodeKey, from: Option<Time>, now: Time) -> Option<Time> {
        self.put(node, from, Some(now))
    }

    fn put(&mut self, node: NodeKey, from: Option<Time>, to: Option<Time>) -> Option<Time> {
        if from != to {
            if let Some(from) = from {
                self.0.remove(&(from, node));
            }
            if let Some(to) = to {
                self.0.insert((to, node));
            }
        }
        to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_due_once_at_the_moment_that_was_set_last() {
        let at = Time::from_millis;
        let mut queue = Queue::default();
        let first = queue.set(NodeKey(1), None, Some(at(101)));
        assert_eq!(first, Some(at(120)));
        let second = queue.set(NodeKey(1), first, Some(at(50)));
        queue.set(NodeKey(2), None, Some(at(60)));
        assert_eq!((second, queue.first()), (Some(at(60)), Some(at(60))));
        assert_eq!(queue.pop(at(59)), None);
        assert_eq!((queue.pop(at(60)), queue.pop(at(60))), (Some(NodeKey(1)), Some(NodeKey(2))));
        assert_eq!(queue.pop(at(1_000)), None);
    }
}
