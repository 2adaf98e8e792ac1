//! The nodes that a certificate names.

use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::ingest::Nodes;

/// The names in a certificate that nodes may have: what follows `/node/` in a URI as SPIFFE writes them
/// (`spiffe://TRUST-DOMAIN/node/NAME`), and DNS names, which certificates of hosts have already.
pub(super) fn named(certificate: Option<&CertificateDer<'_>>) -> Nodes {
    let parsed = certificate.and_then(|certificate| X509Certificate::from_der(certificate).ok());
    let extension = parsed.as_ref().and_then(|(_, parsed)| parsed.subject_alternative_name().ok().flatten());
    let names = extension.iter().flat_map(|extension| &extension.value.general_names).filter_map(node);
    Nodes::only(names.map(str::to_owned))
}

fn node<'a>(name: &GeneralName<'a>) -> Option<&'a str> {
    match name {
        GeneralName::DNSName(name) => Some(name),
        GeneralName::URI(uri) => {
            let (_, path) = uri.strip_prefix("spiffe://")?.split_once('/')?;
            path.strip_prefix("node/").filter(|name| !name.is_empty() && !name.contains('/'))
        }
        GeneralName::OtherName(..)
        | GeneralName::RFC822Name(_)
        | GeneralName::X400Address(_)
        | GeneralName::DirectoryName(_)
        | GeneralName::EDIPartyName(_)
        | GeneralName::IPAddress(_)
        | GeneralName::RegisteredID(_)
        | GeneralName::Invalid(..) => None,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SanType};

    use super::*;

    #[test]
    fn nodes_are_named_by_their_uri_and_by_names_of_hosts_and_by_nothing_else() {
        let uri = |text: &str| SanType::URI(text.try_into().unwrap());
        let mut params =
            CertificateParams::new(vec!["gpu-02.yard".to_owned(), "10.0.0.1".to_owned()]).unwrap();
        params.subject_alt_names.extend([
            uri("spiffe://ostler/node/gpu-01"),
            uri("spiffe://ostler/operator/ann"),
            uri("https://ostler/node/gpu-03"),
            uri("spiffe://ostler/node/gpu-04/more"),
        ]);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let nodes = named(Some(certificate.der()));
        for name in ["gpu-01", "gpu-02.yard"] {
            assert!(nodes.check(name).is_ok(), "{name}");
        }
        for name in ["ann", "gpu-03", "gpu-04", "more", "10.0.0.1", "yard", ""] {
            assert!(nodes.check(name).is_err(), "{name}");
        }
        assert!(named(None).check("gpu-01").is_err(), "no certificate names no node");
    }
}
