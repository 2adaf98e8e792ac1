//! Events worth keeping, in the store: what happened before a restart is still told after it.
//!
//! The engine's own journal begins anew with each start of the replica; [`Past`] is what was before, read once. Numbers
//! of events go on where they ended, so that their names stay in order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use ostler_core::time::Time;
use ostler_proto::v1;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::convert::outgoing;
use crate::driver::Driver;
use crate::store::{Error, OPERATIONS_MAX, Operation, Store, Transaction};

/// Where events are in the store.
const PREFIX: &str = "events/";

/// Events kept, as many as the engine keeps of its own.
const EVENTS_MAX: usize = 10_000;

/// How long an event is kept.
const AGE_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// How often new events are written. A crash loses at most this much of the list for people; no decision reads it.
const INTERVAL: Duration = Duration::from_secs(1);

/// How often old ones are deleted.
const PRUNE_INTERVAL: Duration = Duration::from_secs(60);

/// An event as it is stored.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Kept {
    /// Milliseconds since 1970.
    at_ms: u64,
    event: v1::Event,
}

/// Events of earlier starts of this replica.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// Oldest first.
    events: Vec<(u64, Time, v1::Event)>,
    /// The highest number given to any event before this start.
    last: u64,
    /// Keys of what cannot be read.
    unreadable: Vec<String>,
}

/// Which events the store has, so that it need not be read to know which are to be deleted.
#[derive(Debug)]
struct Shelf {
    /// Number and moment of each, oldest first.
    kept: VecDeque<(u64, Time)>,
    /// Keys of others that are to be deleted.
    unreadable: Vec<String>,
}

impl Past {
    /// Reads what the store kept. An entry that cannot be read is passed over with a warning.
    pub async fn load(store: &impl Store) -> Result<Past, Error> {
        let (entries, _) = store.list(PREFIX).await?;
        let mut past = Past::default();
        for entry in entries {
            let number = entry.key.strip_prefix(PREFIX).and_then(|number| number.parse::<u64>().ok());
            match (number, serde_json::from_slice::<Kept>(&entry.value)) {
                (Some(number), Ok(kept)) => {
                    past.last = past.last.max(number);
                    past.events.push((number, Time::from_millis(kept.at_ms), kept.event));
                }
                (_, Err(error)) => {
                    tracing::warn!(key = entry.key, %error, "a stored event cannot be read");
                    past.unreadable.push(entry.key);
                }
                (None, Ok(_)) => {
                    tracing::warn!(key = entry.key, "a stored event has no number");
                    past.unreadable.push(entry.key);
                }
            }
        }
        Ok(past)
    }

    /// The highest number given to any event before this start; the engine's own count on from here.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Events with a higher number, oldest first.
    pub fn after(&self, number: u64, now: Time) -> impl Iterator<Item = v1::Event> + '_ {
        let from = self.events.partition_point(|(at, _, _)| *at <= number);
        self.events[from..].iter().map(move |(_, at, event)| v1::Event {
            age_ms: u64::try_from(now.since(*at).as_millis()).unwrap_or(u64::MAX),
            ..event.clone()
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

impl Shelf {
    fn of(past: &Past) -> Shelf {
        let kept = past.events.iter().map(|(number, at, _)| (*number, *at)).collect();
        Shelf { kept, unreadable: past.unreadable.clone() }
    }

    /// How many of the oldest are too many or too old.
    fn surplus(&self, now: Time) -> usize {
        let many = self.kept.len().saturating_sub(EVENTS_MAX);
        let old = self.kept.iter().take_while(|(_, at)| now.since(*at) > AGE_MAX).count();
        many.max(old)
    }

    /// Deletes what is too much, and what cannot be read.
    async fn prune(&mut self, store: &impl Store, now: Time) -> Result<(), Error> {
        let surplus = self.surplus(now);
        let key = |(number, _): &(u64, Time)| format!("{PREFIX}{}", outgoing::event_name(*number));
        let doomed = self.kept.iter().take(surplus).map(key).chain(self.unreadable.iter().cloned());
        let doomed: Vec<Operation> = doomed.map(Operation::Delete).collect();
        for operations in doomed.chunks(OPERATIONS_MAX) {
            store.commit(Transaction { compares: Vec::new(), operations: operations.to_vec() }).await?;
        }
        self.kept.drain(..surplus);
        self.unreadable.clear();
        Ok(())
    }
}

/// Writes new events to the store until shut down, and once more then. A store that fails is tried again; what does not
/// fit into the engine's own list meanwhile is lost.
pub async fn keep<S: Store>(driver: Driver, store: S, past: Arc<Past>, shutdown: CancellationToken) {
    let mut shelf = Shelf::of(&past);
    let mut written = 0;
    let mut pruned = tokio::time::Instant::now();
    loop {
        let stopping = shutdown.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_none();
        if let Err(error) = write_new(&driver, &store, past.last(), &mut shelf, &mut written).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "events cannot be stored");
        }
        if stopping {
            return;
        }
        if pruned.elapsed() >= PRUNE_INTERVAL {
            pruned = tokio::time::Instant::now();
            let now = driver.view(|view| view.now);
            if let Err(error) = shelf.prune(&store, now).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "old events cannot be deleted");
            }
        }
    }
}

/// Writes what came after an entry of the engine's journal, `written`, which is the newest that is written afterwards.
async fn write_new(
    driver: &Driver,
    store: &impl Store,
    before: u64,
    shelf: &mut Shelf,
    written: &mut u64,
) -> Result<(), Error> {
    loop {
        let batch: Vec<(u64, Kept)> = driver.view(|view| {
            let entries = view.fleet.journal().after(*written).take(OPERATIONS_MAX);
            entries
                .map(|entry| {
                    (
                        entry.id,
                        Kept { at_ms: entry.at.as_millis(), event: outgoing::event(entry, before, entry.at) },
                    )
                })
                .collect()
        });
        let Some((last, _)) = batch.last() else { return Ok(()) };
        let last = *last;
        let put = |(_, kept): &(u64, Kept)| {
            let value = serde_json::to_vec(kept).expect("a message of texts and numbers has a JSON form");
            Operation::Put(format!("{PREFIX}{}", kept.event.name), value)
        };
        let operations = batch.iter().map(put).collect();
        store.commit(Transaction { compares: Vec::new(), operations }).await?;
        shelf.kept.extend(batch.iter().map(|(id, kept)| (before + id, Time::from_millis(kept.at_ms))));
        *written = last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::embedded::Embedded;

    fn kept(number: u64, at_ms: u64) -> Operation {
        let event =
            v1::Event { name: outgoing::event_name(number), message: "x".into(), ..Default::default() };
        let value = serde_json::to_vec(&Kept { at_ms, event }).unwrap();
        Operation::Put(format!("{PREFIX}{}", outgoing::event_name(number)), value)
    }

    async fn with(operations: Vec<Operation>) -> Embedded {
        let store = Embedded::in_memory().unwrap();
        for operations in operations.chunks(OPERATIONS_MAX) {
            store
                .commit(Transaction { compares: Vec::new(), operations: operations.to_vec() })
                .await
                .unwrap();
        }
        store
    }

    #[tokio::test]
    async fn numbers_go_on_after_what_was_stored_and_ages_are_of_now() {
        let broken = Operation::Put(format!("{PREFIX}0000000000000009"), b"{".to_vec());
        let store = with(vec![kept(3, 1_000), kept(7, 2_000), broken]).await;
        let past = Past::load(&store).await.unwrap();
        assert_eq!(past.last(), 7);
        let events: Vec<_> = past.after(3, Time::from_millis(5_000)).collect();
        assert_eq!((events.len(), events[0].age_ms), (1, 3_000));
    }

    #[tokio::test]
    async fn the_oldest_and_the_too_many_are_deleted() {
        let day = 24 * 3600 * 1_000;
        let operations =
            (1..=200).map(|number| kept(number, if number <= 50 { 0 } else { 7 * day })).collect();
        let store = with(operations).await;
        let now = Time::from_millis(8 * day);
        let past = Past::load(&store).await.unwrap();
        Shelf::of(&past).prune(&store, now).await.unwrap();
        let past = Past::load(&store).await.unwrap();
        assert_eq!((past.len(), past.last()), (150, 200));
        let mut shelf = Shelf::of(&past);
        shelf.kept.extend((201..=EVENTS_MAX as u64 + 100).map(|number| (number, now)));
        shelf.prune(&store, now).await.unwrap();
        assert_eq!(shelf.kept.front(), Some(&(101, Time::from_millis(7 * day))));
        assert_eq!(Past::load(&store).await.unwrap().len(), 100);
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_told_once_and_deleted() {
        let broken = Operation::Put(format!("{PREFIX}0000000000000009"), b"{".to_vec());
        let store = with(vec![kept(3, 1_000), broken]).await;
        let past = Past::load(&store).await.unwrap();
        Shelf::of(&past).prune(&store, Time::from_millis(2_000)).await.unwrap();
        let (entries, _) = store.list(PREFIX).await.unwrap();
        assert_eq!(entries.len(), 1);
    }
}
