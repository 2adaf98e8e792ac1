//! The place of the token: whoever acts as the leader borrows it here, and nowhere else.

use std::sync::{Arc, PoisonError, RwLock, TryLockError};
use std::time::Duration;

use ostler_core::id::Term;
use ostler_core::lead::{LeaderToken, Renewal};

use crate::sys::boot_now;

/// The token while this replica leads. Clones are the same place.
#[derive(Clone, Debug, Default)]
pub struct Leadership {
    token: Arc<RwLock<Option<LeaderToken>>>,
}

/// Someone acts under the token at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Busy;

impl Leadership {
    /// Lets the leader act: none when this replica does not lead, or its lease can no longer be relied on. What is done
    /// holds up a step down, so it must not wait for anything: build a [`crate::store::fenced::Fenced`] and commit it
    /// afterwards, or hand an order to the queue of a stream.
    pub fn act<R>(&self, act: impl FnOnce(&LeaderToken) -> R) -> Option<R> {
        let token = self.token.read().unwrap_or_else(PoisonError::into_inner);
        token.as_ref().filter(|token| token.is_live(boot_now())).map(act)
    }

    /// For how long the lease of a term can be relied on from now; none when this replica does not lead in it.
    pub fn time_left(&self, term: Term) -> Option<Duration> {
        self.act(|token| (token.term() == term).then(|| token.deadline().since(boot_now()))).flatten()
    }

    /// Begins a term. Nobody can hold the place for longer than a look at it takes, because it is empty.
    pub(super) fn give(&self, token: LeaderToken) {
        let mut place = self.token.write().unwrap_or_else(PoisonError::into_inner);
        assert!(place.is_none(), "the token before was taken back");
        *place = Some(token);
    }

    /// Prolongs it, if the renewal that waits is of its term; takes the renewal away when that is done.
    pub(super) fn renew(&self, waiting: &mut Option<Renewal>) {
        let _ = self.place(|token| {
            if let (Some(token), Some(renewal)) = (token, waiting.take()) {
                token.renew(renewal);
            }
        });
    }

    /// Ends the term: nobody acts under the token any more once this gives it.
    pub(super) fn take(&self) -> Result<LeaderToken, Busy> {
        self.place(|token| token.take().expect("a token is taken back once"))
    }

    /// Never waits: who holds the token too long must not keep the election from noticing.
    fn place<R>(&self, change: impl FnOnce(&mut Option<LeaderToken>) -> R) -> Result<R, Busy> {
        match self.token.try_write() {
            Ok(mut place) => Ok(change(&mut place)),
            Err(TryLockError::Poisoned(poisoned)) => Ok(change(&mut poisoned.into_inner())),
            Err(TryLockError::WouldBlock) => Err(Busy),
        }
    }
}
