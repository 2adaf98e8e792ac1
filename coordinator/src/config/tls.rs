//! TLS of the gRPC port: the table `[tls]`.

use std::path::PathBuf;

use serde::Deserialize;

use super::Error;
use crate::tls::{Files, Naming};

/// The table, as in the file, the variables and the flags.
#[derive(Clone, Debug, Default, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawTls {
    /// Certificate of this replica (PEM): with it the gRPC port speaks TLS and nothing else [default: none].
    #[arg(long = "tls-certificate", env = "OSTLER_TLS_CERTIFICATE", value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Its key (PEM) [default: none].
    #[arg(long = "tls-key", env = "OSTLER_TLS_KEY", value_name = "FILE")]
    key: Option<PathBuf>,
    /// Authorities (PEM) of clients, which must show a certificate then [default: none].
    #[arg(long = "tls-client-ca", env = "OSTLER_TLS_CLIENT_CA", value_name = "FILE")]
    client_ca: Option<PathBuf>,
    /// Lists of revoked certificates of these authorities (PEM) [default: none].
    #[arg(long = "tls-client-crl", env = "OSTLER_TLS_CLIENT_CRL", value_name = "FILE")]
    client_crl: Option<PathBuf>,
    /// Whether an agent speaks only for nodes that its certificate names [default: false].
    #[arg(long = "tls-node-names", env = "OSTLER_TLS_NODE_NAMES", value_name = "BOOL")]
    node_names: Option<bool>,
    /// Authorities (PEM) of other replicas, which are `https://` in `peers` [default: those of clients].
    #[arg(long = "tls-peer-ca", env = "OSTLER_TLS_PEER_CA", value_name = "FILE")]
    peer_ca: Option<PathBuf>,
}

impl RawTls {
    /// These values where there are any, else the others.
    pub(super) fn over(self, other: RawTls) -> RawTls {
        RawTls {
            certificate: self.certificate.or(other.certificate),
            key: self.key.or(other.key),
            client_ca: self.client_ca.or(other.client_ca),
            client_crl: self.client_crl.or(other.client_crl),
            node_names: self.node_names.or(other.node_names),
            peer_ca: self.peer_ca.or(other.peer_ca),
        }
    }

    pub(super) fn check(self) -> Result<Option<Files>, Error> {
        let RawTls { certificate, key, client_ca, client_crl, node_names, peer_ca } = self;
        let naming = if node_names == Some(true) { Naming::Certified } else { Naming::Free };
        let alone = |name, range| Error::Range { key: name, value: "given alone".to_owned(), range };
        if client_crl.is_some() && client_ca.is_none() {
            return Err(alone("tls.client_crl", "given together with tls.client_ca"));
        }
        if naming == Naming::Certified && client_ca.is_none() {
            return Err(alone("tls.node_names", "given together with tls.client_ca"));
        }
        match (certificate, key) {
            (Some(certificate), Some(key)) => {
                Ok(Some(Files { certificate, key, client_ca, client_crl, peer_ca, naming }))
            }
            (None, None) if client_ca.is_none() && peer_ca.is_none() => Ok(None),
            (None, None) => Err(alone(
                if client_ca.is_some() { "tls.client_ca" } else { "tls.peer_ca" },
                "given together with tls.certificate and tls.key",
            )),
            (Some(_), None) => Err(alone("tls.certificate", "given together with tls.key")),
            (None, Some(_)) => Err(alone("tls.key", "given together with tls.certificate")),
        }
    }
}
