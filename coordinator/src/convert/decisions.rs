//! Decisions, actions and holds as the read API gives them, and a decision in words.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ostler_core::action::{Class, Record, State};
use ostler_core::brake::{HoldId, Memory, Mode, Scope};
use ostler_core::desk::{Decision, Fate, Obstacle, Phase, Wish};
use ostler_core::time::Time;
use ostler_proto::v1;

use super::outgoing::rfc3339;
use super::verdict_number;
use crate::desk::effect_verb;

fn age_ms(now: Time, at: Time) -> u64 {
    u64::try_from(now.since(at).as_millis()).unwrap_or(u64::MAX)
}

/// A decision.
pub fn decision(decision: &Decision, now: Time) -> v1::Decision {
    let newest = decision.newest();
    let mut vetoes: BTreeMap<&str, &Obstacle> = BTreeMap::new();
    for wish in &decision.wishes {
        if let Fate::Waits(obstacle) = &wish.fate {
            vetoes.entry(&obstacle.name).or_insert(obstacle);
        }
    }
    let seen = decision.seen.iter().map(|seen| v1::Seen {
        time: rfc3339(seen.at),
        verdict: verdict_number(seen.verdict),
        evidence: seen.evidence.to_string(),
    });
    let state = match decision.phase {
        Phase::Open => v1::DecisionState::Open,
        Phase::Ending => v1::DecisionState::Ending,
        Phase::Ended => v1::DecisionState::Ended,
    };
    v1::Decision {
        name: decision.id.to_string(),
        time: rfc3339(decision.made),
        vetoes: vetoes.into_values().map(veto).collect(),
        about: decision.about.to_string(),
        zone: decision.zone.to_string(),
        node: decision.node().map(ToString::to_string).unwrap_or_default(),
        verdict: verdict_number(newest.verdict),
        verdict_reason: newest.evidence.to_string(),
        seen: seen.collect(),
        wishes: decision.wishes.iter().map(wish).collect(),
        state: state as i32,
        outcome: outcome(decision),
        changed: rfc3339(decision.changed),
        age_ms: age_ms(now, decision.made),
        term: decision.term.0,
        ..v1::Decision::default()
    }
}

/// In a few words: what was done, or why not.
fn outcome(decision: &Decision) -> String {
    if decision.wishes.is_empty() {
        return "recorded".to_owned();
    }
    let mut words: Vec<String> = Vec::new();
    for wish in &decision.wishes {
        let word = match &wish.fate {
            Fate::Waits(obstacle) => format!("{} waits: {}", effect_verb(wish.effect), obstacle.name),
            Fate::Begun | Fate::Done | Fate::Failed(_) | Fate::Dropped(_) => {
                format!("{} {}", effect_verb(wish.effect), wish.fate.name())
            }
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(", ")
}

fn wish(wish: &Wish) -> v1::Wish {
    let (state, waits, detail) = match &wish.fate {
        Fate::Waits(obstacle) => (v1::WishState::Waits, Some(veto(obstacle)), String::new()),
        Fate::Begun => (v1::WishState::Begun, None, String::new()),
        Fate::Done => (v1::WishState::Done, None, String::new()),
        Fate::Failed(why) => (v1::WishState::Failed, None, why.to_string()),
        Fate::Dropped(why) => (v1::WishState::Dropped, None, why.to_string()),
    };
    let mode = match wish.mode {
        Mode::Off => v1::ActionMode::Off,
        Mode::DryRun => v1::ActionMode::DryRun,
        Mode::Act => v1::ActionMode::Act,
    };
    v1::Wish {
        verb: effect_verb(wish.effect).to_owned(),
        target: wish.target.to_string(),
        action_class: class_number(wish.effect.class()),
        mode: mode as i32,
        state: state as i32,
        veto: waits,
        detail,
        action: wish.action.map(|id| id.to_string()).unwrap_or_default(),
        tries: wish.tries,
    }
}

fn veto(obstacle: &Obstacle) -> v1::Veto {
    v1::Veto {
        brake: obstacle.name.to_string(),
        reason: obstacle.text.to_string(),
        since: rfc3339(obstacle.since),
        last: rfc3339(obstacle.last),
        count: obstacle.count,
    }
}

fn class_number(class: Class) -> i32 {
    (match class {
        Class::Annotate => v1::ActionClass::Annotate,
        Class::Traffic => v1::ActionClass::Traffic,
        Class::Additive => v1::ActionClass::Additive,
        Class::Disruptive => v1::ActionClass::Disruptive,
        Class::Irreversible => v1::ActionClass::Irreversible,
    }) as i32
}

/// An action.
pub fn action(record: &Record, now: Time) -> v1::Action {
    let intent = &record.intent;
    let state = match record.state {
        State::Planned => v1::ActionState::Planned,
        State::Issued => v1::ActionState::Issued,
        State::Acked => v1::ActionState::Acked,
        State::Done => v1::ActionState::Done,
        State::Failed(_) => v1::ActionState::Failed,
        State::Aborted(_) => v1::ActionState::Aborted,
        State::Superseded { .. } => v1::ActionState::Superseded,
    };
    v1::Action {
        name: record.id().to_string(),
        term: record.term.0,
        action_class: class_number(intent.effect.class()),
        state: state as i32,
        verb: effect_verb(intent.effect).to_owned(),
        target: intent.target.to_string(),
        reason: intent.reason.to_string(),
        created: rfc3339(record.planned),
        deadline: rfc3339(intent.valid_until),
        outcome: record.state.to_string(),
        uid: intent.uid.to_string(),
        incarnation: intent.incarnation.0,
        attempts: record.attempts,
        changed: rfc3339(record.changed),
        age_ms: age_ms(now, record.planned),
    }
}

/// What is held and what is latched, in order of names.
pub fn holds(memory: &Memory, now: Time) -> BTreeMap<String, v1::Hold> {
    let mut found = BTreeMap::new();
    for (HoldId(id), hold) in memory.holds.iter().filter(|(_, hold)| hold.is_live(now)) {
        let entry = v1::Hold {
            name: format!("hold-{id}"),
            kind: "hold".to_owned(),
            scope: scope_path(&hold.what.scope),
            operator: hold.what.by.to_string(),
            reason: hold.what.reason.to_string(),
            since: rfc3339(hold.since),
            until: hold.what.until.map(rfc3339).unwrap_or_default(),
        };
        found.insert(entry.name.clone(), entry);
    }
    let latch = |name: String, scope: String, since: Time, reason: String| v1::Hold {
        name,
        kind: "latch".to_owned(),
        scope,
        operator: "the brake".to_owned(),
        reason,
        since: rfc3339(since),
        until: String::new(),
    };
    for (zone, latched) in memory.zones.iter().filter_map(|(zone, it)| Some((zone, it.latch?))) {
        let reason =
            format!("{} of {} nodes were disrupted in a short time", latched.disrupted, latched.nodes);
        let entry = latch(format!("latch-zone-{zone}"), format!("zone/{zone}"), latched.since, reason);
        found.insert(entry.name.clone(), entry);
    }
    if let Some(since) = memory.irreversible_latched {
        let reason =
            "too much was disrupted: nothing irreversible until a person releases the fleet".to_owned();
        let entry = latch("latch-irreversible".to_owned(), "fleet".to_owned(), since, reason);
        found.insert(entry.name.clone(), entry);
    }
    found
}

/// A scope as operators write it.
fn scope_path(scope: &Scope) -> String {
    match scope {
        Scope::Fleet => "fleet".to_owned(),
        Scope::Zone(zone) => format!("zone/{zone}"),
        Scope::Pool(pool) => format!("pool/{pool}"),
        Scope::Node(node) => format!("node/{node}"),
    }
}

/// The scope that an operator wrote.
pub fn scope(text: &str) -> Option<Scope> {
    if text == "fleet" {
        return Some(Scope::Fleet);
    }
    let (kind, name) = text.split_once('/').filter(|(_, name)| !name.is_empty() && name.len() <= 253)?;
    match kind {
        "zone" => Some(Scope::Zone(name.into())),
        "pool" => Some(Scope::Pool(name.into())),
        "node" => Some(Scope::Node(name.into())),
        _ => None,
    }
}

/// A decision in words: what was seen, what was wanted, and why not or what was done.
pub fn explain(decision: &Decision, action: impl Fn(&Wish) -> Option<v1::Action>) -> String {
    let mut text = format!(
        "{} is about {} in zone {}. It was made at {} and is {}.\n",
        decision.id,
        one_line(&decision.about.to_string()),
        one_line(decision.zone.as_str()),
        rfc3339(decision.made),
        decision.phase.name()
    );
    text.push_str("\nWhat was seen:\n");
    for seen in &decision.seen {
        let evidence = one_line(&seen.evidence);
        let _ = writeln!(text, "  {}  {}: {evidence}", rfc3339(seen.at), seen.verdict);
    }
    text.push_str("\nWhat was wanted:\n");
    if decision.wishes.is_empty() {
        text.push_str("  nothing: it is only recorded\n");
    }
    for wish in &decision.wishes {
        let target = one_line(&wish.target.to_string());
        let _ = writeln!(text, "  {} {target} ({})", wish.effect, wish.effect.class());
        explain_fate(&mut text, wish);
        if let Some(action) = action(wish) {
            let v1::Action { name, outcome, attempts, changed, .. } = action;
            let outcome = one_line(&outcome);
            let _ = writeln!(text, "    action {name}: {outcome} since {changed}, after {attempts} calls");
        }
    }
    text
}

fn explain_fate(text: &mut String, wish: &Wish) {
    let _ = match &wish.fate {
        Fate::Waits(obstacle) => {
            let Obstacle { name, text: why, since, last, count } = obstacle;
            let why = one_line(why);
            let (since, last) = (rfc3339(*since), rfc3339(*last));
            writeln!(
                text,
                "    not done ({name}): {why}\n    so since {since}, {count} times, last at {last}"
            )
        }
        Fate::Begun => writeln!(text, "    begun, and has not ended"),
        Fate::Done => writeln!(text, "    done"),
        Fate::Failed(why) => writeln!(text, "    failed, and is not tried again: {}", one_line(why)),
        Fate::Dropped(why) => writeln!(text, "    not wanted any more: {}", one_line(why)),
    };
}

/// A text of others without control characters, so that it makes no line that would pass for one of ours.
fn one_line(text: &str) -> String {
    let harmless = |it: char| if it.is_control() || matches!(it, '\u{2028}' | '\u{2029}') { ' ' } else { it };
    text.chars().map(harmless).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_agent_or_a_service_says_stays_on_its_line() {
        let forged = one_line("broken\r\n    done\u{1b}[2J\u{2028}");
        assert_eq!(forged, "broken      done [2J ");
        assert_eq!(forged.lines().count(), 1);
    }
}
