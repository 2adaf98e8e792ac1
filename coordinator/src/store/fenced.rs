//! Writes that only the leader may make, and that a leader which was replaced can no longer make.
//!
//! Such a transaction can be built only with the token of the lead, and carries the condition that the token's key still
//! has the create revision that is the term. The store checks it together with everything else, so that it does not
//! matter how long the write was on its way.

use ostler_core::lead::LeaderToken;

use super::{Compare, Entry, Error, Operation, Store, Transaction};

/// A transaction under a term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fenced {
    /// The key whose create revision is the term.
    key: String,
    term: u64,
    transaction: Transaction,
}

/// What became of a transaction under a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was carried out.
    Applied {
        /// By this revision.
        revision: u64,
    },
    /// Another condition did not hold: what it is about was changed meanwhile.
    Conflict {
        /// The store's revision at which it did not.
        revision: u64,
    },
    /// The term is over. Nothing can be written under it any more.
    Deposed,
}

impl Fenced {
    /// Operations that happen together while the token's term lasts and the conditions hold.
    pub fn new(token: &LeaderToken, transaction: Transaction) -> Fenced {
        Fenced { key: token.key().to_owned(), term: token.term().0, transaction }
    }

    /// Replaces a value that was read; `read` is none for a key that was not there. Refused when it was changed since.
    pub fn put(token: &LeaderToken, key: &str, read: Option<&Entry>, value: Vec<u8>) -> Fenced {
        let unchanged = Compare::ModRevision(key.to_owned(), read.map_or(0, |it| it.mod_revision));
        let operations = vec![Operation::Put(key.to_owned(), value)];
        Fenced::new(token, Transaction { compares: vec![unchanged], operations })
    }

    /// Carries it out. After [`Error::OutcomeUnknown`] the caller reads back what became of it.
    pub async fn commit(self, store: &impl Store) -> Result<Verdict, Error> {
        let Fenced { key, term, mut transaction } = self;
        transaction.compares.push(Compare::CreateRevision(key.clone(), term));
        let outcome = store.commit(transaction).await?;
        if outcome.applied {
            return Ok(Verdict::Applied { revision: outcome.revision });
        }
        // A term that is over stays over, so that looking afterwards tells the same.
        let lasts = store.get(&key).await?.is_some_and(|it| it.create_revision == term);
        Ok(if lasts { Verdict::Conflict { revision: outcome.revision } } else { Verdict::Deposed })
    }
}
