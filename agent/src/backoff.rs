//! How long to wait before the next attempt: doubling from a first to a longest delay, with jitter.
//!
//! The jitter is "full": any delay between a floor and the doubled one is as likely. Ten thousand agents that lose the
//! same coordinator at the same moment then come back spread over the whole delay and not in waves.

use std::time::Duration;

use rand::{Rng, RngExt};

/// No delay is shorter: a peer that refuses at once must not be asked in a tight loop.
const FLOOR: Duration = Duration::from_millis(50);

/// A delay that grows with each failure.
#[derive(Clone, Debug)]
pub struct Backoff {
    /// Upper end of the first delay.
    first: Duration,
    /// Upper end that is never exceeded.
    longest: Duration,
    /// Upper end of the next delay.
    next: Duration,
}

/// Why delays cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The first delay is below the floor.
    #[error("the first delay is {0:?}; use at least {FLOOR:?}")]
    FirstTooShort(Duration),
    /// The longest is shorter than the first.
    #[error("the longest delay {longest:?} is shorter than the first {first:?}; make it at least as long")]
    LongestBelowFirst {
        /// The first delay.
        first: Duration,
        /// The longest delay.
        longest: Duration,
    },
}

impl Backoff {
    /// Delays from `first` (at least 50 ms) that double up to `longest`.
    ///
    /// # Errors
    /// When the two make no sense together.
    pub fn try_new(first: Duration, longest: Duration) -> Result<Self, Error> {
        if first < FLOOR {
            return Err(Error::FirstTooShort(first));
        }
        if longest < first {
            return Err(Error::LongestBelowFirst { first, longest });
        }
        Ok(Self { first, longest, next: first })
    }

    /// The delay to wait now; the one after will be up to twice as long.
    pub fn next_delay(&mut self, rng: &mut impl Rng) -> Duration {
        let upper = self.next;
        self.next = upper.saturating_mul(2).min(self.longest);
        rng.random_range(FLOOR..=upper)
    }

    /// The longest delay at once: the peer refused us for a reason that time alone will hardly mend.
    pub fn longest_delay(&mut self, rng: &mut impl Rng) -> Duration {
        self.next = self.longest;
        rng.random_range(self.longest / 2..=self.longest)
    }

    /// Starts over, after a success.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    const FIRST: Duration = Duration::from_millis(500);
    const LONGEST: Duration = Duration::from_secs(30);

    fn backoff() -> (Backoff, StdRng) {
        (Backoff::try_new(FIRST, LONGEST).unwrap(), StdRng::seed_from_u64(7))
    }

    #[test]
    fn delays_grow_to_the_longest_and_never_exceed_it() {
        let (mut backoff, mut rng) = backoff();
        let mut upper = FIRST;
        for _ in 0..20 {
            let delay = backoff.next_delay(&mut rng);
            assert!((FLOOR..=upper).contains(&delay), "{delay:?} is outside of {FLOOR:?}..={upper:?}");
            upper = (upper * 2).min(LONGEST);
        }
        assert_eq!(upper, LONGEST);
    }

    #[test]
    fn a_reset_starts_over() {
        let (mut backoff, mut rng) = backoff();
        for _ in 0..10 {
            backoff.next_delay(&mut rng);
        }
        backoff.reset();
        assert!(backoff.next_delay(&mut rng) <= FIRST);
    }

    #[test]
    fn agents_spread_over_the_whole_delay() {
        let (backoff, mut rng) = backoff();
        let delays: Vec<Duration> = (0..1000).map(|_| backoff.clone().next_delay(&mut rng)).collect();
        let early = delays.iter().filter(|delay| **delay < FIRST / 2).count();
        assert!((300..600).contains(&early), "{early} of 1000 in the first half");
    }

    #[test]
    fn a_refusal_waits_at_least_half_of_the_longest() {
        let (mut backoff, mut rng) = backoff();
        assert!(backoff.longest_delay(&mut rng) >= LONGEST / 2);
    }

    #[test]
    fn senseless_delays_are_refused() {
        assert_eq!(
            Backoff::try_new(Duration::ZERO, LONGEST).unwrap_err(),
            Error::FirstTooShort(Duration::ZERO)
        );
        let error = Backoff::try_new(LONGEST, FIRST).unwrap_err();
        assert_eq!(error, Error::LongestBelowFirst { first: LONGEST, longest: FIRST });
    }
}
