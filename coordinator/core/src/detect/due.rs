//! When to look at which node: one moment a node, in order.
//!
//! A wheel of buckets, each a list through an array by node. Ten thousand nodes that are heard are looked at about once a
//! second each, in vain, so filing one must cost no more than a few writes; a tree took longer than the rest of the step.

use crate::id::NodeKey;
use crate::time::Time;

/// Moments are rounded up to this many milliseconds, so that a step finds several nodes due and not one: 10,000 nodes
/// then take at most 50 steps a second.
const GRAIN_MS: u64 = 20;

/// Buckets of the wheel. The 5 s that it spans are longer than any wait of a node that is heard; what is due later waits
/// in the last bucket and is filed again when that comes.
const BUCKETS: usize = 256;

/// No node: the end of a list. The fleet never grows so long.
const NONE: u32 = u32::MAX;

/// The nodes by the moment they are due. Each is in it at most once.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    /// By node key.
    places: Vec<Place>,
    /// The first node of each bucket; the bucket of a moment is its number modulo their count.
    heads: Box<[u32; BUCKETS]>,
    /// Bitmap over `heads`.
    filled: [u64; BUCKETS / 64],
    /// Number of the earliest bucket that may hold a node.
    base: u64,
}

/// Where one node is filed.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// None while it is filed nowhere.
    due: Option<Time>,
    before: u32,
    after: u32,
    bucket: u16,
}

const NOWHERE: Place = Place { due: None, before: NONE, after: NONE, bucket: 0 };

impl Default for Queue {
    fn default() -> Self {
        Queue { places: Vec::new(), heads: Box::new([NONE; BUCKETS]), filled: [0; BUCKETS / 64], base: 0 }
    }
}

impl Queue {
    /// The earliest moment at which a node may be due.
    pub(super) fn first(&self) -> Option<Time> {
        self.first_bucket().map(|bucket| Time::from_millis(bucket * GRAIN_MS))
    }

    /// When a node is due.
    pub(super) fn due(&self, node: NodeKey) -> Option<Time> {
        self.places.get(node.0 as usize)?.due
    }

    /// Takes the next node that is due.
    pub(super) fn pop(&mut self, now: Time) -> Option<NodeKey> {
        let present = now.as_millis() / GRAIN_MS;
        while let Some(bucket) = self.first_bucket().filter(|bucket| *bucket <= present) {
            self.base = bucket;
            let node = self.heads[bucket as usize % BUCKETS];
            let due = self.unlink(node);
            if due.is_none_or(|due| due <= now) {
                return Some(NodeKey(node));
            }
            // Past the end of the wheel when it was filed.
            self.link(node, due);
        }
        self.base = self.base.max(present);
        None
    }

    /// Moves a node to another moment.
    pub(super) fn set(&mut self, node: NodeKey, to: Option<Time>, now: Time) {
        let to = to.map(|to| Time::from_millis(to.as_millis().div_ceil(GRAIN_MS) * GRAIN_MS));
        self.put(node, to, now);
    }

    /// Moves a node to this moment, unless it is due by then.
    pub(super) fn set_now(&mut self, node: NodeKey, now: Time) {
        if self.due(node).is_none_or(|due| due > now) {
            self.put(node, Some(now), now);
        }
    }

    fn put(&mut self, node: NodeKey, to: Option<Time>, now: Time) {
        if self.filled == [0; BUCKETS / 64] {
            self.base = self.base.max(now.as_millis() / GRAIN_MS);
        }
        let at = node.0 as usize;
        if at >= self.places.len() {
            self.places.resize(at + 1, NOWHERE);
        }
        if self.places[at].due != to {
            self.unlink(node.0);
            self.link(node.0, to);
        }
    }

    /// Number of the earliest bucket with a node.
    fn first_bucket(&self) -> Option<u64> {
        let start = self.base as usize % BUCKETS;
        // The word of the start twice: its later buckets first, its earlier ones after a whole turn.
        (0..=self.filled.len()).find_map(|turn| {
            let at = (start / 64 + turn) % self.filled.len();
            let mask = match turn {
                0 => u64::MAX << (start % 64),
                turn if turn == self.filled.len() => !(u64::MAX << (start % 64)),
                _ => u64::MAX,
            };
            let word = self.filled[at] & mask;
            let bucket = at * 64 + word.trailing_zeros() as usize;
            (word != 0).then(|| self.base + ((bucket + BUCKETS - start) % BUCKETS) as u64)
        })
    }

    fn link(&mut self, node: u32, due: Option<Time>) {
        let Some(due) = due else { return };
        let last = self.base + BUCKETS as u64 - 1;
        let bucket = (due.as_millis() / GRAIN_MS).clamp(self.base, last) as usize % BUCKETS;
        let after = std::mem::replace(&mut self.heads[bucket], node);
        if let Some(after) = self.places.get_mut(after as usize) {
            after.before = node;
        }
        self.filled[bucket / 64] |= 1 << (bucket % 64);
        self.places[node as usize] = Place { due: Some(due), before: NONE, after, bucket: bucket as u16 };
    }

    /// Takes a node out of its list; when it was due.
    fn unlink(&mut self, node: u32) -> Option<Time> {
        let Place { due, before, after, bucket } =
            std::mem::replace(&mut self.places[node as usize], NOWHERE);
        due?;
        if let Some(after) = self.places.get_mut(after as usize) {
            after.before = before;
        }
        if let Some(before) = self.places.get_mut(before as usize) {
            before.after = after;
        } else {
            let bucket = usize::from(bucket);
            self.heads[bucket] = after;
            if after == NONE {
                self.filled[bucket / 64] &= !(1 << (bucket % 64));
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_node_is_due_once_at_the_moment_that_was_set_last() {
        let at = Time::from_millis;
        let mut queue = Queue::default();
        queue.set(NodeKey(1), Some(at(101)), at(0));
        assert_eq!(queue.due(NodeKey(1)), Some(at(120)));
        queue.set(NodeKey(1), Some(at(50)), at(0));
        queue.set(NodeKey(2), Some(at(60)), at(0));
        assert_eq!((queue.due(NodeKey(1)), queue.first()), (Some(at(60)), Some(at(60))));
        assert_eq!(queue.pop(at(59)), None);
        let mut both = [queue.pop(at(60)), queue.pop(at(60))];
        both.sort_unstable();
        assert_eq!(both, [Some(NodeKey(1)), Some(NodeKey(2))]);
        assert_eq!(queue.pop(at(1_000)), None);
    }

    proptest! {
        #[test]
        fn exactly_the_nodes_that_are_due_are_popped(
            moves in prop::collection::vec((0u32..6, prop::option::of(0u64..60_000), 0u64..3_000), 1..80),
        ) {
            let mut queue = Queue::default();
            let mut model = BTreeMap::new();
            let mut now = Time::from_millis(1_000_000);
            for (node, wait, pass) in moves {
                let node = NodeKey(node);
                match wait {
                    Some(0) => queue.set_now(node, now),
                    Some(wait) => queue.set(node, Some(now + Duration::from_millis(wait)), now),
                    None => queue.set(node, None, now),
                }
                model.remove(&node);
                model.extend(queue.due(node).map(|due| (node, due)));
                now = now + Duration::from_millis(pass);
                let mut popped: Vec<_> = std::iter::from_fn(|| queue.pop(now)).collect();
                popped.sort_unstable();
                let due: Vec<_> = model.iter().filter(|(_, due)| **due <= now).map(|(node, _)| *node).collect();
                prop_assert_eq!(popped, due);
                model.retain(|_, due| *due > now);
                let first = queue.first();
                prop_assert_eq!(first.is_some(), !model.is_empty());
                prop_assert!(first.is_none_or(|first| first > now && Some(first) <= model.values().min().copied()));
            }
        }
    }
}
