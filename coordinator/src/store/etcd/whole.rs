//! Reads all keys of a fleet at one revision, and fills them.
//!
//! etcd has no transaction that is large enough to fill a store, so filling is made safe by its first and its last. The
//! first happens only while there is no candidate; it removes what was there, leaves a mark, and raises the highest term
//! to the floor, so that nobody who counts by the old offset can claim the lead. The last removes the mark and stores the
//! new offset. Every one between them, and the last, happens only while the mark is there and nobody has become a
//! candidate. Whatever breaks off leaves the mark, which a reader refuses and only another filling removes.

use etcd_client::{
    Client, Compare, CompareOp, DeleteOptions, GetOptions, Txn, TxnOp, TxnOpResponse, TxnResponse,
};

use super::cluster::Failure;
use super::revisions::Revisions;
use super::{Etcd, Page, end_of, read_failed, revision_of, write_failed};
use crate::lead;
use crate::store::whole::{self, Batches, Entries, Filled, OWN, Old, Position, Whole, is_state};
use crate::store::{Entry, Error, Operation, Store};

/// How often a question that may be repeated is asked, so that each member of a common cluster of three has its turn.
const TRIES: u32 = 3;

/// The key of what revisions are higher by.
pub(super) fn offset_key(prefix: &str) -> String {
    format!("{prefix}{OWN}offset")
}

/// The key that is there while the store is being filled.
fn mark_key() -> String {
    format!("{OWN}filling")
}

/// All state as it was at one revision.
pub struct Reading {
    store: Etcd,
    position: Position,
    /// Where the next page begins; none after the last.
    from: Option<Vec<u8>>,
}

impl whole::Reading for Reading {
    fn position(&self) -> Position {
        self.position
    }

    async fn next(&mut self) -> Result<Vec<Entry>, Error> {
        while let Some(from) = self.from.take() {
            let end = end_of(self.store.keys.prefix.as_bytes());
            let mut page = self.store.page_again(from, end, self.position.revision).await?;
            self.from = page.after;
            page.entries.retain(|entry| is_state(&entry.key));
            if !page.entries.is_empty() {
                return Ok(page.entries);
            }
        }
        Ok(Vec::new())
    }
}

impl Whole for Etcd {
    type Reading = Reading;

    async fn read(&self) -> Result<Reading, Error> {
        let epoch = self.page_of(&whole::epoch_key(), 0).await?;
        if !self.page_of(&mark_key(), epoch.revision).await?.entries.is_empty() {
            return Err(Error::HalfFilled);
        }
        let position = Position { revision: epoch.revision, term: term_of(epoch.entries.first()) };
        Ok(Reading { store: self.clone(), position, from: Some(self.keys.full("").into_bytes()) })
    }

    /// A store that was filled in part has a position too.
    async fn position(&self) -> Result<Position, Error> {
        let epoch = self.page_of(&whole::epoch_key(), 0).await?;
        Ok(Position { revision: epoch.revision, term: term_of(epoch.entries.first()) })
    }

    async fn would_remove(&self, old: Old) -> Result<u64, Error> {
        match self.obstacle(old).await? {
            Some(obstacle) => Err(obstacle),
            None => old.removes(self.count_state().await?),
        }
    }

    async fn fill(&self, entries: Entries, old: Old, floor: u64) -> Result<Filled, Error> {
        if let Some(obstacle) = self.obstacle(old).await? {
            return Err(obstacle);
        }
        let began = self.begin(old, floor).await?;
        let mut batches = Batches::new(entries);
        let mut entries = 0;
        loop {
            let batch = batches.next()?;
            if batch.is_empty() {
                break;
            }
            entries += batch.len() as u64;
            self.put(&began, batch).await?;
        }
        let revision = self.end(&began).await?;
        Ok(Filled { entries, removed: began.removed, revision })
    }
}

/// A filling that has begun.
struct Began {
    /// etcd's revision that did, which made the mark.
    mark: i64,
    removed: u64,
    /// How revisions correspond once it has ended.
    revisions: Revisions,
}

impl Etcd {
    /// Why the store cannot be filled now.
    async fn obstacle(&self, old: Old) -> Result<Option<Error>, Error> {
        let (candidates, _) = self.list(&candidates()).await?;
        if !candidates.is_empty() {
            let names: Vec<_> = candidates.iter().map(|it| String::from_utf8_lossy(&it.value)).collect();
            return Ok(Some(Error::InUse { names: names.join(", ") }));
        }
        if old == Old::Removed {
            return Ok(None);
        }
        if self.get(&mark_key()).await?.is_some() {
            return Ok(Some(Error::HalfFilled));
        }
        Ok(old.removes(self.count_state().await?).err())
    }

    /// How many keys of state there are, also such as are no text. No value is read.
    async fn count_state(&self) -> Result<u64, Error> {
        let count = |(from, end)| TxnOp::get(from, Some(GetOptions::new().with_range(end).with_count_only()));
        let counts: Vec<_> = self.state().into_iter().map(count).collect();
        let answer = self.transact(Txn::new().and_then(counts)).await.map_err(read_failed)?;
        let counted = |response| match response {
            TxnOpResponse::Get(found) => super::from_wire(found.count()),
            TxnOpResponse::Put(_) | TxnOpResponse::Delete(_) | TxnOpResponse::Txn(_) => 0,
        };
        Ok(answer.op_responses().into_iter().map(counted).sum())
    }

    async fn begin(&self, old: Old, floor: u64) -> Result<Began, Error> {
        let before = self.revisions().await?;
        let mark = self.keys.full(&mark_key());
        let mut compares = vec![self.no_candidate()];
        let mut operations = vec![
            TxnOp::put(mark.clone(), floor.to_be_bytes(), None),
            TxnOp::put(self.keys.full(&whole::epoch_key()), floor.to_be_bytes(), None),
        ];
        for (from, end) in self.state() {
            match old {
                Old::Refused => compares.push(absent(from).with_range(end)),
                Old::Removed => {
                    let options = DeleteOptions::new().with_range(end);
                    operations.push(TxnOp::delete(from, Some(options)));
                }
            }
        }
        if old == Old::Refused {
            compares.push(absent(mark.into_bytes()));
        }
        let txn = Txn::new().when(compares).and_then(operations);
        let answer = self.transact(txn).await.map_err(write_failed)?;
        if !answer.succeeded() {
            return Err(self.obstacle(old).await?.unwrap_or_else(unseen));
        }
        let mark = revision_of(answer.header());
        let offset = floor.saturating_sub(super::from_wire(mark)).max(before.offset);
        Ok(Began { mark, removed: removed(&answer), revisions: Revisions { offset } })
    }

    /// Puts may be repeated, because nobody else writes while the mark is there.
    async fn put(&self, began: &Began, batch: Vec<Operation>) -> Result<(), Error> {
        let operations: Vec<_> = batch.into_iter().map(|it| self.operation(it)).collect();
        let txn = Txn::new().when(self.ours(began)).and_then(operations);
        let mut tries = 1;
        loop {
            match self.transact(txn.clone()).await {
                Ok(answer) if answer.succeeded() => return Ok(()),
                Ok(_) => return Err(self.obstacle(Old::Removed).await?.unwrap_or(Error::HalfFilled)),
                Err(Failure::Unknown(_)) if tries < TRIES => tries += 1,
                Err(failure) => return Err(write_failed(failure)),
            }
        }
    }

    /// Gives the store's revision. When the outcome is not known, the mark tells it.
    async fn end(&self, began: &Began) -> Result<u64, Error> {
        let offset = began.revisions.offset.to_be_bytes();
        let operations = [
            TxnOp::delete(self.keys.full(&mark_key()), None),
            TxnOp::put(offset_key(&self.keys.prefix), offset, None),
        ];
        let txn = Txn::new().when(self.ours(began)).and_then(operations);
        let mut doubt = None;
        for _ in 0..TRIES {
            match self.transact(txn.clone()).await {
                Ok(answer) if answer.succeeded() || doubt.is_some() && self.has_ended(began).await? => {
                    return Ok(began.revisions.own(revision_of(answer.header())));
                }
                Ok(_) => return Err(self.obstacle(Old::Removed).await?.unwrap_or(Error::HalfFilled)),
                Err(Failure::Unknown(error)) => doubt = Some(error),
                Err(failure @ Failure::Refused(_)) => return Err(write_failed(failure)),
            }
        }
        Err(doubt.map_or(Error::HalfFilled, Error::OutcomeUnknown))
    }

    async fn has_ended(&self, began: &Began) -> Result<bool, Error> {
        let offset = self.get(&offset_key("")).await?;
        let stored = offset.is_some_and(|it| it.value == began.revisions.offset.to_be_bytes());
        Ok(stored && self.get(&mark_key()).await?.is_none())
    }

    fn ours(&self, began: &Began) -> Vec<Compare> {
        let mark = self.keys.full(&mark_key());
        // The mark of another filling was made later.
        vec![Compare::mod_revision(mark, CompareOp::Equal, began.mark), self.no_candidate()]
    }

    /// etcd holds a comparison with a range to be true when it is of each key in it, or of none at all.
    fn no_candidate(&self) -> Compare {
        absent(self.keys.full(&candidates()).into_bytes()).with_prefix()
    }

    /// The ranges of keys that are state, in etcd's words: all of the fleet's but those of the election and the store's own.
    fn state(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut ranges = Vec::new();
        let mut from = self.keys.full("").into_bytes();
        for other in [lead::PREFIX, OWN] {
            let begin = self.keys.full(other).into_bytes();
            let after = end_of(&begin);
            ranges.push((std::mem::replace(&mut from, after), begin));
        }
        ranges.push((from, end_of(self.keys.prefix.as_bytes())));
        ranges
    }

    async fn transact(&self, txn: Txn) -> Result<TxnResponse, Failure> {
        self.cluster.ask(|client: Client| async move { client.kv_client().txn(txn).await }).await
    }

    /// One key, as a page.
    async fn page_of(&self, key: &str, revision: u64) -> Result<Page, Error> {
        let from = self.keys.full(key).into_bytes();
        let end = [&from[..], &[0]].concat();
        self.page_again(from, end, revision).await
    }

    /// A page, asked of the next member when one does not answer.
    async fn page_again(&self, from: Vec<u8>, end: Vec<u8>, revision: u64) -> Result<Page, Error> {
        let mut tries = 1;
        loop {
            match self.page(from.clone(), end.clone(), revision).await {
                Err(Error::Unreachable(_)) if tries < TRIES => tries += 1,
                answer => return answer,
            }
        }
    }
}

fn candidates() -> String {
    format!("{}candidates/", lead::PREFIX)
}

fn absent(key: Vec<u8>) -> Compare {
    Compare::create_revision(key, CompareOp::Equal, 0)
}

/// Someone was in the way and is gone.
fn unseen() -> Error {
    Error::InUse { names: "one that has just left".to_owned() }
}

fn term_of(epoch: Option<&Entry>) -> u64 {
    epoch.and_then(|it| it.value.as_slice().try_into().ok()).map_or(0, u64::from_be_bytes)
}

fn removed(answer: &TxnResponse) -> u64 {
    let deleted = |response| match response {
        TxnOpResponse::Delete(deleted) => super::from_wire(deleted.deleted()),
        TxnOpResponse::Put(_) | TxnOpResponse::Get(_) | TxnOpResponse::Txn(_) => 0,
    };
    answer.op_responses().into_iter().map(deleted).sum()
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    #[test]
    fn the_ranges_of_state_leave_out_the_election_and_the_stores_own_keys() {
        let store = Etcd::open(&Config::new(vec!["http://127.0.0.1:1".to_owned()])).unwrap();
        let ranges = store.state();
        let within = |key: &str| {
            let key = store.keys.full(key).into_bytes();
            ranges.iter().filter(|(from, end)| *from <= key && key < *end).count()
        };
        for key in [
            "a",
            "events/1",
            "lead",
            "lead0",
            "leadx/",
            "policies/p",
            "store",
            "store0",
            "zones/z",
            "\u{10ffff}",
        ] {
            assert_eq!(within(key), 1, "{key}");
            assert!(is_state(key));
        }
        for key in ["lead/", "lead/epoch", "lead/candidates/1", "store/", "store/offset", "store/filling"] {
            assert_eq!(within(key), 0, "{key}");
            assert!(!is_state(key));
        }
        assert!(within("") == 1, "the bare prefix is no key of ours and is removed with the rest");
    }
}
