//! The proof that this replica leads.

use super::Boot;
use crate::id::Term;

/// The proof that this replica leads. Only the election makes it, once a term, and it cannot be copied: whoever writes
/// borrows it, and after a step down it is given back, so that nothing can write any more.
///
/// ```compile_fail
/// fn twice(token: ostler_core::lead::LeaderToken) -> (ostler_core::lead::LeaderToken, ostler_core::lead::LeaderToken) {
///     (token.clone(), token)
/// }
/// ```
///
/// ```compile_fail
/// use ostler_core::{id::Term, lead::{Boot, LeaderToken}};
/// let forged = LeaderToken { key: "k".into(), term: Term(1), deadline: Boot::from_millis(1) };
/// ```
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct LeaderToken {
    key: Box<str>,
    term: Term,
    deadline: Boot,
}

/// A later deadline for the token of a term.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Renewal {
    term: Term,
    deadline: Boot,
}

impl LeaderToken {
    pub(super) fn new(key: Box<str>, term: Term, deadline: Boot) -> LeaderToken {
        LeaderToken { key, term, deadline }
    }

    /// The key whose create revision is the term. Each write to etcd is on condition of the two.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The term, for the condition and for effects outside etcd.
    pub fn term(&self) -> Term {
        self.term
    }

    /// Until when the lease can be relied on.
    pub fn deadline(&self) -> Boot {
        self.deadline
    }

    /// Whether the lease can still be relied on. To be asked right before each effect outside etcd.
    pub fn is_live(&self, now: Boot) -> bool {
        now < self.deadline
    }

    /// Makes it live longer. A renewal of another term changes nothing.
    pub fn renew(&mut self, renewal: Renewal) {
        if renewal.term == self.term {
            self.deadline = self.deadline.max(renewal.deadline);
        }
    }
}

impl Renewal {
    pub(super) fn new(term: Term, deadline: Boot) -> Renewal {
        Renewal { term, deadline }
    }

    /// The term whose token it is for.
    pub fn term(&self) -> Term {
        self.term
    }

    /// Until when the lease can be relied on.
    pub fn deadline(&self) -> Boot {
        self.deadline
    }
}
