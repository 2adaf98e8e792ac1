//! What desks keep, as it is stored: JSON whose fields are named, so that a newer version can add some.
//!
//! A value that this version cannot read is an error and not passed over: an action that is not seen could be done twice.

mod forms;
mod memory;

use ostler_core::action::audit::{Entry, Head};
use ostler_core::action::{ActionId, Cause, Digest, Failure, Intent, Record, State};
use ostler_core::brake::{Mode, Take};
use ostler_core::desk::{Decision, DecisionId, Fate, Given, Item, Key, Obstacle, Phase, Seen, Wish};
use ostler_core::id::{Incarnation, PoolId, Term, ZoneId};
use ostler_core::time::Time;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use self::forms::{EffectForm, TargetForm, abort_of, abort_word, verdict_of};
pub(crate) use self::forms::{effect_value, effect_verb};
use self::memory::MemoryForm;

/// Why a value cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the stored value of {key:?} cannot be read; was it written by a newer version?")]
pub(crate) struct Unreadable {
    key: String,
    #[source]
    source: Option<serde_json::Error>,
}

#[derive(Deserialize, Serialize)]
struct RecordForm {
    effect: EffectForm,
    target: TargetForm,
    uid: String,
    incarnation: u64,
    generation: u64,
    cause_at: u64,
    evidence_revision: u64,
    valid_until: u64,
    reason: String,
    state: StateForm,
    term: u64,
    attempts: u32,
    planned: u64,
    changed: u64,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum StateForm {
    Planned,
    Issued,
    Acked,
    Done,
    Refused(String),
    Attempts,
    NoEffect,
    OutcomeUnknown,
    Aborted(String),
    Superseded(String),
}

#[derive(Deserialize, Serialize)]
struct DecisionForm {
    id: u64,
    about: TargetForm,
    zone: String,
    seen: Vec<SeenForm>,
    wishes: Vec<WishForm>,
    phase: PhaseForm,
    made: u64,
    changed: u64,
    term: u64,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum PhaseForm {
    Open,
    Ending,
    Ended,
}

#[derive(Deserialize, Serialize)]
struct SeenForm {
    at: u64,
    verdict: String,
    evidence: String,
}

#[derive(Deserialize, Serialize)]
struct WishForm {
    effect: EffectForm,
    target: TargetForm,
    uid: String,
    incarnation: u64,
    #[serde(default)]
    takes: Vec<TakeForm>,
    #[serde(default)]
    actions: u32,
    tries: u32,
    not_before: u64,
    action: Option<String>,
    mode: ModeForm,
    #[serde(default, skip_serializing_if = "is_not")]
    unsure: bool,
    fate: FateForm,
}

#[derive(Deserialize, Serialize)]
struct TakeForm {
    pool: String,
    endpoints: u32,
    ready: u32,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum ModeForm {
    Off,
    DryRun,
    Act,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum FateForm {
    Waits { name: String, text: String, since: u64, last: u64, count: u64 },
    Begun,
    Done,
    Failed(String),
    Dropped(String),
}

#[derive(Deserialize, Serialize)]
struct HeadForm {
    sequence: u64,
    hash: String,
}

#[derive(Deserialize, Serialize)]
struct GivenForm {
    request_id: String,
    at: u64,
    what: String,
    message: String,
}

/// The bytes of something that is kept.
pub(crate) fn encode(item: &Item) -> Vec<u8> {
    fn json(form: impl Serialize) -> Vec<u8> {
        serde_json::to_vec(&form).expect("texts and numbers have a JSON form")
    }
    match item {
        Item::Action(record) => json(record_form(record)),
        Item::Decision(decision) => json(decision_form(decision)),
        Item::Audit(entry) => entry.encode(),
        Item::AuditHead(head) => json(HeadForm { sequence: head.sequence, hash: head.hash.to_string() }),
        Item::Memory(memory) => json(MemoryForm::from(memory)),
        Item::Watermark(at) => json(at.as_millis()),
        Item::Orders(given) => json(given.iter().map(given_form).collect::<Vec<_>>()),
    }
}

/// What the bytes under a key mean; none for keys of others.
pub(crate) fn decode(key: &str, bytes: &[u8]) -> Result<Option<(Key, Item)>, Unreadable> {
    let wrong = |source| Unreadable { key: key.to_owned(), source };
    fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Option<serde_json::Error>> {
        serde_json::from_slice(bytes).map_err(Some)
    }
    let item = if let Some(id) = key.strip_prefix("actions/") {
        let id = ActionId::from_hex(id).ok_or_else(|| wrong(None))?;
        let record = json(bytes).map_err(wrong)?;
        (Key::Action(id), Item::Action(Box::new(record_of(record).ok_or_else(|| wrong(None))?)))
    } else if let Some(id) = key.strip_prefix("decisions/") {
        let id = DecisionId::parse(id).ok_or_else(|| wrong(None))?;
        let decision = json(bytes).map_err(wrong)?;
        (Key::Decision(id), Item::Decision(Box::new(decision_of(decision).ok_or_else(|| wrong(None))?)))
    } else if let Some(sequence) = key.strip_prefix("audit/") {
        let sequence = sequence.parse().map_err(|_| wrong(None))?;
        (Key::Audit(sequence), Item::Audit(Entry::decode(bytes).map_err(|_| wrong(None))?))
    } else {
        match key {
            "desk/audit-head" => {
                let HeadForm { sequence, hash } = json(bytes).map_err(wrong)?;
                let hash = Digest::from_hex(&hash).ok_or_else(|| wrong(None))?;
                (Key::AuditHead, Item::AuditHead(Head { sequence, hash }))
            }
            "desk/brake" => {
                let form: MemoryForm = json(bytes).map_err(wrong)?;
                let memory = form.memory().ok_or_else(|| wrong(None))?;
                (Key::Memory, Item::Memory(memory))
            }
            "desk/watermark" => {
                (Key::Watermark, Item::Watermark(Time::from_millis(json(bytes).map_err(wrong)?)))
            }
            "desk/orders" => {
                let given: Vec<GivenForm> = json(bytes).map_err(wrong)?;
                (Key::Orders, Item::Orders(given.into_iter().map(given_of).collect()))
            }
            _ => return Ok(None),
        }
    };
    Ok(Some(item))
}

fn record_form(record: &Record) -> RecordForm {
    let Record { intent, state, term, attempts, planned, changed } = record;
    RecordForm {
        effect: EffectForm::from(intent.effect),
        target: TargetForm::from(&intent.target),
        uid: intent.uid.to_string(),
        incarnation: intent.incarnation.0,
        generation: intent.cause.generation,
        cause_at: intent.cause.at.as_millis(),
        evidence_revision: intent.cause.evidence_revision,
        valid_until: intent.valid_until.as_millis(),
        reason: intent.reason.to_string(),
        state: match state {
            State::Planned => StateForm::Planned,
            State::Issued => StateForm::Issued,
            State::Acked => StateForm::Acked,
            State::Done => StateForm::Done,
            State::Failed(Failure::Refused { detail }) => StateForm::Refused(detail.to_string()),
            State::Failed(Failure::Attempts) => StateForm::Attempts,
            State::Failed(Failure::NoEffect) => StateForm::NoEffect,
            State::Failed(Failure::OutcomeUnknown) => StateForm::OutcomeUnknown,
            State::Aborted(why) => StateForm::Aborted(abort_word(*why).to_owned()),
            State::Superseded { by } => StateForm::Superseded(by.to_string()),
        },
        term: term.0,
        attempts: *attempts,
        planned: planned.as_millis(),
        changed: changed.as_millis(),
    }
}

fn record_of(form: RecordForm) -> Option<Record> {
    let state = match form.state {
        StateForm::Planned => State::Planned,
        StateForm::Issued => State::Issued,
        StateForm::Acked => State::Acked,
        StateForm::Done => State::Done,
        StateForm::Refused(detail) => State::Failed(Failure::Refused { detail: detail.into() }),
        StateForm::Attempts => State::Failed(Failure::Attempts),
        StateForm::NoEffect => State::Failed(Failure::NoEffect),
        StateForm::OutcomeUnknown => State::Failed(Failure::OutcomeUnknown),
        StateForm::Aborted(why) => State::Aborted(abort_of(&why)?),
        StateForm::Superseded(by) => State::Superseded { by: ActionId::from_hex(&by)? },
    };
    let cause = Cause {
        generation: form.generation,
        at: Time::from_millis(form.cause_at),
        evidence_revision: form.evidence_revision,
    };
    let intent = Intent {
        effect: form.effect.effect()?,
        target: form.target.target(),
        uid: form.uid.into(),
        incarnation: Incarnation(form.incarnation),
        cause,
        valid_until: Time::from_millis(form.valid_until),
        reason: form.reason.into(),
    };
    Some(Record {
        intent,
        state,
        term: Term(form.term),
        attempts: form.attempts,
        planned: Time::from_millis(form.planned),
        changed: Time::from_millis(form.changed),
    })
}

fn decision_form(decision: &Decision) -> DecisionForm {
    let seen = |it: &Seen| SeenForm {
        at: it.at.as_millis(),
        verdict: it.verdict.name().to_owned(),
        evidence: it.evidence.to_string(),
    };
    DecisionForm {
        id: decision.id.0,
        about: TargetForm::from(&decision.about),
        zone: decision.zone.to_string(),
        seen: decision.seen.iter().map(seen).collect(),
        wishes: decision.wishes.iter().map(wish_form).collect(),
        phase: match decision.phase {
            Phase::Open => PhaseForm::Open,
            Phase::Ending => PhaseForm::Ending,
            Phase::Ended => PhaseForm::Ended,
        },
        made: decision.made.as_millis(),
        changed: decision.changed.as_millis(),
        term: decision.term.0,
    }
}

fn decision_of(form: DecisionForm) -> Option<Decision> {
    let seen = |it: SeenForm| {
        let verdict = verdict_of(&it.verdict)?;
        Some(Seen { at: Time::from_millis(it.at), verdict, evidence: it.evidence.into() })
    };
    let seen = form.seen.into_iter().map(seen).collect::<Option<Vec<_>>>().filter(|it| !it.is_empty())?;
    Some(Decision {
        id: DecisionId(form.id),
        about: form.about.target(),
        zone: ZoneId::from(form.zone.as_str()),
        seen,
        wishes: form.wishes.into_iter().map(wish_of).collect::<Option<_>>()?,
        phase: match form.phase {
            PhaseForm::Open => Phase::Open,
            PhaseForm::Ending => Phase::Ending,
            PhaseForm::Ended => Phase::Ended,
        },
        made: Time::from_millis(form.made),
        changed: Time::from_millis(form.changed),
        term: Term(form.term),
    })
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_not(flag: &bool) -> bool {
    !flag
}

fn take_form(take: &Take) -> TakeForm {
    TakeForm { pool: take.pool.to_string(), endpoints: take.endpoints, ready: take.ready }
}

fn take_of(form: TakeForm) -> Take {
    Take { pool: PoolId::from(form.pool.as_str()), endpoints: form.endpoints, ready: form.ready }
}

fn wish_form(wish: &Wish) -> WishForm {
    WishForm {
        effect: EffectForm::from(wish.effect),
        target: TargetForm::from(&wish.target),
        uid: wish.uid.to_string(),
        incarnation: wish.incarnation.0,
        takes: wish.takes.iter().map(take_form).collect(),
        actions: wish.actions,
        tries: wish.tries,
        not_before: wish.not_before.as_millis(),
        action: wish.action.map(|id| id.to_string()),
        mode: match wish.mode {
            Mode::Off => ModeForm::Off,
            Mode::DryRun => ModeForm::DryRun,
            Mode::Act => ModeForm::Act,
        },
        unsure: wish.unsure,
        fate: match &wish.fate {
            Fate::Waits(it) => FateForm::Waits {
                name: it.name.to_string(),
                text: it.text.to_string(),
                since: it.since.as_millis(),
                last: it.last.as_millis(),
                count: it.count,
            },
            Fate::Begun => FateForm::Begun,
            Fate::Done => FateForm::Done,
            Fate::Failed(why) => FateForm::Failed(why.to_string()),
            Fate::Dropped(why) => FateForm::Dropped(why.to_string()),
        },
    }
}

fn wish_of(form: WishForm) -> Option<Wish> {
    let action = match form.action {
        Some(id) => Some(ActionId::from_hex(&id)?),
        None => None,
    };
    Some(Wish {
        effect: form.effect.effect()?,
        target: form.target.target(),
        uid: form.uid.into(),
        incarnation: Incarnation(form.incarnation),
        takes: form.takes.into_iter().map(take_of).collect(),
        actions: form.actions,
        tries: form.tries,
        not_before: Time::from_millis(form.not_before),
        action,
        mode: match form.mode {
            ModeForm::Off => Mode::Off,
            ModeForm::DryRun => Mode::DryRun,
            ModeForm::Act => Mode::Act,
        },
        unsure: form.unsure,
        fate: match form.fate {
            FateForm::Waits { name, text, since, last, count } => Fate::Waits(Obstacle {
                name: name.into(),
                text: text.into(),
                since: Time::from_millis(since),
                last: Time::from_millis(last),
                count,
            }),
            FateForm::Begun => Fate::Begun,
            FateForm::Done => Fate::Done,
            FateForm::Failed(why) => Fate::Failed(why.into()),
            FateForm::Dropped(why) => Fate::Dropped(why.into()),
        },
    })
}

fn given_form(given: &Given) -> GivenForm {
    let text = |text: &str| text.to_owned();
    GivenForm {
        request_id: text(&given.request_id),
        at: given.at.as_millis(),
        what: text(&given.what),
        message: text(&given.message),
    }
}

fn given_of(form: GivenForm) -> Given {
    Given {
        request_id: form.request_id.into(),
        at: Time::from_millis(form.at),
        what: form.what.into(),
        message: form.message.into(),
    }
}

#[cfg(test)]
mod tests;
