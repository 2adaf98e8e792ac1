//! Nodes, GPUs, engines and events as the read API gives them: only the fields that the mask wants are made.

use std::time::Duration;

use ostler_core::detect::{Detector, Finding, Subject, Verdict};
use ostler_core::event::Hello;
use ostler_core::fleet::{self, Freshness, State};
use ostler_core::id::NodeKey;
use ostler_core::inventory;
use ostler_core::journal;
use ostler_core::layout::Owner;
use ostler_core::metric::Metric;
use ostler_core::time::Time;
use ostler_proto::v1;

use crate::driver::View;
use crate::mask::{Fields, Mask, find};

/// The value if the mask wants the field, else its default.
macro_rules! wanted {
    ($mask:ident, $message:ty, $field:ident, $value:expr) => {
        if $mask.has(const { find(<$message as Fields>::FIELDS, stringify!($field)) }) {
            $value
        } else {
            Default::default()
        }
    };
}

/// Milliseconds, at most 49 days.
pub fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

/// A copy, without the detour of formatting that `to_string` takes for anything but `str`.
fn text(text: &str) -> String {
    text.to_owned()
}

/// A moment of the driver's clock as RFC 3339.
pub fn rfc3339(time: Time) -> String {
    let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX).to_string()
}

/// The moment that an entry is made for, and what is found out by then.
#[derive(Clone, Copy)]
pub struct At<'a> {
    now: Time,
    detector: &'a Detector,
}

impl<'a> At<'a> {
    /// The moment of a view.
    pub fn of(view: &View<'a>) -> At<'a> {
        At { now: view.now, detector: view.detector }
    }

    /// What was found of a GPU or engine of a node. Nearly always nothing is, and nothing is looked up.
    fn found(self, node: NodeKey, subject: impl FnOnce() -> Subject) -> Option<&'a Finding> {
        if self.detector.accuses_devices(node) { self.detector.finding(&subject()) } else { None }
    }

    /// What the verdict on a node goes by.
    fn why(self, node: NodeKey, verdict: Verdict) -> String {
        if verdict == Verdict::Healthy {
            return String::new();
        }
        reason(self.detector.finding(&Subject::Node(node)))
    }
}

/// The wire's number of the verdict that was found; what nothing was found of is healthy.
pub fn verdict(found: Option<&Finding>) -> i32 {
    super::verdict_number(found.map_or(Verdict::Healthy, |found| found.verdict))
}

/// What a verdict goes by, for a person.
pub fn reason(found: Option<&Finding>) -> String {
    found.map(|found| found.evidence.to_string()).unwrap_or_default()
}

/// A node.
pub fn node(node: &fleet::Node, at: At<'_>, mask: &Mask) -> v1::Node {
    node_now(introduction(node.hello(), mask), node, at, mask)
}

/// What a node's agent said at the beginning of its stream.
pub fn introduction(hello: &Hello, mask: &Mask) -> v1::Node {
    v1::Node {
        name: text(hello.node.as_str()),
        zone: wanted!(mask, v1::Node, zone, text(hello.zone.as_str())),
        boot_id: wanted!(mask, v1::Node, boot_id, text(&hello.boot_id)),
        incarnation: hello.incarnation.0,
        agent_version: wanted!(mask, v1::Node, agent_version, text(&hello.agent_version)),
        labels: wanted!(
            mask,
            v1::Node,
            labels,
            hello.labels.iter().map(|(k, v)| (text(k), text(v))).collect()
        ),
        simulated: hello.simulated,
        probe_address: wanted!(mask, v1::Node, probe_address, text(&hello.probe_address)),
        ..v1::Node::default()
    }
}

/// All else that is known of a node, added to its introduction, or to nothing.
pub fn node_now(introduction: v1::Node, node: &fleet::Node, at: At<'_>, mask: &Mask) -> v1::Node {
    let now = at.now;
    let verdict = at.detector.node_verdict(node.key());
    let totals = node.totals(now);
    v1::Node {
        state: wanted!(mask, v1::Node, state, node_state_number(node.state(now))),
        state_reason: wanted!(mask, v1::Node, state_reason, node.state_reason(now)),
        age_ms: now.millis_since(node.heard()),
        connected: node.connected(),
        gpu_count: count(node.gpus()),
        gpu_ok_count: u32::try_from(node.gpus_ok()).expect("at most 16 GPUs"),
        engine_count: count(node.engines()),
        sources: wanted!(mask, v1::Node, sources, node.sources().iter().map(source).collect()),
        gpu_utilization_percent: totals.gpu_utilization_percent().mean(),
        gpu_memory_used_bytes: totals.gpu_memory_used_bytes().sum(),
        gpu_memory_total_bytes: totals.gpu_memory_total_bytes().sum(),
        requests_running: totals.requests_running().sum(),
        requests_waiting: totals.requests_waiting().sum(),
        cpu_used_percent: totals.cpu_used_ppm().sum().map(|ppm| ppm / 10_000.0),
        readings: wanted!(mask, v1::Node, readings, readings(node, Owner::Host, now)),
        revision: node.revision(),
        rows_dropped: node.rows_dropped(),
        verdict: super::verdict_number(verdict),
        verdict_reason: wanted!(mask, v1::Node, verdict_reason, at.why(node.key(), verdict)),
        ..introduction
    }
}

fn count<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).expect("at most 64 of a kind")
}

/// The wire's number of a node's state.
pub fn node_state_number(state: State) -> i32 {
    (match state {
        State::Joining => v1::NodeState::Joining,
        State::Fresh => v1::NodeState::Fresh,
        State::Stale => v1::NodeState::Stale,
        State::Left => v1::NodeState::Left,
    }) as i32
}

fn source(source: &inventory::Source) -> v1::SourceStatus {
    v1::SourceStatus {
        name: text(&source.name),
        state: super::source_state_number(source.state),
        detail: text(&source.detail),
    }
}

fn readings(node: &fleet::Node, owner: Owner, now: Time) -> Vec<v1::Reading> {
    let reading = |(metric, reading): (Metric, fleet::Reading)| v1::Reading {
        metric: super::metric_number(metric),
        value: reading.value as f64,
        age_ms: millis(reading.age),
        freshness: super::freshness_number(reading.freshness),
    };
    node.readings(owner, now).map(reading).collect()
}

/// The last known value of a metric times a factor; none when there is none. How old it is, the entry's age tells.
fn value(node: &fleet::Node, owner: Owner, metric: Metric, factor: f64, now: Time) -> Option<f64> {
    node.reading(owner, metric, now)
        .filter(|reading| reading.freshness != Freshness::Missing)
        .map(|reading| reading.value as f64 * factor)
}

/// A GPU.
pub fn gpu(gpu: fleet::Gpu<'_>, at: At<'_>, mask: &Mask) -> v1::Gpu {
    let (node, info, now) = (gpu.node, gpu.info(), at.now);
    let found = at.found(node.key(), || Subject::Gpu(node.key(), info.id.clone()));
    let (age, freshness) = gpu.freshness(now);
    let value = |metric, factor| value(node, gpu.owner(), metric, factor, now);
    let mig = |it: &inventory::MigInstance| v1::MigInstance {
        uuid: text(&it.uuid),
        gpu_instance_id: it.gpu_instance_id,
        compute_instance_id: it.compute_instance_id,
        profile: text(&it.profile),
        memory_total_bytes: it.memory_total_bytes,
    };
    v1::Gpu {
        name: text(info.id.as_str()),
        node: wanted!(mask, v1::Gpu, node, text(node.id().as_str())),
        zone: wanted!(mask, v1::Gpu, zone, text(node.zone().as_str())),
        index: info.index,
        model: wanted!(mask, v1::Gpu, model, text(&info.model)),
        pci_bus_id: wanted!(mask, v1::Gpu, pci_bus_id, text(&info.pci_bus_id)),
        serial: wanted!(mask, v1::Gpu, serial, text(&info.serial)),
        driver_version: wanted!(mask, v1::Gpu, driver_version, text(&info.driver_version)),
        state: super::gpu_state_number(info.state),
        state_reason: wanted!(mask, v1::Gpu, state_reason, text(&info.detail)),
        age_ms: millis(age),
        freshness: super::freshness_number(freshness),
        utilization_percent: wanted!(
            mask,
            v1::Gpu,
            utilization_percent,
            value(Metric::GpuUtilizationPercent, 1.0)
        ),
        memory_used_bytes: wanted!(mask, v1::Gpu, memory_used_bytes, value(Metric::GpuMemoryUsedBytes, 1.0)),
        memory_total_bytes: wanted!(
            mask,
            v1::Gpu,
            memory_total_bytes,
            value(Metric::GpuMemoryTotalBytes, 1.0)
        ),
        temperature_celsius: wanted!(
            mask,
            v1::Gpu,
            temperature_celsius,
            value(Metric::GpuTemperatureCelsius, 1.0)
        ),
        power_watts: wanted!(mask, v1::Gpu, power_watts, value(Metric::GpuPowerMilliwatts, 1e-3)),
        sm_clock_megahertz: wanted!(
            mask,
            v1::Gpu,
            sm_clock_megahertz,
            value(Metric::GpuSmClockMegahertz, 1.0)
        ),
        xid_errors_total: wanted!(mask, v1::Gpu, xid_errors_total, value(Metric::GpuXidErrorsTotal, 1.0)),
        recovery_action: wanted!(mask, v1::Gpu, recovery_action, value(Metric::GpuRecoveryAction, 1.0)),
        mig_instances: wanted!(mask, v1::Gpu, mig_instances, info.mig_instances.iter().map(mig).collect()),
        readings: wanted!(mask, v1::Gpu, readings, readings(node, gpu.owner(), now)),
        revision: gpu.revision(),
        verdict: verdict(found),
        verdict_reason: wanted!(mask, v1::Gpu, verdict_reason, reason(found)),
    }
}

/// An engine's name in the whole fleet.
pub fn engine_name(engine: fleet::Engine<'_>) -> String {
    format!("{}/{}", engine.node.id(), engine.info().id)
}

/// An engine.
pub fn engine(engine: fleet::Engine<'_>, at: At<'_>, mask: &Mask) -> v1::Engine {
    let (node, info, now) = (engine.node, engine.info(), at.now);
    let found = at.found(node.key(), || Subject::Engine(node.key(), info.id.clone()));
    let (age, freshness) = engine.freshness(now);
    let value = |metric, factor| value(node, engine.owner(), metric, factor, now);
    v1::Engine {
        name: engine_name(engine),
        node: wanted!(mask, v1::Engine, node, text(node.id().as_str())),
        zone: wanted!(mask, v1::Engine, zone, text(node.zone().as_str())),
        pool: wanted!(
            mask,
            v1::Engine,
            pool,
            info.pool.as_ref().map(ToString::to_string).unwrap_or_default()
        ),
        model: wanted!(mask, v1::Engine, model, text(&info.model)),
        kind: super::engine_kind_number(info.kind),
        url: wanted!(mask, v1::Engine, url, text(&info.url)),
        pod: wanted!(mask, v1::Engine, pod, text(&info.pod)),
        namespace: wanted!(mask, v1::Engine, namespace, text(&info.namespace)),
        gpu_uuids: wanted!(mask, v1::Engine, gpu_uuids, info.gpus.iter().map(ToString::to_string).collect()),
        state: super::engine_state_number(info.state),
        state_reason: wanted!(mask, v1::Engine, state_reason, text(&info.detail)),
        age_ms: millis(age),
        freshness: super::freshness_number(freshness),
        requests_running: wanted!(
            mask,
            v1::Engine,
            requests_running,
            value(Metric::EngineRequestsRunning, 1.0)
        ),
        requests_waiting: wanted!(
            mask,
            v1::Engine,
            requests_waiting,
            value(Metric::EngineRequestsWaiting, 1.0)
        ),
        kv_cache_usage: wanted!(mask, v1::Engine, kv_cache_usage, value(Metric::EngineKvCacheUsagePpm, 1e-6)),
        ttft_p95_seconds: wanted!(
            mask,
            v1::Engine,
            ttft_p95_seconds,
            value(Metric::EngineTtftP95Microseconds, 1e-6)
        ),
        itl_p95_seconds: wanted!(
            mask,
            v1::Engine,
            itl_p95_seconds,
            value(Metric::EngineItlP95Microseconds, 1e-6)
        ),
        generation_tokens_per_second: wanted!(
            mask,
            v1::Engine,
            generation_tokens_per_second,
            value(Metric::EngineGenerationTokensMilliPerSecond, 1e-3)
        ),
        prompt_tokens_per_second: wanted!(
            mask,
            v1::Engine,
            prompt_tokens_per_second,
            value(Metric::EnginePromptTokensMilliPerSecond, 1e-3)
        ),
        readings: wanted!(mask, v1::Engine, readings, readings(node, engine.owner(), now)),
        revision: engine.revision(),
        verdict: verdict(found),
        verdict_reason: wanted!(mask, v1::Engine, verdict_reason, reason(found)),
    }
}

/// The name of the event with this number: as text it sorts as the numbers do.
pub fn event_name(number: u64) -> String {
    format!("{number:016}")
}

/// An event; `before` is how many there were before this start of the replica.
pub fn event(entry: &journal::Entry, before: u64, now: Time) -> v1::Event {
    let text = |name: Option<String>| name.unwrap_or_default();
    v1::Event {
        name: event_name(before + entry.id),
        time: rfc3339(entry.at),
        age_ms: u64::try_from(now.since(entry.at).as_millis()).unwrap_or(u64::MAX),
        kind: entry.kind.name().to_owned(),
        severity: super::severity_number(entry.severity),
        zone: text(entry.place.zone.as_ref().map(ToString::to_string)),
        node: text(entry.place.node.as_ref().map(ToString::to_string)),
        gpu: text(entry.place.gpu.as_ref().map(ToString::to_string)),
        engine: text(entry.place.engine.as_ref().map(ToString::to_string)),
        message: entry.message.clone(),
        attributes: entry
            .attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
    }
}
