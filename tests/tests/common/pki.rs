//! Authorities and certificates, as files that a test can replace under running programs.

use std::{
    fs,
    path::PathBuf,
    process::Command,
    time::{Duration, SystemTime},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use tempfile::TempDir;

use super::build;

/// Longest life of a certificate here unless the test says less.
const HOUR: Duration = Duration::from_secs(3_600);

/// An authority made here, for certificates that `ostler certs` does not make: short ones, and those of a second authority.
pub(crate) struct Authority {
    pub(crate) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = params(name, HOUR);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// A certificate for 127.0.0.1 and this node, good for both sides.
    pub(crate) fn issue(&self, node: &str, lasts: Duration) -> Pair {
        let mut params = params(node, lasts);
        let uri = format!("spiffe://ostler/node/{node}").try_into().unwrap();
        params.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 1].into()), SanType::URI(uri)];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Pair { certificate, key: key.serialize_pem() }
    }

    /// One that lasts as long as a test may.
    pub(crate) fn lasting(&self, node: &str) -> Pair {
        self.issue(node, HOUR)
    }
}

fn params(name: &str, lasts: Duration) -> CertificateParams {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(1970, 1, 1) + (now - HOUR);
    params.not_after = date_time_ymd(1970, 1, 1) + (now + lasts);
    params
}

/// A folder of certificates.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// One with an authority by `ostler certs`, and a certificate of it for a coordinator here.
    pub(crate) fn with_authority() -> Self {
        let folder = Self::new();
        folder.certs(&["init"], &[]);
        folder.certs(&["issue"], &["--coordinator", "127.0.0.1"]);
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The path as an argument.
    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Replaces a file at a stroke.
    pub(crate) fn put(&self, name: &str, text: &str) {
        fs::write(self.path("next"), text).unwrap();
        fs::rename(self.path("next"), self.path(name)).unwrap();
    }

    /// Puts `NAME.pem` and `NAME-key.pem`.
    pub(crate) fn put_pair(&self, name: &str, pair: &Pair) {
        self.put(&format!("{name}.pem"), &pair.certificate);
        self.put(&format!("{name}-key.pem"), &pair.key);
    }

    /// Runs `ostler certs` on this folder.
    pub(crate) fn certs(&self, what: &[&str], how: &[&str]) {
        let mut command = Command::new(build::build().join("ostler"));
        let output = command.arg("certs").args(what).arg(self.0.path()).args(how).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
