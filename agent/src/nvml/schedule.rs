//! When to read which section of which GPU: pure, time passed in.
//!
//! Readings are timed to end just before somebody looks, because a value that is read right after a look is an interval
//! old when it is next seen. Slow sections are spread over the ticks, one GPU at a time.

use std::time::{Duration, Instant};

use crate::nvml::section::{Periods, Section};

/// A reading begins this much before the next look, at least: scheduling noise on a busy machine.
const LEAD_MIN: Duration = Duration::from_millis(30);
/// Readings asked for out of turn are at least this far apart, whatever the driver keeps reporting.
const HURRY_PAUSE: Duration = Duration::from_millis(200);

/// The plan of the readings.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    periods: Periods,
    /// Whether the first reading takes everything at once.
    all_at_once: bool,
    gpus: usize,
    /// Readings since the child started.
    tick: u64,
    last: Instant,
    next: Instant,
    /// Time from asking to the fast values' arrival, smoothed.
    takes: Duration,
    arrived: bool,
}

impl Schedule {
    pub(crate) fn new(periods: Periods, all_at_once: bool, now: Instant) -> Schedule {
        Schedule {
            periods,
            all_at_once,
            gpus: 0,
            tick: 0,
            last: now,
            next: now,
            takes: Duration::from_millis(5),
            arrived: true,
        }
    }

    /// A new child: everything is read again as soon as it is ready.
    pub(crate) fn restart(&mut self, now: Instant) {
        (self.tick, self.next) = (0, now);
    }

    /// How often to read from now on.
    pub(crate) fn set_periods(&mut self, periods: Periods, now: Instant) {
        self.periods = periods;
        self.next = self.next.min(now + periods.fast);
    }

    /// How many GPUs the child has.
    pub(crate) fn set_gpus(&mut self, gpus: usize) {
        self.gpus = gpus;
    }

    /// Fast values have come.
    pub(crate) fn fast_arrived(&mut self, now: Instant) {
        if !self.arrived {
            self.arrived = true;
            let took = now.saturating_duration_since(self.last).min(self.periods.fast);
            self.takes = (self.takes * 7 + took) / 8;
        }
    }

    /// Read as soon as possible, out of turn.
    pub(crate) fn hurry(&mut self, now: Instant) {
        self.next = self.next.min(now.max(self.last + HURRY_PAUSE));
    }

    /// When the next reading may be due.
    pub(crate) fn next(&self) -> Instant {
        self.next
    }

    /// Whether to read now, and if so of which GPUs the slow and the bandwidth section as well (a bit each). `looked`:
    /// when somebody first looked after the last reading.
    pub(crate) fn due(&mut self, looked: Option<Instant>, now: Instant) -> Option<(u32, u32)> {
        if now < self.next {
            return None;
        }
        let interval = self.periods.fast;
        let lead = (self.takes * 2).max(LEAD_MIN).min(interval / 2);
        let ideal = looked.map_or(self.next, |looked| looked + interval.saturating_sub(lead));
        let ideal = ideal.min(self.last + interval * 3 / 2);
        if ideal > now + Duration::from_millis(2) && self.tick > 0 {
            self.next = ideal;
            return None;
        }
        // After a pause (suspend, a hang) the plan starts again from now instead of catching up.
        self.next = (ideal + interval).max(now + interval / 2);
        (self.last, self.arrived) = (now, false);
        let tick = self.tick;
        self.tick += 1;
        Some((self.mask(Section::Slow, tick), self.mask(Section::Bandwidth, tick)))
    }

    /// The GPUs whose section is due at that tick.
    fn mask(&self, section: Section, tick: u64) -> u32 {
        let Some(period) = section.period(&self.periods) else { return 0 };
        let all = (1_u64 << self.gpus.min(32)) - 1;
        if tick == 0 && (section == Section::Slow || self.all_at_once) {
            return u32::try_from(all).unwrap_or(u32::MAX);
        }
        let interval_ms = self.periods.fast.as_millis().max(1);
        let ticks = u64::try_from(period.as_millis() / interval_ms).unwrap_or(1).max(1);
        let stride = (ticks / self.gpus.max(1) as u64).max(1);
        (0..self.gpus.min(32) as u64)
            .filter(|gpu| tick % ticks == gpu * stride % ticks)
            .fold(0, |mask, gpu| mask | 1 << gpu)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn schedule(now: Instant) -> Schedule {
        let periods = Periods { fast: SECOND, slow: SECOND * 10, bandwidth: Some(SECOND * 30) };
        let mut schedule = Schedule::new(periods, false, now);
        schedule.set_gpus(8);
        schedule
    }

    #[test]
    fn the_first_reading_takes_everything_but_the_traffic_and_later_ones_are_spread() {
        let start = Instant::now();
        let mut schedule = schedule(start);
        let (mut slow, mut bandwidth) = (Vec::new(), Vec::new());
        for tick in 0..31 {
            let (s, b) = schedule.due(None, start + SECOND * tick).expect("due every second");
            slow.push(s.count_ones());
            bandwidth.push(b.count_ones());
        }
        assert_eq!((slow[0], bandwidth[0]), (8, 1));
        assert!(slow[1..].iter().chain(&bandwidth).all(|gpus| *gpus <= 1), "{slow:?} {bandwidth:?}");
        assert_eq!(slow[11..21].iter().sum::<u32>(), 8, "each GPU once in ten seconds");
        assert_eq!(bandwidth[1..31].iter().sum::<u32>(), 8, "each GPU once in thirty seconds");
    }

    #[test]
    fn readings_move_to_just_before_the_looks() {
        let start = Instant::now();
        let mut schedule = schedule(start);
        let (mut now, mut read, mut looked) = (start, start, None);
        let mut next_look = start + Duration::from_millis(730);
        // Ten simulated seconds, a millisecond at a time; somebody looks once a second.
        for _ in 0..10_000 {
            now += Duration::from_millis(1);
            if now >= next_look {
                looked = looked.or(Some(now));
                next_look += SECOND;
            }
            if schedule.due(looked, now).is_some() {
                (read, looked) = (now, None);
            }
        }
        let early = (next_look - read).as_millis() % 1000;
        assert!((25..=40).contains(&early), "read {early} ms before the look");
    }

    #[test]
    fn a_reading_that_was_late_is_not_caught_up_with() {
        let start = Instant::now();
        let mut schedule = schedule(start);
        schedule.due(None, start);
        let woke = start + SECOND * 100;
        assert!(schedule.due(None, woke).is_some());
        assert!(schedule.due(None, woke + Duration::from_millis(10)).is_none());
    }

    #[test]
    fn a_driver_that_keeps_reporting_events_does_not_make_readings_endless() {
        let start = Instant::now();
        let mut schedule = schedule(start);
        schedule.due(None, start);
        let mut readings = 0;
        for millisecond in 0..1000 {
            let now = start + Duration::from_millis(millisecond);
            schedule.hurry(now);
            readings += u32::from(schedule.due(Some(start), now).is_some());
        }
        assert!((1..=6).contains(&readings), "{readings} readings in a second");
    }
}
