//! The page of memory that the child shares with its parent: which NVML call is in flight, and how long each took.
//!
//! The child stores one word before a call and one after it, so telling the parent costs nothing; the parent only
//! looks. A call that never returns is therefore known by name, even though the process that made it can say no more.

use std::{
    io,
    os::fd::{AsRawFd, OwnedFd, RawFd},
    sync::atomic::Ordering,
};

use crate::{
    nvml::{
        call::{CALLS_MAX, Call},
        sys,
    },
    sample::GPUS_MAX,
};

/// Environment variable through which the child learns the number of the inherited descriptor.
pub(crate) const DESCRIPTOR_VARIABLE: &str = "OSTLER_NVML_PAGE";

/// Threads of the child that call NVML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Reads values.
    Reader = 0,
    /// Waits for events.
    Events = 1,
}

const LANES: usize = 2;
/// One row of timings for each GPU and one for calls that belong to none.
const OWNERS: usize = GPUS_MAX + 1;
const WORDS: usize = LANES + OWNERS * CALLS_MAX;
/// The time takes the low 48 bits of a word: 8.9 years of microseconds since boot.
const TIME_MASK: u64 = (1 << 48) - 1;

/// A call that was started and has not returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InFlight {
    /// Which call.
    pub(crate) call: Call,
    /// Index of the GPU that it asks, if it asks one.
    pub(crate) gpu: Option<u8>,
    /// When it began, on [`sys::monotonic_us`].
    pub(crate) started_us: u64,
}

impl InFlight {
    fn to_word(self) -> u64 {
        let gpu = self.gpu.map_or(0, |gpu| u64::from(gpu) + 1);
        ((self.call as u64 + 1) << 56) | ((gpu & 0xff) << 48) | (self.started_us & TIME_MASK)
    }

    fn from_word(word: u64) -> Option<InFlight> {
        let [number, gpu, ..] = word.to_be_bytes();
        Some(InFlight {
            call: Call::from_number(number.checked_sub(1)?)?,
            gpu: gpu.checked_sub(1),
            started_us: word & TIME_MASK,
        })
    }
}

/// One side's view of the page.
#[derive(Debug)]
pub(crate) struct Page {
    words: sys::SharedWords,
}

impl Page {
    /// A fresh page and the descriptor that a child process has to inherit to see it.
    pub(crate) fn create() -> io::Result<(Page, OwnedFd)> {
        let memory = sys::inheritable_memory(WORDS)?;
        let page = Page::open(memory.as_raw_fd())?;
        Ok((page, memory))
    }

    /// The page behind an inherited descriptor.
    pub(crate) fn open(descriptor: RawFd) -> io::Result<Page> {
        Ok(Page { words: sys::SharedWords::map(descriptor, WORDS)? })
    }

    /// Makes a call of that name, visible to the other side while it lasts; returns its result and its duration.
    pub(crate) fn announce<T>(
        &self,
        lane: Lane,
        gpu: Option<u8>,
        call: Call,
        make: impl FnOnce() -> T,
    ) -> (T, u64) {
        let started_us = sys::monotonic_us();
        let word = &self.words.words()[lane as usize];
        word.store(InFlight { call, gpu, started_us }.to_word(), Ordering::Release);
        let result = make();
        word.store(0, Ordering::Release);
        let took_us = sys::monotonic_us().saturating_sub(started_us);
        if let Some(timing) = self.words.words().get(timing_index(gpu, call)) {
            // A call that was made has a time of at least 1, so that 0 means that it never was.
            timing.store(took_us.max(1), Ordering::Relaxed);
        }
        (result, took_us)
    }

    /// What a lane is in the middle of.
    pub(crate) fn in_flight(&self, lane: Lane) -> Option<InFlight> {
        InFlight::from_word(self.words.words()[lane as usize].load(Ordering::Acquire))
    }

    /// How long the call took the last time it was made for that GPU, in microseconds.
    pub(crate) fn last_us(&self, gpu: Option<u8>, call: Call) -> Option<u64> {
        let word = self.words.words().get(timing_index(gpu, call))?.load(Ordering::Relaxed);
        (word > 0).then_some(word)
    }
}

fn timing_index(gpu: Option<u8>, call: Call) -> usize {
    let owner = gpu.map_or(0, |gpu| usize::from(gpu) + 1);
    LANES + owner * CALLS_MAX + call as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_sees_the_call_while_it_lasts_and_its_time_afterwards() {
        let (child, memory) = Page::create().unwrap();
        let parent = Page::open(memory.as_raw_fd()).unwrap();
        child.announce(Lane::Reader, Some(3), Call::Power, || {
            let seen = parent.in_flight(Lane::Reader).expect("the call is in flight");
            assert_eq!((seen.gpu, seen.call), (Some(3), Call::Power));
            assert_eq!(parent.in_flight(Lane::Events), None);
        });
        assert_eq!(parent.in_flight(Lane::Reader), None);
        assert!(parent.last_us(Some(3), Call::Power).is_some());
        assert_eq!(parent.last_us(Some(2), Call::Power), None);
    }

    #[test]
    fn words_that_no_child_writes_are_read_as_nothing() {
        assert_eq!(InFlight::from_word(0), None);
        assert_eq!(InFlight::from_word(u64::MAX), None);
        let none = InFlight { call: Call::Init, gpu: None, started_us: 7 };
        assert_eq!(InFlight::from_word(none.to_word()), Some(none));
    }
}
