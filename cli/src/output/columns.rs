//! Which columns each kind of entry has in a table.

use ostler_proto::v1;

use super::Tone;
use super::units::{age, clean, count, gibibytes, memory, number, of, percent, seconds, share, short, text};
use crate::kind::{Entry, Kind};

/// One cell: its text, and what kind of news it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) tone: Tone,
}

/// One column: its title, whether only wide tables have it, and how to fill it.
struct Column<T> {
    title: &'static str,
    wide: bool,
    cell: fn(&T) -> Cell,
}

/// The titles of this kind's columns.
pub(crate) fn titles(kind: Kind, wide: bool) -> Vec<&'static str> {
    fn of<T>(columns: &[Column<T>], wide: bool) -> Vec<&'static str> {
        columns.iter().filter(|column| wide || !column.wide).map(|column| column.title).collect()
    }
    match kind {
        Kind::Nodes => of(NODE, wide),
        Kind::Gpus => of(GPU, wide),
        Kind::Engines => of(ENGINE, wide),
        Kind::Pools => of(POOL, wide),
        Kind::Zones => of(ZONE, wide),
        Kind::Events => of(EVENT, wide),
        Kind::Decisions => of(DECISION, wide),
        Kind::Actions => of(ACTION, wide),
        Kind::Holds => of(HOLD, wide),
    }
}

/// The cells of one entry, in the order of the titles.
pub(crate) fn cells(entry: &Entry, wide: bool) -> Vec<Cell> {
    fn of<T>(columns: &[Column<T>], entry: &T, wide: bool) -> Vec<Cell> {
        columns.iter().filter(|column| wide || !column.wide).map(|column| (column.cell)(entry)).collect()
    }
    match entry {
        Entry::Node(entry) => of(NODE, entry, wide),
        Entry::Gpu(entry) => of(GPU, entry, wide),
        Entry::Engine(entry) => of(ENGINE, entry, wide),
        Entry::Pool(entry) => of(POOL, entry, wide),
        Entry::Zone(entry) => of(ZONE, entry, wide),
        Entry::Event(entry) => of(EVENT, entry, wide),
        Entry::Decision(entry) => of(DECISION, entry, wide),
        Entry::Action(entry) => of(ACTION, entry, wide),
        Entry::Hold(entry) => of(HOLD, entry, wide),
    }
}

fn plain(text: String) -> Cell {
    Cell { text, tone: Tone::Plain }
}

fn dim(text: String) -> Cell {
    Cell { text, tone: Tone::Dim }
}

const fn column<T>(title: &'static str, cell: fn(&T) -> Cell) -> Column<T> {
    Column { title, wide: false, cell }
}

const fn wide<T>(title: &'static str, cell: fn(&T) -> Cell) -> Column<T> {
    Column { title, wide: true, cell }
}

/// Good when all are there, bad when none is, a warning in between.
fn all_of(part: u32, whole: u32) -> Cell {
    let tone = match part {
        part if part == whole => Tone::Plain,
        0 => Tone::Bad,
        _ => Tone::Warn,
    };
    Cell { text: of(part, whole), tone }
}

/// Waiting requests are news.
fn waiting(value: Option<f64>) -> Cell {
    let tone = if value.is_some_and(|value| value >= 1.0) { Tone::Warn } else { Tone::Plain };
    Cell { text: count(value), tone }
}

pub(crate) fn node_state(state: v1::NodeState) -> Cell {
    let tone = match state {
        v1::NodeState::Fresh => Tone::Good,
        v1::NodeState::Joining => Tone::Warn,
        v1::NodeState::Stale => Tone::Bad,
        v1::NodeState::Left | v1::NodeState::Unspecified => Tone::Dim,
    };
    Cell { text: short(state.as_str_name(), "NODE_STATE_"), tone }
}

pub(crate) fn gpu_state(state: v1::GpuState) -> Cell {
    let tone = match state {
        v1::GpuState::Ok => Tone::Good,
        v1::GpuState::Degraded => Tone::Warn,
        v1::GpuState::Lost | v1::GpuState::Hung => Tone::Bad,
        v1::GpuState::Unreadable | v1::GpuState::Unspecified => Tone::Dim,
    };
    Cell { text: short(state.as_str_name(), "GPU_STATE_"), tone }
}

pub(crate) fn engine_state(state: v1::EngineState) -> Cell {
    let tone = match state {
        v1::EngineState::Serving => Tone::Good,
        v1::EngineState::Loading => Tone::Warn,
        v1::EngineState::Down | v1::EngineState::Timeout => Tone::Bad,
        v1::EngineState::Unreadable | v1::EngineState::Unspecified => Tone::Dim,
    };
    Cell { text: short(state.as_str_name(), "ENGINE_STATE_"), tone }
}

pub(crate) fn severity(severity: v1::Severity) -> Cell {
    let tone = match severity {
        v1::Severity::Critical => Tone::Bad,
        v1::Severity::Warning => Tone::Warn,
        v1::Severity::Info | v1::Severity::Unspecified => Tone::Plain,
    };
    Cell { text: short(severity.as_str_name(), "SEVERITY_"), tone }
}

/// What is true of it, `healthy` included.
pub(crate) fn verdict(verdict: v1::Verdict) -> Cell {
    let tone = match verdict {
        v1::Verdict::Healthy => Tone::Good,
        v1::Verdict::Unspecified | v1::Verdict::Left => Tone::Dim,
        v1::Verdict::StreamBroken
        | v1::Verdict::NodeSuspect
        | v1::Verdict::AgentDown
        | v1::Verdict::Flapping
        | v1::Verdict::ZonePartition
        | v1::Verdict::GpuDegraded => Tone::Warn,
        v1::Verdict::ObserverIsolated
        | v1::Verdict::GlobalFreeze
        | v1::Verdict::ZoneDown
        | v1::Verdict::NodeDead
        | v1::Verdict::NodeUnreachable
        | v1::Verdict::GpuLost
        | v1::Verdict::GpuHung
        | v1::Verdict::EngineStalled => Tone::Bad,
    };
    Cell { text: short(verdict.as_str_name(), "VERDICT_"), tone }
}

fn freshness(freshness: v1::Freshness) -> Cell {
    let tone = match freshness {
        v1::Freshness::Fresh => Tone::Good,
        v1::Freshness::Stale | v1::Freshness::Reset => Tone::Warn,
        v1::Freshness::Missing | v1::Freshness::Unspecified => Tone::Dim,
    };
    Cell { text: short(freshness.as_str_name(), "FRESHNESS_"), tone }
}

fn signals(signals: Option<&v1::Signals>) -> v1::Signals {
    signals.copied().unwrap_or_default()
}

fn counts(counts: Option<&v1::Counts>) -> v1::Counts {
    counts.copied().unwrap_or_default()
}

fn labels(node: &v1::Node) -> String {
    let mut pairs: Vec<String> = node.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.sort();
    text(&pairs.join(","))
}

const NODE: &[Column<v1::Node>] = &[
    column("NAME", |node| plain(clean(&node.name))),
    column("ZONE", |node| plain(text(&node.zone))),
    column("STATE", |node| node_state(node.state())),
    column("VERDICT", |node| verdict(node.verdict())),
    column("AGE", |node| plain(age(node.age_ms.into()))),
    column("GPUS", |node| all_of(node.gpu_ok_count, node.gpu_count)),
    column("UTIL", |node| plain(percent(node.gpu_utilization_percent))),
    column("MEMORY", |node| plain(memory(node.gpu_memory_used_bytes, node.gpu_memory_total_bytes))),
    column("ENGINES", |node| plain(node.engine_count.to_string())),
    column("RUN", |node| plain(count(node.requests_running))),
    column("WAIT", |node| waiting(node.requests_waiting)),
    column("CPU", |node| plain(percent(node.cpu_used_percent))),
    column("SIMULATED", |node| dim(if node.simulated { "yes" } else { "no" }.to_owned())),
    wide("AGENT", |node| plain(text(&node.agent_version))),
    wide("CONNECTED", |node| plain(if node.connected { "yes" } else { "no" }.to_owned())),
    wide("PROBE", |node| plain(text(&node.probe_address))),
    wide("DROPPED", |node| plain(node.rows_dropped.to_string())),
    wide("LABELS", |node| plain(labels(node))),
    wide("REASON", |node| plain(text(&node.state_reason))),
    wide("EVIDENCE", |node| plain(text(&node.verdict_reason))),
];

const GPU: &[Column<v1::Gpu>] = &[
    column("NAME", |gpu| plain(clean(&gpu.name))),
    column("NODE", |gpu| plain(clean(&gpu.node))),
    column("INDEX", |gpu| plain(gpu.index.to_string())),
    column("MODEL", |gpu| plain(text(&gpu.model))),
    column("STATE", |gpu| gpu_state(gpu.state())),
    column("VERDICT", |gpu| verdict(gpu.verdict())),
    column("AGE", |gpu| plain(age(gpu.age_ms.into()))),
    column("UTIL", |gpu| plain(percent(gpu.utilization_percent))),
    column("MEMORY", |gpu| plain(memory(gpu.memory_used_bytes, gpu.memory_total_bytes))),
    column("TEMP", |gpu| {
        plain(gpu.temperature_celsius.map_or("-".to_owned(), |celsius| format!("{celsius:.0}°C")))
    }),
    column("POWER", |gpu| plain(gpu.power_watts.map_or("-".to_owned(), |watts| format!("{watts:.0}W")))),
    wide("ZONE", |gpu| plain(text(&gpu.zone))),
    wide("CLOCK", |gpu| plain(gpu.sm_clock_megahertz.map_or("-".to_owned(), |mhz| format!("{mhz:.0}MHz")))),
    wide("XIDS", |gpu| plain(count(gpu.xid_errors_total))),
    wide("RECOVERY", |gpu| plain(count(gpu.recovery_action))),
    wide("BUS", |gpu| plain(text(&gpu.pci_bus_id))),
    wide("DRIVER", |gpu| plain(text(&gpu.driver_version))),
    wide("REASON", |gpu| plain(text(&gpu.state_reason))),
    wide("EVIDENCE", |gpu| plain(text(&gpu.verdict_reason))),
];

const ENGINE: &[Column<v1::Engine>] = &[
    column("NAME", |engine| plain(clean(&engine.name))),
    column("POOL", |engine| plain(text(&engine.pool))),
    column("KIND", |engine| plain(short(engine.kind().as_str_name(), "ENGINE_KIND_"))),
    column("STATE", |engine| engine_state(engine.state())),
    column("VERDICT", |engine| verdict(engine.verdict())),
    column("AGE", |engine| plain(age(engine.age_ms.into()))),
    column("RUN", |engine| plain(count(engine.requests_running))),
    column("WAIT", |engine| waiting(engine.requests_waiting)),
    column("KV", |engine| plain(share(engine.kv_cache_usage))),
    column("TTFT95", |engine| plain(seconds(engine.ttft_p95_seconds))),
    column("ITL95", |engine| plain(seconds(engine.itl_p95_seconds))),
    column("TOKENS/S", |engine| plain(number(engine.generation_tokens_per_second))),
    wide("PROMPT/S", |engine| plain(number(engine.prompt_tokens_per_second))),
    wide("ZONE", |engine| plain(text(&engine.zone))),
    wide("MODEL", |engine| plain(text(&engine.model))),
    wide("GPUS", |engine| plain(engine.gpu_uuids.len().to_string())),
    wide("URL", |engine| plain(text(&engine.url))),
    wide("POD", |engine| plain(text(&engine.pod))),
    wide("REASON", |engine| plain(text(&engine.state_reason))),
    wide("EVIDENCE", |engine| plain(text(&engine.verdict_reason))),
];

const POOL: &[Column<v1::Pool>] = &[
    column("NAME", |pool| plain(clean(&pool.name))),
    column("SERVING", |pool| all_of(pool.engines_serving, pool.engines)),
    column("GPUS", |pool| plain(pool.gpus.to_string())),
    column("RUN", |pool| plain(count(signals(pool.signals.as_ref()).requests_running))),
    column("WAIT", |pool| waiting(signals(pool.signals.as_ref()).requests_waiting)),
    column("KV", |pool| plain(share(signals(pool.signals.as_ref()).kv_cache_usage))),
    column("TTFT95", |pool| plain(seconds(signals(pool.signals.as_ref()).ttft_p95_seconds))),
    column("ITL95", |pool| plain(seconds(signals(pool.signals.as_ref()).itl_p95_seconds))),
    column("TOKENS/S", |pool| plain(number(signals(pool.signals.as_ref()).generation_tokens_per_second))),
    column("SIGNALS", |pool| freshness(signals(pool.signals.as_ref()).freshness())),
    column("ZONES", |pool| plain(text(&pool.zones.join(",")))),
    wide("MODEL", |pool| plain(text(&pool.model))),
    wide("REQUESTS/S", |pool| plain(number(signals(pool.signals.as_ref()).requests_per_second))),
    wide("ERRORS/S", |pool| plain(number(signals(pool.signals.as_ref()).errors_per_second))),
    wide("UTIL", |pool| plain(percent(signals(pool.signals.as_ref()).gpu_utilization_percent))),
    wide("AGE", |pool| plain(age(signals(pool.signals.as_ref()).age_ms.into()))),
    wide("COVERAGE", |pool| plain(share(pool.signals.as_ref().map(|signals| signals.coverage)))),
];

const ZONE: &[Column<v1::Zone>] = &[
    column("NAME", |zone| plain(clean(&zone.name))),
    column("VERDICT", |zone| verdict(zone.verdict())),
    column("NODES", |zone| {
        all_of(counts(zone.counts.as_ref()).nodes_fresh, counts(zone.counts.as_ref()).nodes)
    }),
    column("GPUS", |zone| all_of(counts(zone.counts.as_ref()).gpus_ok, counts(zone.counts.as_ref()).gpus)),
    column("SERVING", |zone| {
        all_of(counts(zone.counts.as_ref()).engines_serving, counts(zone.counts.as_ref()).engines)
    }),
    column("UTIL", |zone| plain(percent(signals(zone.signals.as_ref()).gpu_utilization_percent))),
    column("POWER", |zone| {
        let watts = signals(zone.signals.as_ref()).gpu_power_watts;
        plain(watts.map_or("-".to_owned(), |watts| format!("{:.1}kW", watts / 1e3)))
    }),
    column("RUN", |zone| plain(count(signals(zone.signals.as_ref()).requests_running))),
    column("WAIT", |zone| waiting(signals(zone.signals.as_ref()).requests_waiting)),
    column("TOKENS/S", |zone| plain(number(signals(zone.signals.as_ref()).generation_tokens_per_second))),
    column("SIGNALS", |zone| freshness(signals(zone.signals.as_ref()).freshness())),
    wide("MEMORY", |zone| {
        let signals = signals(zone.signals.as_ref());
        plain(memory(signals.gpu_memory_used_bytes, signals.gpu_memory_total_bytes))
    }),
    wide("FREE", |zone| {
        let signals = signals(zone.signals.as_ref());
        let free = signals
            .gpu_memory_total_bytes
            .zip(signals.gpu_memory_used_bytes)
            .map(|(total, used)| total - used);
        plain(gibibytes(free))
    }),
    wide("AGE", |zone| plain(age(signals(zone.signals.as_ref()).age_ms.into()))),
    wide("COVERAGE", |zone| plain(share(zone.signals.as_ref().map(|signals| signals.coverage)))),
    wide("EVIDENCE", |zone| plain(text(&zone.verdict_reason))),
];

const EVENT: &[Column<v1::Event>] = &[
    wide("NAME", |event| plain(clean(&event.name))),
    wide("TIME", |event| plain(text(&event.time))),
    column("AGE", |event| plain(age(event.age_ms))),
    column("SEVERITY", |event| severity(event.severity())),
    column("KIND", |event| plain(text(&event.kind))),
    column("ZONE", |event| plain(text(&event.zone))),
    column("NODE", |event| plain(text(&event.node))),
    wide("GPU", |event| plain(text(&event.gpu))),
    wide("ENGINE", |event| plain(text(&event.engine))),
    column("MESSAGE", |event| plain(text(&event.message))),
];

const DECISION: &[Column<v1::Decision>] = &[
    column("NAME", |decision| plain(clean(&decision.name))),
    column("AGE", |decision| plain(age(decision.age_ms))),
    column("ABOUT", |decision| plain(text(&decision.about))),
    column("ZONE", |decision| plain(text(&decision.zone))),
    column("SEEN", |decision| plain(short(decision.verdict().as_str_name(), "VERDICT_"))),
    column("STATE", |decision| decision_state(decision.state())),
    column("OUTCOME", |decision| plain(text(&decision.outcome))),
    wide("TIME", |decision| plain(text(&decision.time))),
    wide("WHY", |decision| plain(text(&decision.verdict_reason))),
    wide("VETOES", |decision| {
        let vetoes: Vec<&str> = decision.vetoes.iter().map(|veto| veto.reason.as_str()).collect();
        plain(text(&vetoes.join("; ")))
    }),
];

fn decision_state(state: v1::DecisionState) -> Cell {
    let tone = match state {
        v1::DecisionState::Open => Tone::Bad,
        v1::DecisionState::Ending => Tone::Warn,
        v1::DecisionState::Ended | v1::DecisionState::Unspecified => Tone::Dim,
    };
    Cell { text: short(state.as_str_name(), "DECISION_STATE_"), tone }
}

const ACTION: &[Column<v1::Action>] = &[
    column("NAME", |action| plain(clean(action.name.get(..12).unwrap_or(&action.name)))),
    column("AGE", |action| plain(age(action.age_ms))),
    column("STATE", |action| action_state(action.state())),
    column("VERB", |action| plain(text(&action.verb))),
    column("TARGET", |action| plain(text(&action.target))),
    column("CLASS", |action| plain(short(action.action_class().as_str_name(), "ACTION_CLASS_"))),
    column("TERM", |action| plain(action.term.to_string())),
    column("OUTCOME", |action| plain(text(&action.outcome))),
    wide("ID", |action| plain(clean(&action.name))),
    wide("CALLS", |action| plain(action.attempts.to_string())),
    wide("CREATED", |action| plain(text(&action.created))),
    wide("DEADLINE", |action| plain(text(&action.deadline))),
    wide("REASON", |action| plain(text(&action.reason))),
];

fn action_state(state: v1::ActionState) -> Cell {
    let tone = match state {
        v1::ActionState::Done => Tone::Good,
        v1::ActionState::Planned | v1::ActionState::Issued | v1::ActionState::Acked => Tone::Warn,
        v1::ActionState::Failed => Tone::Bad,
        v1::ActionState::Aborted | v1::ActionState::Superseded | v1::ActionState::Unspecified => Tone::Dim,
    };
    Cell { text: short(state.as_str_name(), "ACTION_STATE_"), tone }
}

const HOLD: &[Column<v1::Hold>] = &[
    column("NAME", |hold| plain(clean(&hold.name))),
    column("SCOPE", |hold| plain(text(&hold.scope))),
    column("BY", |hold| plain(text(&hold.operator))),
    column("SINCE", |hold| plain(text(&hold.since))),
    column("UNTIL", |hold| plain(text(&hold.until))),
    column("REASON", |hold| plain(text(&hold.reason))),
    wide("KIND", |hold| plain(text(&hold.kind))),
];
