//! The smaller parts: effects, targets, scopes, and words for verdicts.

use ostler_core::action::{Abort, Effect, Target};
use ostler_core::brake::Scope;
use ostler_core::detect::Verdict;
use ostler_core::id::{EngineId, GpuId, NodeId, PoolId, ZoneId};
use serde::{Deserialize, Serialize};

/// An effect: its word, and the number it is set to when it has one.
#[derive(Deserialize, Serialize)]
pub(super) struct EffectForm {
    verb: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<u32>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TargetForm {
    Zone(String),
    Pool(String),
    PoolInZone(String, String),
    Node(String),
    Gpu(String, String),
    Engine(String, String),
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ScopeForm {
    Fleet,
    Zone(String),
    Pool(String),
    Node(String),
}

/// The word for an effect, on every wire.
pub(crate) const fn effect_verb(effect: Effect) -> &'static str {
    match effect {
        Effect::SetWeight { .. } => "set_weight",
        Effect::RemoveEndpoint => "remove_endpoint",
        Effect::RestoreEndpoint => "restore_endpoint",
        Effect::ScaleOut { .. } => "scale_out",
        Effect::Preload => "preload",
        Effect::Uncordon => "uncordon",
        Effect::ScaleIn { .. } => "scale_in",
        Effect::Cordon => "cordon",
        Effect::Drain => "drain",
        Effect::Evict => "evict",
        Effect::Migrate => "migrate",
        Effect::RestartEngine => "restart_engine",
        Effect::Reboot => "reboot",
        Effect::ForceDelete => "force_delete",
        Effect::Terminate => "terminate",
    }
}

/// What an effect is set to, when it is set to a number.
pub(crate) const fn effect_value(effect: Effect) -> Option<u32> {
    match effect {
        Effect::SetWeight { weight_ppm } => Some(weight_ppm),
        Effect::ScaleOut { replicas } | Effect::ScaleIn { replicas } => Some(replicas),
        Effect::RemoveEndpoint
        | Effect::RestoreEndpoint
        | Effect::Preload
        | Effect::Uncordon
        | Effect::Cordon
        | Effect::Drain
        | Effect::Evict
        | Effect::Migrate
        | Effect::RestartEngine
        | Effect::Reboot
        | Effect::ForceDelete
        | Effect::Terminate => None,
    }
}

impl From<Effect> for EffectForm {
    fn from(effect: Effect) -> EffectForm {
        EffectForm { verb: effect_verb(effect).to_owned(), value: effect_value(effect) }
    }
}

impl EffectForm {
    pub(super) fn effect(&self) -> Option<Effect> {
        let plain = match self.verb.as_str() {
            "set_weight" => return Some(Effect::SetWeight { weight_ppm: self.value? }),
            "scale_out" => return Some(Effect::ScaleOut { replicas: self.value? }),
            "scale_in" => return Some(Effect::ScaleIn { replicas: self.value? }),
            "remove_endpoint" => Effect::RemoveEndpoint,
            "restore_endpoint" => Effect::RestoreEndpoint,
            "preload" => Effect::Preload,
            "uncordon" => Effect::Uncordon,
            "cordon" => Effect::Cordon,
            "drain" => Effect::Drain,
            "evict" => Effect::Evict,
            "migrate" => Effect::Migrate,
            "restart_engine" => Effect::RestartEngine,
            "reboot" => Effect::Reboot,
            "force_delete" => Effect::ForceDelete,
            "terminate" => Effect::Terminate,
            _ => return None,
        };
        Some(plain)
    }
}

impl From<&Target> for TargetForm {
    fn from(target: &Target) -> TargetForm {
        match target {
            Target::Zone(zone) => TargetForm::Zone(zone.to_string()),
            Target::Pool(pool) => TargetForm::Pool(pool.to_string()),
            Target::PoolInZone(pool, zone) => TargetForm::PoolInZone(pool.to_string(), zone.to_string()),
            Target::Node(node) => TargetForm::Node(node.to_string()),
            Target::Gpu(node, gpu) => TargetForm::Gpu(node.to_string(), gpu.to_string()),
            Target::Engine(node, engine) => TargetForm::Engine(node.to_string(), engine.to_string()),
        }
    }
}

impl TargetForm {
    pub(super) fn target(&self) -> Target {
        match self {
            TargetForm::Zone(zone) => Target::Zone(ZoneId::from(zone.as_str())),
            TargetForm::Pool(pool) => Target::Pool(PoolId::from(pool.as_str())),
            TargetForm::PoolInZone(pool, zone) => {
                Target::PoolInZone(PoolId::from(pool.as_str()), ZoneId::from(zone.as_str()))
            }
            TargetForm::Node(node) => Target::Node(NodeId::from(node.as_str())),
            TargetForm::Gpu(node, gpu) => Target::Gpu(NodeId::from(node.as_str()), GpuId::from(gpu.as_str())),
            TargetForm::Engine(node, engine) => {
                Target::Engine(NodeId::from(node.as_str()), EngineId::from(engine.as_str()))
            }
        }
    }
}

impl From<&Scope> for ScopeForm {
    fn from(scope: &Scope) -> ScopeForm {
        match scope {
            Scope::Fleet => ScopeForm::Fleet,
            Scope::Zone(zone) => ScopeForm::Zone(zone.to_string()),
            Scope::Pool(pool) => ScopeForm::Pool(pool.to_string()),
            Scope::Node(node) => ScopeForm::Node(node.to_string()),
        }
    }
}

impl ScopeForm {
    pub(super) fn scope(&self) -> Scope {
        match self {
            ScopeForm::Fleet => Scope::Fleet,
            ScopeForm::Zone(zone) => Scope::Zone(ZoneId::from(zone.as_str())),
            ScopeForm::Pool(pool) => Scope::Pool(PoolId::from(pool.as_str())),
            ScopeForm::Node(node) => Scope::Node(NodeId::from(node.as_str())),
        }
    }
}

const ABORTS: [(Abort, &str); 5] = [
    (Abort::Expired, "expired"),
    (Abort::EvidenceChanged, "evidence_changed"),
    (Abort::Frozen, "frozen"),
    (Abort::Operator, "operator"),
    (Abort::TargetGone, "target_gone"),
];

pub(super) fn abort_word(abort: Abort) -> &'static str {
    ABORTS.iter().find(|(it, _)| *it == abort).map_or("expired", |(_, word)| *word)
}

pub(super) fn abort_of(word: &str) -> Option<Abort> {
    ABORTS.iter().find(|(_, it)| *it == word).map(|(abort, _)| *abort)
}

/// The verdict of this name.
pub(super) fn verdict_of(name: &str) -> Option<Verdict> {
    Verdict::ALL.into_iter().find(|verdict| verdict.name() == name)
}
