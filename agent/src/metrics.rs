//! The agent's `/metrics` page, written at scrape time from the newest reading.
//!
//! What NVIDIA's dcgm-exporter also measures has its names, types, units and labels, so that dashboards made for it
//! work. Every number on the wire is there as well under its own name, `ostler_gpu_...`, `ostler_engine_...` and
//! `ostler_host_...`, and the agent tells of itself under `ostler_agent_...`. What has no value is left out.

mod dcgm;
mod page;

use std::{sync::atomic::Ordering, time::Duration};

use ostler_proto::v1::{self, Metric, SourceState};

use crate::{
    hub::{Hub, Stream},
    sample::{Group, NodeSample},
};
use page::{Labels, Page};

/// The content type of [`render`]'s text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The whole page.
#[must_use]
pub fn render(hub: &Hub) -> String {
    let latest = hub.latest();
    let mut page = Page::default();
    let node = &hub.identity().hello;
    dcgm::write(&mut page, &latest.sample.gpus, &node.node, &hub.last_xids());
    write_series(&mut page, &latest.sample, &node.node);
    write_agent(&mut page, hub, latest.taken);
    page.finish()
}

/// Labels of an engine's series.
fn engine_labels(info: &v1::EngineInfo) -> Labels {
    let kind = info.kind().as_str_name().trim_start_matches("ENGINE_KIND_").to_lowercase();
    Labels::new(&[
        ("engine", &info.name),
        ("kind", &kind),
        ("model", &info.model),
        ("pool", &info.pool),
        ("namespace", &info.namespace),
        ("pod", &info.pod),
    ])
}

/// Every number of the wire under its own name.
fn write_series(page: &mut Page, sample: &NodeSample, node: &str) {
    for gpu in &sample.gpus {
        write_groups(page, &gpu.groups, &dcgm::labels(&gpu.info, node));
        let state = gpu.info.state().as_str_name().trim_start_matches("GPU_STATE_").to_lowercase();
        let labels = dcgm::labels(&gpu.info, node).and(&[("state", &state)]);
        page.gauge("ostler_gpu_ok", "1 when the GPU's state is OK.").sample(&labels, u8::from(state == "ok"));
        for mig in &gpu.info.mig_instances {
            let labels = dcgm::mig_labels(&gpu.info, mig, node);
            let mut family = page.gauge("ostler_gpu_mig_memory_total_bytes", "Memory of a MIG instance.");
            if let Some(bytes) = mig.memory_total_bytes {
                family.sample(&labels, bytes);
            }
        }
    }
    for engine in &sample.engines {
        write_groups(page, &engine.groups, &engine_labels(&engine.info));
    }
    if let Some(host) = &sample.host {
        write_groups(page, std::slice::from_ref(host), &Labels::new(&[]));
    }
}

fn write_groups(page: &mut Page, groups: &[Group], labels: &Labels) {
    for (metric, value) in groups.iter().flat_map(|group| &group.values) {
        if let Some(value) = value {
            series(page, *metric).sample(labels, *value);
        }
    }
}

fn series(page: &mut Page, metric: Metric) -> page::Family<'_> {
    let word = metric.as_str_name().trim_start_matches("METRIC_");
    let name = format!("ostler_{}", word.to_lowercase());
    let help = format!("{word} of ostler.v1.Metric.");
    if word.ends_with("_TOTAL") { page.counter(&name, &help) } else { page.gauge(&name, &help) }
}

fn write_agent(page: &mut Page, hub: &Hub, taken: Option<Duration>) {
    let none = Labels::new(&[]);
    let v1::Hello { node, zone, agent_version, .. } = &hub.identity().hello;
    let info = Labels::new(&[("node", node), ("zone", zone), ("version", agent_version)]);
    page.gauge("ostler_agent_info", "Who this agent is.").sample(&info, 1);
    page.counter("ostler_agent_readings_total", "Readings taken.").sample(&none, hub.ticks());
    if let Some(taken) = taken {
        let age = hub.now().saturating_sub(taken).as_secs_f64();
        page.gauge("ostler_agent_reading_age_seconds", "Age of the newest reading.").sample(&none, age);
    }
    let interval = hub.interval().as_secs_f64();
    page.gauge("ostler_agent_interval_seconds", "Interval of readings.").sample(&none, interval);
    let (bytes, waiting, dropped) = {
        let outbox = hub.outbox();
        (outbox.journal.bytes_used(), outbox.events.len(), outbox.events.dropped())
    };
    page.gauge("ostler_agent_buffer_bytes", "Size of the readings not yet confirmed.").sample(&none, bytes);
    page.gauge("ostler_agent_events_waiting", "Events not yet confirmed.").sample(&none, waiting);
    page.counter("ostler_agent_events_dropped_total", "Events dropped before they were confirmed.")
        .sample(&none, dropped);
    for source in &hub.latest().sample.sources {
        let state = source.state().as_str_name().trim_start_matches("SOURCE_STATE_").to_lowercase();
        let labels = Labels::new(&[("source", &source.name), ("state", &state)]);
        page.gauge("ostler_agent_source_ok", "1 when the source's state is OK.")
            .sample(&labels, u8::from(source.state() == SourceState::Ok));
    }
    for stream in hub.streams() {
        write_stream(page, stream);
    }
}

fn write_stream(page: &mut Page, stream: &Stream) {
    let labels = Labels::new(&[("coordinator", &stream.url)]);
    let up = stream.up.load(Ordering::Relaxed);
    page.gauge("ostler_agent_stream_up", "1 while the coordinator takes the reports.").sample(&labels, up);
    for (name, help, counter) in [
        ("breaks", "Connections that broke or never came to be.", &stream.breaks),
        ("rows_sent", "Rows sent, those in backlogs included.", &stream.rows_sent),
        ("rows_dropped", "Rows this coordinator will never see.", &stream.rows_dropped),
        ("snapshots_sent", "Snapshots sent.", &stream.snapshots_sent),
        ("events_sent", "Events sent, repeats included.", &stream.events_sent),
        ("resyncs", "Snapshots the coordinator asked for.", &stream.resyncs),
        ("orders_refused", "Orders refused.", &stream.orders_refused),
    ] {
        let name = format!("ostler_agent_stream_{name}_total");
        page.counter(&name, help).sample(&labels, counter.load(Ordering::Relaxed));
    }
}

#[cfg(test)]
mod tests;
