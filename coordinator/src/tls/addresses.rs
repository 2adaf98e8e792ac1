//! Where other replicas are, and how they are reached.

use std::sync::Arc;

use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity, Uri};

use super::files::{self, Error, Files};

/// Addresses of replicas, and the files for those that are `https://`; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    uris: Arc<[Uri]>,
    files: Option<Arc<Files>>,
}

impl Addresses {
    /// These addresses; `files` are those of this replica's own port.
    pub fn new(uris: Vec<Uri>, files: Option<&Files>) -> Addresses {
        Addresses { uris: uris.into(), files: files.cloned().map(Arc::new) }
    }

    /// The addresses.
    pub fn uris(&self) -> &[Uri] {
        &self.uris
    }

    /// How the replica at an address is reached. Its files are read each time, so that renewed ones count.
    pub fn endpoint(&self, uri: &Uri) -> Result<Endpoint, Error> {
        let endpoint = Endpoint::from(uri.clone());
        let Some(files) = self.files.as_deref().filter(|_| uri.scheme_str() == Some("https")) else {
            return Ok(endpoint);
        };
        let Files { certificate, key, client_ca, client_crl: _, peer_ca, naming: _ } = files;
        let identity =
            Identity::from_pem(files::read("tls.certificate", certificate)?, files::read("tls.key", key)?);
        let mut tls = ClientTlsConfig::new().identity(identity);
        if let Some(authorities) = peer_ca.as_ref().or(client_ca.as_ref()) {
            tls = tls.ca_certificate(Certificate::from_pem(files::read("tls.peer_ca", authorities)?));
        }
        endpoint.tls_config(tls).map_err(|source| Error::Address { url: uri.to_string(), source })
    }
}
