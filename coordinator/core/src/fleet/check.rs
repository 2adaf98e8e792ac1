//! Limits of the facts that come rarely. Whoever lies here is refused before anything is changed.

use std::collections::BTreeSet;
use std::time::Duration;

use super::bits;
use crate::event::{self, Happening, Hello, Refusal, SnapshotFact, What};
use crate::inventory::{Engine, Gpu, Source};
use crate::layout;

/// Bytes of any one text, as the wire's contract says of the kernel's own words, its longest.
const TEXT_MAX: usize = 1024;

/// Bytes of a node's name: that of a DNS name.
const NODE_MAX: usize = 253;

/// Bytes of a zone's name, of a label's key and of its value, as in Kubernetes.
const LABEL_MAX: usize = 63;

/// MIG instances of a GPU. Seven is the most that a GPU of today can be cut into.
const MIG_MAX: usize = 16;

const LONG: &str = "is longer than 1024 bytes";

pub(super) fn hello(hello: &Hello) -> Result<(), Refusal> {
    let Hello { node, zone, boot_id, agent_version, interval, probe_address, labels, sources, .. } = hello;
    name("node", node.as_str(), NODE_MAX, "must be 1-253 characters of A-Z a-z 0-9 . _ -")?;
    name("zone", zone.as_str(), LABEL_MAX, "must be 1-63 characters of A-Z a-z 0-9 . _ -")?;
    texts("boot_id", &[boot_id])?;
    texts("agent_version", &[agent_version])?;
    texts("probe_address", &[probe_address])?;
    if *interval < Duration::from_millis(1) || *interval > layout::PERIOD_MAX {
        return field("interval_ms", "must be 1 to 600000");
    }
    if labels.len() > event::LABELS_MAX {
        return field("labels", "has more than 32 entries");
    }
    if labels.iter().any(|(key, value)| key.len() > LABEL_MAX || value.len() > LABEL_MAX) {
        return field("labels", "has a key or value longer than 63 bytes");
    }
    self::sources(sources)
}

pub(super) fn sources(sources: &[Source]) -> Result<(), Refusal> {
    if sources.len() > event::SOURCES_MAX {
        return field("sources", "has more than 16 entries");
    }
    sources.iter().try_for_each(|it| texts("sources", &[&it.name, &it.detail]))
}

pub(super) fn snapshot(snapshot: &SnapshotFact<'_>) -> Result<(), Refusal> {
    let SnapshotFact { seq: _, age, gpus, engines, layout, values, absent, sampled, sources } = snapshot;
    self::age(*age)?;
    count("gpus", gpus.len(), layout.gpus())?;
    count("engines", engines.len(), layout.engines())?;
    count("values", values.len(), layout.slots().len())?;
    gpus.iter().try_for_each(gpu)?;
    engines.iter().try_for_each(engine)?;
    if gpus.iter().map(|it| &it.id).collect::<BTreeSet<_>>().len() < gpus.len() {
        return field("gpus", "names a UUID twice");
    }
    if engines.iter().map(|it| &it.id).collect::<BTreeSet<_>>().len() < engines.len() {
        return field("engines", "names an engine twice");
    }
    if !bits::fits(absent, values.len()) {
        return field("absent", "reaches past the slots that the groups name");
    }
    if !bits::fits(sampled, layout.groups().len()) {
        return field("sampled", "reaches past the groups");
    }
    let wrong = |(&value, &(min, max)): (&i64, &(i64, i64))| value < min || value > max;
    if let Some(slot) = values.iter().zip(layout.bounds()).position(wrong) {
        let (min, max) = layout.bounds()[slot];
        let (owner, metric) = (layout.owner(slot), layout.slots()[slot].metric);
        return Err(Refusal::OutOfRange { slot, metric, owner, value: values[slot], min, max });
    }
    self::sources(sources)
}

pub(super) fn happening(happening: &Happening) -> Result<(), Refusal> {
    age(happening.age)?;
    match &happening.what {
        What::Xid(it) => texts(
            "xid",
            &[it.gpu.as_ref().map_or("", |gpu| gpu.as_str()), &it.pci_bus_id, &it.source, &it.message],
        ),
        What::Engine { engine, detail, .. } => texts("engine", &[engine.as_str(), detail]),
        What::Maintenance(it) => texts("maintenance", &[&it.provider, &it.notice_id, &it.detail]),
        What::Source(it) => sources(std::slice::from_ref(it)),
        What::Gpu { gpu, detail, .. } => texts("gpu", &[gpu.as_str(), detail]),
    }
}

fn gpu(gpu: &Gpu) -> Result<(), Refusal> {
    printable("gpus.uuid", gpu.id.as_str())?;
    if gpu.mig_instances.len() > MIG_MAX {
        return field("gpus.mig_instances", "has more than 16 entries");
    }
    gpu.mig_instances.iter().try_for_each(|it| texts("gpus.mig_instances", &[&it.uuid, &it.profile]))?;
    let Gpu {
        model, pci_bus_id, serial, vbios_version, driver_version, cuda_compute_capability, detail, ..
    } = gpu;
    texts(
        "gpus",
        &[model, pci_bus_id, serial, vbios_version, driver_version, cuda_compute_capability, detail],
    )
}

fn engine(engine: &Engine) -> Result<(), Refusal> {
    printable("engines.name", engine.id.as_str())?;
    if engine.gpus.len() > layout::GPUS_MAX {
        return field("engines.gpu_uuids", "has more than 16 entries");
    }
    engine.gpus.iter().try_for_each(|it| texts("engines.gpu_uuids", &[it.as_str()]))?;
    let pool = engine.pool.as_ref().map_or("", |pool| pool.as_str());
    texts("engines", &[&engine.model, pool, &engine.url, &engine.pod, &engine.namespace, &engine.detail])
}

fn age(age: Duration) -> Result<(), Refusal> {
    if age > event::AGE_MAX { field("age_ms", "is more than 3600000") } else { Ok(()) }
}

fn count(field: &'static str, count: usize, expected: usize) -> Result<(), Refusal> {
    if count == expected { Ok(()) } else { Err(Refusal::Count { field, count, expected }) }
}

fn texts(field: &'static str, texts: &[&str]) -> Result<(), Refusal> {
    if texts.iter().any(|text| text.len() > TEXT_MAX) { self::field(field, LONG) } else { Ok(()) }
}

fn name(field: &'static str, name: &str, longest: usize, problem: &'static str) -> Result<(), Refusal> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if !name.is_empty() && name.len() <= longest && name.bytes().all(allowed) {
        Ok(())
    } else {
        self::field(field, problem)
    }
}

fn printable(field: &'static str, name: &str) -> Result<(), Refusal> {
    if name.is_empty() || name.len() > NODE_MAX || name.chars().any(char::is_control) {
        return self::field(field, "must be 1-253 bytes without control characters");
    }
    Ok(())
}

fn field(field: &'static str, problem: &'static str) -> Result<(), Refusal> {
    Err(Refusal::Field { field, problem })
}
