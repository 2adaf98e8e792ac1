//! Who carries actions out.

mod webhook;

use std::future::Future;

use ostler_core::action::ActionId;
use ostler_core::desk::{Call, Told};
use ostler_core::id::Term;

pub(crate) use self::webhook::Webhook;
pub use self::webhook::{Error, Settings};
use crate::lead::Leadership;

/// Something that carries actions out, each once however often it is told, and never for a leader that was replaced.
pub(crate) trait Executor: Clone + Send + Sync + 'static {
    /// Has an action carried out, if this replica still leads when the call is ready to be made. None when nobody knows what
    /// became of it. Takes a bounded time.
    fn call(&self, call: &Call, leadership: &Leadership) -> impl Future<Output = Option<Told>> + Send;

    /// Asks what became of an action, and says the term. Takes a bounded time.
    fn look(&self, id: ActionId, term: Term) -> impl Future<Output = Option<Told>> + Send;
}

/// Carries out what is configured: nothing, or calls of a webhook.
#[derive(Clone, Debug)]
pub(crate) enum Hand {
    /// Nothing is called.
    Idle,
    /// A service of the operator's.
    Webhook(Box<Webhook>),
}

impl Executor for Hand {
    async fn call(&self, call: &Call, leadership: &Leadership) -> Option<Told> {
        match self {
            Hand::Idle => None,
            Hand::Webhook(webhook) => webhook.call(call, leadership).await,
        }
    }

    async fn look(&self, id: ActionId, term: Term) -> Option<Told> {
        match self {
            Hand::Idle => None,
            Hand::Webhook(webhook) => webhook.look(id, term).await,
        }
    }
}
