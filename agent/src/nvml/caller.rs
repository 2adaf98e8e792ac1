//! Makes calls on one GPU: each announced, timed, left out when it hangs or is not supported.

use nvml_wrapper::error::NvmlError;

use crate::nvml::{
    call::Call,
    error,
    fault::code,
    frame::Health,
    page::{Lane, Page},
    raw,
};

/// Makes calls on behalf of one GPU and remembers how they went.
pub(crate) struct Caller<'page> {
    page: &'page Page,
    gpu: u8,
    /// Calls that hung lately; the parent decides.
    skipped: u64,
    /// Calls that this GPU or driver does not have: asked once and never again while this process lives.
    unsupported: u64,
    /// The error that makes further calls on this GPU pointless in this reading.
    lost: Option<u32>,
    /// Calls that succeeded since [`Caller::begin`].
    succeeded: u32,
    /// The last error of those that failed although they may succeed some other time.
    failed: Option<u32>,
    /// The longest call since [`Caller::begin`], in microseconds.
    longest_us: u64,
}

impl<'page> Caller<'page> {
    /// Nothing was called yet.
    pub(crate) fn new(page: &'page Page, gpu: u8) -> Caller<'page> {
        Caller {
            page,
            gpu,
            skipped: 0,
            unsupported: 0,
            lost: None,
            succeeded: 0,
            failed: None,
            longest_us: 0,
        }
    }

    /// Starts a reading: what was learnt about the GPU stays, how the last reading went does not.
    pub(crate) fn begin(&mut self) {
        *self = Caller {
            skipped: self.skipped,
            unsupported: self.unsupported,
            ..Caller::new(self.page, self.gpu)
        };
    }

    /// Replaces the calls to leave out.
    pub(crate) fn skip(&mut self, calls: u64) {
        self.skipped = calls;
    }

    /// Whether the GPU or driver does not have the call.
    pub(crate) fn is_unsupported(&self, call: Call) -> bool {
        self.unsupported & call.bit() != 0
    }

    /// The longest call since [`Caller::begin`], in microseconds.
    pub(crate) fn longest_us(&self) -> u64 {
        self.longest_us
    }

    /// Makes a call unless it is known to be useless; `None` when there is no value.
    pub(crate) fn call<T>(&mut self, call: Call, make: impl FnOnce() -> raw::Result<T>) -> Option<T> {
        if self.lost.is_some() || (self.skipped | self.unsupported) & call.bit() != 0 {
            return None;
        }
        let (result, took_us) = self.page.announce(Lane::Reader, Some(self.gpu), call, make);
        self.longest_us = self.longest_us.max(took_us);
        match result {
            Ok(value) => {
                self.succeeded += 1;
                return Some(value);
            }
            Err(
                code::NOT_SUPPORTED
                | code::FUNCTION_NOT_FOUND
                | code::ARGUMENT_VERSION_MISMATCH
                | code::DEPRECATED,
            ) => self.unsupported |= call.bit(),
            Err(number @ (code::GPU_IS_LOST | code::RESET_REQUIRED | code::GPU_NOT_FOUND)) => {
                self.lost = Some(number);
            }
            Err(number) => self.failed = Some(number),
        }
        None
    }

    /// The same for a call through the wrapper.
    pub(crate) fn wrapped<T>(
        &mut self,
        call: Call,
        make: impl FnOnce() -> Result<T, NvmlError>,
    ) -> Option<T> {
        self.call(call, || make().map_err(|error| error::number(&error)))
    }

    /// How the GPU is, as the calls since [`Caller::begin`] tell.
    pub(crate) fn health(&self) -> Health {
        match (self.lost, self.succeeded, self.failed) {
            (Some(number), _, _) => Health::Lost(number),
            (None, 0, Some(number)) => Health::Unreadable(number),
            (None, _, _) => Health::Ok,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_is_not_supported_is_made_once() {
        let (page, _memory) = Page::create().unwrap();
        let mut caller = Caller::new(&page, 0);
        let mut made = 0;
        for _ in 0..3 {
            caller.begin();
            let value = caller.call(Call::Power, || {
                made += 1;
                Err::<u32, _>(code::NOT_SUPPORTED)
            });
            assert_eq!(value, None);
            assert_eq!(caller.health(), Health::Ok, "not supported is not a fault");
        }
        assert_eq!(made, 1);
    }

    #[test]
    fn a_lost_gpu_is_not_asked_further_in_the_same_reading_and_is_asked_again_in_the_next() {
        let (page, _memory) = Page::create().unwrap();
        let mut caller = Caller::new(&page, 0);
        caller.call(Call::Power, || Err::<u32, _>(code::GPU_IS_LOST));
        assert_eq!(caller.call(Call::Energy, || Ok(1)), None);
        assert_eq!(caller.health(), Health::Lost(15));
        caller.begin();
        assert_eq!(caller.call(Call::Energy, || Ok(1)), Some(1));
        assert_eq!(caller.health(), Health::Ok);
    }

    #[test]
    fn an_error_that_may_pass_is_tried_again_and_only_matters_when_nothing_works() {
        let (page, _memory) = Page::create().unwrap();
        let mut caller = Caller::new(&page, 0);
        caller.call(Call::Power, || Err::<u32, _>(code::UNKNOWN));
        assert_eq!(caller.health(), Health::Unreadable(999));
        assert_eq!(caller.call(Call::Power, || Ok(1)), Some(1));
        assert_eq!(caller.health(), Health::Ok);
    }

    #[test]
    fn a_call_that_hung_is_left_out() {
        let (page, _memory) = Page::create().unwrap();
        let mut caller = Caller { skipped: Call::Power.bit(), ..Caller::new(&page, 0) };
        assert_eq!(caller.call(Call::Power, || Ok(1)), None);
        assert_eq!(caller.call(Call::Energy, || Ok(1)), Some(1));
    }
}
