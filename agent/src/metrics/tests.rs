//! The page held against what real dcgm-exporters wrote, and against the format.
#![allow(clippy::wildcard_enum_match_arm)]

use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

use ostler_proto::v1::{self, Metric};

use super::render;
use crate::{
    buffer::Limits,
    hub::{Hub, Identity},
    sample::{EngineSample, GpuSample, Group, NodeSample},
    state::{Store, Stored},
    table::Table,
};

/// Families of dcgm-exporter that NVML does not offer or that count something else: not exported.
const NOT_OURS: [&str; 9] = [
    "DCGM_FI_DEV_ENC_UTIL",
    "DCGM_FI_DEV_DEC_UTIL",
    "DCGM_FI_DEV_VGPU_LICENSE_STATUS",
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE",
    "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE",
    "DCGM_FI_PROF_DRAM_ACTIVE",
    "DCGM_FI_PROF_PCIE_TX_BYTES",
    "DCGM_FI_PROF_PCIE_RX_BYTES",
    "DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL",
];

fn data() -> PathBuf {
    let shared = std::env::var_os("OSTLER_SHARED_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")),
        PathBuf::from,
    );
    let folder = shared.join("metrics_text");
    assert!(folder.is_dir(), "the folder {} is needed; set OSTLER_SHARED_DATA", folder.display());
    folder
}

fn every_gpu_metric() -> Group {
    let known = (1..100).filter_map(|number| Metric::try_from(number).ok());
    let value = |metric| match metric {
        Metric::GpuMemoryTotalBytes => 23_034 << 20,
        Metric::GpuMemoryUsedBytes => 1 << 20,
        Metric::GpuMemoryReservedBytes => 470 << 20,
        Metric::GpuPowerMilliwatts => 16_365,
        _ => 31,
    };
    Group {
        period: Duration::from_secs(1),
        sampled: true,
        values: known.map(|metric| (metric, Some(value(metric)))).collect(),
    }
}

fn page(sample: NodeSample) -> String {
    let hello = v1::Hello { node: "i-030791dc5a37cd257".into(), ..v1::Hello::default() };
    let url = ["http://127.0.0.1:7400".to_owned()];
    let store = (Store::new(None), Stored::default());
    let (hub, _orders) = Hub::new(Identity { hello }, Duration::from_secs(1), Limits::default(), &url, store);
    hub.publish(&mut Table::default(), sample);
    render(&hub)
}

fn l4() -> NodeSample {
    let info = v1::GpuInfo {
        uuid: "GPU-c2f76b33-7953-256e-8f33-1343419b1a1c".into(),
        model: "NVIDIA L4".into(),
        pci_bus_id: "00000000:31:00.0".into(),
        driver_version: "580.105.08".into(),
        ..v1::GpuInfo::default()
    };
    NodeSample { gpus: vec![GpuSample { info, groups: vec![every_gpu_metric()] }], ..NodeSample::default() }
}

/// Name to type, and name to the label names of its first sample.
fn families(text: &str) -> (BTreeMap<String, String>, BTreeMap<String, Vec<String>>) {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let types = types.map(|(name, kind)| (name.to_owned(), kind.trim().to_owned())).collect();
    let mut labels = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((name, rest)) = line.split_once('{') else { continue };
        let Some((inner, _)) = rest.rsplit_once('}') else { continue };
        let names = inner.split("\",").filter_map(|label| label.trim().split_once('='));
        labels
            .entry(name.to_owned())
            .or_insert_with(|| names.map(|(name, _)| name.to_owned()).collect::<Vec<_>>());
    }
    (types, labels)
}

#[test]
fn what_dcgm_exporter_also_measures_has_its_names_types_and_labels() {
    let (our_types, our_labels) = families(&page(l4()));
    let mut compared = 0;
    for entry in fs::read_dir(data()).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !file.starts_with("dcgm_exporter_") {
            continue;
        }
        let (types, labels) = families(&fs::read_to_string(&path).unwrap());
        for name in labels.keys().filter(|name| !NOT_OURS.contains(&name.as_str())) {
            let ours = our_labels.get(name).unwrap_or_else(|| panic!("{file} has {name}, we do not"));
            if let Some(kind) = types.get(name) {
                assert_eq!(our_types.get(name), Some(kind), "type of {name} in {file}");
            }
            // Older versions had fewer labels, and Kubernetes adds its own.
            let kubernetes = ["container", "namespace", "pod"];
            // One file is an excerpt with dots where its author left something out.
            let real = |label: &&String| !kubernetes.contains(&label.as_str()) && !label.starts_with("...");
            let theirs = labels[name].iter().filter(real);
            for label in theirs {
                assert!(ours.contains(label), "{name} in {file} has the label {label}, ours has {ours:?}");
            }
            compared += 1;
        }
    }
    assert!(compared > 60, "only {compared} families were compared");
}

#[test]
fn a_sample_is_written_exactly_as_dcgm_exporter_writes_it() {
    let page = page(l4());
    let theirs = fs::read_to_string(data().join("dcgm_exporter_kops_1.prom")).unwrap();
    for name in [
        "DCGM_FI_DEV_GPU_TEMP{",
        "DCGM_FI_DEV_POWER_USAGE{",
        "DCGM_FI_DEV_FB_FREE{",
        "DCGM_FI_DEV_FB_RESERVED{",
    ] {
        let line = theirs.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(page.contains(line), "{line}\nis not in\n{page}");
    }
}

#[test]
fn an_absent_value_is_left_out() {
    let mut sample = l4();
    for (_, value) in &mut sample.gpus[0].groups[0].values {
        *value = None;
    }
    let page = page(sample);
    assert!(!page.contains("DCGM_FI_DEV_GPU_TEMP"), "{page}");
    assert!(!page.contains("FB_FREE"), "{page}");
    assert!(page.contains("ostler_gpu_ok{"), "{page}");
}

#[test]
fn the_last_xid_stays() {
    let mut sample = l4();
    let uuid = sample.gpus[0].info.uuid.clone();
    sample.events =
        vec![v1::agent_event::Kind::Xid(v1::XidEvent { gpu_uuid: uuid, xid: 79, ..v1::XidEvent::default() })];
    let page = page(sample);
    let line = page.lines().find(|line| line.starts_with("DCGM_FI_DEV_XID_ERRORS{")).unwrap();
    assert!(line.ends_with("} 79"), "{line}");
}

#[test]
fn mig_instances_have_their_labels() {
    let mut sample = l4();
    sample.gpus[0].info.mig_instances = vec![v1::MigInstance {
        gpu_instance_id: 7,
        profile: "1g.10gb".into(),
        memory_total_bytes: Some(10),
        ..v1::MigInstance::default()
    }];
    let page = page(sample);
    let line = page.lines().find(|line| line.starts_with("ostler_gpu_mig_memory_total_bytes{")).unwrap();
    assert!(line.contains("GPU_I_PROFILE=\"1g.10gb\",GPU_I_ID=\"7\""), "{line}");
}

#[test]
fn a_hostile_name_cannot_break_out_of_its_label() {
    let info = v1::EngineInfo { name: "a\"} 1\nevil{\\".into(), ..v1::EngineInfo::default() };
    let groups = vec![Group { values: vec![(Metric::EngineUp, Some(1))], ..Group::default() }];
    let sample = NodeSample { engines: vec![EngineSample { info, groups }], ..NodeSample::default() };
    let page = page(sample);
    assert!(page.contains("engine=\"a\\\"} 1\\nevil{\\\\\""), "{page}");
    assert!(!page.lines().any(|line| line.starts_with("evil")), "{page}");
}

#[test]
fn the_samples_of_a_family_are_together_and_named_once() {
    let mut sample = l4();
    sample.gpus.push(sample.gpus[0].clone());
    let page = page(sample);
    let mut seen = Vec::<String>::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap().to_owned();
        if seen.last() != Some(&name) {
            assert!(!seen.contains(&name), "{name} comes in two places");
            seen.push(name);
        }
    }
    assert!(seen.len() > 60, "{} families", seen.len());
}
