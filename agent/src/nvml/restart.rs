//! When to start the next child, and which calls it must leave out: pure policy, time passed in.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::{
    nvml::{call::Call, frame::Skips},
    sample::GPUS_MAX,
};

/// First pause after a failure that follows another; it doubles up to [`PAUSE_MAX`].
const PAUSE: Duration = Duration::from_secs(1);
/// Longest pause between two children.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// Longest pause when the child itself says what is missing: cheap to try, and what a person repairs should show soon.
const PAUSE_REFUSED_MAX: Duration = Duration::from_secs(10);
/// A child that lived this long did well: the next failure is a first one again.
const STABLE: Duration = Duration::from_secs(60);
/// First time that a call which hung is left out; it doubles up to [`QUARANTINE_MAX`] when it hangs again.
const QUARANTINE: Duration = Duration::from_secs(30);
/// Longest time that a call is left out before it is tried again.
const QUARANTINE_MAX: Duration = Duration::from_secs(1800);
/// A call is left out this much longer than the process that hangs in it lives.
const HOLD: Duration = Duration::from_secs(5);
/// Different calls hanging on one GPU at the same time before the whole GPU is left alone: each one costs a process that
/// may never die, and a GPU on which two calls hang will hang on the others.
const CALLS_HUNG_MAX: usize = 2;

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It was given up in the middle of a call, or died.
    Broken,
    /// It said why it cannot work; the cause may pass by itself.
    Refused,
}

/// Exponential backoff between children.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// How long to wait before the next child, when the last one lived `lived` and ended like that. `jitter` is a
    /// random number in `0.0..1.0`; it shortens the pause by up to a quarter.
    pub(crate) fn pause(&mut self, ended: Ended, lived: Duration, jitter: f64) -> Duration {
        if lived >= STABLE {
            self.failures = 0;
        }
        let doublings = self.failures;
        self.failures = self.failures.saturating_add(1);
        // The first replacement of one that broke starts at once, because the other GPUs wait for it.
        if doublings == 0 && ended == Ended::Broken {
            return Duration::ZERO;
        }
        let longest = match ended {
            Ended::Broken => PAUSE_MAX,
            Ended::Refused => PAUSE_REFUSED_MAX,
        };
        let pause = PAUSE.saturating_mul(1 << doublings.saturating_sub(1).min(16)).min(longest);
        pause.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 4.0)
    }

    /// A child that works: the next failure is a first one again once it has lived long enough.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// One call that hung on one GPU.
#[derive(Clone, Copy, Debug)]
struct Entry {
    until: Instant,
    pause: Duration,
}

/// Calls that hung, and until when they are left out. At most one entry for each GPU and call.
#[derive(Clone, Debug)]
pub(crate) struct Quarantine {
    hung: BTreeMap<(u8, Call), Entry>,
    /// How long a call that was let in again must not hang before its GPU counts as well: time enough to make it.
    probation: Duration,
}

impl Quarantine {
    /// Nothing is left out. Every call is made at least once in `period`.
    pub(crate) fn new(period: Duration) -> Quarantine {
        Quarantine { hung: BTreeMap::new(), probation: period + period / 4 }
    }

    /// The process that hangs in the call is still alive, so the call hangs still.
    pub(crate) fn hold(&mut self, gpu: u8, call: Call, now: Instant) {
        if let Some(entry) = self.hung.get_mut(&(gpu, call)) {
            entry.until = entry.until.max(now + HOLD);
        }
    }

    /// A call hung.
    pub(crate) fn add(&mut self, gpu: u8, call: Call, now: Instant) {
        let pause = self
            .hung
            .get(&(gpu, call))
            .map_or(QUARANTINE, |entry| entry.pause.saturating_mul(2).min(QUARANTINE_MAX));
        self.hung.insert((gpu, call), Entry { until: now + pause, pause });
    }

    /// Calls that are left out now.
    pub(crate) fn active(&self, now: Instant) -> impl Iterator<Item = (u8, Call)> + '_ {
        self.hung.iter().filter(move |(_, entry)| now < entry.until).map(|(key, _)| *key)
    }

    /// Calls that hung and have not been seen to work since: left out, or let in again just now.
    pub(crate) fn suspected(&self, now: Instant) -> impl Iterator<Item = (u8, Call)> + '_ {
        let suspected = move |entry: &Entry| now < entry.until + self.probation;
        self.hung.iter().filter(move |(_, entry)| suspected(entry)).map(|(key, _)| *key)
    }

    /// Whether the GPU is left alone altogether.
    pub(crate) fn is_whole_gpu(&self, gpu: u8, now: Instant) -> bool {
        self.active(now).filter(|(hung, _)| *hung == gpu).count() >= CALLS_HUNG_MAX
    }

    /// What a child has to leave out now.
    pub(crate) fn skips(&self, now: Instant) -> Skips {
        let mut skips = Skips::default();
        for (gpu, call) in self.active(now).filter(|(gpu, _)| usize::from(*gpu) < GPUS_MAX) {
            let slot = &mut skips[usize::from(gpu)];
            *slot |= if self.is_whole_gpu(gpu, now) { u64::MAX } else { call.bit() };
        }
        skips
    }

    /// Forgets calls that have been let in again for as long as they were left out, without hanging.
    pub(crate) fn forget_old(&mut self, now: Instant) {
        let probation = self.probation;
        self.hung.retain(|_, entry| now < entry.until + entry.pause.max(probation));
    }

    /// When the next call is let in again.
    pub(crate) fn next_expiry(&self, now: Instant) -> Option<Instant> {
        self.hung.values().map(|entry| entry.until).filter(|until| *until > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(10);
    const PERIOD: Duration = Duration::from_secs(10);

    #[test]
    fn the_first_replacement_starts_at_once_and_later_ones_wait_longer_and_longer() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u64> = (0..9).map(|_| backoff.pause(Ended::Broken, SHORT, 0.0).as_secs()).collect();
        assert_eq!(pauses, [0, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(backoff.pause(Ended::Broken, STABLE, 0.0), Duration::ZERO, "it had worked for long");
    }

    #[test]
    fn a_child_that_refused_is_never_replaced_at_once() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.pause(Ended::Refused, SHORT, 0.0), PAUSE);
        assert_eq!(backoff.pause(Ended::Refused, SHORT, 0.0), PAUSE);
        assert_eq!(backoff.pause(Ended::Refused, SHORT, 1.0), PAUSE.mul_f64(1.5), "jitter shortens");
    }

    #[test]
    fn only_the_call_that_hung_is_left_out_until_a_second_one_hangs_on_the_same_gpu() {
        let (mut quarantine, now) = (Quarantine::new(PERIOD), Instant::now());
        quarantine.add(3, Call::Power, now);
        assert_eq!(quarantine.skips(now)[3], Call::Power.bit());
        assert_eq!(quarantine.skips(now)[2], 0);
        quarantine.add(3, Call::Energy, now);
        assert_eq!(quarantine.skips(now)[3], u64::MAX);
    }

    #[test]
    fn a_call_is_let_in_again_and_left_out_twice_as_long_when_it_hangs_again() {
        let (mut quarantine, now) = (Quarantine::new(PERIOD), Instant::now());
        quarantine.add(0, Call::Power, now);
        let again = now + QUARANTINE;
        assert_eq!(quarantine.next_expiry(now), Some(again));
        assert_eq!(quarantine.skips(again)[0], 0);
        quarantine.add(0, Call::Power, again);
        assert_eq!(quarantine.next_expiry(again), Some(again + QUARANTINE * 2));
    }

    #[test]
    fn a_call_stays_suspected_until_it_was_made_again_without_hanging() {
        let (mut quarantine, now) = (Quarantine::new(PERIOD), Instant::now());
        quarantine.add(0, Call::Power, now);
        let again = now + QUARANTINE;
        assert_eq!(quarantine.active(again).count(), 0);
        assert_eq!(
            quarantine.suspected(again).count(),
            1,
            "its GPU is not well only because time has passed"
        );
        assert_eq!(quarantine.suspected(again + PERIOD * 2).count(), 0);
    }

    #[test]
    fn a_call_is_not_tried_again_while_the_process_that_hangs_in_it_lives() {
        let (mut quarantine, mut now) = (Quarantine::new(PERIOD), Instant::now());
        quarantine.add(0, Call::Power, now);
        for _ in 0..100 {
            now += Duration::from_secs(1);
            quarantine.hold(0, Call::Power, now);
        }
        assert_eq!(quarantine.skips(now)[0], Call::Power.bit());
        assert_eq!(quarantine.skips(now + HOLD)[0], 0);
    }

    #[test]
    fn a_call_that_behaved_for_long_is_forgotten() {
        let (mut quarantine, now) = (Quarantine::new(PERIOD), Instant::now());
        quarantine.add(0, Call::Power, now);
        quarantine.forget_old(now + QUARANTINE * 2 + SHORT);
        quarantine.add(0, Call::Power, now);
        assert_eq!(quarantine.next_expiry(now), Some(now + QUARANTINE));
    }
}
