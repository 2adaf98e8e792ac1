//! The exported calls, by what they are about.
//!
//! Each is written with one of the macros here: the call's own part is only what it answers, and what is common to all
//! (initialisation, ordered faults, handles, a lost GPU) happens in [`on_device`] and [`on_system`].

use crate::{
    abi::{Code, GPU_IS_LOST, Handle, INVALID_ARGUMENT, NOT_SUPPORTED, Outcome, SUCCESS},
    library,
    scenario::Scenario,
    signal::Signal,
    values::{MigInstance, Values},
};

mod ecc;
mod events;
mod fields;
mod identity;
mod init;
mod link;
mod mig;
mod process;
mod telemetry;

/// The device that a call is about, at the moment of the call.
struct Gpu<'a> {
    index: usize,
    values: &'a Values,
    /// Set when the handle is that of a MIG device.
    mig: Option<&'a MigInstance>,
    scenario: &'a Scenario,
    /// Seconds since the machine started.
    at: f64,
}

impl Gpu<'_> {
    fn u32(&self, signal: &Signal) -> Result<u32, Code> {
        signal.read_u32(self.at)
    }

    fn u64(&self, signal: &Signal) -> Result<u64, Code> {
        signal.read_u64(self.at)
    }

    fn i32(&self, signal: &Signal) -> Result<i32, Code> {
        signal.read_i32(self.at)
    }

    /// 0 or 1, as NVML's flags are.
    fn flag(&self, signal: &Signal) -> Result<u32, Code> {
        self.u32(signal).map(|value| u32::from(value != 0))
    }

    /// Whether the GPU is in MIG mode, in which much is not supported on the GPU as a whole.
    fn in_mig_mode(&self) -> bool {
        self.values.mig_enabled.read(self.at).is_ok_and(|value| value != 0)
    }
}

/// Answers a call on a device.
fn on_device(call: &str, handle: Handle, takes_mig: bool, answer: impl FnOnce(&Gpu<'_>) -> Outcome) -> Code {
    code(try_on_device(call, handle, takes_mig, answer))
}

fn try_on_device(
    call: &str,
    handle: Handle,
    takes_mig: bool,
    answer: impl FnOnce(&Gpu<'_>) -> Outcome,
) -> Outcome {
    let position = handle.position();
    let view = library::enter(call, position.map(|(index, _)| index))?;
    let (index, instance) = position.ok_or(INVALID_ARGUMENT)?;
    let values = view.scenario.gpus.get(index).ok_or(INVALID_ARGUMENT)?;
    if values.lost {
        return Err(GPU_IS_LOST);
    }
    let mig = match instance {
        Some(instance) => Some(values.mig_instances.get(instance).ok_or(INVALID_ARGUMENT)?),
        None => None,
    };
    if mig.is_some() && !takes_mig {
        return Err(INVALID_ARGUMENT);
    }
    if values.unsupported.iter().any(|name| name == call) {
        return Err(NOT_SUPPORTED);
    }
    answer(&Gpu { index, values, mig, scenario: &view.scenario, at: view.at })
}

/// Answers a call that is about no device, after `nvmlInit`.
fn on_system(call: &str, answer: impl FnOnce(&Scenario) -> Outcome) -> Code {
    code(library::enter(call, None).and_then(|view| answer(&view.scenario)))
}

fn code(outcome: Outcome) -> Code {
    match outcome {
        Ok(()) => SUCCESS,
        Err(code) => code,
    }
}

/// Exports calls on a device: `nvmlName(gpu, argument: Type) { answer }`. Those marked `mig` take a MIG device too.
macro_rules! device_calls {
    (@takes_mig mig) => { true };
    (@takes_mig) => { false };
    ($($(#[$mode:ident])? $name:ident($gpu:ident $(, $argument:ident: $kind:ty)* $(,)?) $body:block)*) => {
        $(
            /// Part of NVML's C interface.
            ///
            /// # Safety
            ///
            /// As `nvml.h` says: pointers are null or point to what the call fills in.
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name(
                device: $crate::abi::Handle
                $(, $argument: $kind)*
            ) -> $crate::abi::Code {
                let takes_mig = $crate::calls::device_calls!(@takes_mig $($mode)?);
                $crate::calls::on_device(stringify!($name), device, takes_mig, |$gpu| $body)
            }
        )*
    };
}

/// Exports calls about no device: `nvmlName(scenario, argument: Type) { answer }`.
macro_rules! system_calls {
    ($($name:ident($scenario:ident $(, $argument:ident: $kind:ty)* $(,)?) $body:block)*) => {
        $(
            /// Part of NVML's C interface.
            ///
            /// # Safety
            ///
            /// As `nvml.h` says: pointers are null or point to what the call fills in.
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name($($argument: $kind),*) -> $crate::abi::Code {
                $crate::calls::on_system(stringify!($name), |$scenario| $body)
            }
        )*
    };
}

use {device_calls, system_calls};
