//! NVML calls that nvml-wrapper lacks, or that lose something on their way through it.
//!
//! Field values there fail on signed numbers, event data drops the MIG instance ids, newer event bits are refused, and
//! remapped rows, fabric, SRAM status, margin temperature and instance ids are not wrapped at all. A symbol that the
//! installed library does not have is an error of that one call, never a crash.
#![allow(unsafe_code)]

use std::mem;

use nvml_wrapper::{Device, Nvml};
use nvml_wrapper_sys::bindings as ffi;

use crate::nvml::fault::code;

/// NVML's error number.
pub(crate) type Result<T> = std::result::Result<T, u32>;

/// Field ids that the agent reads (`nvml.h`); none of them is among those that driver 580.82 renumbered (251-273).
pub(crate) mod field {
    pub(crate) const MEMORY_TEMPERATURE: u32 = 82;
    pub(crate) const RECOVERY_ACTION: u32 = 230;
    pub(crate) const NVLINK_CRC_FLIT_ERRORS: u32 = 38;
    pub(crate) const NVLINK_CRC_DATA_ERRORS: u32 = 45;
    pub(crate) const NVLINK_REPLAY_ERRORS: u32 = 52;
    pub(crate) const NVLINK_RECOVERY_ERRORS: u32 = 59;
    pub(crate) const NVLINK_DATA_TX_KIBIBYTES: u32 = 138;
    pub(crate) const NVLINK_DATA_RX_KIBIBYTES: u32 = 139;
}

/// Scope of an NVLink field that means all links together.
pub(crate) const ALL_LINKS: u32 = u32::MAX;

/// Most fields asked for in one call.
pub(crate) const FIELDS_MAX: usize = 8;

/// Event bits newer than the wrapper's.
pub(crate) mod event {
    pub(crate) const XID: u64 = 0x8;
    pub(crate) const GPU_UNAVAILABLE: u64 = 0x4000;
    pub(crate) const GPU_RECOVERY_ACTION: u64 = 0x8000;
}

fn check(number: ffi::nvmlReturn_t) -> Result<()> {
    if number == ffi::nvmlReturn_enum_NVML_SUCCESS { Ok(()) } else { Err(number) }
}

/// The function, or the error of a library that does not have it.
fn symbol<F: Copy, E>(found: &std::result::Result<F, E>) -> Result<F> {
    found.as_ref().map(|function| *function).map_err(|_| code::FUNCTION_NOT_FOUND)
}

fn handle(device: &Device<'_>) -> ffi::nvmlDevice_t {
    // SAFETY: the handle is only passed back to the library that gave it, while `Nvml` is alive.
    unsafe { device.handle() }
}

/// A struct that carries its own size and version in the way NVML_STRUCT_VERSION does.
fn struct_version<T>(version: u32) -> u32 {
    u32::try_from(size_of::<T>()).unwrap_or(0) | (version << 24)
}

/// Reads several fields in one call. `wanted` and the result are (field, scope) and value in the same order; a field
/// that fails is `None` there without spoiling the others.
pub(crate) fn field_values(
    nvml: &Nvml,
    device: &Device<'_>,
    wanted: &[(u32, u32)],
) -> Result<[Option<i64>; FIELDS_MAX]> {
    let function = symbol(&nvml.lib().nvmlDeviceGetFieldValues)?;
    // SAFETY: all-zero is a valid value of this plain C struct.
    let mut values: [ffi::nvmlFieldValue_t; FIELDS_MAX] = unsafe { mem::zeroed() };
    let count = wanted.len().min(FIELDS_MAX);
    for (value, (id, scope)) in values.iter_mut().zip(wanted) {
        value.fieldId = *id;
        value.scopeId = *scope;
        // A library that skips a field must not make it look like a zero that was read.
        value.nvmlReturn = code::UNKNOWN;
    }
    // SAFETY: `values` has at least `count` elements and lives through the call.
    check(unsafe { function(handle(device), i32::try_from(count).unwrap_or(0), values.as_mut_ptr()) })?;
    let mut result = [None; FIELDS_MAX];
    for (slot, value) in result.iter_mut().zip(&values[..count]) {
        if value.nvmlReturn == ffi::nvmlReturn_enum_NVML_SUCCESS {
            *slot = field_value(value);
        }
    }
    Ok(result)
}

fn field_value(field: &ffi::nvmlFieldValue_t) -> Option<i64> {
    // SAFETY: `valueType` says which member the library wrote; every member is plain data within the zeroed union.
    unsafe {
        match field.valueType {
            ffi::nvmlValueType_enum_NVML_VALUE_TYPE_DOUBLE => {
                let value = field.value.dVal;
                value.is_finite().then_some(value as i64)
            }
            ffi::nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_INT => Some(i64::from(field.value.uiVal)),
            ffi::nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_LONG => i64::try_from(field.value.ulVal).ok(),
            ffi::nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_LONG_LONG => {
                i64::try_from(field.value.ullVal).ok()
            }
            ffi::nvmlValueType_enum_NVML_VALUE_TYPE_SIGNED_LONG_LONG => Some(field.value.sllVal),
            ffi::nvmlValueType_enum_NVML_VALUE_TYPE_SIGNED_INT => Some(i64::from(field.value.siVal)),
            ffi::nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_SHORT => Some(i64::from(field.value.usVal)),
            _ => None,
        }
    }
}

/// Used and total device memory in bytes, from drivers before R510.
pub(crate) fn memory_v1(nvml: &Nvml, device: &Device<'_>) -> Result<(u64, u64)> {
    let function = symbol(&nvml.lib().nvmlDeviceGetMemoryInfo)?;
    // SAFETY: all-zero is a valid value of this plain C struct.
    let mut memory: ffi::nvmlMemory_t = unsafe { mem::zeroed() };
    // SAFETY: the struct outlives the call that fills it.
    check(unsafe { function(handle(device), &raw mut memory) })?;
    Ok((memory.used, memory.total))
}

/// Bits of nvmlClocksEventReasons, by its newer or its older name.
pub(crate) fn throttle_reasons(nvml: &Nvml, device: &Device<'_>) -> Result<u64> {
    let function = symbol(&nvml.lib().nvmlDeviceGetCurrentClocksEventReasons)
        .or_else(|_| symbol(&nvml.lib().nvmlDeviceGetCurrentClocksThrottleReasons))?;
    let mut reasons = 0;
    // SAFETY: the integer outlives the call that fills it.
    check(unsafe { function(handle(device), &raw mut reasons) })?;
    Ok(reasons)
}

/// Degrees left before the driver slows the GPU down.
pub(crate) fn margin_temperature(nvml: &Nvml, device: &Device<'_>) -> Result<i32> {
    let function = symbol(&nvml.lib().nvmlDeviceGetMarginTemperature)?;
    let mut margin = ffi::nvmlMarginTemperature_t {
        version: struct_version::<ffi::nvmlMarginTemperature_t>(1),
        marginTemperature: 0,
    };
    // SAFETY: the struct states its own size and outlives the call.
    check(unsafe { function(handle(device), &raw mut margin) })?;
    Ok(margin.marginTemperature)
}

/// Rows remapped for correctable and for uncorrectable errors, whether one is pending, whether one failed.
pub(crate) fn remapped_rows(nvml: &Nvml, device: &Device<'_>) -> Result<(u32, u32, bool, bool)> {
    let function = symbol(&nvml.lib().nvmlDeviceGetRemappedRows)?;
    let (mut correctable, mut uncorrectable, mut pending, mut failed) = (0, 0, 0, 0);
    // SAFETY: the four integers outlive the call that fills them.
    check(unsafe {
        function(
            handle(device),
            &raw mut correctable,
            &raw mut uncorrectable,
            &raw mut pending,
            &raw mut failed,
        )
    })?;
    Ok((correctable, uncorrectable, pending != 0, failed != 0))
}

/// Whether the SRAM error threshold was exceeded.
pub(crate) fn sram_threshold_exceeded(nvml: &Nvml, device: &Device<'_>) -> Result<bool> {
    let function = symbol(&nvml.lib().nvmlDeviceGetSramEccErrorStatus)?;
    // SAFETY: all-zero is a valid value of this plain C struct.
    let mut status: ffi::nvmlEccSramErrorStatus_t = unsafe { mem::zeroed() };
    status.version = struct_version::<ffi::nvmlEccSramErrorStatus_t>(1);
    // SAFETY: the struct states its own size and outlives the call.
    check(unsafe { function(handle(device), &raw mut status) })?;
    Ok(status.bThresholdExceeded != 0)
}

/// Fabric state, 0 to 3.
pub(crate) fn fabric_state(nvml: &Nvml, device: &Device<'_>) -> Result<u8> {
    let function = symbol(&nvml.lib().nvmlDeviceGetGpuFabricInfoV)?;
    // SAFETY: all-zero is a valid value of this plain C struct.
    let mut info: ffi::nvmlGpuFabricInfoV_t = unsafe { mem::zeroed() };
    // Version 2 is known to every driver that has this call; it is a prefix of version 3, whose struct is passed.
    info.version = struct_version::<ffi::nvmlGpuFabricInfo_v2_t>(2);
    // SAFETY: the struct states the size of a version that it is at least as long as, and outlives the call.
    check(unsafe { function(handle(device), &raw mut info) })?;
    Ok(info.state)
}

/// Compute processes on a GPU and the device memory that they use together, where the driver tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Processes {
    pub(crate) count: u32,
    pub(crate) memory_bytes: Option<u64>,
}

/// Room for this many processes; a GPU with more reports the count and no memory.
const PROCESSES_MAX: usize = 256;

/// Compute processes on a GPU.
pub(crate) fn processes(nvml: &Nvml, device: &Device<'_>) -> Result<Processes> {
    let function = symbol(&nvml.lib().nvmlDeviceGetComputeRunningProcesses_v3)?;
    // SAFETY: all-zero is a valid value of this plain C struct.
    let mut list: [ffi::nvmlProcessInfo_t; PROCESSES_MAX] = unsafe { mem::zeroed() };
    let mut count = u32::try_from(PROCESSES_MAX).unwrap_or(0);
    // SAFETY: the array has `count` elements and outlives the call.
    match check(unsafe { function(handle(device), &raw mut count, list.as_mut_ptr()) }) {
        Ok(()) => {}
        Err(code::INSUFFICIENT_SIZE) => return Ok(Processes { count, memory_bytes: None }),
        Err(code::NOT_FOUND) => return Ok(Processes { count: 0, memory_bytes: Some(0) }),
        Err(number) => return Err(number),
    }
    // All ones mean that the driver does not know (for example under MIG without privileges).
    let known = list.iter().take(usize::try_from(count).unwrap_or(0)).map(|process| process.usedGpuMemory);
    let memory_bytes = known
        .map(|bytes| (bytes != u64::MAX).then_some(bytes))
        .try_fold(0_u64, |sum, bytes| bytes.map(|bytes| sum.saturating_add(bytes)));
    Ok(Processes { count, memory_bytes })
}

/// GPU instance and compute instance of a MIG device.
pub(crate) fn instance_ids(nvml: &Nvml, device: &Device<'_>) -> Result<(u32, u32)> {
    let gpu = symbol(&nvml.lib().nvmlDeviceGetGpuInstanceId)?;
    let compute = symbol(&nvml.lib().nvmlDeviceGetComputeInstanceId)?;
    let (mut gpu_instance, mut compute_instance) = (0, 0);
    // SAFETY: the integers outlive the calls that fill them.
    unsafe {
        check(gpu(handle(device), &raw mut gpu_instance))?;
        check(compute(handle(device), &raw mut compute_instance))?;
    }
    Ok((gpu_instance, compute_instance))
}

/// Ends the NVML session of this process.
pub(crate) fn shutdown(nvml: &Nvml) -> Result<()> {
    let function = symbol(&nvml.lib().nvmlShutdown)?;
    // SAFETY: the caller exits afterwards and makes no further NVML call.
    check(unsafe { function() })
}

/// What the driver said in one event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventData {
    /// Which device it is about, as [`EventSet::register`] gave it.
    pub(crate) handle: usize,
    /// Bits of nvmlEventType.
    pub(crate) bits: u64,
    /// For an XID event its number.
    pub(crate) data: u64,
    /// All ones when the driver does not say.
    pub(crate) gpu_instance: u32,
    /// All ones when the driver does not say.
    pub(crate) compute_instance: u32,
}

/// A set of events to wait for.
pub(crate) struct EventSet<'nvml> {
    nvml: &'nvml Nvml,
    set: ffi::nvmlEventSet_t,
}

// SAFETY: NVML is thread-safe, and the set is used by one thread at a time because waiting needs `&mut`.
unsafe impl Send for EventSet<'_> {}

impl<'nvml> EventSet<'nvml> {
    /// An empty set.
    pub(crate) fn create(nvml: &'nvml Nvml) -> Result<EventSet<'nvml>> {
        let function = symbol(&nvml.lib().nvmlEventSetCreate)?;
        let mut set = std::ptr::null_mut();
        // SAFETY: the pointer outlives the call that fills it.
        check(unsafe { function(&raw mut set) })?;
        Ok(EventSet { nvml, set })
    }

    /// Adds those of `bits` that the device supports, and gives the number by which its events name it; fails as not
    /// supported when there is none.
    pub(crate) fn register(&mut self, device: &Device<'_>, bits: u64) -> Result<usize> {
        let supported = symbol(&self.nvml.lib().nvmlDeviceGetSupportedEventTypes)?;
        let register = symbol(&self.nvml.lib().nvmlDeviceRegisterEvents)?;
        let mut known = 0;
        // SAFETY: the integer outlives the call that fills it.
        check(unsafe { supported(handle(device), &raw mut known) })?;
        if known & bits == 0 {
            return Err(code::NOT_SUPPORTED);
        }
        // SAFETY: the set was created by this library and is not freed.
        check(unsafe { register(handle(device), known & bits, self.set) })?;
        Ok(handle(device).addr())
    }

    /// The next event, or the error TIMEOUT.
    pub(crate) fn wait(&mut self, timeout_ms: u32) -> Result<EventData> {
        let function = symbol(&self.nvml.lib().nvmlEventSetWait_v2)?;
        // SAFETY: all-zero is a valid value of this plain C struct.
        let mut event: ffi::nvmlEventData_t = unsafe { mem::zeroed() };
        // SAFETY: the set is alive and the struct outlives the call that fills it.
        check(unsafe { function(self.set, &raw mut event, timeout_ms) })?;
        Ok(EventData {
            handle: event.device.addr(),
            bits: event.eventType,
            data: event.eventData,
            gpu_instance: event.gpuInstanceId,
            compute_instance: event.computeInstanceId,
        })
    }
}

impl Drop for EventSet<'_> {
    fn drop(&mut self) {
        if let Ok(function) = symbol(&self.nvml.lib().nvmlEventSetFree) {
            // SAFETY: the set was created by this library and is freed once.
            unsafe { function(self.set) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(value_type: u32, value: ffi::nvmlValue_t) -> ffi::nvmlFieldValue_t {
        ffi::nvmlFieldValue_t {
            fieldId: 0,
            scopeId: 0,
            timestamp: 0,
            latencyUsec: 0,
            valueType: value_type,
            nvmlReturn: 0,
            value,
        }
    }

    #[test]
    fn every_type_of_field_value_is_read_with_its_sign() {
        let cases = [
            (field(5, ffi::nvmlValue_t { siVal: -7 }), Some(-7)),
            (field(4, ffi::nvmlValue_t { sllVal: -1 }), Some(-1)),
            (field(1, ffi::nvmlValue_t { uiVal: u32::MAX }), Some(i64::from(u32::MAX))),
            (field(3, ffi::nvmlValue_t { ullVal: u64::MAX }), None),
            (field(6, ffi::nvmlValue_t { usVal: 9 }), Some(9)),
            (field(0, ffi::nvmlValue_t { dVal: 41.9 }), Some(41)),
            (field(0, ffi::nvmlValue_t { dVal: f64::NAN }), None),
            (field(99, ffi::nvmlValue_t { uiVal: 1 }), None),
        ];
        for (case, expected) in cases {
            assert_eq!(field_value(&case), expected, "type {}", case.valueType);
        }
    }

    #[test]
    fn struct_versions_are_those_of_nvml_h() {
        assert_eq!(struct_version::<ffi::nvmlMemory_v2_t>(2), 0x0200_0028);
        assert_eq!(struct_version::<ffi::nvmlMarginTemperature_t>(1), 0x0100_0008);
        assert_eq!(struct_version::<ffi::nvmlGpuFabricInfo_v2_t>(2), 0x0200_0024);
    }
}
