//! Why something was or was not done, in words.

use std::sync::Arc;

use ostler_core::desk::Decision;
use ostler_proto::v1;
use tonic::Status;

use super::Api;
use super::entity::decision_id;
use super::list;
use crate::convert::decisions;

/// Decisions of a node that are told of, the newest.
const OF_NODE_MAX: usize = 5;

/// Longest name that an error repeats, in characters.
const NAME_SHOWN_MAX: usize = 253;

/// Explains a decision by its name, or the newest ones about a node or a part of it.
pub(super) fn explain(api: &Api, name: &str) -> Result<v1::Explanation, Status> {
    list::there::<v1::Decision>(api)?;
    let found = find(api, name);
    let Some(newest) = found.first() else {
        let name: String = name.chars().take(NAME_SHOWN_MAX).collect();
        return Err(Status::not_found(format!(
            "there is no decision {name:?}, and none about a node of that name; list them with `ostler get decisions`"
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
            None => {
                let of_node = |it: &&Arc<Decision>| it.node().is_some_and(|node| node.as_str() == name);
                sheets.decisions.values().rev().filter(of_node).take(OF_NODE_MAX).map(Arc::clone).collect()
            }
        }
    })
}
