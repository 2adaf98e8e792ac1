//! `ostler certs`: a small authority and its certificates, for who has none. Files and nothing else: whoever has the folder
//! is the authority.

pub(crate) mod args;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData, RevokedCertParams, SanType,
    SerialNumber, date_time_ymd,
};
use serde_json::json;
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::{CertificateRevocationList, FromDer};

use self::args::{Certs, Issue, What, Whose};
use crate::error::Error;
use crate::output::Output;

/// The authority's files.
const CA: &str = "ca.pem";
const CA_KEY: &str = "ca-key.pem";
const CRL: &str = "crl.pem";

/// Seconds that certificates are valid before they are made: clocks differ.
const EARLIER_S: u64 = 3_600;

/// Seconds of a day.
const DAY_S: u64 = 86_400;

/// Bytes of a key's identifier that tell its authority from others.
const KEY_ID_BYTES: usize = 8;

/// Days after which the next list of revoked certificates is due. Coordinators let an old one count.
const LIST_DAYS: u32 = 36_500;

/// Makes what is asked for.
pub(crate) fn run(options: Certs, output: Output) -> Result<(), Error> {
    let made = match options.what {
        What::Init { folder, how } => {
            let put = if how.force { Put::Over } else { Put::New };
            init(&folder, how.days_of_authority(), put)?
        }
        What::Issue(options) => issue(options)?,
        What::Revoke { folder, certificate } => revoke(&folder, &certificate)?,
    };
    if output.for_programs() {
        return output.value(&json!({ "files": made }));
    }
    made.iter().try_for_each(|path| output.line(&path.display().to_string()))
}

/// What becomes of a file that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    New,
    Over,
}

/// Makes an authority with an empty list.
pub(crate) fn init(folder: &Path, days: u32, put: Put) -> Result<Vec<PathBuf>, Error> {
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    let key = KeyPair::generate().map_err(unmade)?;
    // Lists are told apart by the names of their authorities: no two may have the same.
    let key_id = CertificateParams::default().key_identifier(&key);
    let key_id: String = key_id.iter().take(KEY_ID_BYTES).map(|byte| format!("{byte:02x}")).collect();
    let mut params = params(&format!("Ostler authority {key_id}"), days);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = params.self_signed(&key).map_err(unmade)?.pem();
    let key_pem = key.serialize_pem();
    // Coordinators want to find a list when they start, so that it can grow while they run.
    let list = revoked(&Issuer::new(params, key), BTreeSet::new())?;
    write_all(
        &[(folder.join(CA_KEY), key_pem), (folder.join(CA), certificate), (folder.join(CRL), list)],
        put,
    )
}

fn issue(options: Issue) -> Result<Vec<PathBuf>, Error> {
    let Issue { folder, whose, how } = options;
    let issuer = authority(&folder)?;
    let (file, name, names) = whose.names()?;
    let mut params = params(&name, how.days());
    params.subject_alt_names = names;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    // A coordinator asks other replicas, too.
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    if whose.coordinator.is_some() {
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
    }
    let key = KeyPair::generate().map_err(unmade)?;
    let certificate = params.signed_by(&key, &issuer).map_err(unmade)?;
    let put = if how.force { Put::Over } else { Put::New };
    let path = |end: &str| folder.join(format!("{file}{end}"));
    write_all(&[(path("-key.pem"), key.serialize_pem()), (path(".pem"), certificate.pem())], put)
}

impl Whose {
    /// Name of the files, of the certificate, and all that it names.
    fn names(&self) -> Result<(String, String, Vec<SanType>), Error> {
        let uri = |kind: &str, name: &str| {
            let usable =
                !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
            let wrong = || Error::Usage(format!("--{kind} {name:?}: use letters, digits, '.', '_' and '-'"));
            let uri = format!("spiffe://ostler/{kind}/{name}").try_into().map_err(|_| wrong())?;
            if usable {
                Ok((format!("{kind}-{name}"), name.to_owned(), vec![SanType::URI(uri)]))
            } else {
                Err(wrong())
            }
        };
        let Whose { node, coordinator, operator } = self;
        match (node, coordinator, operator) {
            (Some(node), _, _) => uri("node", node),
            (_, _, Some(operator)) => uri("operator", operator),
            (_, hosts, _) => {
                let hosts = hosts.as_deref().unwrap_or_default();
                let first = hosts.first().map_or("localhost", String::as_str);
                let all = hosts.iter().map(String::as_str).chain(["localhost", "127.0.0.1", "::1"]);
                let all: Vec<String> = all.map(str::to_owned).collect();
                let names = CertificateParams::new(all).map_err(|_| {
                    Error::Usage(format!(
                        "--coordinator {}: use names and addresses of hosts",
                        hosts.join(" ")
                    ))
                })?;
                let file = first.replace(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c)), "_");
                Ok((format!("coordinator-{file}"), first.to_owned(), names.subject_alt_names))
            }
        }
    }
}

fn revoke(folder: &Path, certificate: &Path) -> Result<Vec<PathBuf>, Error> {
    let issuer = authority(folder)?;
    let wrong = |path: &Path| Error::Failed(format!("{}: it is not what it should be", path.display()));
    let (_, pem) = parse_x509_pem(&read(certificate)?).map_err(|_| wrong(certificate))?;
    let parsed = pem.parse_x509().map_err(|_| wrong(certificate))?;
    let (_, ca) = parse_x509_pem(&read(&folder.join(CA))?).map_err(|_| wrong(folder))?;
    let ca = ca.parse_x509().map_err(|_| wrong(folder))?;
    if parsed.issuer().as_raw() != ca.subject().as_raw()
        || parsed.verify_signature(Some(ca.public_key())).is_err()
    {
        let (certificate, folder) = (certificate.display(), folder.display());
        let text = format!("{certificate} is by another authority than that in {folder}: revoke it there");
        return Err(Error::Failed(text));
    }
    let list = folder.join(CRL);
    let mut serials = BTreeSet::from([parsed.raw_serial().to_vec()]);
    if list.exists() {
        let (_, pem) = parse_x509_pem(&read(&list)?).map_err(|_| wrong(&list))?;
        let (_, known) = CertificateRevocationList::from_der(&pem.contents).map_err(|_| wrong(&list))?;
        serials.extend(known.iter_revoked_certificates().map(|it| it.raw_serial().to_vec()));
    }
    write_all(&[(list, revoked(&issuer, serials)?)], Put::Over)
}

/// The list of certificates with these serial numbers.
fn revoked(issuer: &Issuer<'_, KeyPair>, serials: BTreeSet<Vec<u8>>) -> Result<String, Error> {
    let now = date_time_ymd(1970, 1, 1) + from_now(0);
    let revoked = |serial: Vec<u8>| RevokedCertParams {
        serial_number: SerialNumber::from_slice(&serial),
        revocation_time: now,
        reason_code: None,
        invalidity_date: None,
    };
    let params = CertificateRevocationListParams {
        this_update: now,
        next_update: date_time_ymd(1970, 1, 1) + from_now(LIST_DAYS),
        crl_number: SerialNumber::from(from_now(0).as_secs()),
        issuing_distribution_point: None,
        revoked_certs: serials.into_iter().map(revoked).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(issuer).and_then(|list| list.pem()).map_err(unmade)
}

fn authority(folder: &Path) -> Result<Issuer<'static, KeyPair>, Error> {
    let text = |name| {
        let path = folder.join(name);
        let text = String::from_utf8(read(&path)?);
        text.map_err(|_| Error::Failed(format!("{}: it is no PEM", path.display())))
    };
    let (certificate, key) = (text(CA)?, text(CA_KEY)?);
    let unusable =
        || Error::Failed(format!("{}: {CA} and {CA_KEY} are not an authority's", folder.display()));
    let key = KeyPair::from_pem(&key).map_err(|_| unusable())?;
    let (_, pem) = parse_x509_pem(certificate.as_bytes()).map_err(|_| unusable())?;
    if pem.parse_x509().map_err(|_| unusable())?.public_key().raw != key.subject_public_key_info() {
        let text = format!("{}: {CA} and {CA_KEY} are not of one authority", folder.display());
        return Err(Error::Failed(text));
    }
    Issuer::from_ca_cert_pem(&certificate, key).map_err(|_| unusable())
}

fn params(name: &str, days: u32) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Ostler");
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(1970, 1, 1) + (from_now(0) - Duration::from_secs(EARLIER_S));
    params.not_after = date_time_ymd(1970, 1, 1) + from_now(days);
    params
}

/// So many days from now, since 1970.
fn from_now(days: u32) -> Duration {
    Duration::from_secs(Timestamp::now().as_second().unsigned_abs() + u64::from(days) * DAY_S)
}

/// Writes files that only their owner reads; either all are new, or the old ones are replaced one by one at a stroke.
fn write_all(files: &[(PathBuf, String)], put: Put) -> Result<Vec<PathBuf>, Error> {
    if put == Put::New
        && let Some((path, _)) = files.iter().find(|(path, _)| path.exists())
    {
        let text = format!("{} is there already; --force replaces it", path.display());
        return Err(Error::Failed(text));
    }
    for (path, text) in files {
        let next = path.with_extension("new");
        let write = || {
            let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&next)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&next, path)
        };
        // Of a run that was cut off.
        let _ = fs::remove_file(&next);
        write().map_err(|error| failed(path, &error))?;
    }
    Ok(files.iter().map(|(path, _)| path.clone()).collect())
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let hint = if path.ends_with(CA) { "; `ostler certs init` makes an authority" } else { "" };
    fs::read(path).map_err(|error| Error::Failed(format!("cannot read {}: {error}{hint}", path.display())))
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::Failed(format!("cannot write {}: {error}", path.display()))
}

fn unmade(error: rcgen::Error) -> Error {
    Error::Failed(format!("cannot make it: {error}"))
}

#[cfg(test)]
mod tests;
