//! Why something was or was not done, in words.

use std::sync::Arc;

use ostler_core::action::Target;
use ostler_core::desk::Decision;
use ostler_proto::v1;
use tonic::Status;

use super::Api;
use super::entity::decision_id;
use super::list;
use crate::convert::decisions;

/// Decisions of a node or zone that are told of, the newest.
const OF_PLACE_MAX: usize = 5;

/// Longest name that an error repeats, in characters.
const NAME_SHOWN_MAX: usize = 253;

/// Explains a decision by its name, or the newest ones about a node or a part of it, or about a zone.
pub(super) fn explain(api: &Api, name: &str) -> Result<v1::Explanation, Status> {
    list::there::<v1::Decision>(api)?;
    let found = find(api, name);
    let Some(newest) = found.first() else {
        let name: String = name.chars().take(NAME_SHOWN_MAX).collect();
        return Err(Status::not_found(format!(
            "there is no decision {name:?}, and none about a node or zone of that name; list them with `ostler get decisions`"
        )));
    };
    let now = api.driver.view(|view| view.now);
    let action = |wish: &ostler_core::desk::Wish| {
        let id = wish.action?;
        let record = api.papers.read(|sheets| sheets.actions.get(&id).map(Arc::clone))?;
        Some(decisions::action(&record, now))
    };
    let texts: Vec<String> = found.iter().map(|it| decisions::explain(it, action)).collect();
    Ok(v1::Explanation { decision: Some(decisions::decision(newest, now)), text: texts.join("\n") })
}

/// What is meant, newest first.
fn find(api: &Api, name: &str) -> Vec<Arc<Decision>> {
    api.papers.read(|sheets| {
        let by_name = decision_id(name).and_then(|id| sheets.decisions.get(&id));
        match by_name {
            Some(decision) => vec![Arc::clone(decision)],
            None => sheets
                .decisions
                .values()
                .rev()
                .filter(|it| is_of(it, name))
                .take(OF_PLACE_MAX)
                .map(Arc::clone)
                .collect(),
        }
    })
}

/// Whether a decision is about the node or zone of this name, or about a part of that node.
fn is_of(decision: &Decision, name: &str) -> bool {
    let zone = matches!(&decision.about, Target::Zone(zone) if zone.as_str() == name);
    zone || decision.node().is_some_and(|node| node.as_str() == name)
}

#[cfg(test)]
mod tests {
    use ostler_core::desk::{DecisionId, Phase, Seen};
    use ostler_core::detect::Verdict;
    use ostler_core::id::Term;
    use ostler_core::time::Time;

    use super::*;

    #[test]
    fn a_decision_is_found_by_its_node_or_by_the_zone_that_it_is_about() {
        let decision = |about| Decision {
            id: DecisionId(1),
            about,
            zone: "a".into(),
            seen: vec![Seen { at: Time::ZERO, verdict: Verdict::ZoneDown, evidence: "".into() }],
            wishes: Vec::new(),
            phase: Phase::Open,
            made: Time::ZERO,
            changed: Time::ZERO,
            term: Term(1),
        };
        assert!(is_of(&decision(Target::Zone("a".into())), "a"));
        assert!(is_of(&decision(Target::Gpu("n".into(), "g".into())), "n"));
        assert!(!is_of(&decision(Target::Node("n".into())), "a"), "a zone's name leads to the zone's own");
    }
}
