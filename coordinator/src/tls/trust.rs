//! What counts now, and the connections that stand on it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use futures_util::task::AtomicWaker;
use rustls::pki_types::{CertificateDer, UnixTime};
use tokio::sync::Semaphore;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::files::{Material, Naming};
use super::nodes;
use super::pass::Certified;
use crate::ingest::Nodes;

/// Handshakes at a time. Each takes about 32 KiB and a millisecond of a core, so that they hold 32 MiB at most, and clients
/// that begin one and fall silent must come 200 times a second to keep others waiting.
const HANDSHAKES_MAX: usize = 1024;

/// Of a certificate that is not looked at before the files change.
const NEVER: i64 = i64::MAX;

/// What counts now, and the connections that stand on it.
pub(crate) struct Trust {
    material: RwLock<Arc<Material>>,
    naming: Naming,
    /// Connections that showed a certificate.
    open: Mutex<BTreeMap<u64, Arc<Shown>>>,
    next: AtomicU64,
    /// Room for handshakes.
    pub(crate) handshakes: Semaphore,
}

/// The certificate of an open connection.
pub(super) struct Shown {
    pub(super) number: u64,
    chain: Vec<CertificateDer<'static>>,
    /// What the certificates of the chain are known by to lists of revoked ones.
    serials: Vec<Vec<u8>>,
    /// When each of the chain expires, in Unix seconds.
    expiries: Vec<i64>,
    /// When to judge it next without a change of files, in Unix seconds: when the next of the chain expires.
    judge_at: AtomicI64,
    /// Why it counts no more.
    pub(super) lost: OnceLock<String>,
    pub(super) waker: AtomicWaker,
}

impl Trust {
    pub(super) fn new(material: Material, naming: Naming) -> Trust {
        Trust {
            material: RwLock::new(Arc::new(material)),
            naming,
            open: Mutex::default(),
            next: AtomicU64::new(0),
            handshakes: Semaphore::new(HANDSHAKES_MAX),
        }
    }

    /// What the next connection is made with.
    pub(crate) fn material(&self) -> Arc<Material> {
        Arc::clone(&self.material.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has the rules of `material` count, for all that are connected too.
    pub(super) fn replace(&self, material: Material) {
        *self.material.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(material);
        self.judge(|_| true);
    }

    /// Ends the connections whose certificates have expired.
    pub(super) fn end_expired(&self) {
        let now = seconds(UnixTime::now());
        self.judge(|shown| shown.judge_at.load(Ordering::Relaxed) <= now);
    }

    /// Takes note of a connection that was made with `material`.
    pub(crate) fn enter(
        self: &Arc<Self>,
        material: &Arc<Material>,
        chain: Option<&[CertificateDer<'static>]>,
    ) -> Certified {
        let chain = chain.unwrap_or_default();
        let nodes = match self.naming {
            Naming::Free => Nodes::default(),
            Naming::Certified => nodes::named(chain.first()),
        };
        if chain.is_empty() {
            return Certified::new(nodes, None);
        }
        let shown = Arc::new(Shown::new(self.next.fetch_add(1, Ordering::Relaxed), chain));
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(shown.number, Arc::clone(&shown));
        drop(open);
        // Whoever replaced the material meanwhile may not have seen this connection yet.
        let current = self.material();
        if !Arc::ptr_eq(material, &current) {
            shown.judge(&current, UnixTime::now());
        }
        Certified::new(nodes, Some((shown, Arc::clone(self))))
    }

    pub(super) fn leave(&self, shown: &Shown) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&shown.number);
    }

    fn judge(&self, wanted: impl Fn(&Shown) -> bool) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut wanted: Vec<Arc<Shown>> =
            open.values().filter(|shown| wanted(shown)).map(Arc::clone).collect();
        drop(open);
        let material = self.material();
        // Each takes a signature over the whole list: whoever is on it does not wait for all others.
        wanted.sort_by_cached_key(|shown| !shown.is_among(&material.revoked));
        let lost = wanted.iter().filter_map(|shown| shown.judge(&material, UnixTime::now()));
        let (count, reason) = lost.fold((0_usize, None), |(count, _), reason| (count + 1, Some(reason)));
        if let Some(reason) = reason {
            tracing::warn!(connections = count, reason, "connections end, their certificates count no more");
        }
    }
}

impl Shown {
    fn new(number: u64, chain: &[CertificateDer<'static>]) -> Shown {
        let parsed = chain.iter().filter_map(|it| X509Certificate::from_der(it).ok());
        let known = parsed.map(|(_, it)| {
            // The last second of its validity is one of it.
            (it.raw_serial().to_vec(), it.validity().not_after.timestamp().saturating_add(1))
        });
        let (serials, expiries): (Vec<_>, Vec<_>) = known.unzip();
        Shown {
            number,
            chain: chain.to_vec(),
            judge_at: AtomicI64::new(expiries.iter().copied().min().unwrap_or(NEVER)),
            serials,
            expiries,
            lost: OnceLock::new(),
            waker: AtomicWaker::new(),
        }
    }

    fn is_among(&self, revoked: &BTreeSet<Vec<u8>>) -> bool {
        self.serials.iter().any(|serial| revoked.contains(serial))
    }

    /// Whether it would still be let in; if not, its connection is told once, and the reason given. One of the chain that has
    /// expired may be one that is not needed, so the next is waited for in any case.
    fn judge(&self, material: &Material, now: UnixTime) -> Option<&str> {
        let (first, rest) = self.chain.split_first()?;
        let verified = material.clients.as_ref()?.verify_client_cert(first, rest, now);
        let later = self.expiries.iter().copied().filter(|at| *at > seconds(now));
        self.judge_at.store(later.min().unwrap_or(NEVER), Ordering::Relaxed);
        let Err(error) = verified else { return None };
        self.lost.set(error.to_string()).ok()?;
        self.waker.wake();
        self.lost.get().map(String::as_str)
    }
}

fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(NEVER)
}

#[cfg(test)]
mod tests;
