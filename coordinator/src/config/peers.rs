//! Where the other replicas are.

use tonic::transport::Uri;

use super::{Error, Raw, Store, within};
use crate::tls::Files;

/// Replicas of one fleet, this one included.
const PEERS_MAX: usize = 16;

impl Raw {
    pub(super) fn checked_peers(&self, store: &Store, tls: Option<&Files>) -> Result<Vec<Uri>, Error> {
        let given = self.peers.as_deref().unwrap_or_default();
        let shared = matches!(store, Store::Etcd { .. });
        within(given.is_empty() || shared, "peers", "given", "left out unless store is \"etcd\"")?;
        within(given.len() <= PEERS_MAX, "peers", format!("{} addresses", given.len()), "at most 16")?;
        let range = "http://host:port, for example \"http://coordinator-1.coordinator:7400\", or https:// with tls.certificate and tls.client_ca or tls.peer_ca";
        let secure = tls.is_some_and(|tls| tls.peer_ca.is_some() || tls.client_ca.is_some());
        let peer = |text: &String| {
            let uri = text.parse::<Uri>().ok();
            let usable = |uri: &Uri| {
                let spoken = uri.scheme_str() == Some("http") || secure && uri.scheme_str() == Some("https");
                spoken && uri.port_u16().is_some() && matches!(uri.path(), "" | "/")
            };
            let wrong = || Error::Range { key: "peers", value: text.clone(), range };
            uri.filter(usable).ok_or_else(wrong)
        };
        given.iter().map(peer).collect()
    }
}
