//! Events worth keeping, in the store: what happened before a restart is still told after it.
//!
//! The engine's own journal begins anew with each start of the replica; [`Past`] is what was before, read once. Numbers
//! of events go on where they ended, so that their names stay in order.

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
const EVENTS_MAX: u64 = 10_000;

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
                (_, Err(error)) => tracing::warn!(key = entry.key, %error, "a stored event cannot be read"),
                (None, Ok(_)) => tracing::warn!(key = entry.key, "a stored event has no number"),
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

/// Writes new events to the store until shut down, and once more then. A store that fails is tried again; what does not
/// fit into the engine's own list meanwhile is lost.
pub async fn keep<S: Store>(driver: Driver, store: S, before: u64, shutdown: CancellationToken) {
    let mut written = 0;
    let mut pruned = tokio::time::Instant::now();
    loop {
        let stopping = shutdown.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_none();
        match write_new(&driver, &store, before, written).await {
            Ok(last) => written = last,
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "events cannot be stored"),
        }
        if stopping {
            return;
        }
        if pruned.elapsed() >= PRUNE_INTERVAL {
            pruned = tokio::time::Instant::now();
            let now = driver.view(|view| view.now);
            if let Err(error) = prune(&store, before + written, now).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "old events cannot be deleted");
            }
        }
    }
}

/// Writes what came after an entry of the engine's journal; gives the newest that is written.
async fn write_new(driver: &Driver, store: &impl Store, before: u64, mut written: u64) -> Result<u64, Error> {
    loop {
        let batch: Vec<(u64, Kept)> = driver.view(|view| {
            let entries = view.fleet.journal().after(written).take(OPERATIONS_MAX);
            entries
                .map(|entry| {
                    (
                        entry.id,
                        Kept { at_ms: entry.at.as_millis(), event: outgoing::event(entry, before, entry.at) },
                    )
                })
                .collect()
        });
        let Some((last, _)) = batch.last() else { return Ok(written) };
        let last = *last;
        let put = |(_, kept): &(u64, Kept)| {
            let value = serde_json::to_vec(kept).expect("a message of texts and numbers has a JSON form");
            Operation::Put(format!("{PREFIX}{}", kept.event.name), value)
        };
        let operations = batch.iter().map(put).collect();
        store.commit(Transaction { compares: Vec::new(), operations }).await?;
        written = last;
    }
}

/// Deletes events that are too many or too old.
async fn prune(store: &impl Store, newest: u64, now: Time) -> Result<(), Error> {
    let (entries, _) = store.list(PREFIX).await?;
    let keep_from = outgoing::event_name((newest + 1).saturating_sub(EVENTS_MAX));
    let old = |value: &[u8]| {
        serde_json::from_slice::<Kept>(value)
            .map_or(true, |kept| now.since(Time::from_millis(kept.at_ms)) > AGE_MAX)
    };
    let doomed: Vec<Operation> = entries
        .into_iter()
        .filter(|entry| entry.key.trim_start_matches(PREFIX) < keep_from.as_str() || old(&entry.value))
        .map(|entry| Operation::Delete(entry.key))
        .collect();
    for operations in doomed.chunks(OPERATIONS_MAX) {
        store.commit(Transaction { compares: Vec::new(), operations: operations.to_vec() }).await?;
    }
    Ok(())
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
        prune(&store, 200, Time::from_millis(8 * day)).await.unwrap();
        let past = Past::load(&store).await.unwrap();
        assert_eq!((past.len(), past.last()), (150, 200));
        prune(&store, EVENTS_MAX + 100, Time::from_millis(8 * day)).await.unwrap();
        assert_eq!(Past::load(&store).await.unwrap().len(), 100);
    }
}
