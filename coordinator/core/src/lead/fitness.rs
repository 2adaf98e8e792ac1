//! Whether a replica is fit to lead: it is well itself, and it sees the fleet about as well as the others do.

use std::time::Duration;

use super::{Boot, Reason};

/// Score from which a replica leads no more.
const UNWELL_SCORE: u8 = 6;

/// Score below which it may lead again; the one from which disruptive actions are frozen.
const WELL_SCORE: u8 = 4;

/// How long a replica may reach less than half of what the best one does.
const SHORT_REACH_MAX: Duration = Duration::from_secs(5);

/// What is known of the replica itself. Nothing known is fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fitness {
    score: u8,
    /// The score was too high and has not come down enough since.
    unwell: bool,
    own: u32,
    best: u32,
    /// Since when the reach is short; none while it is not.
    short_since: Option<Boot>,
}

impl Fitness {
    pub(super) fn set_score(&mut self, score: u8) {
        self.score = score;
        self.unwell = score >= UNWELL_SCORE || (self.unwell && score >= WELL_SCORE);
    }

    pub(super) fn set_reach(&mut self, own: u32, best: u32, now: Boot) {
        (self.own, self.best) = (own, best);
        let short = u64::from(own) * 2 < u64::from(best);
        self.short_since = if short { self.short_since.or(Some(now)) } else { None };
    }

    /// Why not, if it is not.
    pub(super) fn unfit(&self, now: Boot) -> Option<Reason> {
        if self.unwell {
            return Some(Reason::Unwell { score: self.score });
        }
        let short = self.unfit_at().is_some_and(|at| at <= now);
        short.then_some(Reason::ShortReach { own: self.own, best: self.best })
    }

    /// When it will be unfit if nothing is heard; none when time does not change it.
    pub(super) fn unfit_at(&self) -> Option<Boot> {
        self.short_since.map(|since| since + SHORT_REACH_MAX)
    }
}
