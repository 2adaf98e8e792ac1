//! One error, told twice: the driver reports an XID through NVML and writes it to the kernel log. Here both become one.
//!
//! NVML knows the MIG instance, the kernel log has the driver's words (for XID 154 the recovery action is only there), and
//! either may be missing. Pure: the time is passed in.

use std::{
    collections::VecDeque,
    fmt,
    time::{Duration, Instant},
};

use ostler_proto::v1;

use crate::sample::GpuSample;

/// Two reports of one error are at most this far apart: the kernel log is looked at several times a second and NVML's
/// event thread wakes at once, but a busy or suspended machine may delay either.
const WINDOW: Duration = Duration::from_secs(5);

/// How long a report of NVML waits for the kernel's words before it is passed on without them.
const HOLD: Duration = Duration::from_millis(300);

/// Reports remembered at a time. A GPU in trouble gives some tens a second; beyond this, old ones are forgotten early
/// and an error may be told twice, which is better than not at all.
const REPORTS_MAX: usize = 256;

/// Where a device is on the PCI bus. The driver writes it in three ways: `0000:18:00`, `0000:18:00.0` and
/// `00000000:18:00.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PciAddress {
    domain: u32,
    bus: u8,
    device: u8,
    function: u8,
}

impl PciAddress {
    /// Reads any of the three forms, with or without `PCI:` before it.
    #[must_use]
    pub fn parse(text: &str) -> Option<PciAddress> {
        let text = text.trim();
        let text = text.strip_prefix("PCI:").unwrap_or(text);
        let mut parts = text.split(':');
        let (domain, bus, rest) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let (device, function) = rest.split_once('.').unwrap_or((rest, "0"));
        Some(PciAddress {
            domain: hexadecimal(domain, 8)?,
            bus: u8::try_from(hexadecimal(bus, 2)?).ok()?,
            device: u8::try_from(hexadecimal(device, 2)?).ok()?,
            function: u8::try_from(hexadecimal(function, 1)?).ok()?,
        })
    }
}

/// Hexadecimal digits only: `from_str_radix` alone would also take a sign.
fn hexadecimal(text: &str, digits_max: usize) -> Option<u32> {
    let digits = (1..=digits_max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u32::from_str_radix(text, 16).ok()).flatten()
}

impl fmt::Display for PciAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:08x}:{:02x}:{:02x}.{:x}", self.domain, self.bus, self.device, self.function)
    }
}

/// The two witnesses of an XID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Witness {
    Nvml,
    Kernel,
}

/// What makes two reports the same error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    device: PciAddress,
    xid: u32,
}

/// A report that has not met its counterpart.
#[derive(Clone, Debug)]
struct Report {
    key: Key,
    witness: Witness,
    at: Instant,
    /// The event itself while it waits to be passed on; `None` once it was.
    held: Option<v1::XidEvent>,
}

/// Merges the reports of NVML and of the kernel log.
#[derive(Clone, Debug, Default)]
pub struct Deduplicator {
    /// Oldest first; at most [`REPORTS_MAX`].
    reports: VecDeque<Report>,
}

impl Deduplicator {
    /// Takes the reports since the last call (their `source` says where they come from) and gives the events to pass on.
    /// Each report of one witness meets at most one of the other, so that two errors stay two.
    pub fn fold(
        &mut self,
        reports: impl IntoIterator<Item = v1::XidEvent>,
        now: Instant,
    ) -> Vec<v1::XidEvent> {
        let mut ready = Vec::new();
        // NVML's wait for the kernel's, so they come first.
        let (nvml, others): (Vec<_>, Vec<_>) = reports.into_iter().partition(|event| event.source == "nvml");
        for event in nvml.into_iter().chain(others) {
            self.take(event, now, &mut ready);
        }
        self.reports.retain_mut(|report| {
            let age = now.saturating_duration_since(report.at);
            if age >= HOLD {
                ready.extend(report.held.take());
            }
            age < WINDOW
        });
        while self.reports.len() > REPORTS_MAX {
            ready.extend(self.reports.pop_front().and_then(|report| report.held));
        }
        ready
    }

    fn take(&mut self, event: v1::XidEvent, now: Instant, ready: &mut Vec<v1::XidEvent>) {
        let witness = if event.source == "nvml" { Witness::Nvml } else { Witness::Kernel };
        let Some(device) = PciAddress::parse(&event.pci_bus_id).filter(|_| !event.nvswitch) else {
            ready.push(event);
            return;
        };
        let key = Key { device, xid: event.xid };
        let counterpart = self.reports.iter().position(|report| {
            report.key == key
                && report.witness != witness
                && now.saturating_duration_since(report.at) < WINDOW
        });
        if let Some(report) = counterpart.and_then(|position| self.reports.remove(position)) {
            // The other one was passed on already, or is still here to be completed.
            ready.extend(report.held.map(|held| merge(held, event)));
            return;
        }
        let held = match witness {
            Witness::Nvml => Some(event),
            // The kernel's report lacks at most the MIG instance, and nothing that waits for it.
            Witness::Kernel => {
                ready.push(event);
                None
            }
        };
        self.reports.push_back(Report { key, witness, at: now, held });
    }
}

fn merge(first: v1::XidEvent, second: v1::XidEvent) -> v1::XidEvent {
    let (nvml, kernel) = if first.source == "nvml" { (first, second) } else { (second, first) };
    v1::XidEvent {
        gpu_uuid: if nvml.gpu_uuid.is_empty() { kernel.gpu_uuid } else { nvml.gpu_uuid },
        gpu_instance_id: nvml.gpu_instance_id.or(kernel.gpu_instance_id),
        compute_instance_id: nvml.compute_instance_id.or(kernel.compute_instance_id),
        source: "nvml+kmsg".to_owned(),
        message: kernel.message,
        ..nvml
    }
}

/// Names the GPU of each event that has only a PCI address, from those that the node has, and writes the address as NVML
/// does.
pub fn name_gpus(events: &mut [v1::XidEvent], gpus: &[GpuSample]) {
    for event in events.iter_mut().filter(|event| event.gpu_uuid.is_empty() && !event.nvswitch) {
        let Some(address) = PciAddress::parse(&event.pci_bus_id) else { continue };
        let gpu = gpus.iter().find(|gpu| PciAddress::parse(&gpu.info.pci_bus_id) == Some(address));
        if let Some(gpu) = gpu {
            event.gpu_uuid.clone_from(&gpu.info.uuid);
            event.pci_bus_id.clone_from(&gpu.info.pci_bus_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(source: &str, pci: &str, xid: u32) -> v1::XidEvent {
        let message = if source == "kmsg" { format!("NVRM: Xid ({pci}): {xid}") } else { String::new() };
        v1::XidEvent { pci_bus_id: pci.into(), xid, source: source.into(), message, ..Default::default() }
    }

    fn sources(events: &[v1::XidEvent]) -> Vec<&str> {
        events.iter().map(|event| event.source.as_str()).collect()
    }

    #[test]
    fn the_three_ways_to_write_an_address_are_one() {
        let address = PciAddress::parse("00000000:18:00.0").unwrap();
        assert_eq!(PciAddress::parse("0000:18:00"), Some(address));
        assert_eq!(PciAddress::parse("PCI:0000:18:00.0"), Some(address));
        assert_eq!(PciAddress::parse("0000:18:00.0").unwrap().to_string(), "00000000:18:00.0");
        for nonsense in ["", "18:00", "0000:18:00:00", "+000:18:00", "0000:118:00", "zz:18:00"] {
            assert_eq!(PciAddress::parse(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn both_reports_in_one_go_become_one_event_with_the_words_and_the_instance() {
        let now = Instant::now();
        let mut nvml = report("nvml", "00000000:18:00.0", 94);
        nvml.gpu_instance_id = Some(2);
        let kernel = report("kmsg", "0000:18:00", 94);
        for order in [[nvml.clone(), kernel.clone()], [kernel, nvml]] {
            let events = Deduplicator::default().fold(order, now);
            assert_eq!(events.len(), 1);
            assert!(events[0].message.starts_with("NVRM"));
            assert_eq!((events[0].source.as_str(), events[0].gpu_instance_id), ("nvml+kmsg", Some(2)));
        }
    }

    #[test]
    fn a_report_of_nvml_alone_waits_a_moment_for_the_words_and_then_goes_without() {
        let (mut deduplicator, now) = (Deduplicator::default(), Instant::now());
        assert!(deduplicator.fold([report("nvml", "0000:18:00", 79)], now).is_empty());
        let later = now + HOLD;
        assert_eq!(sources(&deduplicator.fold([], later)), ["nvml"]);
        let late = deduplicator.fold([report("kmsg", "0000:18:00", 79)], later + HOLD);
        assert!(late.is_empty(), "the same error is not told twice");
    }

    #[test]
    fn other_devices_other_numbers_and_later_errors_stay_apart() {
        let (mut deduplicator, now) = (Deduplicator::default(), Instant::now());
        let first = [
            report("kmsg", "0000:18:00", 31),
            report("kmsg", "0000:18:00", 31),
            report("kmsg", "0000:19:00", 31),
            report("kmsg", "0000:18:00", 13),
        ];
        assert_eq!(deduplicator.fold(first, now).len(), 4);
        let counterparts = (0..3).map(|_| report("nvml", "0000:18:00", 31));
        deduplicator.fold(counterparts, now);
        assert_eq!(deduplicator.fold([], now + HOLD).len(), 1, "two of three had been told by the kernel");
        let later = now + WINDOW + HOLD;
        assert_eq!(deduplicator.fold([report("kmsg", "0000:19:00", 31)], later).len(), 1);
    }

    #[test]
    fn a_flood_is_bounded_and_loses_nothing() {
        let (mut deduplicator, now) = (Deduplicator::default(), Instant::now());
        let mut passed = deduplicator.fold((0..5000).map(|_| report("nvml", "0000:18:00", 31)), now).len();
        assert!(deduplicator.reports.len() <= REPORTS_MAX);
        passed += deduplicator.fold([], now + HOLD).len();
        assert_eq!(passed, 5000);
    }

    #[test]
    fn an_event_of_the_kernel_gets_the_name_of_the_gpu_at_its_address() {
        let mut gpu = GpuSample::default();
        (gpu.info.uuid, gpu.info.pci_bus_id) = ("GPU-a".into(), "00000000:18:00.0".into());
        let mut events = [report("kmsg", "0000:18:00", 79), report("kmsg", "0000:19:00", 79)];
        name_gpus(&mut events, &[gpu]);
        assert_eq!([&events[0].gpu_uuid, &events[1].gpu_uuid], ["GPU-a", ""]);
    }
}
