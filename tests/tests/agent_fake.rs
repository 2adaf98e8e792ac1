//! The real agent against the fake NVML library: what it reports when GPUs, calls or the whole driver go wrong.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::{
    thread,
    time::{Duration, Instant},
};

use common::{
    agent::{self, Agent},
    fake::{self, FakeNvml},
    replica::{PATIENCE, Replica},
};
use ostler_proto::v1::{GpuState, Metric, SourceState};

const TEMPERATURE: Metric = Metric::GpuTemperatureCelsius;

/// Whether a GPU's temperature was read after a moment.
fn read_since(seen: &common::replica::Seen, gpu: u32, moment: Instant) -> bool {
    seen.gpu_read_at(gpu, TEMPERATURE).is_some_and(|at| at > moment)
}

#[test]
fn a_probe_prints_the_gpus_of_every_profile_as_json() {
    for (profile, name, count) in [
        ("A100", "NVIDIA A100-SXM4-40GB", 1),
        ("H100", "NVIDIA H100 80GB HBM3", 8),
        ("H200", "NVIDIA H200", 4),
        ("B200", "NVIDIA B200", 8),
    ] {
        let fake = FakeNvml::new(&format!("profile = \"{profile}\"\ncount = {count}"));
        let output = agent::probe(Some(&fake), "json");
        assert!(output.status.success(), "{}", fake::text(&output));
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json.to_string().matches(name).count(), count, "{profile}: {json:#}");
    }
}

#[test]
fn every_value_of_the_library_reaches_the_report() {
    let fake = FakeNvml::new(
        r#"
        count = 2
        [gpu.1]
        utilization_percent = 97
        memory_used_bytes = 20_780_679_168
        temperature_c = 59
        memory_temperature_c = 54
        power_mw = 631_950
        sm_clock_mhz = 1980
        throttle_reasons = 4
        ecc_aggregate_uncorrected = 3
        remapped_rows_uncorrected = 2
        pcie_replays = 150
        nvlink_inactive = [17]
        processes = [{ pid = 1 }, { pid = 2 }]
        "#,
    );
    let replica = Replica::start();
    let _agent = Agent::start(Some(&fake), &replica);
    let seen = replica.wait("the slow values of GPU 1", |seen| seen.gpu(1, Metric::GpuProcesses) == Some(2));
    for (metric, value) in [
        (Metric::GpuUtilizationPercent, 97),
        (Metric::GpuMemoryUsedBytes, 20_780_679_168),
        (Metric::GpuMemoryTotalBytes, 85_520_809_984),
        (Metric::GpuTemperatureCelsius, 59),
        (Metric::GpuMemoryTemperatureCelsius, 54),
        (Metric::GpuTemperatureMarginCelsius, 58),
        (Metric::GpuPowerMilliwatts, 631_950),
        (Metric::GpuPowerLimitMilliwatts, 700_000),
        (Metric::GpuSmClockMegahertz, 1980),
        (Metric::GpuThrottleReasons, 4),
        (Metric::GpuEccUncorrectedAggregateTotal, 3),
        (Metric::GpuRowsRemappedUncorrectable, 2),
        (Metric::GpuPcieReplayTotal, 150),
        (Metric::GpuPcieLinkWidth, 16),
        (Metric::GpuNvlinkActiveLinks, 17),
    ] {
        assert_eq!(seen.gpu(1, metric), Some(value), "{metric:?}");
    }
    let gpu = &seen.gpus[1];
    assert_eq!((gpu.model.as_str(), gpu.index), ("NVIDIA H100 80GB HBM3", 1));
    assert_eq!((gpu.driver_version.as_str(), gpu.cuda_compute_capability.as_str()), ("580.105.08", "9.0"));
    assert_eq!(seen.nvml(), SourceState::Ok);
}

#[test]
fn a_change_in_the_library_is_reported_within_two_readings() {
    let fake = FakeNvml::new("");
    let replica = Replica::start();
    let _agent = Agent::start(Some(&fake), &replica);
    drop(replica.wait("a first temperature", |seen| seen.gpu(7, TEMPERATURE) == Some(29)));
    fake.set("[gpu.7]\ntemperature_c = 83");
    drop(replica.wait("the new temperature", |seen| seen.gpu(7, TEMPERATURE) == Some(83)));
    assert_eq!(replica.seen().gpu(6, TEMPERATURE), Some(29));
}

#[test]
fn killing_the_nvml_child_costs_a_moment_and_no_heartbeat() {
    let fake = FakeNvml::new("");
    let replica = Replica::start();
    let agent = Agent::start(Some(&fake), &replica);
    drop(replica.wait("values", |seen| seen.gpu(7, TEMPERATURE).is_some() && seen.nvml() == SourceState::Ok));
    let first = agent.nvml_child(None);
    agent::signal(first, "KILL");
    let killed = Instant::now();
    assert_ne!(agent.nvml_child(Some(first)), first);
    drop(replica.wait("values of the next child", |seen| {
        (0..8).all(|gpu| read_since(seen, gpu, killed)) && seen.nvml() == SourceState::Ok
    }));
    assert_eq!(agent.get("/healthz").unwrap().0, 200);
    let seen = replica.seen();
    assert!(seen.longest_gap < Duration::from_secs(5), "{:?} without a row", seen.longest_gap);
    assert_eq!(seen.hellos.len(), 1, "the stream never broke");
}

#[test]
fn an_agent_that_can_open_no_more_files_says_so_goes_on_and_recovers() {
    let fake = FakeNvml::new("");
    let replica = Replica::start();
    let agent = Agent::start(Some(&fake), &replica);
    drop(replica.wait("values", |seen| seen.gpu(7, TEMPERATURE).is_some() && seen.nvml() == SourceState::Ok));
    let usual = agent::limit_open_files(agent.pid(), 3);
    agent::signal(agent.nvml_child(None), "KILL");
    let seen = replica.wait("NVML is out of reach", |seen| seen.nvml() == SourceState::Failed);
    assert!(seen.nvml_detail().contains("open files"), "{}", seen.summary());
    let rows = seen.rows;
    drop(seen);
    drop(replica.wait("heartbeats all the same", |seen| seen.rows > rows + 3));
    agent::limit_open_files(agent.pid(), usual);
    let allowed = Instant::now();
    drop(replica.wait("values again", |seen| read_since(seen, 0, allowed) && seen.nvml() == SourceState::Ok));
    let seen = replica.seen();
    assert_eq!(seen.hellos.len(), 1, "the stream never broke, and the process is the same");
}

#[test]
fn a_hanging_call_stops_neither_the_heartbeat_nor_the_other_gpus() {
    let fake = FakeNvml::new("");
    let replica = Replica::start();
    let agent = Agent::start(Some(&fake), &replica);
    drop(replica.wait("values", |seen| seen.gpu(7, TEMPERATURE).is_some()));
    let first = agent.nvml_child(None);
    fake.set("[[fault]]\ncall = \"nvmlDeviceGetTemperature\"\ngpu = 3\naction = \"hang\"");
    let hung = Instant::now();
    let seen = replica
        .wait("the hang", |seen| seen.nvml() == SourceState::Hung && seen.gpu_state(3) == GpuState::Hung);
    assert!(seen.nvml_detail().contains("nvmlDeviceGetTemperature"), "{}", seen.nvml_detail());
    assert!(seen.gpus[3].detail.contains("nvmlDeviceGetTemperature"), "{}", seen.gpus[3].detail);
    drop(seen);
    assert_ne!(agent.nvml_child(Some(first)), first);
    let replaced = Instant::now();
    drop(replica.wait("the other GPUs, read by the next child", |seen| {
        (0..8).filter(|gpu| *gpu != 3).all(|gpu| read_since(seen, gpu, replaced))
    }));
    for _ in 0..10 {
        assert_eq!(agent.get("/healthz").unwrap().0, 200);
        assert!(agent.get("/metrics").unwrap().1.contains("DCGM_FI_DEV_GPU_TEMP"));
        thread::sleep(Duration::from_millis(100));
    }
    let seen = replica.seen();
    assert!(seen.longest_gap < Duration::from_secs(5), "{:?} without a row", seen.longest_gap);
    assert!(
        (0..8).filter(|gpu| *gpu != 3).all(|gpu| seen.gpu_state(gpu) == GpuState::Ok),
        "{}",
        seen.summary()
    );
    assert!(hung.elapsed() < PATIENCE * 2);
}

#[test]
fn an_event_wait_that_hangs_is_survived_too() {
    let fake = FakeNvml::new("[[fault]]\ncall = \"nvmlEventSetWait*\"\naction = \"hang\"");
    let replica = Replica::start();
    let agent = Agent::start(Some(&fake), &replica);
    drop(replica.wait("the hang", |seen| seen.nvml() == SourceState::Hung));
    let later = Instant::now();
    drop(replica.wait("values all the same", |seen| (0..8).all(|gpu| read_since(seen, gpu, later))));
    assert_eq!(agent.get("/healthz").unwrap().0, 200);
}

#[test]
fn an_init_that_hangs_is_reported_while_heartbeats_go_on() {
    let fake = FakeNvml::new("[[fault]]\ncall = \"nvmlInit*\"\naction = \"hang\"");
    let replica = Replica::start();
    let agent = Agent::start_with(Some(&fake), &replica, &[("OSTLER_NVML_INIT_DEADLINE_MS", "3000")]);
    let seen = replica.wait("the hang", |seen| seen.nvml() == SourceState::Hung);
    assert!(seen.nvml_detail().contains("nvmlInit"), "{}", seen.nvml_detail());
    drop(seen);
    let reported = Instant::now();
    drop(replica.wait("a row after it", |seen| seen.last_row.is_some_and(|at| at > reported)));
    assert_eq!(agent.get("/healthz").unwrap().0, 200);
    fake.set("");
    drop(
        replica.wait("recovery", |seen| seen.nvml() == SourceState::Ok && seen.gpu(7, TEMPERATURE).is_some()),
    );
}

#[test]
fn a_crash_inside_the_library_costs_only_the_child() {
    let fake = FakeNvml::new("");
    let replica = Replica::start();
    let _agent = Agent::start(Some(&fake), &replica);
    drop(replica.wait("values", |seen| seen.gpu(7, TEMPERATURE).is_some()));
    fake.set("[[fault]]\ncall = \"nvmlDeviceGetPowerUsage\"\ngpu = 2\naction = \"crash\"");
    drop(replica.wait("the failure", |seen| seen.nvml() != SourceState::Ok));
    fake.set("");
    drop(replica.wait("recovery", |seen| seen.nvml() == SourceState::Ok));
    let recovered = Instant::now();
    let seen = replica.wait("values again", |seen| (0..8).all(|gpu| read_since(seen, gpu, recovered)));
    assert_eq!(seen.hellos.len(), 1, "the stream never broke");
}

#[test]
fn a_lost_gpu_does_not_hide_the_others_and_comes_back() {
    let fake = FakeNvml::new("");
    let replica = Replica::start();
    let _agent = Agent::start(Some(&fake), &replica);
    drop(replica.wait("values", |seen| seen.gpu(7, TEMPERATURE).is_some()));
    fake.set("[gpu.5]\nlost = true\n[[xid]]\nid = 1\ngpu = 5\ncode = 79\nonly_live = true");
    let lost = Instant::now();
    let seen = replica.wait("GPU 5 lost, the others read", |seen| {
        seen.gpu_state(5) == GpuState::Lost
            && (0..8).filter(|gpu| *gpu != 5).all(|gpu| read_since(seen, gpu, lost))
    });
    assert_eq!(seen.gpus.len(), 8);
    assert_eq!(seen.gpu(5, TEMPERATURE), None, "a lost GPU has no values");
    assert!(
        (0..8).filter(|gpu| *gpu != 5).all(|gpu| seen.gpu_state(gpu) == GpuState::Ok),
        "{}",
        seen.summary()
    );
    drop(seen);
    let seen = replica.wait("XID 79", |seen| !seen.xids().is_empty());
    assert_eq!((seen.xids()[0].xid, seen.xids()[0].gpu_uuid.as_str()), (79, seen.gpus[5].uuid.as_str()));
    drop(seen);
    fake.set("");
    drop(
        replica.wait("GPU 5 again", |seen| {
            seen.gpu_state(5) == GpuState::Ok && seen.gpu(5, TEMPERATURE).is_some()
        }),
    );
}

#[test]
fn a_gpu_that_was_lost_before_the_agent_started_is_named() {
    let fake = FakeNvml::new("count = 3\n[gpu.1]\nlost = true");
    let replica = Replica::start();
    let _agent = Agent::start(Some(&fake), &replica);
    let seen = replica
        .wait("GPU 1 lost", |seen| seen.gpu_state(1) == GpuState::Lost && seen.gpu(2, TEMPERATURE).is_some());
    assert_eq!((seen.gpus.len(), seen.gpu_state(0), seen.gpu_state(2)), (3, GpuState::Ok, GpuState::Ok));
}

#[test]
fn every_reason_why_there_are_no_gpus_has_its_own_words() {
    let mut told = Vec::new();
    for (scenario, state, word) in [
        (Some("[library]\ninit_error = \"DRIVER_NOT_LOADED\""), SourceState::Absent, "kernel module"),
        (Some("[library]\ninit_error = \"LIB_RM_VERSION_MISMATCH\""), SourceState::Failed, "version"),
        (Some("[library]\ninit_error = \"NO_PERMISSION\""), SourceState::Failed, "permission"),
        (Some("[library]\ninit_error = \"UNKNOWN\""), SourceState::Failed, "unknown error"),
        (Some("count = 0"), SourceState::Absent, "no GPU"),
        (None, SourceState::Absent, "libnvidia-ml.so.1"),
    ] {
        let fake = scenario.map(FakeNvml::new);
        let replica = Replica::start();
        let agent = Agent::start(fake.as_ref(), &replica);
        let seen = replica.wait(word, |seen| seen.nvml() == state && seen.nvml_detail().contains(word));
        assert!(!told.contains(&seen.nvml_detail().to_owned()), "{}", seen.nvml_detail());
        told.push(seen.nvml_detail().to_owned());
        drop(seen);
        assert_eq!(agent.get("/healthz").unwrap().0, 200, "an agent without GPUs is healthy");
    }
}

#[test]
fn a_driver_that_is_upgraded_under_the_agent_is_found_again() {
    let fake = FakeNvml::new("driver_version = \"570.148.08\"");
    let replica = Replica::start();
    let agent = Agent::start(Some(&fake), &replica);
    drop(replica.wait("values", |seen| seen.gpu(0, TEMPERATURE).is_some()));
    fake.set("[library]\ninit_error = \"LIB_RM_VERSION_MISMATCH\"\ncall_error = \"LIB_RM_VERSION_MISMATCH\"");
    agent::signal(agent.nvml_child(None), "KILL");
    drop(replica.wait("the mismatch", |seen| {
        seen.nvml() == SourceState::Failed && seen.nvml_detail().contains("version")
    }));
    fake.set("driver_version = \"590.48.01\"");
    let seen = replica.wait("the new driver", |seen| {
        seen.nvml() == SourceState::Ok && seen.gpus.iter().all(|gpu| gpu.driver_version == "590.48.01")
    });
    assert_eq!(seen.gpus.len(), 8);
}

#[test]
fn a_lost_device_cgroup_is_not_taken_for_eight_broken_gpus() {
    let fake = FakeNvml::new("");
    let replica = Replica::start();
    let _agent = Agent::start(Some(&fake), &replica);
    drop(replica.wait("values", |seen| seen.gpu(7, TEMPERATURE).is_some()));
    fake.set("[library]\ncall_error = \"UNKNOWN\"\ninit_error = \"UNKNOWN\"");
    let seen = replica.wait("the loss of access", |seen| {
        seen.nvml() == SourceState::Failed && seen.nvml_detail().contains("cgroup")
    });
    assert!((0..8).all(|gpu| seen.gpu_state(gpu) != GpuState::Lost), "{}", seen.summary());
}

#[test]
fn xids_arrive_with_their_mig_instance_and_are_not_repeated_by_the_next_child() {
    let fake = FakeNvml::new("");
    let replica = Replica::start();
    let agent = Agent::start(Some(&fake), &replica);
    drop(replica.wait("values", |seen| seen.gpu(7, TEMPERATURE).is_some()));
    let xids = "[[xid]]\nid = 1\ngpu = 2\ncode = 94\ngpu_instance = 3\ncompute_instance = 1\nonly_live = true\n\
                [[xid]]\nid = 2\ngpu = 6\ncode = 31\nonly_live = true\n";
    fake.set(xids);
    let seen = replica.wait("both XIDs", |seen| seen.xids().len() == 2);
    let mut told: Vec<_> = seen
        .xids()
        .iter()
        .map(|xid| {
            (
                xid.xid,
                xid.gpu_uuid.clone(),
                xid.pci_bus_id.clone(),
                xid.gpu_instance_id,
                xid.compute_instance_id,
            )
        })
        .collect();
    told.sort();
    let (two, six) = (&seen.gpus[2], &seen.gpus[6]);
    assert_eq!(
        told,
        [
            (31, six.uuid.clone(), six.pci_bus_id.clone(), None, None),
            (94, two.uuid.clone(), two.pci_bus_id.clone(), Some(3), Some(1)),
        ]
    );
    assert!(seen.xids().iter().all(|xid| xid.source == "nvml"));
    drop(seen);
    let first = agent.nvml_child(None);
    agent::signal(first, "KILL");
    let killed = Instant::now();
    drop(replica.wait("the next child", |seen| read_since(seen, 7, killed)));
    fake.set(&format!("{xids}[[xid]]\nid = 3\ngpu = 0\ncode = 13\nonly_live = true"));
    let seen = replica.wait("an XID through the next child", |seen| seen.xids().len() >= 3);
    assert_eq!(seen.xids()[2].xid, 13);
}

#[test]
fn mig_instances_are_in_the_inventory() {
    let fake = FakeNvml::new(
        r#"
        count = 2
        [gpu.1]
        mig_enabled = true
        mig_instances = [
            { gpu_instance = 1, profile = "3g.40gb", memory_total_bytes = 42_000_000_000 },
            { gpu_instance = 9, compute_instance = 0, profile = "1g.10gb", memory_total_bytes = 10_000_000_000 },
        ]
        "#,
    );
    let replica = Replica::start();
    let _agent = Agent::start(Some(&fake), &replica);
    let seen = replica
        .wait("two instances", |seen| seen.gpus.get(1).is_some_and(|gpu| gpu.mig_instances.len() == 2));
    let instances = &seen.gpus[1].mig_instances;
    assert!(instances.iter().all(|instance| instance.uuid.starts_with("MIG-")));
    assert_eq!(instances.iter().map(|instance| instance.gpu_instance_id).collect::<Vec<_>>(), [1, 9]);
    assert_eq!(
        instances.iter().map(|instance| instance.profile.as_str()).collect::<Vec<_>>(),
        ["3g.40gb", "1g.10gb"]
    );
    assert_eq!(instances[1].memory_total_bytes, Some(10_000_000_000));
    assert!(seen.gpus[0].mig_instances.is_empty());
    assert_eq!(seen.gpu_state(1), GpuState::Ok, "what MIG does not support is no fault");
    assert_eq!(seen.gpu(1, Metric::GpuUtilizationPercent), None);
}

#[test]
fn the_drivers_own_verdict_degrades_a_gpu() {
    let fake = FakeNvml::new("[gpu.4]\nrecovery_action = 2");
    let replica = Replica::start();
    let _agent = Agent::start(Some(&fake), &replica);
    let seen = replica.wait("GPU 4 degraded", |seen| seen.gpu_state(4) == GpuState::Degraded);
    assert_eq!(seen.gpu(4, Metric::GpuRecoveryAction), Some(2));
    assert!(!seen.gpus[4].detail.is_empty());
}

#[test]
fn an_agent_that_is_asked_to_end_says_goodbye_even_while_nvml_hangs() {
    let fake = FakeNvml::new("[[fault]]\ncall = \"nvmlDeviceGet*\"\naction = \"hang\"");
    let replica = Replica::start();
    let mut agent = Agent::start(Some(&fake), &replica);
    drop(replica.wait("the hang", |seen| seen.nvml() == SourceState::Hung));
    assert!(agent.terminate().success());
    assert_eq!(replica.wait("Goodbye", |seen| !seen.goodbyes.is_empty()).goodbyes.len(), 1);
}
