//! Decisions as JSON: records that a program reads, and that `ostler replay` decides again from.

use ostler_core::policy::decider::Kind;
use ostler_core::policy::limits::REPLICAS_MAX;
use ostler_core::policy::observation::{Reading, Sample};
use ostler_core::policy::proposal::{Condition, Evidence, Proposal, Reason};
use ostler_core::policy::record::{self, Counts, Input, InputSeen, Opinion, Record};
use ostler_core::policy::weighted;
use ostler_core::time::Time;
use serde_json::{Value, json};

use super::case::Outcome;
use super::format::amount::{Amount, Seconds};
use super::format::snapshot::Snapshot;
use super::format::{Header, Wrong};

/// The beginning of a case.
pub(super) fn header(line: u64, policy: Kind, header: &Header) -> Value {
    json!({ "record": "header", "line": line, "policy": policy.name(), "header": header })
}

/// A look without a decision.
pub(super) fn look(line: u64, input: &Snapshot) -> Value {
    json!({ "record": "look", "line": line, "input": input })
}

/// A line that could not be used.
pub(super) fn bad(line: u64, wrong: &Wrong) -> Value {
    json!({ "record": "error", "line": line, "key": wrong.key, "problem": wrong.problem })
}

/// A decision to tell, and where it comes from.
pub(super) struct Decided<'a> {
    pub(super) line: u64,
    /// The policy that decided, and then those that were asked beside it.
    pub(super) kinds: Vec<Kind>,
    pub(super) input: &'a Snapshot,
    pub(super) outcome: &'a Outcome,
}

/// A decision, with all that it used.
pub(super) fn decision(decided: &Decided<'_>) -> Value {
    let Decided { line, kinds, input, outcome } = decided;
    let Outcome { record, dated, comparison } = outcome;
    let Record { at, replicas_wanted, opinion, decision, beside } = record;
    let names = kinds.iter().map(|kind| kind.name());
    let mut opinions = names.zip([opinion].into_iter().chain(beside)).map(opinion_of);
    let mut value = json!({
        "record": "decision",
        "line": line,
        "replicas_wanted": replicas_wanted,
        "input": input,
        "decision": {
            "action": action(*replicas_wanted, decision.replicas),
            "replicas": decision.replicas,
            "reasons": decision.reasons.iter().map(ToString::to_string).collect::<Vec<_>>(),
        },
    });
    if let (Value::Object(value), Some(Value::Object(own))) = (&mut value, opinions.next()) {
        value.extend(own);
    }
    let others: Vec<Value> = opinions.collect();
    if !others.is_empty() {
        value["beside"] = others.into();
    }
    if *dated {
        value["time"] = time(*at).into();
    }
    if let Some(comparison) = comparison {
        value["expected"] = json!(comparison.expected);
        value["got"] = json!(comparison.got);
        value["agrees"] = comparison.agrees().into();
    }
    value
}

/// Which way a count changes.
fn action(from: u32, to: u32) -> &'static str {
    match to.cmp(&from) {
        std::cmp::Ordering::Less => "scale_in",
        std::cmp::Ordering::Equal => "none",
        std::cmp::Ordering::Greater => "scale_out",
    }
}

/// A moment of the wall clock.
pub(super) fn time(at: Time) -> String {
    let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).map_or_else(|_| at.to_string(), |time| time.to_string())
}

fn opinion_of((policy, opinion): (&str, &Opinion)) -> Value {
    let Opinion { inputs, proposal } = opinion;
    json!({
        "policy": policy,
        "inputs": inputs.iter().map(input).collect::<Vec<_>>(),
        "proposal": proposal_of(proposal),
    })
}

fn proposal_of(proposal: &Proposal) -> Value {
    let Proposal { replicas, bounds, evidence, reasons, conditions } = proposal;
    let mut value = json!({
        "replicas": replicas,
        "evidence": match evidence {
            Evidence::Enough => "enough",
            Evidence::Lacking => "lacking",
        },
        "reasons": reasons.iter().map(reason).collect::<Vec<_>>(),
        "clipped_by": reasons.iter().filter(|it| record::cuts(it)).map(ToString::to_string).collect::<Vec<_>>(),
    });
    if bounds.floor > 0 {
        value["at_least"] = bounds.floor.into();
    }
    if bounds.ceiling < REPLICAS_MAX {
        value["at_most"] = bounds.ceiling.into();
    }
    if let Some(asked) = record::asked(proposal) {
        value["asked"] = asked.into();
    }
    if !conditions.is_empty() {
        value["conditions"] = conditions.iter().map(condition).collect::<Vec<_>>().into();
    }
    value
}

/// Scores to the last bit; everything else is whole in the text.
fn reason(reason: &Reason) -> Value {
    let mut value = json!({ "text": reason.to_string() });
    if let Reason::Weighted(weighted::Reason::Scored { score, confidence }) = reason {
        value["score"] = json!(score);
        value["confidence"] = json!(confidence);
    }
    if let Reason::Weighted(weighted::Reason::Term { score, .. } | weighted::Reason::Trend { score, .. }) =
        reason
    {
        value["score"] = json!(score);
    }
    value
}

fn condition(condition: &Condition) -> Value {
    let Condition { kind, holds, reason } = condition;
    json!({ "type": kind.to_string(), "status": holds, "reason": reason.name(), "message": reason.to_string() })
}

fn input(input: &Input) -> Value {
    let Input { metric, seen } = input;
    let mut value = json!({ "metric": metric.as_str() });
    match seen {
        InputSeen::Pool { reading, age } => {
            value["of"] = "pool".into();
            value["state"] = state(*reading).into();
            if let Reading::Fresh(sample) | Reading::Stale(sample) = reading {
                let Sample { value: number, window, .. } = sample;
                value["value"] = json!(Amount(*number));
                value["window_s"] = json!(Seconds(*window));
            }
            if let Some(age) = age {
                value["age_s"] = json!(Seconds(*age));
            }
        }
        InputSeen::Replicas { counts, age_max } => {
            let Counts { fresh, stale, missing, failed, not_finite, reset } = counts;
            value["of"] = "replicas".into();
            value["replicas"] = json!({
                "fresh": fresh,
                "stale": stale,
                "missing": missing,
                "failed": failed,
                "not_finite": not_finite,
                "reset": reset,
            });
            if let Some(age) = age_max {
                value["age_s_max"] = json!(Seconds(*age));
            }
        }
    }
    value
}

/// Which kind of reading it is.
fn state(reading: Reading) -> &'static str {
    match reading {
        Reading::Fresh(_) => "fresh",
        Reading::Stale(_) => "stale",
        Reading::Missing => "missing",
        Reading::Failed => "failed",
        Reading::NotFinite => "not_finite",
        Reading::Reset => "reset",
    }
}
