//! How the beats of one node arrive, and so after which silence it is worth asking.
//!
//! The intuition is phi accrual with the tail cut off: mean plus a few deviations of the last 200 gaps. The result only
//! starts questions and condemns nobody, so it may be tight: a false question costs six small messages.
//! Detectors that condemn by silence alone wait for six deviations of at least 100 ms, and 3-10 s in all.

use std::time::Duration;

use crate::time::Time;

/// Gaps remembered: at one beat a second a little over three minutes.
const WINDOW: usize = 200;

/// Gaps below which the window says nothing yet, and the upper bound is used.
const GAPS_MIN: u32 = 10;

/// The longest gap that is learned from, in milliseconds: a longer one is an outage and not the rhythm.
const GAP_MS_MAX: u16 = 10_000;

/// Deviations over the mean.
const SIGMAS: f64 = 4.0;

/// Lowest and highest threshold, in percent of the interval that the agent was told. The upper one is one missed beat and
/// half of the next: with rounds of probes behind it the verdict still comes within three intervals.
const PERCENT: (u64, u64) = (120, 150);

/// The last gaps between beats.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    /// In milliseconds; a ring once it is full.
    gaps: Box<[u16; WINDOW]>,
    /// Gaps ever learned.
    learned: u32,
    sum: u32,
    /// At most 200 x 10,000², which 64 bits hold easily.
    squares: u64,
}

impl Arrival {
    pub(super) fn new() -> Arrival {
        Arrival { gaps: Box::new([0; WINDOW]), learned: 0, sum: 0, squares: 0 }
    }

    /// Learns the gap before a beat.
    #[inline]
    pub(super) fn learn(&mut self, gap_ms: u64) {
        let Ok(gap) = u16::try_from(gap_ms) else { return };
        if gap > GAP_MS_MAX {
            return;
        }
        let place = &mut self.gaps[self.learned as usize % WINDOW];
        // A place that was never written holds zero and takes nothing away.
        self.sum = self.sum - u32::from(*place) + u32::from(gap);
        self.squares = self.squares - u64::from(*place).pow(2) + u64::from(gap).pow(2);
        *place = gap;
        // Counting stays below the wrap and keeps the place in the ring.
        self.learned = if self.learned == u32::MAX { self.learned % WINDOW as u32 } else { self.learned } + 1;
    }

    /// The silence after which to ask.
    pub(super) fn threshold(&self, interval: Duration) -> Duration {
        let interval_ms = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX);
        let percent = |share: u64| interval_ms.saturating_mul(share) / 100;
        let (low, high) = (percent(PERCENT.0), percent(PERCENT.1));
        if self.learned < GAPS_MIN {
            return Duration::from_millis(high);
        }
        let count = f64::from(self.learned.min(WINDOW as u32));
        let mean = f64::from(self.sum) / count;
        let variance = (self.squares as f64 / count - mean * mean).max(0.0);
        let millis = (mean + SIGMAS * variance.sqrt()) as u64;
        Duration::from_millis(millis.clamp(low, high))
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
