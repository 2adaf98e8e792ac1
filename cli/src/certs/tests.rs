use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use clap::Parser;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{CertificateError, RootCertStore};
use x509_parser::prelude::GeneralName;

use super::*;
use crate::args::{Cli, Command};

fn certs(line: &str) -> Result<Vec<PathBuf>, Error> {
    let cli = Cli::try_parse_from(["ostler", "certs"].into_iter().chain(line.split(' ')));
    let cli = cli.map_err(|error| Error::Usage(error.to_string()))?;
    let Command::Certs(Certs { what }) = cli.command else { panic!("certs was asked for") };
    match what {
        What::Init { folder, how } => {
            init(&folder, how.days_of_authority(), if how.force { Put::Over } else { Put::New })
        }
        What::Issue(options) => issue(options),
        What::Revoke { folder, certificate } => revoke(&folder, &certificate),
    }
}

#[test]
fn files_are_their_owners_and_are_not_replaced_unless_forced() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("pki").display().to_string();
    let issue = format!("issue {at} --node gpu-01");
    assert!(certs(&issue).unwrap_err().to_string().contains("certs init"));
    let mut made = certs(&format!("init {at}")).unwrap();
    made.extend(certs(&issue).unwrap());
    for path in &made {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
    let before = fs::read(&made[4]).unwrap();
    for line in [&issue, &format!("init {at}")] {
        assert!(certs(line).unwrap_err().to_string().contains("--force"), "{line}");
    }
    assert_eq!(fs::read(&made[4]).unwrap(), before);
    certs(&format!("{issue} --force")).unwrap();
    assert_ne!(fs::read(&made[4]).unwrap(), before);
}

#[test]
fn a_certificate_names_what_it_is_for_and_for_how_long() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    certs(&format!("init {at}")).unwrap();
    let cases = [
        ("--node gpu-01", "node-gpu-01.pem", "spiffe://ostler/node/gpu-01", false),
        ("--operator ann", "operator-ann.pem", "spiffe://ostler/operator/ann", false),
        ("--coordinator c0.yard 10.0.0.1", "coordinator-c0.yard.pem", "c0.yard", true),
    ];
    for (whose, file, name, serves) in cases {
        certs(&format!("issue {at} --days 2 {whose}")).unwrap();
        let (_, pem) = parse_x509_pem(&fs::read(folder.path().join(file)).unwrap()).unwrap();
        let parsed = pem.parse_x509().unwrap();
        let names = parsed.subject_alternative_name().unwrap().unwrap();
        let named = |it: &GeneralName<'_>| matches!(it, GeneralName::URI(it) | GeneralName::DNSName(it) if *it == name);
        assert!(names.value.general_names.iter().any(named), "{names:?}");
        let usage = parsed.extended_key_usage().unwrap().unwrap().value;
        assert_eq!((usage.client_auth, usage.server_auth), (true, serves));
        let validity = parsed.validity();
        let lasts = validity.not_after.timestamp() - validity.not_before.timestamp();
        assert_eq!(lasts as u64, 2 * DAY_S + EARLIER_S);
    }
    assert!(certs(&format!("issue {at} --node a/b")).unwrap_err().to_string().contains("letters"));
    assert!(
        certs(&format!("issue {at}")).is_err()
            && certs(&format!("issue {at} --node a --operator b")).is_err()
    );
}

#[test]
fn the_list_keeps_what_was_revoked_before() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    certs(&format!("init {at}")).unwrap();
    let count = || {
        let (_, pem) = parse_x509_pem(&fs::read(folder.path().join(CRL)).unwrap()).unwrap();
        let (_, list) = CertificateRevocationList::from_der(&pem.contents).unwrap();
        list.iter_revoked_certificates().count()
    };
    assert_eq!(count(), 0, "there is one from the start");
    for (name, counted) in [("a", 1), ("b", 2), ("b", 2)] {
        let _ = certs(&format!("issue {at} --node {name}"));
        certs(&format!("revoke {at} {at}/node-{name}.pem")).unwrap();
        assert_eq!(count(), counted);
    }
}

#[test]
fn what_is_of_two_authorities_is_not_mixed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (one, two) = (at("one"), at("two"));
    for authority in [&one, &two] {
        certs(&format!("init {authority}")).unwrap();
        certs(&format!("issue {authority} --node a")).unwrap();
    }
    let refused = certs(&format!("revoke {two} {one}/node-a.pem")).unwrap_err().to_string();
    assert!(refused.contains("another authority"), "{refused}");
    fs::copy(at("one/ca-key.pem"), at("two/ca-key.pem")).unwrap();
    let refused = certs(&format!("issue {two} --node b")).unwrap_err().to_string();
    assert!(refused.contains("not of one authority"), "{refused}");
}

/// What the coordinator's verifier says of a certificate, given several authorities and their lists.
fn verify(folders: &[&str], certificate: &str) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    let mut lists = Vec::new();
    for folder in folders {
        roots.add(CertificateDer::from_pem_file(format!("{folder}/{CA}")).unwrap()).unwrap();
        lists.push(CertificateRevocationListDer::from_pem_file(format!("{folder}/{CRL}")).unwrap());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .with_crls(lists)
        .allow_unknown_revocation_status()
        .build()
        .unwrap();
    let certificate = CertificateDer::from_pem_file(certificate).unwrap();
    verifier.verify_client_cert(&certificate, &[], UnixTime::now()).map(drop)
}

#[test]
fn while_an_authority_is_changed_the_lists_of_both_count() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (old, new) = (at("old"), at("new"));
    for authority in [&old, &new] {
        certs(&format!("init {authority}")).unwrap();
        for node in ["good", "bad"] {
            certs(&format!("issue {authority} --node {node}")).unwrap();
        }
        certs(&format!("revoke {authority} {authority}/node-bad.pem")).unwrap();
    }
    for folders in [[&*old, &*new], [&*new, &*old]] {
        for authority in folders {
            assert_eq!(verify(&folders, &format!("{authority}/node-good.pem")), Ok(()));
            let revoked = verify(&folders, &format!("{authority}/node-bad.pem"));
            assert_eq!(revoked, Err(rustls::Error::InvalidCertificate(CertificateError::Revoked)));
        }
    }
}
