//! What the brake remembers, as it is stored.

use ostler_core::brake::{Freeze, Hold, HoldId, Latch, Memory, NewHold, ZoneMemory};
use ostler_core::class::Class;
use ostler_core::id::ZoneId;
use ostler_core::time::Time;
use serde::{Deserialize, Serialize};

use super::forms::ScopeForm;

#[derive(Deserialize, Serialize)]
pub(super) struct MemoryForm {
    zones: Vec<ZoneForm>,
    frozen: Option<FreezeForm>,
    /// Code of a class, and moment.
    thawed: Vec<(String, u64)>,
    irreversible_last: Option<u64>,
    irreversible_latched: Option<u64>,
    holds: Vec<HoldForm>,
    holds_placed: u64,
}

#[derive(Deserialize, Serialize)]
struct ZoneForm {
    zone: String,
    disrupted: Vec<u64>,
    troubled: Option<u64>,
    stopped: bool,
    thawed: Option<u64>,
    latch: Option<LatchForm>,
}

/// The permit on trial is not kept: permits of an earlier leader mean nothing to the next.
#[derive(Deserialize, Serialize)]
struct LatchForm {
    since: u64,
    disrupted: u32,
    nodes: u32,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum FreezeForm {
    ObserverIsolated,
    Global(u32),
    Learning,
    Unwell(u8),
}

#[derive(Deserialize, Serialize)]
struct HoldForm {
    id: u64,
    scope: ScopeForm,
    until: Option<u64>,
    by: String,
    reason: String,
    since: u64,
}

impl From<&Memory> for MemoryForm {
    fn from(memory: &Memory) -> MemoryForm {
        let millis = |at: Option<Time>| at.map(Time::as_millis);
        MemoryForm {
            zones: memory.zones.iter().map(|(zone, it)| zone_form(zone, it)).collect(),
            frozen: memory.frozen.map(|freeze| match freeze {
                Freeze::ObserverIsolated => FreezeForm::ObserverIsolated,
                Freeze::Global { zones } => FreezeForm::Global(zones),
                Freeze::Learning => FreezeForm::Learning,
                Freeze::Unwell { score } => FreezeForm::Unwell(score),
            }),
            thawed: memory.thawed.iter().map(|(it, at)| (it.code().to_owned(), at.as_millis())).collect(),
            irreversible_last: millis(memory.irreversible_last),
            irreversible_latched: millis(memory.irreversible_latched),
            holds: memory.holds.iter().map(|(id, hold)| hold_form(*id, hold)).collect(),
            holds_placed: memory.holds_placed,
        }
    }
}

impl MemoryForm {
    pub(super) fn memory(self) -> Option<Memory> {
        let time = |at: Option<u64>| at.map(Time::from_millis);
        let class = |code: &str| Class::ALL.into_iter().find(|class| class.code() == code);
        let thawed = self.thawed.iter().map(|(code, at)| Some((class(code)?, Time::from_millis(*at))));
        Some(Memory {
            zones: self.zones.into_iter().map(zone_of).collect(),
            frozen: self.frozen.map(|freeze| match freeze {
                FreezeForm::ObserverIsolated => Freeze::ObserverIsolated,
                FreezeForm::Global(zones) => Freeze::Global { zones },
                FreezeForm::Learning => Freeze::Learning,
                FreezeForm::Unwell(score) => Freeze::Unwell { score },
            }),
            thawed: thawed.collect::<Option<_>>()?,
            irreversible_last: time(self.irreversible_last),
            irreversible_latched: time(self.irreversible_latched),
            holds: self.holds.into_iter().map(hold_of).collect(),
            holds_placed: self.holds_placed,
        })
    }
}

fn zone_form(zone: &ZoneId, it: &ZoneMemory) -> ZoneForm {
    let latch =
        |it: Latch| LatchForm { since: it.since.as_millis(), disrupted: it.disrupted, nodes: it.nodes };
    ZoneForm {
        zone: zone.to_string(),
        disrupted: it.disrupted.iter().map(|at| at.as_millis()).collect(),
        troubled: it.troubled.map(Time::as_millis),
        stopped: it.stopped,
        thawed: it.thawed.map(Time::as_millis),
        latch: it.latch.map(latch),
    }
}

fn zone_of(form: ZoneForm) -> (ZoneId, ZoneMemory) {
    let latch = |it: LatchForm| Latch {
        since: Time::from_millis(it.since),
        disrupted: it.disrupted,
        nodes: it.nodes,
        trial: None,
    };
    let memory = ZoneMemory {
        disrupted: form.disrupted.into_iter().map(Time::from_millis).collect(),
        troubled: form.troubled.map(Time::from_millis),
        stopped: form.stopped,
        thawed: form.thawed.map(Time::from_millis),
        latch: form.latch.map(latch),
    };
    (ZoneId::from(form.zone.as_str()), memory)
}

fn hold_form(id: HoldId, hold: &Hold) -> HoldForm {
    HoldForm {
        id: id.0,
        scope: ScopeForm::from(&hold.what.scope),
        until: hold.what.until.map(Time::as_millis),
        by: hold.what.by.to_string(),
        reason: hold.what.reason.to_string(),
        since: hold.since.as_millis(),
    }
}

fn hold_of(form: HoldForm) -> (HoldId, Hold) {
    let what = NewHold {
        scope: form.scope.scope(),
        until: form.until.map(Time::from_millis),
        by: form.by.into(),
        reason: form.reason.into(),
    };
    (HoldId(form.id), Hold { what, since: Time::from_millis(form.since) })
}
