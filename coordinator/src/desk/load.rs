//! Reading all that desks keep when a leader sits down; of the audit log no more than the newest entry.

use std::time::Duration;

use futures_util::future::try_join_all;
use ostler_core::desk::{DecisionId, Item, Kept, Key};

use super::stored;
use crate::store::{Entry, Store};

/// How long it may take: with the time for the newest entry less than the desk waits for it, which is five seconds.
const TIME_MAX: Duration = Duration::from_millis(4_000);

/// How long the newest entry may take.
const ENTRY_TIME_MAX: Duration = Duration::from_millis(500);

/// Why a desk cannot begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// The store does not give it.
    #[error(
        "the leader cannot read what earlier leaders left, and does nothing until it can ({why}); try again in a second"
    )]
    Store {
        /// What it says.
        why: Box<str>,
    },
    /// This version does not understand a value.
    #[error(
        "the leader cannot read {key:?} in the store, and does nothing until it can ({why}): run the version that wrote it, or make a backup and delete that key"
    )]
    Value {
        /// Where it is.
        key: Box<str>,
        /// What is wrong with it.
        why: Box<str>,
    },
}

/// Reads it. Actions are most of it, and their ids are digests: they are listed in sixteen parts at the same time, which do
/// not change meanwhile, because nobody but the leader that now loads may write.
pub(super) async fn load(store: &impl Store) -> Result<Vec<Kept>, Unread> {
    let actions = (0..16_u8).map(|digit| format!("actions/{digit:x}"));
    let prefixes = ["decisions/", "desk/"].map(str::to_owned).into_iter().chain(actions);
    let lists = prefixes.map(async |prefix| store.list(&prefix).await.map(|(entries, _)| entries));
    let wrong = |why: String| Unread::Store { why: why.into() };
    let lists = tokio::time::timeout(TIME_MAX, try_join_all(lists)).await;
    let lists = lists.map_err(|_| wrong(format!("it takes longer than {TIME_MAX:?}")))?;
    let mut kept = kept(lists.map_err(|error| wrong(error.to_string()))?.into_iter().flatten())?;
    kept.extend(newest_entry(store, &kept).await);
    Ok(kept)
}

/// The newest entry of the audit log, which says who led before. Nothing else is kept waiting for it.
async fn newest_entry(store: &impl Store, kept: &[Kept]) -> Option<Kept> {
    let head = |it: &Kept| if let Item::AuditHead(head) = &it.item { Some(head.sequence) } else { None };
    let key = Key::Audit(kept.iter().find_map(head)?).to_string();
    let entry = tokio::time::timeout(ENTRY_TIME_MAX, store.get(&key)).await.ok()?.ok()??;
    let (key, item) = stored::decode(&entry.key, &entry.value).ok()??;
    Some(Kept { key, revision: entry.mod_revision, item })
}

/// What the values mean. An action that is not seen could be done twice, so that one that cannot be read ends it; a decision
/// that says that it has ended is set aside when a later one keeps its number from being given again.
fn kept(entries: impl Iterator<Item = Entry>) -> Result<Vec<Kept>, Unread> {
    let mut kept = Vec::new();
    let mut aside: Vec<(DecisionId, Unread)> = Vec::new();
    let mut newest = None;
    for entry in entries {
        match stored::decode(&entry.key, &entry.value) {
            Ok(Some((key, item))) => {
                if let Item::Decision(decision) = &item {
                    newest = newest.max(Some(decision.id));
                }
                kept.push(Kept { key, revision: entry.mod_revision, item });
            }
            Ok(None) => {}
            Err(error) => {
                let unread = Unread::Value { key: entry.key.as_str().into(), why: error.to_string().into() };
                aside.push((ended(&entry).ok_or_else(|| unread.clone())?, unread));
            }
        }
    }
    for (id, unread) in aside {
        if newest < Some(id) {
            return Err(unread);
        }
        let key = Key::Decision(id).to_string();
        tracing::warn!(key, "a decision that ended cannot be read by this version and is left as it is");
    }
    Ok(kept)
}

/// The number of a decision that ended, as far as that can be seen in what cannot be read.
fn ended(entry: &Entry) -> Option<DecisionId> {
    let id = DecisionId::parse(entry.key.strip_prefix("decisions/")?)?;
    let value: serde_json::Value = serde_json::from_slice(&entry.value).ok()?;
    (value["phase"] == "ended").then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, value: &str) -> Entry {
        Entry { key: key.to_owned(), value: value.as_bytes().to_vec(), create_revision: 7, mod_revision: 7 }
    }

    fn decision(number: u64) -> Entry {
        let value = format!(
            r#"{{"id": {number}, "about": {{"node": "n"}}, "zone": "a", "seen": [{{"at": 1, "verdict": "NODE_DEAD", "evidence": ""}}],
            "wishes": [], "phase": "ended", "made": 1, "changed": 1, "term": 1}}"#
        );
        entry(&DecisionId(number).to_string().replacen('d', "decisions/d", 1), &value)
    }

    #[test]
    fn what_cannot_be_read_ends_it_and_is_named_unless_it_is_an_ended_decision_before_others() {
        let read = |entries: Vec<Entry>| kept(entries.into_iter());
        assert_eq!(read(vec![decision(2)]).unwrap().len(), 1);
        let newer = |number| entry(&format!("decisions/{}", DecisionId(number)), r#"{"phase": "ended"}"#);
        assert_eq!(read(vec![newer(1), decision(2)]).unwrap().len(), 1);
        for wrong in [
            newer(3),
            entry(&format!("decisions/{}", DecisionId(1)), r#"{"phase": "open"}"#),
            entry(&format!("actions/{}", "0".repeat(64)), r#"{"phase": "ended"}"#),
            entry("desk/brake", "{"),
        ] {
            let key = wrong.key.clone();
            let error = read(vec![wrong, decision(2)]).unwrap_err();
            assert!(error.to_string().contains(&key), "{error}");
        }
    }
}
