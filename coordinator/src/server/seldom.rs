//! Keeps what clients do wrong from filling the log.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time between two lines: a fleet that is configured wrongly tries again some hundred times a second.
const INTERVAL: Duration = Duration::from_secs(5);

/// Lets one through in a while, and counts the others.
#[derive(Debug, Default)]
pub(super) struct Seldom(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    passed: Option<Instant>,
    hidden: u64,
}

impl Seldom {
    /// How many were held back before this one; none when this one is, too.
    pub(super) fn pass(&self) -> Option<u64> {
        self.pass_at(Instant::now())
    }

    fn pass_at(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.passed.is_some_and(|passed| now.saturating_duration_since(passed) < INTERVAL) {
            state.hidden += 1;
            return None;
        }
        state.passed = Some(now);
        Some(std::mem::take(&mut state.hidden))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_passes_and_the_next_says_how_many_did_not() {
        let (seldom, start) = (Seldom::default(), Instant::now());
        assert_eq!(seldom.pass_at(start), Some(0));
        assert_eq!([1, 2].map(|s| seldom.pass_at(start + Duration::from_secs(s))), [None, None]);
        assert_eq!(seldom.pass_at(start + INTERVAL), Some(2));
    }
}
