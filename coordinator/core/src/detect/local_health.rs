//! How much the observer doubts itself: the local health multiplier of Lifeguard (Dadgar, Phillips and Currey, 2017).
//!
//! A process that is slow itself sees everyone else fail. Each sign of its own trouble raises a score, each clean second
//! lowers it, and all patience is multiplied by it, so that a sick observer accuses later than a well one.

use std::fmt;
use std::time::Duration;

/// The highest score.
pub const SCORE_MAX: u8 = 8;

/// From this score on nothing disruptive is allowed.
pub(super) const SCORE_FROZEN: u8 = 4;

/// From this score on a leader does better to resign.
pub(super) const SCORE_RESIGN: u8 = 6;

/// A sign that something is wrong with the observer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// A step came more than 500 ms late.
    Lagged,
    /// The store took longer than a third of the lease to answer.
    StoreSlow,
    /// At least a twentieth of all streams were lost within a second, in more than one zone.
    StreamsLost,
    /// A place that always answers did not.
    AnchorSilent,
    /// Half of the probes that healthy nodes were asked to make were not even refused.
    ProbesUnanswered,
}

impl Doubt {
    const ALL: [Doubt; 5] =
        [Doubt::Lagged, Doubt::StoreSlow, Doubt::StreamsLost, Doubt::AnchorSilent, Doubt::ProbesUnanswered];

    /// For a person.
    pub const fn name(self) -> &'static str {
        match self {
            Doubt::Lagged => "its own steps came late",
            Doubt::StoreSlow => "the store answers slowly",
            Doubt::StreamsLost => "many streams of several zones were lost at once",
            Doubt::AnchorSilent => "the anchor does not answer",
            Doubt::ProbesUnanswered => "probes asked of healthy nodes come back without an answer",
        }
    }
}

/// The score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LocalHealth {
    score: u8,
    /// Bits of the doubts of this second.
    now: u8,
    /// Bits of the doubts of the last second that had any.
    last: u8,
}

impl LocalHealth {
    /// 0 (well) to [`SCORE_MAX`].
    pub fn score(self) -> u8 {
        self.score
    }

    /// Patience, stretched.
    pub fn stretch(self, patience: Duration) -> Duration {
        patience * (u32::from(self.score) + 1)
    }

    /// A sign of trouble; each kind counts once a second.
    pub(super) fn doubt(&mut self, doubt: Doubt) {
        let bit = 1 << doubt as u8;
        if self.now & bit == 0 {
            self.now |= bit;
            self.score = (self.score + 1).min(SCORE_MAX);
        }
    }

    /// A second has passed.
    pub(super) fn tick(&mut self) {
        if self.now == 0 {
            self.score = self.score.saturating_sub(1);
        } else {
            self.last = self.now;
        }
        self.now = 0;
    }
}

impl fmt::Display for LocalHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "local health {} of {SCORE_MAX}", self.score)?;
        let doubts = self.last | self.now;
        if self.score == 0 || doubts == 0 {
            return Ok(());
        }
        let mut separator = ": ";
        for doubt in Doubt::ALL.into_iter().filter(|doubt| doubts >> *doubt as u8 & 1 == 1) {
            write!(f, "{separator}{}", doubt.name())?;
            separator = ", ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubts_add_up_once_a_second_and_clean_seconds_take_them_away() {
        let mut health = LocalHealth::default();
        for _ in 0..3 {
            health.doubt(Doubt::Lagged);
            health.doubt(Doubt::StoreSlow);
        }
        assert_eq!(health.score(), 2);
        assert_eq!(health.stretch(Duration::from_secs(1)), Duration::from_secs(3));
        health.tick();
        assert_eq!(health.score(), 2, "that second was not clean");
        health.doubt(Doubt::Lagged);
        health.tick();
        assert_eq!(health.to_string(), "local health 3 of 8: its own steps came late");
        (0..3).for_each(|_| health.tick());
        assert_eq!((health.score(), health.to_string().as_str()), (0, "local health 0 of 8"));
        for _ in 0..20 {
            health.doubt(Doubt::AnchorSilent);
            health.tick();
        }
        assert_eq!(health.score(), SCORE_MAX);
    }
}
