//! The files, and what is made of them. What is wrong with one is said by its key in the configuration, and never with
//! anything that is in it.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};

use super::lists;

/// The only protocol that is spoken under TLS, as gRPC wants it.
pub(crate) const ALPN: &[u8] = b"h2";

/// Largest file that is read: a list of a hundred thousand revoked certificates takes 4 MiB.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// The files of the gRPC port, PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// Certificate of this replica, with those between it and its authority.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Authorities that sign the clients' certificates; none lets everybody in.
    pub client_ca: Option<PathBuf>,
    /// Lists of revoked certificates, by these authorities.
    pub client_crl: Option<PathBuf>,
    /// Authorities that may have signed other replicas' certificates; those of clients unless given.
    pub peer_ca: Option<PathBuf>,
    /// For which nodes an agent may speak.
    pub naming: Naming,
}

/// For which nodes an agent may speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// For any, as it says.
    Free,
    /// For those that its certificate names.
    Certified,
}

/// Why files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("{key}: cannot read {}", path.display())]
    Read {
        /// As in the configuration.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{key}: {} holds no {what} in PEM form, or a part of one", path.display())]
    Form {
        /// As in the configuration.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// Certificate and key are not a pair, or of a kind that is not known.
    #[error("tls.certificate and tls.key cannot be used together")]
    Pair(#[source] rustls::Error),
    /// An authority's certificate is none.
    #[error("tls.client_ca: one of its certificates cannot be used")]
    Authority(#[source] rustls::Error),
    /// The authorities and lists make no rule.
    #[error("tls.client_ca and tls.client_crl cannot be used together")]
    Verifier(#[from] VerifierBuilderError),
    /// A list bears the name of an authority that has not signed it. Whoever that authority let in would be turned away.
    #[error(
        "tls.client_crl: a list is by {issuer} as it says, and not signed with the key of each authority of that name in tls.client_ca"
    )]
    List {
        /// As the list says.
        issuer: String,
    },
    /// The library lacks what is needed.
    #[error("TLS cannot be set up")]
    Library(#[source] rustls::Error),
    /// An address of another replica is none.
    #[error("{url} cannot be reached over TLS")]
    Address {
        /// The address.
        url: String,
        /// Why not.
        #[source]
        source: tonic::transport::Error,
    },
}

/// What is in the files of one moment.
#[derive(PartialEq, Eq)]
pub(super) struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
    client_crl: Option<Vec<u8>>,
}

/// What connections are made with.
pub(crate) struct Material {
    /// How this replica shows itself.
    pub(crate) server: Arc<ServerConfig>,
    /// Whom it lets in; everybody when there is none.
    pub(super) clients: Option<Arc<dyn ClientCertVerifier>>,
    /// Serial numbers on the lists, whoever's they are: whom to judge first.
    pub(super) revoked: BTreeSet<Vec<u8>>,
}

impl Files {
    pub(super) fn read(&self) -> Result<Contents, Error> {
        let Files { certificate, key, client_ca, client_crl, peer_ca: _, naming: _ } = self;
        let optional = |key, path: &Option<PathBuf>| path.as_deref().map(|path| read(key, path)).transpose();
        Ok(Contents {
            certificate: read("tls.certificate", certificate)?,
            key: read("tls.key", key)?,
            client_ca: optional("tls.client_ca", client_ca)?,
            client_crl: optional("tls.client_crl", client_crl)?,
        })
    }

    pub(super) fn material(&self, contents: &Contents) -> Result<Material, Error> {
        let form = |key, path: &Path, what| Error::Form { key, path: path.to_owned(), what };
        let Contents { certificate, key, client_ca, client_crl } = contents;
        let chain: Vec<CertificateDer<'static>> =
            several(certificate).ok_or_else(|| form("tls.certificate", &self.certificate, "certificate"))?;
        let key =
            PrivateKeyDer::from_pem_slice(key).map_err(|_| form("tls.key", &self.key, "private key"))?;
        let mut revoked = BTreeSet::new();
        let clients = match (client_ca, &self.client_ca) {
            (Some(client_ca), Some(path)) => {
                let authorities =
                    several(client_ca).ok_or_else(|| form("tls.client_ca", path, "certificate"))?;
                let lists = match (client_crl, &self.client_crl) {
                    (Some(lists), Some(path)) => {
                        let what = "list of revoked certificates";
                        several(lists).ok_or_else(|| form("tls.client_crl", path, what))?
                    }
                    (Some(_) | None, _) => Vec::new(),
                };
                revoked = lists::checked(&lists, &authorities, &provider())?;
                Some(verifier(authorities, lists)?)
            }
            (Some(_) | None, _) => None,
        };
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(Error::Library)?;
        let builder = match &clients {
            Some(clients) => builder.with_client_cert_verifier(Arc::clone(clients)),
            None => builder.with_no_client_auth(),
        };
        let mut server = builder.with_single_cert(chain, key).map_err(Error::Pair)?;
        server.alpn_protocols = vec![ALPN.to_vec()];
        // A session that is resumed would show no certificate; connections here last for months.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        Ok(Material { server: Arc::new(server), clients, revoked })
    }
}

/// Whom to let in. An authority without a list has revoked nothing. A list counts on after its next one was due: to lock a
/// fleet out because a list is late would be the greater harm.
fn verifier(
    authorities: Vec<CertificateDer<'static>>,
    lists: Vec<CertificateRevocationListDer<'static>>,
) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority).map_err(Error::Authority)?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
        .with_crls(lists)
        .allow_unknown_revocation_status();
    Ok(verifier.build()?)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// All of a kind that are in a file: one at least, and none cut off.
fn several<T: PemObject>(pem: &[u8]) -> Option<Vec<T>> {
    let all: Vec<T> = T::pem_slice_iter(pem).collect::<Result<_, _>>().ok()?;
    (!all.is_empty()).then_some(all)
}

pub(super) fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, Error> {
    use io::Read as _;
    let mut contents = Vec::new();
    let read =
        std::fs::File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut contents));
    let read = read.and_then(|count| {
        let fits = count as u64 <= FILE_BYTES_MAX;
        if fits {
            Ok(())
        } else {
            Err(io::Error::new(io::ErrorKind::FileTooLarge, "it has more than 16 MiB"))
        }
    });
    read.map_err(|source| Error::Read { key, path: path.to_owned(), source })?;
    Ok(contents)
}
