//! What agents send, checked against the limits of `agent.proto` and turned into facts of the core.
//!
//! Names may only hold what is safe to print and to use in a key; words for people lose their control characters, so
//! that no agent can write to an operator's terminal.

use std::sync::Arc;
use std::time::Duration;

use ostler_core::event::{
    self, GoodbyeReason, Happening, Hello, Maintenance, MaintenanceKind, RowFact, SnapshotFact, What, Xid,
};
use ostler_core::id::{EngineId, GpuId, Incarnation, NodeId, PoolId, Term, ZoneId};
use ostler_core::inventory::{Engine, Gpu, MigInstance, Source};
use ostler_core::layout::{self, Layout, Owner};
use ostler_proto::v1;
use prost::Message;

use super::{engine_kind, engine_state, gpu_state, outgoing, source_state};
use crate::mask::Mask;

/// Rows in one backlog, as the wire's contract says.
pub const BACKLOG_ROWS_MAX: usize = 120;
/// Longest name of a node: that of a DNS subdomain, which Kubernetes allows.
const NODE_LENGTH_MAX: usize = 253;
/// Longest name of a zone, key or value of a label: that of a Kubernetes label.
const LABEL_LENGTH_MAX: usize = 63;
/// Longest identity of a GPU, engine or pool. A model's name is often a path of a hub; 253 bytes hold the longest seen.
const NAME_LENGTH_MAX: usize = 253;
/// Longest word for a person about a state, in bytes.
const DETAIL_LENGTH_MAX: usize = 512;
/// Longest line of the kernel that comes with an XID, in bytes.
const MESSAGE_LENGTH_MAX: usize = 1_024;
/// Longest address, in bytes.
const ADDRESS_LENGTH_MAX: usize = 2_048;
/// MIG instances of a GPU: seven exist on every model so far, compute instances included at most 28.
const MIG_INSTANCES_MAX: usize = 32;

/// Why a message is refused. The texts name the field as in `agent.proto`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A field has a value it must not have.
    #[error("`{field}` {problem}")]
    Invalid {
        /// Path of the field.
        field: &'static str,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// More of something than one agent may send.
    #[error("`{field}` has {count} entries; at most {limit} are allowed")]
    TooMany {
        /// Path of the field.
        field: &'static str,
        /// How many came.
        count: usize,
        /// How many may come.
        limit: usize,
    },
}

impl From<&Error> for tonic::Status {
    fn from(error: &Error) -> tonic::Status {
        match error {
            Error::Invalid { .. } => tonic::Status::invalid_argument(error.to_string()),
            Error::TooMany { .. } => tonic::Status::resource_exhausted(error.to_string()),
        }
    }
}

fn invalid(field: &'static str, problem: impl Into<String>) -> Error {
    Error::Invalid { field, problem: problem.into() }
}

fn at_most(field: &'static str, count: usize, limit: usize) -> Result<(), Error> {
    if count > limit { Err(Error::TooMany { field, count, limit }) } else { Ok(()) }
}

/// A Kubernetes-like name.
fn strict_name<'a>(field: &'static str, name: &'a str, length_max: usize) -> Result<&'a str, Error> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if name.is_empty() {
        return Err(invalid(field, "is empty; it must be set"));
    }
    if name.len() > length_max {
        return Err(invalid(
            field,
            format!("is {} characters long; at most {length_max} are allowed", name.len()),
        ));
    }
    match name.bytes().all(allowed) {
        true => Ok(name),
        false => Err(invalid(
            field,
            format!("is {:?}; it may hold only letters, digits, '.', '_' and '-'", shortened(name)),
        )),
    }
}

/// A name that others chose: anything printable without spaces.
fn free_name<'a>(field: &'static str, name: &'a str) -> Result<&'a str, Error> {
    if name.is_empty() {
        return Err(invalid(field, "is empty; it must be set"));
    }
    if name.len() > NAME_LENGTH_MAX {
        return Err(invalid(
            field,
            format!("is {} bytes long; at most {NAME_LENGTH_MAX} are allowed", name.len()),
        ));
    }
    match name.chars().any(|c| c.is_control() || c.is_whitespace()) {
        true => Err(invalid(
            field,
            format!("is {:?}; it may hold neither spaces nor control characters", shortened(name)),
        )),
        false => Ok(name),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(LABEL_LENGTH_MAX).collect()
}

/// Words for a person, cut at a length and without control characters.
fn words(text: &str, length_max: usize) -> Box<str> {
    let cut = text.floor_char_boundary(length_max.min(text.len()));
    if text[..cut].chars().any(char::is_control) {
        text[..cut].chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    } else {
        Box::from(&text[..cut])
    }
}

fn bounded_words(field: &'static str, text: &str, length_max: usize) -> Result<Box<str>, Error> {
    if text.len() > length_max {
        return Err(invalid(
            field,
            format!("is {} bytes long; at most {length_max} are allowed", text.len()),
        ));
    }
    Ok(words(text, length_max))
}

fn age(field: &'static str, age_ms: u32) -> Result<Duration, Error> {
    let age = Duration::from_millis(age_ms.into());
    if age > event::AGE_MAX {
        return Err(invalid(
            field,
            format!("is {age_ms}; at most {} are allowed", event::AGE_MAX.as_millis()),
        ));
    }
    Ok(age)
}

/// Who opens the stream. `interval` is what the coordinator will tell it in its welcome.
pub fn hello(hello: &v1::Hello, interval: Duration) -> Result<Hello, Error> {
    at_most("hello.labels", hello.labels.len(), event::LABELS_MAX)?;
    let mut labels = std::collections::BTreeMap::new();
    for (key, value) in &hello.labels {
        for (field, text) in [("hello.labels key", key), ("hello.labels value", value)] {
            if text.len() > LABEL_LENGTH_MAX {
                let problem =
                    format!("is {} characters long; at most {LABEL_LENGTH_MAX} are allowed", text.len());
                return Err(invalid(field, problem));
            }
        }
        labels.insert(words(key, LABEL_LENGTH_MAX), words(value, LABEL_LENGTH_MAX));
    }
    let mut fact = Hello {
        node: NodeId::from(strict_name("hello.node", &hello.node, NODE_LENGTH_MAX)?),
        zone: ZoneId::from(strict_name("hello.zone", &hello.zone, LABEL_LENGTH_MAX)?),
        boot_id: bounded_words("hello.boot_id", &hello.boot_id, LABEL_LENGTH_MAX)?,
        incarnation: Incarnation(hello.incarnation),
        agent_version: bounded_words("hello.agent_version", &hello.agent_version, LABEL_LENGTH_MAX)?,
        highest_term_seen: Term(hello.highest_term_seen),
        interval,
        probe_address: bounded_words("hello.probe_address", &hello.probe_address, NAME_LENGTH_MAX + 6)?,
        labels,
        simulated: hello.simulated,
        sources: sources("hello.sources", &hello.sources)?,
        encoded: Box::default(),
    };
    let introduction = outgoing::introduction(&fact, &Mask::default_of::<v1::Node>());
    fact.encoded = introduction.encode_to_vec().into_boxed_slice();
    Ok(fact)
}

/// The agent's sources.
pub fn sources(field: &'static str, sources: &[v1::SourceStatus]) -> Result<Vec<Source>, Error> {
    at_most(field, sources.len(), event::SOURCES_MAX)?;
    sources.iter().map(source).collect()
}

fn source(source: &v1::SourceStatus) -> Result<Source, Error> {
    Ok(Source {
        name: Box::from(strict_name("sources.name", &source.name, LABEL_LENGTH_MAX)?),
        state: source_state(source.state),
        detail: bounded_words("sources.detail", &source.detail, DETAIL_LENGTH_MAX)?,
    })
}

/// The whole node.
pub fn snapshot(snapshot: &v1::Snapshot) -> Result<SnapshotFact<'_>, Error> {
    at_most("snapshot.gpus", snapshot.gpus.len(), layout::GPUS_MAX)?;
    at_most("snapshot.engines", snapshot.engines.len(), layout::ENGINES_MAX)?;
    at_most("snapshot.values", snapshot.values.len(), layout::SLOTS_MAX)?;
    at_most("snapshot.groups", snapshot.groups.len(), layout::SLOTS_MAX)?;
    let groups =
        snapshot.groups.iter().enumerate().map(|(i, it)| group(i, it)).collect::<Result<Vec<_>, _>>()?;
    let layout = Layout::new(snapshot.gpus.len(), snapshot.engines.len(), groups)
        .map_err(|error| invalid("snapshot.groups", format!("cannot be used: {error}")))?;
    if layout.slots().len() != snapshot.values.len() {
        let problem = format!(
            "has {} entries, but `groups` names {} series",
            snapshot.values.len(),
            layout.slots().len()
        );
        return Err(invalid("snapshot.values", problem));
    }
    Ok(SnapshotFact {
        seq: snapshot.seq,
        age: age("snapshot.age_ms", snapshot.age_ms)?,
        gpus: snapshot.gpus.iter().map(gpu).collect::<Result<_, _>>()?,
        engines: snapshot.engines.iter().map(engine).collect::<Result<_, _>>()?,
        layout: Arc::new(layout),
        values: &snapshot.values,
        absent: &snapshot.absent,
        sampled: &snapshot.sampled,
        sources: sources("snapshot.sources", &snapshot.sources)?,
    })
}

fn group(position: usize, group: &v1::SeriesGroup) -> Result<layout::Group, Error> {
    let small = |field, index: u32| {
        u8::try_from(index)
            .map_err(|_| invalid(field, format!("of group {position} is {index}, which is not in the list")))
    };
    let owner = match group.owner {
        Some(v1::series_group::Owner::Gpu(index)) => Owner::Gpu(small("snapshot.groups.gpu", index)?),
        Some(v1::series_group::Owner::Engine(index)) => {
            Owner::Engine(small("snapshot.groups.engine", index)?)
        }
        Some(v1::series_group::Owner::Host(_)) => Owner::Host,
        None => return Err(invalid("snapshot.groups.owner", format!("of group {position} is not set"))),
    };
    let metric = |&number: &i32| {
        super::metric(number).ok_or_else(|| {
            let problem = format!(
                "of group {position} holds {number}, a metric that this coordinator does not know; upgrade coordinators before agents"
            );
            invalid("snapshot.groups.metrics", problem)
        })
    };
    Ok(layout::Group {
        owner,
        period: Duration::from_millis(group.period_ms.into()),
        metrics: group.metrics.iter().map(metric).collect::<Result<_, _>>()?,
    })
}

fn gpu(gpu: &v1::GpuInfo) -> Result<Gpu, Error> {
    at_most("snapshot.gpus.mig_instances", gpu.mig_instances.len(), MIG_INSTANCES_MAX)?;
    let mig = |it: &v1::MigInstance| MigInstance {
        uuid: words(&it.uuid, NAME_LENGTH_MAX),
        gpu_instance_id: it.gpu_instance_id,
        compute_instance_id: it.compute_instance_id,
        profile: words(&it.profile, LABEL_LENGTH_MAX),
        memory_total_bytes: it.memory_total_bytes,
    };
    Ok(Gpu {
        id: GpuId::from(free_name("snapshot.gpus.uuid", &gpu.uuid)?),
        index: gpu.index,
        model: words(&gpu.model, NAME_LENGTH_MAX),
        pci_bus_id: words(&gpu.pci_bus_id, LABEL_LENGTH_MAX),
        serial: words(&gpu.serial, LABEL_LENGTH_MAX),
        vbios_version: words(&gpu.vbios_version, LABEL_LENGTH_MAX),
        driver_version: words(&gpu.driver_version, LABEL_LENGTH_MAX),
        cuda_compute_capability: words(&gpu.cuda_compute_capability, LABEL_LENGTH_MAX),
        state: gpu_state(gpu.state),
        detail: words(&gpu.detail, DETAIL_LENGTH_MAX),
        mig_instances: gpu.mig_instances.iter().map(mig).collect(),
    })
}

fn engine(engine: &v1::EngineInfo) -> Result<Engine, Error> {
    at_most("snapshot.engines.gpu_uuids", engine.gpu_uuids.len(), layout::GPUS_MAX)?;
    let pool = match engine.pool.as_str() {
        "" => None,
        pool => Some(PoolId::from(free_name("snapshot.engines.pool", pool)?)),
    };
    Ok(Engine {
        id: EngineId::from(free_name("snapshot.engines.name", &engine.name)?),
        kind: engine_kind(engine.kind),
        model: words(&engine.model, NAME_LENGTH_MAX),
        pool,
        url: words(&engine.url, ADDRESS_LENGTH_MAX),
        gpus: engine
            .gpu_uuids
            .iter()
            .map(|uuid| Ok(GpuId::from(free_name("snapshot.engines.gpu_uuids", uuid)?)))
            .collect::<Result<_, Error>>()?,
        pod: words(&engine.pod, NAME_LENGTH_MAX),
        namespace: words(&engine.namespace, NAME_LENGTH_MAX),
        state: engine_state(engine.state),
        detail: words(&engine.detail, DETAIL_LENGTH_MAX),
    })
}

/// What changed. `sources` are those of the row, converted by [`sources`].
pub fn row<'a>(row: &'a v1::Row, sources: &'a [Source]) -> Result<RowFact<'a>, Error> {
    at_most("row.change", row.change.len(), layout::SLOTS_MAX)?;
    Ok(RowFact {
        seq: row.seq,
        age: age("row.age_ms", row.age_ms)?,
        changed: &row.changed,
        change: &row.change,
        sampled: &row.sampled,
        absent: row.absent_changed.then_some(&*row.absent),
        sources,
    })
}

/// Something that happened; `None` when it is of a kind that this version does not know.
pub fn happening(event: &v1::AgentEvent) -> Result<Option<Happening>, Error> {
    use v1::agent_event::Kind;
    let what = match &event.kind {
        None => return Ok(None),
        Some(Kind::Xid(it)) => What::Xid(xid(it)?),
        Some(Kind::Engine(it)) => What::Engine {
            engine: EngineId::from(free_name("event.engine.engine", &it.engine)?),
            from: engine_state(it.from),
            to: engine_state(it.to),
            detail: words(&it.detail, DETAIL_LENGTH_MAX),
        },
        Some(Kind::Maintenance(it)) => What::Maintenance(maintenance(it)),
        Some(Kind::Source(it)) => What::Source(source(it)?),
        Some(Kind::Gpu(it)) => What::Gpu {
            gpu: GpuId::from(free_name("event.gpu.gpu_uuid", &it.gpu_uuid)?),
            from: gpu_state(it.from),
            to: gpu_state(it.to),
            detail: words(&it.detail, DETAIL_LENGTH_MAX),
        },
    };
    Ok(Some(Happening { id: event.id, age: age("event.age_ms", event.age_ms)?, what }))
}

fn xid(xid: &v1::XidEvent) -> Result<Xid, Error> {
    let gpu = match xid.gpu_uuid.as_str() {
        "" => None,
        uuid => Some(GpuId::from(free_name("event.xid.gpu_uuid", uuid)?)),
    };
    Ok(Xid {
        gpu,
        pci_bus_id: words(&xid.pci_bus_id, LABEL_LENGTH_MAX),
        number: xid.xid,
        gpu_instance_id: xid.gpu_instance_id,
        compute_instance_id: xid.compute_instance_id,
        source: words(&xid.source, LABEL_LENGTH_MAX),
        message: bounded_words("event.xid.message", &xid.message, MESSAGE_LENGTH_MAX)?,
        nvswitch: xid.nvswitch,
    })
}

fn maintenance(notice: &v1::MaintenanceNotice) -> Maintenance {
    let kind = match notice.kind() {
        v1::MaintenanceKind::Unspecified => MaintenanceKind::Unknown,
        v1::MaintenanceKind::SpotInterruption => MaintenanceKind::SpotInterruption,
        v1::MaintenanceKind::Rebalance => MaintenanceKind::Rebalance,
        v1::MaintenanceKind::Reboot => MaintenanceKind::Reboot,
        v1::MaintenanceKind::Redeploy => MaintenanceKind::Redeploy,
        v1::MaintenanceKind::Freeze => MaintenanceKind::Freeze,
        v1::MaintenanceKind::Terminate => MaintenanceKind::Terminate,
        v1::MaintenanceKind::Migrate => MaintenanceKind::Migrate,
    };
    Maintenance {
        provider: words(&notice.provider, LABEL_LENGTH_MAX),
        kind,
        notice_id: words(&notice.notice_id, NAME_LENGTH_MAX),
        begins_in_ms: notice.begins_in_ms,
        cancelled: notice.cancelled,
        detail: words(&notice.detail, DETAIL_LENGTH_MAX),
    }
}

/// Why the agent ends its stream, and its words about it.
pub fn goodbye(goodbye: &v1::Goodbye) -> (GoodbyeReason, Box<str>) {
    let reason = match goodbye.reason() {
        v1::GoodbyeReason::Unspecified => GoodbyeReason::Unknown,
        v1::GoodbyeReason::Shutdown => GoodbyeReason::Shutdown,
        v1::GoodbyeReason::Upgrade => GoodbyeReason::Upgrade,
        v1::GoodbyeReason::NodeShutdown => GoodbyeReason::NodeShutdown,
    };
    (reason, words(&goodbye.detail, DETAIL_LENGTH_MAX))
}
