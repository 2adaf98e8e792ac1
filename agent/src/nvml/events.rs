//! The child's second thread: waits for the driver's events, so that an XID is known at once and with its MIG instance.
//!
//! Limits of the driver, not of this code: events are only seen while this process listens (the kernel log keeps the
//! others), instance ids need privileges under MIG, and events cannot be asked for by instance.

use std::{
    sync::atomic::Ordering,
    thread::{Scope, sleep},
    time::Duration,
};

use nvml_wrapper::Nvml;

use crate::nvml::{
    call::{Call, EVENT_WAIT},
    child::Link,
    device::Gpu,
    fault::code,
    frame::Answer,
    page::Lane,
    raw::{self, EventSet, event},
};

/// What is asked for; each device registers those that it supports.
const WANTED: u64 = event::XID | event::GPU_UNAVAILABLE | event::GPU_RECOVERY_ACTION;

/// Registers for the events of all GPUs that support them and passes them on until the child stops. Where no GPU does,
/// no thread is started.
pub(crate) fn spawn<'scope, 'env: 'scope>(
    scope: &'scope Scope<'scope, 'env>,
    nvml: &'env Nvml,
    link: &'env Link,
    gpus: &mut [Gpu<'_, '_>],
) {
    let Ok(mut set) = EventSet::create(nvml) else { return };
    let devices: Vec<(u8, usize)> = gpus
        .iter_mut()
        .filter_map(|gpu| Some((u8::try_from(gpu.info.index).ok()?, gpu.register(&mut set, WANTED)?)))
        .collect();
    if devices.is_empty() {
        return;
    }
    // The default stack: nobody knows how much of it the driver's library wants.
    let thread = std::thread::Builder::new().name("nvml-events".into());
    // Without the thread XIDs still come from the kernel log.
    let _ = thread.spawn_scoped(scope, move || listen(link, set, &devices));
}

fn listen(link: &Link, mut set: EventSet<'_>, devices: &[(u8, usize)]) {
    let timeout_ms = u32::try_from(EVENT_WAIT.as_millis()).unwrap_or(u32::MAX);
    while !link.stopping.load(Ordering::Acquire) {
        let wait = || set.wait(timeout_ms);
        match link.page().announce(Lane::Events, None, Call::EventWait, wait).0 {
            Ok(event) => {
                if pass_on(link, devices, &event).is_err() {
                    return;
                }
            }
            Err(code::TIMEOUT) => {}
            // A lost GPU makes the wait fail at once and again and again; the other GPUs' events still come.
            Err(_) => sleep(Duration::from_millis(200)),
        }
    }
}

fn pass_on(link: &Link, devices: &[(u8, usize)], event: &raw::EventData) -> std::io::Result<()> {
    let Some((gpu, _)) = devices.iter().find(|(_, handle)| *handle == event.handle) else { return Ok(()) };
    let mut frame = Vec::new();
    Answer::Event {
        gpu: *gpu,
        bits: event.bits,
        data: event.data,
        gpu_instance: event.gpu_instance,
        compute_instance: event.compute_instance,
    }
    .append(&mut frame);
    link.send(&frame)
}
