//! The audit log: what was done, by whom and why, each entry tied to the one before by its hash.
//!
//! Think of a ledger whose pages each begin with a fingerprint of the page before. Who changes, drops or swaps an old
//! entry breaks the link that follows it, and the head, which is stored apart from the entries, tells when the newest are
//! missing. Who can write everything can still write the whole log and its head anew; only a head that was also told to
//! somebody else shows that.
//!
//! An entry is encoded, once and for all, as: `ostler.audit.1`, its sequence (8 bytes), time in milliseconds (8), term (8),
//! the hash of the entry before (32), the verb's code (1), then actor, subject and detail, each as its length in bytes (4)
//! and UTF-8. Numbers have the highest byte first. Its hash is SHA-256 of these bytes.

use super::Digest;
use super::digest::put_text;
use crate::id::Term;
use crate::time::Time;

/// What the encoding begins with.
const MAGIC: &[u8] = b"ostler.audit.1";

/// Longest actor, subject or detail, in bytes. What is longer is cut, so that an entry has less than 13 kB.
pub const TEXT_LENGTH_MAX: usize = 4_096;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Verb {
    TermBegan,
    TermEnded,
    ActionPlanned,
    ActionIssued,
    ActionAcked,
    ActionDone,
    ActionFailed,
    ActionAborted,
    ActionSuperseded,
    HoldPlaced,
    HoldReleased,
    LatchOpened,
    LatchReleased,
    PolicyApplied,
    OrderGiven,
    ActionsForgotten,
}

/// The end of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Sequence of the newest entry; 0 when there is none.
    pub sequence: u64,
    /// Its hash; zeros when there is none.
    pub hash: Digest,
}

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Counts up by one from 1.
    pub sequence: u64,
    /// When.
    pub at: Time,
    /// Under which term.
    pub term: Term,
    /// Hash of the entry before.
    pub previous: Digest,
    /// What was done.
    pub verb: Verb,
    /// By whom: a replica or a person.
    pub actor: Box<str>,
    /// To what.
    pub subject: Box<str>,
    /// For a person: why, and with which numbers.
    pub detail: Box<str>,
}

/// What an entry tells, before it has its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deed<'a> {
    /// What was done.
    pub verb: Verb,
    /// By whom.
    pub actor: &'a str,
    /// To what.
    pub subject: &'a str,
    /// For a person.
    pub detail: &'a str,
}

/// The first link of a log that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Entries are missing, doubled or out of order.
    #[error("entry {expected} was due and entry {found} is there")]
    Sequence {
        /// The one that was due.
        expected: u64,
        /// The one that is there.
        found: u64,
    },
    /// The entry before this one is not what it was.
    #[error("entry {sequence} does not follow from the one before it, which was changed or replaced")]
    Link {
        /// The entry whose link is broken.
        sequence: u64,
    },
    /// The newest entries are missing, or there are some that the head does not know.
    #[error("the log ends with entry {found} and its head says {expected}")]
    Short {
        /// The newest by the head.
        expected: u64,
        /// The newest that is there.
        found: u64,
    },
    /// The newest entry is not what it was.
    #[error("the newest entry, {sequence}, is not the one that the head was made of")]
    Head {
        /// The entry.
        sequence: u64,
    },
}

/// Why bytes are no entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {at} of {length} does not fit an audit entry")]
pub struct Malformed {
    /// Where it went wrong.
    pub at: usize,
    /// How many bytes there are.
    pub length: usize,
}

impl Head {
    /// Of a log without entries.
    pub const EMPTY: Head = Head { sequence: 0, hash: Digest::ZERO };

    /// The entry that follows. It is stored together with [`Entry::head`], on condition that the stored head is this one.
    pub fn append(&self, deed: Deed<'_>, term: Term, now: Time) -> Entry {
        Entry {
            sequence: self.sequence + 1,
            at: now,
            term,
            previous: self.hash,
            verb: deed.verb,
            actor: cut(deed.actor),
            subject: cut(deed.subject),
            detail: cut(deed.detail),
        }
    }
}

impl Entry {
    /// The bytes that are hashed and stored.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.at.as_millis().to_be_bytes());
        bytes.extend(self.term.0.to_be_bytes());
        bytes.extend(self.previous.0);
        bytes.push(self.verb.code());
        put_text(&mut bytes, &self.actor);
        put_text(&mut bytes, &self.subject);
        put_text(&mut bytes, &self.detail);
        bytes
    }

    /// Reads what [`Entry::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Entry, Malformed> {
        let mut reader = Reader { bytes, at: 0 };
        reader.read(bytes).ok_or(Malformed { at: reader.at, length: bytes.len() })
    }

    /// The head of a log that ends with this entry.
    pub fn head(&self) -> Head {
        Head { sequence: self.sequence, hash: Digest::of(&self.encode()) }
    }
}

/// Whether these entries, oldest first, lead from one head to the other.
pub fn verify<'a>(from: Head, entries: impl IntoIterator<Item = &'a Entry>, to: Head) -> Result<(), Broken> {
    let mut head = from;
    for entry in entries {
        let expected = head.sequence + 1;
        if entry.sequence != expected {
            return Err(Broken::Sequence { expected, found: entry.sequence });
        }
        if entry.previous != head.hash {
            return Err(Broken::Link { sequence: entry.sequence });
        }
        head = entry.head();
    }
    if head.sequence != to.sequence {
        return Err(Broken::Short { expected: to.sequence, found: head.sequence });
    }
    if head.hash != to.hash {
        return Err(Broken::Head { sequence: head.sequence });
    }
    Ok(())
}

impl Verb {
    /// All of them; a verb's code is its place, counted from 1. New ones come last.
    pub const ALL: [Verb; 16] = [
        Verb::TermBegan,
        Verb::TermEnded,
        Verb::ActionPlanned,
        Verb::ActionIssued,
        Verb::ActionAcked,
        Verb::ActionDone,
        Verb::ActionFailed,
        Verb::ActionAborted,
        Verb::ActionSuperseded,
        Verb::HoldPlaced,
        Verb::HoldReleased,
        Verb::LatchOpened,
        Verb::LatchReleased,
        Verb::PolicyApplied,
        Verb::OrderGiven,
        Verb::ActionsForgotten,
    ];

    /// As it is stored.
    pub fn code(self) -> u8 {
        let at = Verb::ALL.iter().position(|verb| *verb == self).expect("all are listed");
        u8::try_from(at + 1).expect("there are few")
    }
}

/// Reads fields one after another.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn read(&mut self, whole: &[u8]) -> Option<Entry> {
        if self.take(MAGIC.len())? != MAGIC {
            self.at = 0;
            return None;
        }
        let entry = Entry {
            sequence: self.number()?,
            at: Time::from_millis(self.number()?),
            term: Term(self.number()?),
            previous: Digest(self.take(32)?.try_into().ok()?),
            verb: self.verb()?,
            actor: self.text()?,
            subject: self.text()?,
            detail: self.text()?,
        };
        (self.at == whole.len()).then_some(entry)
    }

    fn take(&mut self, length: usize) -> Option<&[u8]> {
        let end = self.at.checked_add(length)?;
        let part = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(part)
    }

    fn number(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(self.take(8)?.try_into().ok()?))
    }

    fn verb(&mut self) -> Option<Verb> {
        let code = usize::from(self.take(1)?[0]);
        Verb::ALL.get(code.checked_sub(1)?).copied()
    }

    fn text(&mut self) -> Option<Box<str>> {
        let length = u32::from_be_bytes(self.take(4)?.try_into().ok()?) as usize;
        if length > TEXT_LENGTH_MAX {
            return None;
        }
        Some(std::str::from_utf8(self.take(length)?).ok()?.into())
    }
}

/// The text, or as much of its beginning as is allowed.
fn cut(text: &str) -> Box<str> {
    text[..text.floor_char_boundary(TEXT_LENGTH_MAX)].into()
}
