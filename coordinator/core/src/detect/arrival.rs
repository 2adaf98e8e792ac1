//! How the beats of one node arrive, and so after which silence it is worth asking.
//!
//! The intuition is phi accrual with the tail cut off: mean plus a few deviations of the last 200 gaps. The result only
//! starts questions and condemns nobody, so it may be tight: a false question costs six small messages.
//! Detectors that condemn by silence alone wait for six deviations of at least 100 ms, and 3-10 s in all.

use std::time::Duration;

use crate::time::Time;

/// Gaps added up together: what a beat writes is one sum, and the rest is done once in so many.
const BLOCK: u8 = 10;

/// Blocks remembered: at one beat a second 200 gaps are a little over three minutes.
const BLOCKS: usize = 20;

/// The longest gap that is learned from, in milliseconds: a longer one is an outage and not the rhythm.
const GAP_MS_MAX: u64 = 10_000;

/// Deviations over the mean.
const SIGMAS: f64 = 4.0;

/// Lowest and highest threshold, in percent of the interval that the agent was told. The upper one is one missed beat and
/// half of the next: with rounds of probes behind it the verdict still comes within three intervals.
const PERCENT: (u64, u64) = (120, 150);

/// The last gaps between beats.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    /// The gaps that are in no full block yet.
    newest: Block,
    gaps: u8,
    /// Mean and deviations of all full blocks, in milliseconds; none before the first, which says nothing yet.
    usual_ms: Option<u32>,
    /// A ring; blocks that were never filled hold nothing.
    blocks: Box<[Block; BLOCKS]>,
    /// Where the next full block goes.
    next: u8,
}

/// Sums over [`BLOCK`] gaps in milliseconds: at most 10 x 10,000, and 10 x 10,000², which 32 bits hold.
#[derive(Clone, Copy, Debug, Default)]
struct Block {
    sum: u32,
    squares: u32,
}

impl Arrival {
    pub(super) fn new() -> Arrival {
        let blocks = Box::new([Block::default(); BLOCKS]);
        Arrival { newest: Block::default(), gaps: 0, usual_ms: None, blocks, next: 0 }
    }

    /// Learns the gap before a beat.
    #[inline]
    pub(super) fn learn(&mut self, gap_ms: u64) {
        if gap_ms > GAP_MS_MAX {
            return;
        }
        let gap = gap_ms as u32;
        self.newest.sum += gap;
        self.newest.squares += gap * gap;
        self.gaps += 1;
        if self.gaps == BLOCK {
            self.fill();
        }
    }

    /// The silence after which to ask.
    pub(super) fn threshold(&self, interval: Duration) -> Duration {
        let interval_ms = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX);
        let percent = |share: u64| interval_ms.saturating_mul(share) / 100;
        let (low, high) = (percent(PERCENT.0), percent(PERCENT.1));
        Duration::from_millis(self.usual_ms.map_or(high, |usual| u64::from(usual).clamp(low, high)))
    }

    fn fill(&mut self) {
        self.blocks[usize::from(self.next)] = std::mem::take(&mut self.newest);
        (self.next, self.gaps) = ((self.next + 1) % BLOCKS as u8, 0);
        // Messages that come all at once are a backlog and not the rhythm.
        let full = self.blocks.iter().filter(|block| block.sum > 0);
        let (count, sum, squares) = full.fold((0, 0, 0), |(count, sum, squares), block| {
            (count + u64::from(BLOCK), sum + u64::from(block.sum), squares + u64::from(block.squares))
        });
        let count = count.max(1) as f64;
        let mean = sum as f64 / count;
        let variance = (squares as f64 / count - mean * mean).max(0.0);
        self.usual_ms = Some((mean + SIGMAS * variance.sqrt()) as u32);
    }
}

/// Milliseconds between two moments, zero when they are the wrong way round.
pub(super) fn gap_ms(from: Time, to: Time) -> u64 {
    to.as_millis().saturating_sub(from.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn after(gaps: impl IntoIterator<Item = u64>) -> u128 {
        let mut arrival = Arrival::new();
        gaps.into_iter().for_each(|gap| arrival.learn(gap));
        arrival.threshold(SECOND).as_millis()
    }

    #[test]
    fn a_steady_node_is_asked_soon_and_a_jittery_one_later_but_never_past_the_bound() {
        assert_eq!(after([]), 1500, "nothing known");
        assert_eq!(after([1000; 50]), 1200);
        assert_eq!(after((0..200).map(|n| if n % 2 == 0 { 920 } else { 1080 })), 1320);
        assert_eq!(after((0..200).map(|n| if n % 20 == 0 { 2000 } else { 1000 })), 1500);
    }

    #[test]
    fn an_outage_is_not_learned_and_old_gaps_are_forgotten() {
        assert_eq!(after([1000; 50].into_iter().chain([60_000, 11_000, 1 << 40])), 1200);
        let wild = (0..100).map(|n| if n % 2 == 0 { 200 } else { 1800 });
        assert_eq!(after(wild.chain([1000; 200])), 1200);
    }
}
