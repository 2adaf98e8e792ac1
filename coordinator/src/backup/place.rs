//! Where copies of a backup are: files of a folder, or objects of an S3-compatible bucket under a prefix.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use jiff::Timestamp;

use super::Error;
use super::folder::Folder;
use super::s3::{self, Bucket};

/// The end of every backup's name.
const SUFFIX: &str = ".backup";

/// How a name that we gave begins.
pub(super) const PREFIX: &str = "ostler-";

/// How the moment stands in a name, so that names in order are moments in order.
const MOMENT: &str = "%Y%m%dT%H%M%SZ";

/// Digits of the file's checksum in a name: two hosts that make a backup in the same second do not give it the same name.
const DIGITS: usize = 8;

/// A target or source as an operator writes it. What ends in `.backup` is one backup; anything else is a folder of them,
/// `s3://bucket/prefix` one in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    root: Root,
    /// The backup that is meant; none for the folder.
    name: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Root {
    Folder(PathBuf),
    /// The prefix is empty or ends in a slash.
    Bucket {
        bucket: String,
        prefix: String,
    },
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Target, String> {
        let Some(rest) = text.strip_prefix("s3://") else { return local(text) };
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let (prefix, name) = match key.rsplit_once('/') {
            _ if !key.ends_with(SUFFIX) => (key, None),
            Some((prefix, name)) => (prefix, Some(name.to_owned())),
            None => ("", Some(key.to_owned())),
        };
        let prefix = prefix.trim_end_matches('/');
        if bucket.is_empty() {
            return Err("write s3://BUCKET/PREFIX".to_owned());
        }
        // An address resolves these parts away, and would name another object.
        if prefix.split('/').chain(name.as_deref()).any(|part| part == "." || part == "..") {
            return Err("a prefix has no parts \".\" and \"..\"".to_owned());
        }
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Target { root: Root::Bucket { bucket: bucket.to_owned(), prefix }, name })
    }
}

fn local(text: &str) -> Result<Target, String> {
    if let Some((scheme, _)) = text.split_once("://") {
        return Err(format!("{scheme}:// is not known; write a path or s3://BUCKET/PREFIX"));
    }
    if text.is_empty() {
        return Err("write a path or s3://BUCKET/PREFIX".to_owned());
    }
    let (folder, name) = match text.rsplit_once('/') {
        _ if !text.ends_with(SUFFIX) => (text, None),
        Some(("", name)) => ("/", Some(name.to_owned())),
        Some((folder, name)) => (folder, Some(name.to_owned())),
        None => (".", Some(text.to_owned())),
    };
    Ok(Target { root: Root::Folder(folder.into()), name })
}

impl Target {
    /// Whether one backup is meant, and not a folder of them.
    pub fn is_one(&self) -> bool {
        self.name.is_some()
    }

    /// The name of a backup that is made now and has this checksum, in hexadecimal.
    pub(super) fn name_at(&self, now: Timestamp, sha256: &str) -> String {
        self.name.clone().unwrap_or_else(|| name_of(now, sha256))
    }

    /// The name of the backup that is meant: of a folder the newest.
    pub(super) async fn name_in(&self, place: &Place) -> Result<String, Error> {
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        let newest = place.names().await?.pop();
        newest.ok_or_else(|| Error::NoBackup { place: place.url("") })
    }

    /// Opens the folder or bucket.
    pub(super) fn open(&self, s3: &s3::Settings) -> Result<Place, Error> {
        match &self.root {
            Root::Folder(path) => Ok(Place::Folder(Folder::new(path))),
            Root::Bucket { bucket, prefix } => Ok(Place::Bucket(Box::new(Bucket::open(s3, bucket, prefix)?))),
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.name.as_deref().unwrap_or_default();
        match &self.root {
            Root::Folder(path) => write!(f, "{}", path.join(name).display()),
            Root::Bucket { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}{name}"),
        }
    }
}

/// The name of a backup made at a moment, with a checksum.
fn name_of(now: Timestamp, sha256: &str) -> String {
    format!("{PREFIX}{}-{}{SUFFIX}", now.strftime(MOMENT), &sha256[..DIGITS])
}

/// Whether a name is one that we gave, so that nothing of anyone else's is ever removed.
pub(super) fn is_ours(name: &str) -> bool {
    let inner = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
    let Some((moment, digits)) = inner.and_then(|inner| inner.split_once('-')) else { return false };
    if digits.len() != DIGITS || !digits.bytes().all(|digit| b"0123456789abcdef".contains(&digit)) {
        return false;
    }
    let parsed = jiff::civil::DateTime::strptime(MOMENT, moment).and_then(|it| it.in_tz("UTC"));
    parsed.is_ok_and(|it| name_of(it.timestamp(), digits) == name)
}

/// What is known of a copy that was put under a new name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// What has that name now was put by this program and nobody else.
    Own,
    /// It was put; what has that name now may nevertheless be another's, who put it at the same time.
    Shared,
    /// There is something of that name, after an attempt without an answer. Whose it is can only be read.
    Found,
}

/// A folder or bucket.
pub(super) enum Place {
    Folder(Folder),
    Bucket(Box<Bucket>),
}

impl Place {
    /// Copies a file there under a new name.
    pub(super) async fn store(&self, staged: &Path, name: &str) -> Result<Put, Error> {
        match self {
            Place::Folder(folder) => folder.store(staged, name).map(|()| Put::Own),
            Place::Bucket(bucket) => Ok(bucket.store(staged, name).await?),
        }
    }

    /// Reads a backup.
    pub(super) async fn fetch(&self, name: &str, sink: &mut (dyn Write + Send)) -> Result<(), Error> {
        match self {
            Place::Folder(folder) => folder.fetch(name, sink),
            Place::Bucket(bucket) => Ok(bucket.fetch(name, sink).await?),
        }
    }

    /// Names of the backups that we made there, oldest first.
    pub(super) async fn names(&self) -> Result<Vec<String>, Error> {
        let mut names = match self {
            Place::Folder(folder) => folder.names()?,
            Place::Bucket(bucket) => bucket.names().await?,
        };
        names.sort();
        Ok(names)
    }

    /// Removes a backup.
    pub(super) async fn remove(&self, name: &str) -> Result<(), Error> {
        match self {
            Place::Folder(folder) => folder.remove(name),
            Place::Bucket(bucket) => Ok(bucket.remove(name).await?),
        }
    }

    /// What an operator calls a backup there.
    pub(super) fn url(&self, name: &str) -> String {
        match self {
            Place::Folder(folder) => folder.path(name).display().to_string(),
            Place::Bucket(bucket) => bucket.url(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(String, Option<String>), String> {
        let target: Target = text.parse()?;
        let root = match target.root {
            Root::Folder(path) => path.display().to_string(),
            Root::Bucket { bucket, prefix } => format!("{bucket}:{prefix}"),
        };
        Ok((root, target.name))
    }

    #[test]
    fn what_ends_in_backup_is_one_and_anything_else_a_folder() {
        let cases = [
            ("/mnt/a", "/mnt/a", None),
            ("b/", "b/", None),
            ("x.backup", ".", Some("x.backup")),
            ("/x.backup", "/", Some("x.backup")),
            ("/mnt/x.backup", "/mnt", Some("x.backup")),
            ("s3://b", "b:", None),
            ("s3://b/p/q//", "b:p/q/", None),
            ("s3://b/p/x.backup", "b:p/", Some("x.backup")),
            ("s3://b/x.backup", "b:", Some("x.backup")),
            ("s3://corp.backup", "corp.backup:", None),
            ("s3://corp.backup/", "corp.backup:", None),
            ("s3://corp.backup/p", "corp.backup:p/", None),
            ("s3://corp.backup/x.backup", "corp.backup:", Some("x.backup")),
        ];
        for (text, root, name) in cases {
            assert_eq!(parse(text).unwrap(), (root.to_owned(), name.map(str::to_owned)), "{text}");
        }
        for wrong in ["", "s3://", "s3:///p", "ftp://h/p", "s3://b/../c", "s3://b/./c", "ftp://x.backup"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_are_of_the_moment_and_the_checksum_and_no_other_name_is_ours() {
        let now: Timestamp = "2026-11-21T09:05:07.9Z".parse().unwrap();
        let sha256 = "9b0f1c2d".repeat(8);
        assert_eq!(name_of(now, &sha256), "ostler-20261121T090507Z-9b0f1c2d.backup");
        assert!(is_ours(&name_of(now, &sha256)));
        for other in [
            "ostler.backup",
            "ostler-20261121T090507Z.backup",
            "ostler-20261121T090507Z-9b0f1c2.backup",
            "ostler-20261121T090507Z-9B0F1C2D.backup",
            "ostler-20261121T090507Z-9b0f1c2d-1.backup",
            "ostler-20261121T090507Z-9b0f1c2d.backup.gz",
            "ostler-20261121T090507Z-9b0f1c2d",
            "my-ostler-20261121T090507Z-9b0f1c2d.backup",
            "ostler-20261321T090507Z-9b0f1c2d.backup",
            "ostler-2026112T090507Z-9b0f1c2d.backup",
            "ostler-before-upgrade.backup",
        ] {
            assert!(!is_ours(other), "{other}");
        }
    }
}
