//! All of a store at once: read at one revision, for a backup, and filled, from one.
//!
//! What belongs to one store and its life is never part of it: candidates and terms of the election, and keys that the
//! store keeps for itself. Instead a store that is filled is told a floor, and every revision that it gives afterwards is
//! higher. The term of a leader is a revision, so that terms never fall (decision "Terms go on rising over a restore").

use std::future::Future;

use super::{Entry, Error, OPERATIONS_MAX, Operation, Store, TRANSACTION_BYTES_MAX};
use crate::lead;

/// Begin of the keys that a store keeps for itself.
pub const OWN: &str = "store/";

/// The key of the highest term, which is written when a store is filled, so that nobody leads under a term of before.
pub fn epoch_key() -> String {
    format!("{}epoch", lead::PREFIX)
}

/// Whether a key is state that outlives a store, and not the store's own or the election's.
pub fn is_state(key: &str) -> bool {
    !key.starts_with(OWN) && !key.starts_with(lead::PREFIX)
}

/// How far a store was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Its newest revision.
    pub revision: u64,
    /// The highest term that anyone led under; zero when nobody ever did.
    pub term: u64,
}

/// A store as it was at one revision. Whatever is written meanwhile does not change what it gives.
pub trait Reading: Send {
    /// How far the store was.
    fn position(&self) -> Position;

    /// The next entries in order of their keys, at most a page; none when there are no more. All of them are state.
    fn next(&mut self) -> impl Future<Output = Result<Vec<Entry>, Error>> + Send;
}

/// What a store is filled with: keys in order, each once, with their values.
pub type Entries =
    Box<dyn Iterator<Item = Result<(String, Vec<u8>), Box<dyn std::error::Error + Send + Sync>>> + Send>;

/// What becomes of the state that a store holds when it is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Old {
    /// There must be none.
    Refused,
    /// All of it is removed.
    Removed,
}

impl Old {
    /// How many of the keys that are there filling removes; an error when there must be none.
    pub(super) fn removes(self, keys: u64) -> Result<u64, Error> {
        match self {
            Old::Refused if keys > 0 => Err(Error::NotEmpty { keys }),
            Old::Refused | Old::Removed => Ok(keys),
        }
    }
}

/// What filling did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filled {
    /// Entries put.
    pub entries: u64,
    /// Entries that were there before and were removed.
    pub removed: u64,
    /// The store's revision afterwards.
    pub revision: u64,
}

/// A store that can be read and filled as a whole.
pub trait Whole: Store {
    /// What reads it.
    type Reading: Reading;

    /// Begins to read it as it is now.
    fn read(&self) -> impl Future<Output = Result<Self::Reading, Error>> + Send;

    /// How far it is now.
    fn position(&self) -> impl Future<Output = Result<Position, Error>> + Send {
        async { Ok(self.read().await?.position()) }
    }

    /// How many keys of state filling would remove now, or what it would be refused with. Changes nothing.
    fn would_remove(&self, old: Old) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Puts these entries and nothing else of state. Every revision that the store gives afterwards is higher than
    /// `floor`, which must not be lower than any revision or term that it gave before. Refused while a coordinator uses
    /// the store. What fails on the way leaves the store as it was, or as one under which nobody leads. This handle goes by
    /// the revisions of before: open the store anew.
    fn fill(
        &self,
        entries: Entries,
        old: Old,
        floor: u64,
    ) -> impl Future<Output = Result<Filled, Error>> + Send;
}

/// Entries in batches that each fit into one transaction.
pub(super) struct Batches {
    entries: std::iter::Peekable<Entries>,
}

impl Batches {
    pub(super) fn new(entries: Entries) -> Batches {
        Batches { entries: entries.peekable() }
    }

    /// The next batch; empty at the end.
    pub(super) fn next(&mut self) -> Result<Vec<Operation>, Error> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < OPERATIONS_MAX {
            let size = match self.entries.peek() {
                Some(Ok((key, value))) => key.len() + value.len(),
                Some(Err(_)) => 0,
                None => break,
            };
            if !batch.is_empty() && bytes + size > TRANSACTION_BYTES_MAX {
                break;
            }
            bytes += size;
            let Some(next) = self.entries.next() else { break };
            let (key, value) = next.map_err(Error::Source)?;
            batch.push(Operation::Put(key, value));
        }
        Ok(batch)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_epoch_key_is_the_elections() {
        let config = ostler_core::lead::Config::try_new("me", lead::PREFIX, Duration::from_secs(3)).unwrap();
        assert_eq!(*epoch_key(), *config.epoch());
        assert!(!is_state(&epoch_key()) && !is_state("store/offset") && is_state("policies/a"));
    }

    #[test]
    fn batches_hold_all_entries_in_order_and_fit_into_transactions() {
        let sizes = [0, 700_000, 700_000, 1 << 20, 1 << 20, 5];
        let large = (0..6).map(move |i| Ok((format!("a{i}"), vec![0; sizes[i]])));
        let small = (0..300).map(|i| Ok((format!("b{i:03}"), Vec::new())));
        let mut batches = Batches::new(Box::new(large.chain(small)));
        let mut counts = Vec::new();
        let mut keys = Vec::new();
        loop {
            let operations = batches.next().unwrap();
            if operations.is_empty() {
                break;
            }
            counts.push(operations.len());
            keys.extend(operations.iter().map(|it| it.key().to_owned()));
            super::super::Transaction { compares: Vec::new(), operations }.check().unwrap();
        }
        assert_eq!(counts, [2, 1, 1, 128, 128, 46]);
        assert!(keys.is_sorted() && keys.len() == 306);
    }
}
