//! What counts now, and the connections that stand on it.

use std::collections::BTreeMap;
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
    /// When to judge it next without a change of files, in Unix seconds: when the first of the chain expires.
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
        let now = i64::try_from(UnixTime::now().as_secs()).unwrap_or(NEVER);
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
        let shown = Arc::new(Shown {
            number: self.next.fetch_add(1, Ordering::Relaxed),
            chain: chain.to_vec(),
            judge_at: AtomicI64::new(chain.iter().map(expires).min().unwrap_or(NEVER)),
            lost: OnceLock::new(),
            waker: AtomicWaker::new(),
        });
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(shown.number, Arc::clone(&shown));
        drop(open);
        // Whoever replaced the material meanwhile may not have seen this connection yet.
        let current = self.material();
        if !Arc::ptr_eq(material, &current) {
            shown.judge(&current);
        }
        Certified::new(nodes, Some((shown, Arc::clone(self))))
    }

    pub(super) fn leave(&self, shown: &Shown) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&shown.number);
    }

    fn judge(&self, wanted: impl Fn(&Shown) -> bool) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted: Vec<Arc<Shown>> = open.values().filter(|shown| wanted(shown)).map(Arc::clone).collect();
        drop(open);
        let material = self.material();
        let lost = wanted.iter().filter_map(|shown| shown.judge(&material));
        let (count, reason) = lost.fold((0_usize, None), |(count, _), reason| (count + 1, Some(reason)));
        if let Some(reason) = reason {
            tracing::warn!(connections = count, reason, "connections end, their certificates count no more");
        }
    }
}

impl Shown {
    /// Whether it would still be let in; if not, its connection is told once, and the reason given.
    fn judge(&self, material: &Material) -> Option<&str> {
        let (first, rest) = self.chain.split_first()?;
        let verified = material.clients.as_ref()?.verify_client_cert(first, rest, UnixTime::now());
        self.judge_at.store(NEVER, Ordering::Relaxed);
        let Err(error) = verified else { return None };
        self.lost.set(error.to_string()).ok()?;
        self.waker.wake();
        self.lost.get().map(String::as_str)
    }
}

/// The last second of a certificate.
fn expires(certificate: &CertificateDer<'_>) -> i64 {
    let parsed = X509Certificate::from_der(certificate);
    parsed.map_or(NEVER, |(_, parsed)| parsed.validity().not_after.timestamp().saturating_add(1))
}
