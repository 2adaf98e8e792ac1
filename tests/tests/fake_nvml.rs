//! The fake NVML library through nvml-wrapper, loaded as a program loads the real one.
//!
//! Each test runs in a process of its own, in which the ordinary search for `libnvidia-ml.so.1` finds the fake.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::time::{Duration, Instant};

use common::fake::{self, with_doomed_nvml, with_nvml};
use nvml_wrapper::{
    Device, Nvml,
    bitmasks::{InitFlags, event::EventTypes},
    enum_wrappers::device::{
        Clock, EccCounter, MemoryError, MemoryLocation, PcieUtilCounter, PerformanceState, TemperatureSensor,
    },
    enums::event::XidError,
    error::NvmlError,
    structs::device::FieldId,
};

/// Longer than anything here takes, short enough that a test of "never" ends.
const PATIENCE: Duration = Duration::from_secs(2);

/// What went wrong, as something that can be compared: the wrapper's errors cannot.
trait Error {
    fn error(&self) -> String;
}

impl<T> Error for Result<T, NvmlError> {
    fn error(&self) -> String {
        self.as_ref().err().map_or("no error".to_owned(), |error| format!("{error:?}"))
    }
}

fn each(nvml: &Nvml) -> Vec<Device<'_>> {
    (0..nvml.device_count().unwrap()).map(|index| nvml.device_by_index(index).unwrap()).collect()
}

#[test]
fn eight_gpus_are_told_apart_and_found_again_by_uuid_and_bus() {
    with_nvml("eight_gpus_are_told_apart_and_found_again_by_uuid_and_bus", "", |_| {
        let nvml = Nvml::init().unwrap();
        assert_eq!(nvml.sys_driver_version().unwrap(), "580.105.08");
        assert_eq!(nvml.sys_nvml_version().unwrap(), "13.580.105.08");
        assert_eq!(nvml.sys_cuda_driver_version().unwrap(), 13_000);
        let gpus = each(&nvml);
        assert_eq!(gpus.len(), 8);
        let mut seen = std::collections::BTreeSet::new();
        for (index, gpu) in gpus.iter().enumerate() {
            let pci = gpu.pci_info().unwrap();
            assert_eq!(gpu.index().unwrap(), index as u32);
            assert_eq!(gpu.minor_number().unwrap(), index as u32);
            assert!(seen.insert(gpu.uuid().unwrap()) && seen.insert(pci.bus_id.clone()));
            assert!(seen.insert(gpu.serial().unwrap()));
            assert_eq!(nvml.device_by_uuid(gpu.uuid().unwrap()).unwrap().index().unwrap(), index as u32);
            assert_eq!(nvml.device_by_pci_bus_id(pci.bus_id).unwrap().index().unwrap(), index as u32);
        }
        assert_eq!(nvml.device_by_index(8).error(), "InvalidArg");
        assert_eq!(nvml.device_by_uuid("GPU-none").error(), "NotFound");
    });
}

#[test]
fn values_of_the_scenario_are_what_the_calls_return() {
    let scenario = r#"
        count = 2
        [all]
        temperature_c = 41
        [gpu.1]
        temperature_c = 88
        utilization_percent = 97
        memory_utilization_percent = 44
        memory_total_bytes = 1000
        memory_reserved_bytes = 100
        memory_used_bytes = 300
        power_mw = 650_500
        energy_mj = 123_456_789
        throttle_reasons = 0x40
        ecc_aggregate_uncorrected = 5
        ecc_sram_uncorrected = 2
        pcie_replays = 7
        pcie_width = 8
        performance_state = 2
        retired_pages_double_bit = 3
        processes = [{ pid = 4242, memory_bytes = 77, sm_percent = 55 }, { pid = 4243, graphics = true }]
    "#;
    with_nvml("values_of_the_scenario_are_what_the_calls_return", scenario, |_| {
        let nvml = Nvml::init().unwrap();
        let (calm, busy) = (nvml.device_by_index(0).unwrap(), nvml.device_by_index(1).unwrap());
        assert_eq!(calm.temperature(TemperatureSensor::Gpu).unwrap(), 41);
        assert_eq!(calm.running_compute_processes().unwrap(), []);
        assert_eq!(calm.process_utilization_stats(None).error(), "NotFound");
        assert_eq!(busy.temperature(TemperatureSensor::Gpu).unwrap(), 88);
        let load = busy.utilization_rates().unwrap();
        assert_eq!((load.gpu, load.memory), (97, 44));
        let memory = busy.memory_info().unwrap();
        assert_eq!((memory.total, memory.reserved, memory.used, memory.free), (1000, 100, 300, 600));
        assert_eq!(busy.power_usage().unwrap(), 650_500);
        assert_eq!(busy.total_energy_consumption().unwrap(), 123_456_789);
        assert_eq!(busy.current_throttle_reasons().unwrap().bits(), 0x40);
        assert_eq!(busy.total_ecc_errors(MemoryError::Uncorrected, EccCounter::Aggregate).unwrap(), 5);
        let count =
            |location| busy.memory_error_counter(MemoryError::Uncorrected, EccCounter::Aggregate, location);
        assert_eq!(count(MemoryLocation::Device).unwrap(), 3);
        assert_eq!(count(MemoryLocation::RegisterFile).error(), "NotSupported");
        assert_eq!(busy.pcie_replay_counter().unwrap(), 7);
        assert_eq!((busy.current_pcie_link_width().unwrap(), busy.max_pcie_link_width().unwrap()), (8, 16));
        assert_eq!(busy.performance_state().unwrap(), PerformanceState::Two);
        let retired = nvml_wrapper::enum_wrappers::device::RetirementCause::DoubleBitEccError;
        assert_eq!(busy.retired_pages(retired).unwrap().len(), 3);
        let processes = busy.running_compute_processes().unwrap();
        assert_eq!(processes.iter().map(|process| process.pid).collect::<Vec<_>>(), [4242]);
        assert_eq!(busy.running_graphics_processes().unwrap()[0].pid, 4243);
        assert_eq!(busy.process_utilization_stats(None).unwrap()[0].sm_util, 55);
    });
}

#[test]
fn what_a_part_does_not_have_is_not_supported() {
    let scenario = "profile = \"A100\"\ncount = 1\n[all]\nunsupported = [\"nvmlDeviceGetPowerUsage\"]";
    with_nvml("what_a_part_does_not_have_is_not_supported", scenario, |_| {
        let nvml = Nvml::init().unwrap();
        let gpu = nvml.device_by_index(0).unwrap();
        assert_eq!(gpu.power_usage().error(), "NotSupported");
        assert_eq!(gpu.clock_info(Clock::SM).unwrap(), 210);
        // Averaged power and thermal margin do not exist on this part, in a call that succeeds for the others.
        let fields = gpu.field_values_for(&[FieldId(82), FieldId(185), FieldId(230), FieldId(9999)]).unwrap();
        let results: Vec<_> = fields.into_iter().map(|field| field.and_then(|field| field.value)).collect();
        assert!(results[0].is_ok() && results[2].is_ok());
        assert_eq!(results[1].error(), "NotSupported");
        assert_eq!(results[3].error(), "InvalidArg");
    });
}

#[test]
fn init_is_counted() {
    with_nvml("init_is_counted", "count = 1", |_| {
        let first = Nvml::init().unwrap();
        let second = Nvml::init_with_flags(InitFlags::NO_GPUS).unwrap();
        drop(first);
        assert_eq!(second.device_count().unwrap(), 1);
        assert_eq!(second.device_by_index(0).unwrap().temperature(TemperatureSensor::Gpu).unwrap(), 29);
        second.shutdown().unwrap();
        assert_eq!(Nvml::init().unwrap().device_count().unwrap(), 1);
    });
}

#[test]
fn every_reason_why_init_fails_is_told_apart() {
    with_nvml("every_reason_why_init_fails_is_told_apart", "", |inside| {
        for (code, error) in [
            ("DRIVER_NOT_LOADED", "DriverNotLoaded"),
            ("LIB_RM_VERSION_MISMATCH", "LibRmVersionMismatch"),
            ("NO_PERMISSION", "NoPermission"),
            ("UNKNOWN", "Unknown"),
        ] {
            inside.set(&format!("[library]\ninit_error = \"{code}\""));
            assert_eq!(Nvml::init().error(), error);
        }
        inside.set("count = 0");
        assert_eq!(Nvml::init().unwrap().device_count().unwrap(), 0);
    });
}

#[test]
fn a_lost_gpu_fails_every_call_and_leaves_the_others_alone() {
    with_nvml("a_lost_gpu_fails_every_call_and_leaves_the_others_alone", "count = 3", |inside| {
        let nvml = Nvml::init().unwrap();
        let gpus = each(&nvml);
        inside.set("count = 3\n[gpu.1]\nlost = true");
        assert_eq!(nvml.device_count().unwrap(), 3);
        assert_eq!(nvml.device_by_index(1).error(), "GpuLost");
        assert_eq!(gpus[1].temperature(TemperatureSensor::Gpu).error(), "GpuLost");
        assert_eq!(gpus[1].uuid().error(), "GpuLost");
        for other in [&gpus[0], &gpus[2]] {
            assert_eq!(other.temperature(TemperatureSensor::Gpu).unwrap(), 29);
        }
        inside.set("count = 3");
        assert_eq!(gpus[1].temperature(TemperatureSensor::Gpu).unwrap(), 29);
    });
}

#[test]
fn a_lost_device_cgroup_fails_calls_that_worked_before() {
    with_nvml("a_lost_device_cgroup_fails_calls_that_worked_before", "count = 1", |inside| {
        let nvml = Nvml::init().unwrap();
        let gpu = nvml.device_by_index(0).unwrap();
        assert!(gpu.power_usage().is_ok());
        inside.set("count = 1\n[library]\ncall_error = \"UNKNOWN\"\ninit_error = \"UNKNOWN\"");
        assert_eq!(gpu.power_usage().error(), "Unknown");
        assert_eq!(Nvml::init().error(), "Unknown");
    });
}

#[test]
fn an_edit_is_seen_at_once_and_a_broken_one_changes_nothing() {
    with_nvml("an_edit_is_seen_at_once_and_a_broken_one_changes_nothing", "count = 1", |inside| {
        let nvml = Nvml::init().unwrap();
        let gpu = nvml.device_by_index(0).unwrap();
        inside.set("count = 1\n[all]\ntemperature_c = 70");
        assert_eq!(gpu.temperature(TemperatureSensor::Gpu).unwrap(), 70);
        for broken in [
            "count = ",
            "[all]\ntemprature_c = 71",
            "[gpu.9]\ntemperature_c = 71",
            "[all]\ntemperature_c = \"HOT\"",
            "[[fault]]\ncall = \"x\"\naction = \"error\"",
            "count = 999",
        ] {
            inside.set(broken);
            assert_eq!(gpu.temperature(TemperatureSensor::Gpu).unwrap(), 70, "{broken}");
        }
        inside.set("count = 1\n[all]\ntemperature_c = 72");
        assert_eq!(gpu.temperature(TemperatureSensor::Gpu).unwrap(), 72);
    });
}

#[test]
fn numbers_move_by_themselves() {
    let scenario = r#"
        count = 2
        [gpu.0]
        utilization_percent = { wave = { min = 10, max = 90, period_s = 0.2 } }
        power_mw = 1_000_000
        [gpu.1]
        pcie_replays = { ramp = { from = 0, per_s = 1000 } }
    "#;
    with_nvml("numbers_move_by_themselves", scenario, |_| {
        let nvml = Nvml::init().unwrap();
        let gpus = each(&nvml);
        let outer = Instant::now();
        let energy = gpus[0].total_energy_consumption().unwrap();
        let replays = gpus[1].pcie_replay_counter().unwrap();
        let start = Instant::now();
        let (mut low, mut high) = (u32::MAX, 0);
        while start.elapsed() < Duration::from_millis(400) {
            let load = gpus[0].utilization_rates().unwrap().gpu;
            (low, high) = (low.min(load), high.max(load));
        }
        assert!((10..30).contains(&low) && (71..=90).contains(&high), "{low}..{high}");
        let inner = start.elapsed();
        let used = gpus[0].total_energy_consumption().unwrap() - energy;
        // A kilowatt is as many mJ as microseconds; one more for rounding at each end.
        let (least, most) = (inner.as_micros() as u64 - 1, outer.elapsed().as_micros() as u64 + 1);
        assert!((least..=most).contains(&used), "{used} mJ in {least} to {most} µs at 1 kW");
        assert!(gpus[1].pcie_replay_counter().unwrap() >= replays + 399);
    });
}

#[test]
fn pcie_throughput_takes_as_long_as_the_real_one() {
    with_nvml("pcie_throughput_takes_as_long_as_the_real_one", "", |inside| {
        let nvml = Nvml::init().unwrap();
        let gpu = nvml.device_by_index(0).unwrap();
        let start = Instant::now();
        assert_eq!(gpu.pcie_throughput(PcieUtilCounter::Send).unwrap(), 502);
        assert!(start.elapsed() >= Duration::from_millis(20));
        inside.set("[library]\npcie_throughput_ms = 0");
        assert_eq!(gpu.pcie_throughput(PcieUtilCounter::Receive).unwrap(), 578);
    });
}

#[test]
fn faults_hit_the_call_and_gpu_they_name_as_often_as_they_say() {
    let scenario = r#"
        count = 2
        [[fault]]
        call = "nvmlDeviceGetTemperature"
        gpu = 1
        action = "error"
        code = "RESET_REQUIRED"
        after_calls = 1
        times = 2
        [[fault]]
        call = "nvmlDeviceGetPower*"
        action = "delay"
        delay_ms = 60
        [[fault]]
        call = "nvmlDeviceGetClockInfo"
        action = "ok"
        [[fault]]
        call = "nvmlDeviceGetClock*"
        action = "error"
        code = 21
        [[fault]]
        call = "nvmlDeviceGetPerformanceState"
        action = "error"
        code = "TIMEOUT"
        probability = 0.5
    "#;
    with_nvml("faults_hit_the_call_and_gpu_they_name_as_often_as_they_say", scenario, |_| {
        let nvml = Nvml::init().unwrap();
        let gpus = each(&nvml);
        let temperatures = [(); 4].map(|()| gpus[1].temperature(TemperatureSensor::Gpu).error());
        assert_eq!(temperatures, ["no error", "ResetRequired", "ResetRequired", "no error"]);
        assert!((0..4).all(|_| gpus[0].temperature(TemperatureSensor::Gpu).is_ok()));
        let start = Instant::now();
        assert_eq!(gpus[0].power_usage().unwrap(), 68_570);
        assert!(start.elapsed() >= Duration::from_millis(60));
        assert_eq!(gpus[0].clock_info(Clock::SM).unwrap(), 345);
        let failed = (0..400).filter(|_| gpus[0].performance_state().is_err()).count();
        assert!((150..250).contains(&failed), "{failed} of 400 at one half");
    });
}

#[test]
fn a_hanging_call_never_returns_while_other_threads_go_on() {
    let name = "a_hanging_call_never_returns_while_other_threads_go_on";
    let scenario = "[[fault]]\ncall = \"nvmlDeviceGetTemperature\"\ngpu = 3\naction = \"hang\"";
    let end = with_doomed_nvml(name, scenario, PATIENCE, |_| {
        let nvml = Nvml::init().unwrap();
        std::thread::scope(|threads| {
            let hung = threads.spawn(|| nvml.device_by_index(3).unwrap().temperature(TemperatureSensor::Gpu));
            for _ in 0..5 {
                assert_eq!(nvml.device_by_index(2).unwrap().temperature(TemperatureSensor::Gpu).unwrap(), 29);
                assert!(nvml.device_by_index(3).unwrap().power_usage().is_ok());
                std::thread::sleep(Duration::from_millis(20));
            }
            assert!(!hung.is_finished());
        });
    });
    assert!(end.is_none(), "{}", fake::text(&end.unwrap()));
}

#[test]
fn a_hang_that_holds_the_drivers_lock_stops_every_thread() {
    let name = "a_hang_that_holds_the_drivers_lock_stops_every_thread";
    let scenario = "[[fault]]\ncall = \"nvmlDeviceGetTemperature\"\naction = \"hang\"\nlocks_driver = true";
    let end = with_doomed_nvml(name, scenario, PATIENCE, |_| {
        let nvml = Nvml::init().unwrap();
        std::thread::scope(|threads| {
            threads.spawn(|| nvml.device_by_index(3).unwrap().temperature(TemperatureSensor::Gpu));
            std::thread::sleep(Duration::from_millis(200));
            let answer = nvml.device_count();
            eprintln!("panicked: a call returned {answer:?}");
        });
    });
    assert!(end.is_none(), "{}", fake::text(&end.unwrap()));
}

#[test]
fn a_crash_ends_the_process() {
    let scenario = "[[fault]]\ncall = \"nvmlDeviceGetTemperature\"\naction = \"crash\"";
    let end = with_doomed_nvml("a_crash_ends_the_process", scenario, Duration::from_secs(20), |_| {
        let nvml = Nvml::init().unwrap();
        let _ = nvml.device_by_index(0).unwrap().temperature(TemperatureSensor::Gpu);
    });
    let end = end.expect("the process crashes");
    assert!(!end.status.success() && !fake::text(&end).contains("panicked"), "{}", fake::text(&end));
}

#[test]
fn an_xid_added_while_waiting_arrives_once() {
    with_nvml("an_xid_added_while_waiting_arrives_once", "", |inside| {
        let nvml = Nvml::init().unwrap();
        let mut set = nvml.create_event_set().unwrap();
        for gpu in each(&nvml) {
            set = gpu.register_events(EventTypes::CRITICAL_XID_ERROR, set).unwrap();
        }
        assert_eq!(set.wait(0).error(), "Timeout");
        inside.set("[[xid]]\nid = 7\ngpu = 3\ncode = 79\n[[xid]]\nid = 8\ngpu = 4\ncode = 154");
        let event = set.wait(5000).unwrap();
        assert_eq!(event.device.index().unwrap(), 3);
        assert_eq!(event.event_type, EventTypes::CRITICAL_XID_ERROR);
        assert!(matches!(event.event_data, Some(XidError::Value(79))));
        assert_eq!(set.wait(5000).unwrap().device.index().unwrap(), 4);
        assert_eq!(set.wait(100).error(), "Timeout");
        // A set made afterwards is not told of what is past.
        let late = nvml.create_event_set().unwrap();
        let gpu = nvml.device_by_index(3).unwrap();
        let late = gpu.register_events(EventTypes::CRITICAL_XID_ERROR, late).unwrap();
        assert_eq!(late.wait(100).error(), "Timeout");
    });
}

#[test]
fn waiting_fails_while_a_registered_gpu_is_lost_but_its_xid_comes_first() {
    let name = "waiting_fails_while_a_registered_gpu_is_lost_but_its_xid_comes_first";
    with_nvml(name, "", |inside| {
        let nvml = Nvml::init().unwrap();
        let gpu = nvml.device_by_index(3).unwrap();
        let set =
            gpu.register_events(EventTypes::CRITICAL_XID_ERROR, nvml.create_event_set().unwrap()).unwrap();
        inside.set("[gpu.3]\nlost = true\n[[xid]]\nid = 1\ngpu = 3\ncode = 79");
        assert!(set.wait(5000).is_ok());
        assert_eq!(set.wait(5000).error(), "GpuLost");
    });
}

#[test]
fn mig_instances_have_handles_of_their_own() {
    let scenario = r#"
        count = 2
        [gpu.1]
        mig_enabled = true
        mig_instances = [
            { gpu_instance = 1, profile = "3g.40gb", memory_total_bytes = 42_000_000_000, memory_used_bytes = 7 },
            { gpu_instance = 9, compute_instance = 2, profile = "1g.10gb", memory_total_bytes = 10_000_000_000 },
        ]
        processes = [{ pid = 11, gpu_instance = 9, compute_instance = 2 }]
    "#;
    with_nvml("mig_instances_have_handles_of_their_own", scenario, |_| {
        let nvml = Nvml::init().unwrap();
        let (whole, divided) = (nvml.device_by_index(0).unwrap(), nvml.device_by_index(1).unwrap());
        assert_eq!(whole.mig_mode().unwrap().current, 0);
        assert_eq!(whole.mig_device_by_index(0).error(), "NotFound");
        assert_eq!((divided.mig_mode().unwrap().current, divided.mig_device_count().unwrap()), (1, 7));
        assert_eq!(divided.utilization_rates().error(), "NotSupported");
        assert_eq!(divided.mig_device_by_index(2).error(), "NotFound");
        let instance = divided.mig_device_by_index(1).unwrap();
        let uuid = instance.uuid().unwrap();
        assert!(uuid.starts_with("MIG-"), "{uuid}");
        assert_eq!(nvml.device_by_uuid(uuid.clone()).unwrap().uuid().unwrap(), uuid);
        assert_eq!(instance.memory_info().unwrap().total, 10_000_000_000);
        assert_eq!(instance.running_compute_processes().unwrap().len(), 1);
        assert_eq!(divided.mig_device_by_index(0).unwrap().running_compute_processes().unwrap(), []);
        assert_eq!(divided.running_compute_processes().unwrap().len(), 1);
        assert_eq!(instance.temperature(TemperatureSensor::Gpu).error(), "InvalidArg");
    });
}

#[test]
fn many_threads_may_call_at_once_while_the_scenario_changes() {
    with_nvml("many_threads_may_call_at_once_while_the_scenario_changes", "", |inside| {
        let nvml = Nvml::init().unwrap();
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| {
                    for round in 0..2000 {
                        let temperature =
                            nvml.device_by_index(round % 8).unwrap().temperature(TemperatureSensor::Gpu);
                        assert!([29, 30].contains(&temperature.unwrap()));
                    }
                });
            }
            for round in 0..10 {
                inside.set(if round % 2 == 0 { "[all]\ntemperature_c = 30" } else { "" });
            }
        });
    });
}
