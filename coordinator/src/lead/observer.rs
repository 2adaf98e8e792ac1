//! Sees who leads, for replicas that do not: reads the candidates' keys and the highest term, and reads again whenever
//! one of them changes.

use std::time::Duration;

use ostler_core::id::Term;
use ostler_core::lead::Config;
use tokio::sync::watch;

use super::{PREFIX, Standing};
use crate::store::etcd::Etcd;
use crate::store::{Entry, Error, Store, Watch};
use crate::sys::boot_now;

/// How long to wait before looking again after a failure.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// Looks for ever.
pub(super) async fn observe(store: Etcd, config: Config, seen: watch::Sender<Standing>) {
    let mut heard = boot_now();
    loop {
        let Err(error) = follow(&store, &config, &seen, &mut heard).await;
        tracing::debug!(error = &error as &dyn std::error::Error, "cannot see who leads");
        // A leader that cannot reach etcd either has stepped down by then.
        if boot_now().since(heard) > config.ttl() {
            seen.send_if_modified(|standing| standing.leader.take().is_some());
        }
        tokio::time::sleep(RETRY_AFTER).await;
    }
}

/// Looks until something fails; `heard` is when etcd last answered.
async fn follow(
    store: &Etcd,
    config: &Config,
    seen: &watch::Sender<Standing>,
    heard: &mut ostler_core::lead::Boot,
) -> Result<std::convert::Infallible, Error> {
    let (mut entries, mut revision) = store.list(PREFIX).await?;
    let mut watch = store.watch(PREFIX, revision).await?;
    loop {
        *heard = boot_now();
        let standing = standing(&entries, config);
        seen.send_if_modified(|told| std::mem::replace(told, standing.clone()) != standing);
        let changes = watch.next().await?;
        // One look is for all that has changed meanwhile.
        if changes.iter().any(|change| change.revision > revision) {
            (entries, revision) = store.list(PREFIX).await?;
        }
    }
}

/// Who leads: the candidate whose number is the highest term. Nobody does while the next one has not claimed yet.
fn standing(entries: &[Entry], config: &Config) -> Standing {
    let epoch = entries.iter().find(|it| *it.key == *config.epoch());
    let term = epoch.and_then(|it| Some(u64::from_be_bytes(it.value.as_slice().try_into().ok()?)));
    let term = term.unwrap_or(0);
    let leader =
        entries.iter().find(|it| it.key.starts_with(&*config.candidates()) && it.create_revision == term);
    let name = leader.map(|it| String::from_utf8_lossy(&it.value).into_owned());
    Standing { leader: name, term: Term(term) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, value: &[u8], create_revision: u64) -> Entry {
        Entry { key: key.to_owned(), value: value.to_vec(), create_revision, mod_revision: create_revision }
    }

    #[test]
    fn the_leader_is_the_candidate_whose_number_is_the_term() {
        let config = Config::try_new("me", PREFIX, Duration::from_secs(3)).unwrap();
        let mut entries = vec![
            entry("lead/candidates/1", b"a", 7),
            entry("lead/candidates/2", b"b", 9),
            entry("lead/epoch", &7_u64.to_be_bytes(), 2),
        ];
        assert_eq!(standing(&entries, &config), Standing { leader: Some("a".into()), term: Term(7) });
        entries.remove(0);
        assert_eq!(standing(&entries, &config), Standing { leader: None, term: Term(7) });
        assert_eq!(standing(&[], &config), Standing::default());
    }
}
