//! Where other replicas are, and how they are reached.

use std::sync::Arc;
use std::time::Duration;

use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity, Uri};

use super::files::{self, Error, Files};

/// How long the handshake with a replica may take. The limit of the connection before it says nothing of it: the kernel
/// accepts connections for a process that is stopped, too.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_millis(900);

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
        let mut tls = ClientTlsConfig::new().identity(identity).timeout(HANDSHAKE_TIME_MAX);
        let authorities = match (peer_ca, client_ca) {
            (Some(path), _) => Some(files::read("tls.peer_ca", path)?),
            (None, Some(path)) => Some(files::read("tls.client_ca", path)?),
            (None, None) => None,
        };
        if let Some(authorities) = authorities {
            tls = tls.ca_certificate(Certificate::from_pem(authorities));
        }
        endpoint.tls_config(tls).map_err(|source| Error::Address { url: uri.to_string(), source })
    }
}

/// The innermost cause: "Connection refused" says more than "transport error".
pub(crate) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use tokio::net::TcpListener;

    use super::*;
    use crate::tls::Naming;

    /// Files of one certificate that is its own authority.
    fn files(folder: &Path) -> Files {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let put = |name: &str, text: String| -> PathBuf {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        Files {
            certificate: put("it.pem", cert.pem()),
            key: put("key.pem", signing_key.serialize_pem()),
            client_ca: Some(put("ca.pem", cert.pem())),
            client_crl: None,
            peer_ca: None,
            naming: Naming::Free,
        }
    }

    #[tokio::test]
    async fn a_replica_that_is_stopped_keeps_nobody_waiting() {
        let folder = tempfile::tempdir().unwrap();
        // The kernel accepts, and nobody answers.
        let stopped = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri: Uri = format!("https://{}", stopped.local_addr().unwrap()).parse().unwrap();
        let addresses = Addresses::new(vec![uri.clone()], Some(&files(folder.path())));
        let endpoint = addresses.endpoint(&uri).unwrap();
        let error =
            tokio::time::timeout(20 * HANDSHAKE_TIME_MAX, endpoint.connect()).await.unwrap().unwrap_err();
        assert!(root_cause(&error).contains("handshake"), "{error:?}");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named_by_its_own_key() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        std::fs::remove_file(folder.path().join("ca.pem")).unwrap();
        let uri: Uri = "https://127.0.0.1:1".parse().unwrap();
        let told = |files: &Files| {
            Addresses::new(vec![uri.clone()], Some(files)).endpoint(&uri).unwrap_err().to_string()
        };
        assert!(told(&files).starts_with("tls.client_ca: "), "{}", told(&files));
        let files = Files { peer_ca: files.client_ca.clone(), ..files };
        assert!(told(&files).starts_with("tls.peer_ca: "), "{}", told(&files));
    }
}
