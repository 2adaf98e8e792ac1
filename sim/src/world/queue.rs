//! Events in order of time, and of their making where times are equal.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::setup::{Fault, ZoneIndex};
use crate::time::SimTime;
use crate::trace::Request;

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Arrival(Request),
    /// An engine's stretch ends, if the version still holds.
    Advance {
        member: u64,
        version: u32,
    },
    /// A phase ends, if the version still holds.
    Phase {
        member: u64,
        version: u32,
    },
    DrainEnds {
        member: u64,
    },
    /// A death is noticed.
    Noticed {
        member: u64,
    },
    Scripted(Fault),
    NodeDies {
        node: u64,
    },
    SpotNotice {
        node: u64,
    },
    ZoneBack {
        zone: ZoneIndex,
    },
    Sample,
    Decide,
}

#[derive(Debug)]
struct Entry {
    at: SimTime,
    number: u64,
    event: Event,
}

/// What is to come: one arrival, and a few events for each replica and node. Those that something overtook stay until their
/// time, which for an engine is at most the end of the request that would have ended next.
#[derive(Debug, Default)]
pub(super) struct Queue {
    entries: BinaryHeap<Reverse<Entry>>,
    pushed: u64,
}

impl Queue {
    pub(super) fn push(&mut self, at: SimTime, event: Event) {
        self.pushed += 1;
        self.entries.push(Reverse(Entry { at, number: self.pushed, event }));
    }

    pub(super) fn pop(&mut self) -> Option<(SimTime, Event)> {
        self.entries.pop().map(|Reverse(entry)| (entry.at, entry.event))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    #[test]
    fn equal_times_keep_the_order_of_making() {
        let mut queue = Queue::default();
        let second = SimTime::after(Span::from_seconds(1));
        queue.push(second, Event::Decide);
        queue.push(second, Event::Sample);
        queue.push(SimTime::ZERO, Event::DrainEnds { member: 7 });
        let order: Vec<Event> = std::iter::from_fn(|| queue.pop()).map(|(_, event)| event).collect();
        assert_eq!(order, [Event::DrainEnds { member: 7 }, Event::Decide, Event::Sample]);
    }
}
