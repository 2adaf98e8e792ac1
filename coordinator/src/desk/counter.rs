//! The counter in front of the desk: where orders of operators are handed in, and what the desk did is counted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ostler_core::desk::{Counts, Desk, Order, OrderRefusal};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::load::Unread;

/// Orders that wait: people give few, and each is carried out within some milliseconds.
const SLIPS_MAX: usize = 64;

/// How long an order may take: a write to the store, and one more that was on its way.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);

/// Why an order was not carried out here.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// This replica does not lead.
    #[error("this replica does not lead")]
    NotLeading,
    /// The desk refuses it.
    #[error(transparent)]
    Order(#[from] OrderRefusal),
    /// Nobody knows whether it was stored.
    #[error(
        "it is not known whether the order was stored; give it again with the same request_id, which has no second effect"
    )]
    Unknown,
    /// Too many wait.
    #[error("{SLIPS_MAX} orders wait already; try again in a second")]
    Busy,
    /// The desk cannot begin.
    #[error(transparent)]
    Unread(Unread),
    /// There is no desk any more.
    #[error("the desk of this replica has ended, and the replica stops; give the order to another one")]
    Ended,
}

/// Where orders are handed in. Clones are the same.
#[derive(Clone, Debug)]
pub struct Counter {
    slips: mpsc::Sender<Slip>,
    counts: Arc<Mutex<Counts>>,
    loaded: Arc<AtomicBool>,
}

/// The desk's side of it.
#[derive(Debug)]
pub(crate) struct Counters {
    slips: tokio::sync::Mutex<mpsc::Receiver<Slip>>,
    counts: Arc<Mutex<Counts>>,
    loaded: Arc<AtomicBool>,
}

/// An order, and whom to answer.
#[derive(Debug)]
pub(super) struct Slip {
    pub(super) order: Order,
    pub(super) dry_run: bool,
    answer: oneshot::Sender<Result<Box<str>, Refusal>>,
}

/// Whether an order is carried out, or only told what it would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earnest {
    /// Carried out.
    Real,
    /// Told.
    DryRun,
}

impl Counter {
    /// A counter, and its other side.
    pub(crate) fn open() -> (Counter, Counters) {
        let (slips, taken) = mpsc::channel(SLIPS_MAX);
        let counts = Arc::<Mutex<Counts>>::default();
        let loaded = Arc::<AtomicBool>::default();
        let counters = Counters {
            slips: tokio::sync::Mutex::new(taken),
            counts: Arc::clone(&counts),
            loaded: Arc::clone(&loaded),
        };
        (Counter { slips, counts, loaded }, counters)
    }

    /// Hands an order in, and waits for what becomes of it.
    pub async fn give(&self, order: Order, earnest: Earnest) -> Result<Box<str>, Refusal> {
        let (answer, answered) = oneshot::channel();
        let slip = Slip { order, dry_run: earnest == Earnest::DryRun, answer };
        self.slips.try_send(slip).map_err(|error| match error {
            TrySendError::Full(_) => Refusal::Busy,
            TrySendError::Closed(_) => Refusal::Ended,
        })?;
        match tokio::time::timeout(ANSWER_WITHIN, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(Refusal::Unknown),
        }
    }

    /// What the desk of the present term did here; nothing while this replica has not led.
    pub fn counts(&self) -> Counts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the desk here has read what earlier leaders left, and works; not where this replica does not lead.
    pub fn is_loaded(&self) -> bool {
        self.loaded.load(Ordering::Relaxed)
    }
}

impl Counters {
    /// Waits for the next order.
    pub(super) async fn next(&self) -> Slip {
        match self.slips.lock().await.recv().await {
            Some(slip) => slip,
            None => std::future::pending().await,
        }
    }

    /// The desk was left.
    pub(super) fn leave(&self) {
        self.loaded.store(false, Ordering::Relaxed);
    }

    pub(super) fn count(&self, desk: &Desk) {
        self.loaded.store(desk.is_loaded(), Ordering::Relaxed);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if *counts != *desk.counts() {
            counts.clone_from(desk.counts());
        }
    }
}

impl Slip {
    pub(super) fn answer(self, answer: Result<Box<str>, Refusal>) {
        // Who does not wait any more does not want to know.
        let _ = self.answer.send(answer);
    }
}

#[cfg(test)]
mod tests {
    use ostler_core::brake::Scope;
    use ostler_core::desk::Wanted;

    use super::*;

    #[tokio::test]
    async fn an_order_to_a_desk_that_has_ended_is_told_so() {
        let (counter, desk) = Counter::open();
        drop(desk);
        let wanted = Wanted::Release(Scope::Fleet);
        let order = Order { request_id: "1".into(), by: "me".into(), reason: "a test".into(), wanted };
        assert!(matches!(counter.give(order, Earnest::Real).await, Err(Refusal::Ended)));
    }
}
