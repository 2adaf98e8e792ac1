//! The observer's own clock: time that passed while it was not paying attention does not count as anybody's silence.
//!
//! A process that was stopped for 20 s finds every node silent for 20 s when it wakes. Instead of forgiving silence case
//! by case, that time is cut out: inside the detector all moments are on a clock that stands still while the driver is
//! away.

use std::time::Duration;

use crate::time::Time;

/// Lateness that is not noticed: a busy driver. Answers that lie unread for that long are still read before a deadline that
/// depends on them, because a round waits longer.
const LATE: Duration = Duration::from_millis(250);

/// Lateness that is a doubt.
pub(super) const LATE_DOUBT: Duration = Duration::from_millis(500);

/// The clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Attention {
    /// All time cut out so far.
    away: Duration,
    /// When the driver last called at all.
    called: Time,
    /// When it was told to call at the latest.
    promised: Option<Time>,
}

impl Attention {
    /// Notes a call; how long the driver had been away.
    #[inline]
    pub(super) fn call(&mut self, now: Time) -> Duration {
        let late = self.promised.map_or(Duration::ZERO, |promised| now.since(promised.max(self.called)));
        self.called = now.max(self.called);
        if late <= LATE {
            return Duration::ZERO;
        }
        self.away += late;
        late
    }

    /// When the driver last called.
    pub(super) fn called(&self) -> Time {
        self.called
    }

    /// Notes when the driver will step, given on the inner clock.
    pub(super) fn promise(&mut self, due: Option<Time>) {
        self.promised = due.map(|due| self.outer(due));
    }

    /// A moment of the driver's clock on the inner one.
    #[inline]
    pub(super) fn inner(&self, now: Time) -> Time {
        now - self.away
    }

    /// A moment of the inner clock on the driver's.
    pub(super) fn outer(&self, at: Time) -> Time {
        at + self.away
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_time_without_any_call_is_cut_out() {
        let at = Time::from_millis;
        let mut clock = Attention::default();
        assert_eq!(clock.call(at(50_000)), Duration::ZERO, "nothing was promised");
        clock.promise(Some(at(50_200)));
        assert_eq!(clock.call(at(50_450)), Duration::ZERO, "a little late");
        assert_eq!(clock.call(at(50_690)), Duration::ZERO, "facts still come");
        assert_eq!(clock.call(at(70_690)), Duration::from_secs(20));
        assert_eq!(clock.inner(at(70_690)), at(50_690));
        assert_eq!(clock.call(at(70_691)), Duration::ZERO, "told once");
        clock.promise(Some(at(51_000)));
        assert_eq!(clock.call(at(71_000)), Duration::ZERO);
        assert_eq!(clock.outer(at(51_000)), at(71_000));
    }
}
