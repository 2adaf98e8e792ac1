//! The messages of the read API, field by field.

use ostler_proto::v1;

use super::{Field, FieldType, Fields, Mask, Type, message_field};
use crate::filter::Value;

/// Describes a message: `choice(Enum, "PREFIX_")` for an enumeration, `opaque` for what a filter cannot compare,
/// `on_request` for what only a mask brings, and `plain` for the rest.
macro_rules! fields {
    ($message:ty { $($field:ident: $style:ident $(($($argument:tt)*))?),* $(,)? }) => {
        impl Fields for $message {
            const FIELDS: &'static [Field] = &[$(
                Field {
                    name: stringify!($field),
                    kind: fields!(@type $message, $field, $style $(($($argument)*))?),
                    on_request: matches!(stringify!($style).as_bytes(), b"on_request"),
                },
            )*];

            fn value(&self, position: usize, path: &[usize]) -> Value<'_> {
                let mut at = 0;
                $(
                    if position == at {
                        return fields!(@value self, $field, path, $style $(($($argument)*))?);
                    }
                    at += 1;
                )*
                let _ = (at, path);
                Value::Missing
            }

            fn keep(&mut self, mask: &Mask) {
                let mut at = 0;
                $(
                    if !mask.has(at) {
                        self.$field = Default::default();
                    } else if let Some(inside) = mask.inside(at) {
                        fields!(@narrow self, $field, inside, $style);
                    }
                    at += 1;
                )*
                let _ = at;
            }
        }
    };
    (@type $message:ty, $field:ident, plain) => { type_of(|message: &$message| &message.$field) };
    (@type $message:ty, $field:ident, choice($enum:ty, $prefix:literal)) => { Type::Choice(|| choices::<$enum>($prefix)) };
    (@type $message:ty, $field:ident, $other:ident) => { Type::Opaque };
    (@value $self:ident, $field:ident, $path:ident, plain) => { FieldType::read(&$self.$field, $path) };
    (@value $self:ident, $field:ident, $path:ident, choice($enum:ty, $prefix:literal)) => {
        Value::Choice(<$enum>::try_from($self.$field).map_or("UNSPECIFIED", |v| v.as_str_name().trim_start_matches($prefix)))
    };
    (@value $self:ident, $field:ident, $path:ident, $other:ident) => { Value::Missing };
    (@narrow $self:ident, $field:ident, $mask:ident, plain) => { FieldType::narrow(&mut $self.$field, $mask) };
    (@narrow $self:ident, $field:ident, $mask:ident, $other:ident) => { let _ = $mask; };
}

/// The [`Type`] of what the projection reads.
const fn type_of<M, F: FieldType>(_project: fn(&M) -> &F) -> Type {
    F::TYPE
}

/// An enumeration's highest number is below this.
const CHOICES_MAX: i32 = 64;

fn choices<E: TryFrom<i32> + NamedChoice>(prefix: &str) -> Vec<&'static str> {
    (0..CHOICES_MAX)
        .filter_map(|n| E::try_from(n).ok())
        .map(|v| v.name().trim_start_matches(prefix))
        .collect()
}

/// An enumeration of the wire that knows its names.
trait NamedChoice {
    fn name(&self) -> &'static str;
}

macro_rules! named_choices {
    ($($enum:ty),*) => {$(
        impl NamedChoice for $enum {
            fn name(&self) -> &'static str {
                self.as_str_name()
            }
        }
    )*};
}

named_choices!(v1::NodeState, v1::GpuState, v1::EngineState, v1::EngineKind, v1::Freshness, v1::Severity);
named_choices!(v1::ActionState, v1::ActionClass, v1::Verdict, v1::DecisionState);
message_field!(v1::Counts, v1::Signals);

fields!(v1::Counts {
    nodes: plain,
    nodes_fresh: plain,
    gpus: plain,
    gpus_ok: plain,
    engines: plain,
    engines_serving: plain,
});

fields!(v1::Signals {
    requests_running: plain,
    requests_waiting: plain,
    kv_cache_usage: plain,
    ttft_p95_seconds: plain,
    itl_p95_seconds: plain,
    generation_tokens_per_second: plain,
    prompt_tokens_per_second: plain,
    requests_per_second: plain,
    errors_per_second: plain,
    gpu_utilization_percent: plain,
    gpu_memory_used_bytes: plain,
    gpu_memory_total_bytes: plain,
    gpu_power_watts: plain,
    age_ms: plain,
    coverage: plain,
    freshness: choice(v1::Freshness, "FRESHNESS_"),
});

fields!(v1::Zone {
    name: plain,
    counts: plain,
    signals: plain,
    verdict: choice(v1::Verdict, "VERDICT_"),
    verdict_reason: plain,
});

fields!(v1::Node {
    name: plain,
    zone: plain,
    state: choice(v1::NodeState, "NODE_STATE_"),
    state_reason: plain,
    age_ms: plain,
    boot_id: plain,
    incarnation: plain,
    agent_version: plain,
    labels: plain,
    simulated: plain,
    connected: plain,
    gpu_count: plain,
    gpu_ok_count: plain,
    engine_count: plain,
    sources: opaque,
    gpu_utilization_percent: plain,
    gpu_memory_used_bytes: plain,
    gpu_memory_total_bytes: plain,
    requests_running: plain,
    requests_waiting: plain,
    cpu_used_percent: plain,
    readings: on_request,
    revision: plain,
    probe_address: plain,
    rows_dropped: plain,
    verdict: choice(v1::Verdict, "VERDICT_"),
    verdict_reason: plain,
});

fields!(v1::Gpu {
    name: plain,
    node: plain,
    zone: plain,
    index: plain,
    model: plain,
    pci_bus_id: plain,
    serial: plain,
    driver_version: plain,
    state: choice(v1::GpuState, "GPU_STATE_"),
    state_reason: plain,
    age_ms: plain,
    freshness: choice(v1::Freshness, "FRESHNESS_"),
    utilization_percent: plain,
    memory_used_bytes: plain,
    memory_total_bytes: plain,
    temperature_celsius: plain,
    power_watts: plain,
    sm_clock_megahertz: plain,
    xid_errors_total: plain,
    recovery_action: plain,
    mig_instances: opaque,
    readings: on_request,
    revision: plain,
    verdict: choice(v1::Verdict, "VERDICT_"),
    verdict_reason: plain,
});

fields!(v1::Engine {
    name: plain,
    node: plain,
    zone: plain,
    pool: plain,
    model: plain,
    kind: choice(v1::EngineKind, "ENGINE_KIND_"),
    url: plain,
    pod: plain,
    namespace: plain,
    gpu_uuids: plain,
    state: choice(v1::EngineState, "ENGINE_STATE_"),
    state_reason: plain,
    age_ms: plain,
    freshness: choice(v1::Freshness, "FRESHNESS_"),
    requests_running: plain,
    requests_waiting: plain,
    kv_cache_usage: plain,
    ttft_p95_seconds: plain,
    itl_p95_seconds: plain,
    generation_tokens_per_second: plain,
    prompt_tokens_per_second: plain,
    readings: on_request,
    revision: plain,
    verdict: choice(v1::Verdict, "VERDICT_"),
    verdict_reason: plain,
});

fields!(v1::Pool {
    name: plain,
    model: plain,
    engines: plain,
    engines_serving: plain,
    gpus: plain,
    zones: plain,
    signals: plain,
});

fields!(v1::Event {
    name: plain,
    time: plain,
    age_ms: plain,
    kind: plain,
    severity: choice(v1::Severity, "SEVERITY_"),
    zone: plain,
    node: plain,
    gpu: plain,
    engine: plain,
    message: plain,
    attributes: plain,
});

fields!(v1::Decision {
    name: plain,
    time: plain,
    pool: plain,
    policy: plain,
    current: plain,
    desired: plain,
    reasons: plain,
    vetoes: opaque,
    about: plain,
    zone: plain,
    node: plain,
    verdict: choice(v1::Verdict, "VERDICT_"),
    verdict_reason: plain,
    seen: opaque,
    wishes: opaque,
    state: choice(v1::DecisionState, "DECISION_STATE_"),
    outcome: plain,
    changed: plain,
    age_ms: plain,
    term: plain,
});

fields!(v1::Action {
    name: plain,
    term: plain,
    action_class: choice(v1::ActionClass, "ACTION_CLASS_"),
    state: choice(v1::ActionState, "ACTION_STATE_"),
    verb: plain,
    target: plain,
    reason: plain,
    created: plain,
    deadline: plain,
    outcome: plain,
    uid: plain,
    incarnation: plain,
    attempts: plain,
    changed: plain,
    age_ms: plain,
});

fields!(v1::Hold {
    name: plain,
    kind: plain,
    scope: plain,
    operator: plain,
    reason: plain,
    since: plain,
    until: plain,
});
