//! Event sets: how the driver tells of an XID.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{code, device_calls, system_calls};
use crate::{
    abi::{
        Code, GPU_IS_LOST, Handle, INVALID_ARGUMENT, NOT_SUPPORTED, Out, Outcome, SetHandle, TIMEOUT,
        UNINITIALIZED, nvmlEventData_t, nvmlEventSet_t, nvmlEventTypeAll,
    },
    library::{self, EventSet, Library},
    scenario::Event,
};

/// What NVML puts where an event belongs to no MIG instance.
const NO_INSTANCE: u32 = u32::MAX;

/// Event sets a process may have: a leak in the program under test shows as an error.
const SETS_MAX: usize = 64;

system_calls! {
    nvmlEventSetCreate(_scenario, set: Out<nvmlEventSet_t>) {
        let mut library = library::lock();
        if set.is_null() || library.sets.len() >= SETS_MAX {
            return Err(INVALID_ARGUMENT);
        }
        library.last_set += 1;
        let id = library.last_set;
        library.sets.insert(id, EventSet::default());
        set.put(SetHandle::of(id))
    }

    nvmlEventSetFree(_scenario, set: SetHandle) {
        library::lock().sets.remove(&set.id()).map(drop).ok_or(INVALID_ARGUMENT)
    }
}

device_calls! {
    nvmlDeviceRegisterEvents(gpu, kinds: u64, set: SetHandle) {
        if kinds & !u64::from(nvmlEventTypeAll) != 0 {
            return Err(NOT_SUPPORTED);
        }
        let mut library = library::lock();
        // What other sets were already told happened before this one.
        let before = library.delivered.clone();
        let set = library.sets.get_mut(&set.id()).ok_or(INVALID_ARGUMENT)?;
        if set.registered.is_empty() {
            set.delivered = before;
        }
        *set.registered.entry(gpu.index).or_insert(0) |= kinds;
        Ok(())
    }

    nvmlDeviceGetSupportedEventTypes(_gpu, kinds: Out<u64>) {
        kinds.put(nvmlEventTypeAll.into())
    }
}

/// Part of NVML's C interface.
///
/// # Safety
///
/// As `nvml.h` says: the pointer is null or points to an `nvmlEventData_t`.
#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlEventSetWait_v2(
    set: SetHandle,
    data: Out<nvmlEventData_t>,
    timeout_ms: u32,
) -> Code {
    code(wait("nvmlEventSetWait_v2", set, &data, timeout_ms))
}

/// Part of NVML's C interface. Like the second version, but it never tells of MIG instances.
///
/// # Safety
///
/// As `nvml.h` says: the pointer is null or points to an `nvmlEventData_t`.
#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlEventSetWait(set: SetHandle, data: Out<nvmlEventData_t>, timeout_ms: u32) -> Code {
    code(wait("nvmlEventSetWait", set, &data, timeout_ms).and_then(|()| {
        let event = data.get()?;
        data.put(nvmlEventData_t { gpuInstanceId: NO_INSTANCE, computeInstanceId: NO_INSTANCE, ..event })
    }))
}

fn wait(call: &str, set: SetHandle, data: &Out<nvmlEventData_t>, timeout_ms: u32) -> Outcome {
    let end = Instant::now() + Duration::from_millis(timeout_ms.into());
    let view = library::enter(call, None)?;
    if data.is_null() {
        return Err(INVALID_ARGUMENT);
    }
    let poll = Duration::from_millis(view.scenario.library.event_poll_ms.max(1));
    loop {
        let event = look(set)?;
        if let Some(event) = event {
            return data.put(event);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(TIMEOUT);
        }
        thread::sleep(left.min(poll));
    }
}

/// The oldest event that the set has not received; a lost GPU fails the wait once there is none.
fn look(set: SetHandle) -> Result<Option<nvmlEventData_t>, Code> {
    let mut library = library::lock();
    if !library.is_initialised() {
        return Err(UNINITIALIZED);
    }
    library.refresh();
    let Library { scenario, sets, delivered, .. } = &mut *library;
    let set = sets.get_mut(&set.id()).ok_or(INVALID_ARGUMENT)?;
    let pending = |event: &&Event| {
        let registered = set.registered.get(&event.gpu).copied().unwrap_or(0);
        registered & event.kind != 0 && !set.delivered.contains(&event.id)
    };
    if let Some(event) = scenario.events.iter().find(pending) {
        set.delivered.insert(event.id);
        delivered.insert(event.id);
        return Ok(Some(data_of(event)));
    }
    if let Some(code) = scenario.library.call_error {
        return Err(code);
    }
    let lost = |gpu: &usize| scenario.gpus.get(*gpu).is_none_or(|values| values.lost);
    if set.registered.keys().any(lost) { Err(GPU_IS_LOST) } else { Ok(None) }
}

fn data_of(event: &Event) -> nvmlEventData_t {
    nvmlEventData_t {
        device: Handle::of_gpu(event.gpu).0,
        eventType: event.kind,
        eventData: event.data,
        gpuInstanceId: event.gpu_instance.unwrap_or(NO_INSTANCE),
        computeInstanceId: event.compute_instance.unwrap_or(NO_INSTANCE),
    }
}
