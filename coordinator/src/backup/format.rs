//! The file of a backup: lines of JSON between a header and a trailer that seals them.
//!
//! ```text
//! {"format":"ostler-backup","version":1,"created":"2026-11-21T09:00:00Z","store":"etcd","revision":812,"term":640,"ostler":"0.1.0"}
//! {"key":"policies/default","value":"eyJtYXhfcmVwbGljYXMiOjE2fQ=="}
//! {"entries":1,"value_bytes":19,"sha256":"9b0f..."}
//! ```
//!
//! The header says how far the store was ([`Position`]) and who wrote the file. Each line after it is an entry, in order of
//! keys, its value in base64 (RFC 4648 with padding). The trailer is the last line; `sha256` is of every byte before it, and
//! the trailer itself must be byte for byte what its entries make it, so that no flipped bit, missing tail or appended text
//! goes unseen. A program that knows version 1 refuses any other.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::store::whole::{Position, is_state};
use crate::store::{KEY_LENGTH_MAX, VALUE_LENGTH_MAX};

/// What the first line calls itself.
const FORMAT: &str = "ostler-backup";

/// The version that this program writes and reads.
const VERSION: u32 = 1;

/// Highest revision and term that a header may tell and a restore may go on above. Terms stay under it until 2255 (decision
/// "Terms go on rising over a restore"), and readers of JSON that know numbers as doubles hold all up to it exactly.
pub(super) const REVISION_MAX: u64 = 1 << 53;

/// Longest line: a value in base64, a key of which JSON escapes every byte as `\u0000`, and what is around them.
const LINE_BYTES_MAX: usize = VALUE_LENGTH_MAX.div_ceil(3) * 4 + 6 * KEY_LENGTH_MAX + 64;

/// Begin of a trailer.
const TRAILER_BEGIN: &[u8] = br#"{"entries":"#;

/// Kinds of keys that are counted apart: more than there are kinds of state.
const KINDS_MAX: usize = 64;

/// Kind of the store that was backed up.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A cluster of etcd.
    Etcd,
    /// The file of a replica.
    Embedded,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Origin::Etcd => "etcd",
            Origin::Embedded => "embedded",
        })
    }
}

/// The first line.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    format: String,
    version: u32,
    /// When the store was read.
    pub created: Timestamp,
    /// Kind of the store.
    pub store: Origin,
    /// The store's revision, at most 2^53.
    pub revision: u64,
    /// The highest term that anyone had led under, at most 2^53.
    pub term: u64,
    /// Version of the program that wrote the file.
    pub ostler: String,
}

impl Header {
    /// The header of a backup that this program makes.
    pub(super) fn new(created: Timestamp, store: Origin, position: Position) -> Header {
        let Position { revision, term } = position;
        Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            created,
            store,
            revision,
            term,
            ostler: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(borrow)]
    key: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    value: std::borrow::Cow<'a, str>,
}

#[derive(Serialize)]
struct Trailer {
    entries: u64,
    value_bytes: u64,
    sha256: String,
}

/// Entries and bytes of one kind of key, which is what comes before its first slash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Kind {
    /// How many.
    pub entries: u64,
    /// Of their values.
    pub value_bytes: u64,
}

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contents {
    /// The first line.
    #[serde(flatten)]
    pub header: Header,
    /// How many entries.
    pub entries: u64,
    /// Bytes of their values.
    pub value_bytes: u64,
    /// Of everything before the trailer, in hexadecimal.
    pub sha256: String,
    /// By kind of key; kinds beyond [`KINDS_MAX`] are counted together as "...".
    pub kinds: BTreeMap<String, Kind>,
}

/// Why a file is no backup that can be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read or written.
    #[error("the file cannot be read")]
    Io(#[from] io::Error),
    /// It does not begin like one.
    #[error("this is no backup of Ostler: its first line is none that one begins with")]
    NotABackup,
    /// Another version of the format.
    #[error(
        "the backup has format {version} and this program reads format {VERSION}; use the version of Ostler that wrote it, or a later one"
    )]
    Version {
        /// The file's.
        version: u64,
    },
    /// The end is missing.
    #[error("the backup ends after {lines} lines without its trailer: it was cut off; use another copy")]
    Truncated {
        /// Whole lines before the end.
        lines: u64,
    },
    /// It is not what was written.
    #[error("the backup is damaged at line {line}: {problem}; use another copy")]
    Damaged {
        /// Where it was noticed.
        line: u64,
        /// What is wrong there.
        problem: &'static str,
    },
}

/// Counts and digests what passes.
#[derive(Default)]
struct Seal {
    digest: Sha256,
    entries: u64,
    value_bytes: u64,
}

impl Seal {
    fn add(&mut self, value: &[u8]) {
        self.entries += 1;
        self.value_bytes += value.len() as u64;
    }

    fn sha256(&self) -> String {
        hex(&self.digest.clone().finalize())
    }

    fn trailer(&self) -> Vec<u8> {
        let trailer = Trailer { entries: self.entries, value_bytes: self.value_bytes, sha256: self.sha256() };
        json_line(&trailer)
    }
}

/// Writes a backup.
pub(super) struct Writer<W> {
    out: W,
    seal: Seal,
}

impl<W: Write> Writer<W> {
    /// Writes the header.
    pub(super) fn begin(out: W, header: &Header) -> io::Result<Writer<W>> {
        let mut writer = Writer { out, seal: Seal::default() };
        writer.line(&json_line(header))?;
        Ok(writer)
    }

    /// Writes an entry, whose key comes after that of the one before.
    pub(super) fn entry(&mut self, key: &str, value: &[u8]) -> io::Result<()> {
        self.seal.add(value);
        self.line(&json_line(&Line { key: key.into(), value: STANDARD.encode(value).into() }))
    }

    /// Writes the trailer and hands out what was written to, flushed.
    pub(super) fn finish(mut self) -> io::Result<W> {
        let trailer = self.seal.trailer();
        self.out.write_all(&trailer)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn line(&mut self, line: &[u8]) -> io::Result<()> {
        self.seal.digest.update(line);
        self.out.write_all(line)
    }
}

/// Reads a backup: an iterator of its entries, which ends without an error only after the trailer was found to be right.
pub(super) struct Reader<R> {
    input: R,
    header: Header,
    seal: Seal,
    line: Vec<u8>,
    lines: u64,
    last: Option<String>,
    ended: bool,
}

impl<R: BufRead> Reader<R> {
    /// Reads the header.
    pub(super) fn open(input: R) -> Result<Reader<R>, Error> {
        let mut line = Vec::new();
        let mut input = input;
        if !read_line(&mut input, &mut line)? {
            return Err(Error::NotABackup);
        }
        let header = parse_header(&line)?;
        let mut seal = Seal::default();
        seal.digest.update(&line);
        Ok(Reader { input, header, seal, line, lines: 1, last: None, ended: false })
    }

    /// Reads all that is left, and says what it was.
    pub(super) fn contents(mut self) -> Result<Contents, Error> {
        let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
        for entry in &mut self {
            let (key, value) = entry?;
            let name = key.split('/').next().unwrap_or_default();
            let room = kinds.len() < KINDS_MAX || kinds.contains_key(name);
            let kind = kinds.entry(if room { name } else { "..." }.to_owned()).or_default();
            kind.entries += 1;
            kind.value_bytes += value.len() as u64;
        }
        let (entries, value_bytes) = (self.seal.entries, self.seal.value_bytes);
        Ok(Contents { sha256: self.seal.sha256(), header: self.header, entries, value_bytes, kinds })
    }

    fn entry(&mut self) -> Result<Option<(String, Vec<u8>)>, Error> {
        if !read_line(&mut self.input, &mut self.line)? {
            return Err(Error::Truncated { lines: self.lines });
        }
        self.lines += 1;
        let line = self.lines;
        let damaged = |problem| Error::Damaged { line, problem };
        if self.line.starts_with(TRAILER_BEGIN) {
            if self.line != self.seal.trailer() {
                return Err(damaged("the checksum in the trailer is of something else"));
            }
            let mut more = [0];
            return match self.input.read(&mut more)? {
                0 => Ok(None),
                _ => Err(damaged("something follows the trailer")),
            };
        }
        let parsed: Line = serde_json::from_slice(&self.line)
            .map_err(|_| damaged("it is neither an entry nor the trailer"))?;
        let value = STANDARD.decode(&*parsed.value).map_err(|_| damaged("the value is not base64"))?;
        let key = parsed.key.into_owned();
        if key.is_empty() || key.len() > KEY_LENGTH_MAX || value.len() > VALUE_LENGTH_MAX || !is_state(&key) {
            return Err(damaged("no store has such an entry"));
        }
        if self.last.as_ref().is_some_and(|last| *last >= key) {
            return Err(damaged("the keys are not in order"));
        }
        self.seal.digest.update(&self.line);
        self.seal.add(&value);
        self.last = Some(key.clone());
        Ok(Some((key, value)))
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<(String, Vec<u8>), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let entry = self.entry().transpose();
        self.ended = !matches!(entry, Some(Ok(_)));
        entry
    }
}

/// A whole line with its end, never longer than one can be; false at the end of the file.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool, Error> {
    line.clear();
    input.take(LINE_BYTES_MAX as u64).read_until(b'\n', line)?;
    // A line that was cut off is the end: there is no trailer after it.
    Ok(line.ends_with(b"\n") || line.len() == LINE_BYTES_MAX)
}

fn parse_header(line: &[u8]) -> Result<Header, Error> {
    let value: serde_json::Value = serde_json::from_slice(line).map_err(|_| Error::NotABackup)?;
    let text = |key| value.get(key).and_then(serde_json::Value::as_str);
    let version = value.get("version").and_then(serde_json::Value::as_u64);
    match (text("format"), version) {
        (Some(FORMAT), Some(version)) if version == u64::from(VERSION) => {}
        (Some(FORMAT), Some(version)) => return Err(Error::Version { version }),
        (_, _) => return Err(Error::NotABackup),
    }
    let damaged = |problem| Error::Damaged { line: 1, problem };
    let header: Header = serde_json::from_value(value)
        .map_err(|_| damaged("the header lacks something, or says what no header says"))?;
    if header.revision.max(header.term) > REVISION_MAX {
        return Err(damaged("the header tells a revision or term that no store reaches"));
    }
    Ok(header)
}

fn json_line(value: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).expect("texts and numbers have a JSON form");
    line.push(b'\n');
    line
}

/// Bytes as a person writes them.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
