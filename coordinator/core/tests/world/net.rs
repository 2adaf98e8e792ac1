//! The network: who reaches whom, and how long it takes.

use std::collections::BTreeMap;

use crate::dice::Dice;

/// How often a lost piece of a stream is sent again before it gets through all the same.
const RESENDS_MAX: u32 = 5;

/// After how long a lost piece of a stream is sent again first; twice as long each time (Linux's least is 200 ms).
const RESEND_MS: u64 = 200;

/// One side of a cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Node(usize),
    Replica(usize),
    Etcd,
    Zone(usize),
    /// All that is not in the zone of the other side.
    Elsewhere,
    Anybody,
}

/// Who sends or receives. Etcd has a majority outside of every zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) side: Side,
    pub(crate) zone: Option<usize>,
}

/// The network.
#[derive(Debug)]
pub(crate) struct Net {
    /// What is cut, one way, and until when.
    cuts: BTreeMap<(Side, Side), u64>,
    /// Messages lost, in a hundred.
    pub(crate) loss_percent: u64,
    /// A way takes up to so long.
    pub(crate) jitter_ms: u64,
}

impl Side {
    fn covers(self, spot: Spot, other: Spot) -> bool {
        match self {
            Side::Node(_) | Side::Replica(_) | Side::Etcd => spot.side == self,
            Side::Zone(zone) => spot.zone == Some(zone),
            Side::Elsewhere => spot.zone != other.zone,
            Side::Anybody => true,
        }
    }
}

impl Net {
    /// One that does no harm.
    pub(crate) fn calm() -> Net {
        Net { cuts: BTreeMap::new(), loss_percent: 0, jitter_ms: 5 }
    }

    pub(crate) fn cut(&mut self, from: Side, to: Side, until_ms: u64) {
        let until = self.cuts.entry((from, to)).or_default();
        *until = until_ms.max(*until);
    }

    pub(crate) fn cut_both(&mut self, one: Side, other: Side, until_ms: u64) {
        self.cut(one, other, until_ms);
        self.cut(other, one, until_ms);
    }

    /// Ends all that is wrong with it.
    pub(crate) fn heal(&mut self) {
        *self = Net::calm();
    }

    /// Whether nothing is wrong with it.
    pub(crate) fn is_calm(&self, now_ms: u64) -> bool {
        self.loss_percent == 0 && self.cuts.values().all(|until| *until <= now_ms)
    }

    pub(crate) fn open(&self, from: Spot, to: Spot, now_ms: u64) -> bool {
        let holds = |((a, b), until): (&(Side, Side), &u64)| {
            *until > now_ms && a.covers(from, to) && b.covers(to, from)
        };
        !self.cuts.iter().any(holds)
    }

    pub(crate) fn open_both(&self, one: Spot, other: Spot, now_ms: u64) -> bool {
        self.open(one, other, now_ms) && self.open(other, one, now_ms)
    }

    /// How long a packet takes; none when it is lost.
    pub(crate) fn packet(&self, dice: &mut Dice) -> Option<u64> {
        (!dice.percent(self.loss_percent)).then(|| 1 + dice.below(self.jitter_ms + 1))
    }

    /// How long a piece of a stream takes, which is sent again when it is lost.
    pub(crate) fn piece(&self, dice: &mut Dice) -> u64 {
        let mut waited_ms = 0;
        for resend in 0..RESENDS_MAX {
            if let Some(way_ms) = self.packet(dice) {
                return waited_ms + way_ms;
            }
            waited_ms += RESEND_MS << resend;
        }
        waited_ms
    }
}
