//! The messages of one synthetic node over time, encoded once and sent by many connections.

use ostler_proto::v1;
use prost::Message;

use super::http2;
use super::synthetic::{self, ENGINE_METRICS, GPU_FAST, GPU_METRICS, GPUS, Node, SLOW_PERIOD};

/// Rows of one Backlog message; the wire allows 120.
const BACKLOG_ROWS: usize = 120;

/// Rows kept while cut off, and rows of the time after, each as ready DATA frames.
#[derive(Debug)]
pub struct Trace {
    seed: u64,
    first: Vec<i64>,
    past: usize,
    pub(super) backlog: Vec<Vec<u8>>,
    pub(super) rows: Vec<Vec<u8>>,
    /// The values after each live row, for peers that are told the same.
    pub values: Vec<Vec<i64>>,
    /// Mean length of an encoded row, without gRPC's and HTTP/2's own bytes.
    pub row_bytes_mean: usize,
}

impl Trace {
    /// The trace of the node that follows from `seed`: `past` seconds sent as backlog, then `live` rows.
    pub fn new(seed: u64, past: usize, live: usize) -> Self {
        let mut node = Node::new(seed);
        let mut values = node.values();
        let first = values.clone();
        let mut seq = 1;
        let mut next = |age_ms| {
            node.step();
            seq += 1;
            let row = row(seq, age_ms, &mut values, &node);
            (row, values.clone())
        };
        let kept: Vec<v1::Row> = (0..past).rev().map(|left| next(age_ms(left)).0).collect();
        let backlog = kept
            .chunks(BACKLOG_ROWS)
            .map(|rows| {
                body(v1::agent_message::Body::Backlog(v1::Backlog { rows: rows.to_vec(), rows_dropped: 0 }))
            })
            .map(|encoded| http2::message(&encoded))
            .collect();
        let (rows, values): (Vec<_>, Vec<_>) = (0..live).map(|_| next(0)).unzip();
        let encoded: Vec<_> = rows.into_iter().map(|row| body(v1::agent_message::Body::Row(row))).collect();
        let row_bytes_mean = encoded.iter().map(Vec::len).sum::<usize>() / encoded.len().max(1);
        let rows = encoded.iter().map(|encoded| http2::message(encoded)).collect();
        Self { seed, first, past, backlog, rows, values, row_bytes_mean }
    }

    /// The Snapshot with which node `number` begins; its GPUs are its own, its values those of the trace.
    pub(super) fn snapshot(&self, number: usize) -> Vec<u8> {
        let snapshot = snapshot(number, self.seed, &self.first, age_ms(self.past));
        http2::message(&body(v1::agent_message::Body::Snapshot(snapshot)))
    }

    /// The Hello of a node with this number, as ready DATA frames.
    pub(super) fn hello(number: usize, zones: usize) -> Vec<u8> {
        http2::message(&body(v1::agent_message::Body::Hello(v1::Hello {
            node: format!("node-{number:05}"),
            zone: format!("zone-{}", number % zones.max(1)),
            boot_id: format!("boot-{number}"),
            incarnation: 1,
            agent_version: "0.0.0-load".to_owned(),
            interval_ms: 1000,
            simulated: true,
            ..v1::Hello::default()
        })))
    }

    /// Live rows there are.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }
}

/// Age of a row after which `rows_left` more were taken. The wire allows an hour.
fn age_ms(rows_left: usize) -> u32 {
    u32::try_from(1000 * rows_left).unwrap_or(u32::MAX).min(3_600_000)
}

fn body(body: v1::agent_message::Body) -> Vec<u8> {
    v1::AgentMessage { body: Some(body) }.encode_to_vec()
}

fn snapshot(number: usize, seed: u64, values: &[i64], age_ms: u32) -> v1::Snapshot {
    let numbers = |metrics: &[v1::Metric]| metrics.iter().map(|&metric| metric as i32).collect::<Vec<_>>();
    let mut groups = Vec::new();
    for gpu in 0..GPUS as u32 {
        for (metrics, period_ms) in
            [(&GPU_METRICS[..GPU_FAST], 1000), (&GPU_METRICS[GPU_FAST..], 1000 * SLOW_PERIOD as u32)]
        {
            let owner = Some(v1::series_group::Owner::Gpu(gpu));
            groups.push(v1::SeriesGroup { owner, period_ms, metrics: numbers(metrics) });
        }
    }
    let owner = Some(v1::series_group::Owner::Engine(0));
    groups.push(v1::SeriesGroup { owner, period_ms: 1000, metrics: numbers(&ENGINE_METRICS) });
    v1::Snapshot {
        seq: 1,
        age_ms,
        gpus: (0..GPUS as u32).map(|index| gpu(number, index)).collect(),
        engines: vec![v1::EngineInfo {
            name: "vllm-8000".to_owned(),
            kind: v1::EngineKind::Vllm as i32,
            model: format!("model-{}", seed % 4),
            pool: format!("pool-{}", seed % 4),
            url: "http://127.0.0.1:8000/metrics".to_owned(),
            state: v1::EngineState::Serving as i32,
            ..v1::EngineInfo::default()
        }],
        groups,
        values: values.to_vec(),
        ..v1::Snapshot::default()
    }
}

fn gpu(number: usize, index: u32) -> v1::GpuInfo {
    v1::GpuInfo {
        index,
        uuid: format!("GPU-{number:08x}-0000-4000-8000-00000000{index:04x}"),
        model: "NVIDIA H200".to_owned(),
        pci_bus_id: format!("00000000:{:02X}:00.0", 0x18 + index),
        serial: format!("16543{number:06}{index}"),
        vbios_version: "96.00.BC.00.01".to_owned(),
        driver_version: "570.133.20".to_owned(),
        state: v1::GpuState::Ok as i32,
        cuda_compute_capability: "9.0".to_owned(),
        ..v1::GpuInfo::default()
    }
}

/// The row that leads from `values` to the node's present values, which it leaves in `values`.
fn row(seq: u64, age_ms: u32, values: &mut [i64], node: &Node) -> v1::Row {
    let mut changed = vec![0u8; synthetic::VALUES.div_ceil(8)];
    let mut change = Vec::new();
    for (slot, (value, new)) in values.iter_mut().zip(node.values()).enumerate() {
        if new != *value {
            changed[slot / 8] |= 1 << (slot % 8);
            change.push(new - *value);
            *value = new;
        }
    }
    // Groups come in pairs, fast then slow, GPU by GPU, and the engine's last. The bitmap is left off while it is that
    // of the row before.
    let sampled = match seq % SLOW_PERIOD {
        _ if node.slow_sampled() => vec![0xff, 0xff, 1],
        1 | 2 => vec![0x55, 0x55, 1],
        _ => Vec::new(),
    };
    v1::Row { seq, age_ms, changed: changed.into(), change, sampled: sampled.into(), ..v1::Row::default() }
}
