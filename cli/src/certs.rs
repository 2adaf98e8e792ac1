//! `ostler certs`: a small authority and its certificates, for who has none. Files and nothing else: whoever has the folder
//! is the authority.

pub(crate) mod args;

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber,
    date_time_ymd,
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
enum Put {
    New,
    Over,
}

fn init(folder: &Path, days: u32, put: Put) -> Result<Vec<PathBuf>, Error> {
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    let mut params = params("Ostler authority", days);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().map_err(unmade)?;
    let certificate = params.self_signed(&key).map_err(unmade)?;
    write_all(&[(folder.join(CA_KEY), key.serialize_pem()), (folder.join(CA), certificate.pem())], put)
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
    let list = folder.join(CRL);
    let mut serials = Vec::new();
    if list.exists() {
        let (_, pem) = parse_x509_pem(&read(&list)?).map_err(|_| wrong(&list))?;
        let (_, known) = CertificateRevocationList::from_der(&pem.contents).map_err(|_| wrong(&list))?;
        serials.extend(known.iter_revoked_certificates().map(|it| it.raw_serial().to_vec()));
    }
    serials.push(parsed.raw_serial().to_vec());
    serials.sort();
    serials.dedup();
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
    let text = params.signed_by(&issuer).and_then(|list| list.pem()).map_err(unmade)?;
    write_all(&[(list, text)], Put::Over)
}

fn authority(folder: &Path) -> Result<Issuer<'static, KeyPair>, Error> {
    let text = |name| {
        let path = folder.join(name);
        let text = String::from_utf8(read(&path)?);
        text.map_err(|_| Error::Failed(format!("{}: it is no PEM", path.display())))
    };
    let (certificate, key) = (text(CA)?, text(CA_KEY)?);
    let unusable =
        |_| Error::Failed(format!("{}: {CA} and {CA_KEY} are not an authority's", folder.display()));
    let key = KeyPair::from_pem(&key).map_err(unusable)?;
    Issuer::from_ca_cert_pem(&certificate, key).map_err(unusable)
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
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use clap::Parser;
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
        let before = fs::read(&made[3]).unwrap();
        for line in [&issue, &format!("init {at}")] {
            assert!(certs(line).unwrap_err().to_string().contains("--force"), "{line}");
        }
        assert_eq!(fs::read(&made[3]).unwrap(), before);
        certs(&format!("{issue} --force")).unwrap();
        assert_ne!(fs::read(&made[3]).unwrap(), before);
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
        for (name, count) in [("a", 1), ("b", 2), ("b", 2)] {
            let _ = certs(&format!("issue {at} --node {name}"));
            certs(&format!("revoke {at} {at}/node-{name}.pem")).unwrap();
            let (_, pem) = parse_x509_pem(&fs::read(folder.path().join(CRL)).unwrap()).unwrap();
            let (_, list) = CertificateRevocationList::from_der(&pem.contents).unwrap();
            assert_eq!(list.iter_revoked_certificates().count(), count);
        }
    }
}
