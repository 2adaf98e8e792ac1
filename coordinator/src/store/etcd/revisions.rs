//! The store's revisions: etcd's own, raised by what the last restore decided.
//!
//! etcd counts from one in each cluster, but terms are revisions and must rise when the state moves to another cluster.
//! So a restore stores an offset, and everyone adds it to what etcd says. It is read once, before the first question; a
//! restore never changes it while anyone could lead under the one before (see [`super::whole`]).

use super::{from_wire, to_wire};

/// A revision that etcd never gives, which no key has.
const NEVER: i64 = -1;

/// How revisions of the store and of etcd correspond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Revisions {
    /// What the store's are higher by.
    pub(super) offset: u64,
}

impl Revisions {
    /// What the store calls a revision of etcd. Zero, for a key that is not there, stays zero.
    pub(super) fn own(self, wire: i64) -> u64 {
        match from_wire(wire) {
            0 => 0,
            revision => revision.saturating_add(self.offset),
        }
    }

    /// What etcd calls a revision of the store. One of before the last restore is none that etcd has.
    pub(super) fn wire(self, own: u64) -> i64 {
        match own.checked_sub(self.offset) {
            _ if own == 0 => 0,
            None | Some(0) => NEVER,
            Some(revision) => to_wire(revision),
        }
    }

    /// Whether changes after a revision of the store were made in this etcd.
    pub(super) fn knows_after(self, own: u64) -> bool {
        own >= self.offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_are_raised_by_the_offset_and_zero_and_older_ones_are_nobodys() {
        let raised = Revisions { offset: 1_000 };
        for (wire, own) in [(0, 0), (1, 1_001), (77, 1_077)] {
            assert_eq!((raised.own(wire), raised.wire(own)), (own, wire));
        }
        assert_eq!((raised.wire(1), raised.wire(1_000), raised.own(-3)), (NEVER, NEVER, 0));
        assert!(raised.knows_after(1_000) && !raised.knows_after(999));
        let plain = Revisions::default();
        assert_eq!((plain.own(5), plain.wire(5), plain.wire(0)), (5, 5, 0));
    }
}
