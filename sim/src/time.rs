//! Simulated time: whole picoseconds since the start of the run.
//!
//! So small a unit because the cost of one token of context is a few nanoseconds in a profile: in picoseconds it is
//! still a whole number, and many iterations summed in closed form are exactly the iterations one by one. 64 bits hold
//! 213 days.

use std::ops::{Add, AddAssign, Mul, Sub};
use std::time::Duration;

use ostler_core::time::Time;

const PER_SECOND: f64 = 1e12;

/// A length of simulated time, in picoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(u64);

/// A moment of a run, in picoseconds since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SimTime(u64);

impl Span {
    /// No time.
    pub const ZERO: Span = Span(0);

    /// The longest span that a trace or a setup may name: 200 days, so that sums stay below the 213 that fit.
    pub const MAX: Span = Span::from_seconds(200 * 86_400);

    /// So many picoseconds.
    pub const fn from_picos(picos: u64) -> Span {
        Span(picos)
    }

    /// So many microseconds.
    pub const fn from_micros(micros: u64) -> Span {
        Span(micros * 1_000_000)
    }

    /// So many milliseconds.
    pub const fn from_millis(millis: u64) -> Span {
        Span(millis * 1_000_000_000)
    }

    /// So many seconds.
    pub const fn from_seconds(seconds: u64) -> Span {
        Span(seconds * 1_000_000_000_000)
    }

    /// So many seconds, rounded; none when negative, not finite or over [`Span::MAX`].
    pub fn try_from_seconds(seconds: f64) -> Option<Span> {
        let fits = seconds.is_finite() && seconds >= 0.0 && seconds <= Span::MAX.as_seconds();
        fits.then(|| Span((seconds * PER_SECOND).round() as u64))
    }

    /// So many seconds, rounded, brought into 0 to [`Span::MAX`]; zero when not a number.
    pub fn clamped_from_seconds(seconds: f64) -> Span {
        Span((seconds.clamp(0.0, Span::MAX.as_seconds()) * PER_SECOND).round() as u64)
    }

    /// Picoseconds.
    pub const fn as_picos(self) -> u64 {
        self.0
    }

    /// Whole microseconds.
    pub const fn as_micros(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Seconds.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / PER_SECOND
    }

    /// The same in nanoseconds, as std counts it.
    pub const fn as_duration(self) -> Duration {
        Duration::from_nanos(self.0 / 1_000)
    }
}

impl SimTime {
    /// The start of the run.
    pub const ZERO: SimTime = SimTime(0);

    /// The moment this long after the start.
    pub const fn after(span: Span) -> SimTime {
        SimTime(span.0)
    }

    /// Time passed since `earlier`; zero when `earlier` is later.
    pub const fn since(self, earlier: SimTime) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// Seconds since the start.
    pub fn as_seconds(self) -> f64 {
        Span(self.0).as_seconds()
    }

    /// The same moment as the core counts it, in whole milliseconds.
    pub const fn as_core(self) -> Time {
        Time::from_millis(self.0 / 1_000_000_000)
    }
}

impl Add<Span> for SimTime {
    type Output = SimTime;

    fn add(self, rhs: Span) -> SimTime {
        SimTime(self.0.saturating_add(rhs.0))
    }
}

impl Sub<Span> for SimTime {
    type Output = SimTime;

    fn sub(self, rhs: Span) -> SimTime {
        SimTime(self.0.saturating_sub(rhs.0))
    }
}

impl Add for Span {
    type Output = Span;

    fn add(self, rhs: Span) -> Span {
        Span(self.0.saturating_add(rhs.0))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, rhs: Span) {
        *self = *self + rhs;
    }
}

impl Mul<u64> for Span {
    type Output = Span;

    fn mul(self, rhs: u64) -> Span {
        Span(self.0.saturating_mul(rhs))
    }
}

impl std::iter::Sum for Span {
    fn sum<I: Iterator<Item = Span>>(spans: I) -> Span {
        spans.fold(Span::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_that_cannot_be_are_refused() {
        assert_eq!(Span::try_from_seconds(0.000_001), Some(Span::from_micros(1)));
        for wrong in [-1.0, f64::NAN, f64::INFINITY, 201.0 * 86_400.0] {
            assert_eq!(Span::try_from_seconds(wrong), None, "{wrong}");
        }
        assert_eq!(Span::clamped_from_seconds(f64::INFINITY), Span::MAX);
        assert_eq!(Span::clamped_from_seconds(-3.0), Span::ZERO);
    }

    #[test]
    fn time_before_is_no_time() {
        let second = SimTime::after(Span::from_seconds(1));
        assert_eq!(SimTime::ZERO.since(second), Span::ZERO);
        assert_eq!(second.since(SimTime::ZERO), Span::from_seconds(1));
        assert_eq!(second.as_core(), Time::from_millis(1000));
    }
}
