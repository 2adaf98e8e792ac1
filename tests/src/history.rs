//! What was seen while things broke, and whether it may be so.
//!
//! Whoever tests writes down what happens, each fact with its time on one clock: what was broken and mended (which is the
//! truth), what replicas said of themselves and of nodes, what the store held, and what was called at the sink, which is the
//! place where actions have their effect. [`violations`] then reads the whole and names everything that must never be.
//! It is told nothing of how replicas work, and believes none of them: who acted when is the sink's account.
//!
//! ```text
//! effects    none under a term older than one the sink has heard; one an action at most
//! leaders    no two of them at the sink in times that overlap; nothing by one that is stopped or cut off
//! claims     nobody leads in an older term after someone led in a newer one, nor beyond its lease when cut off
//! accusals   no node that its own zone and another one reach is called dead or unreachable
//! ```

mod check;
mod hurts;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use self::check::{Rules, Violation, violations};

/// Entries of one history: four replicas that are asked ten times a second for an hour are a seventh of it.
pub const ENTRIES_MAX: usize = 1_000_000;

/// Time since the history began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub Duration);

impl Moment {
    /// So many milliseconds after the begin.
    pub const fn from_millis(ms: u64) -> Moment {
        Moment(Duration::from_millis(ms))
    }

    /// How long after another moment this is; zero if it is not.
    pub fn since(self, earlier: Moment) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} s", self.0.as_secs_f64())
    }
}

/// One fact and when it was so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it was known. What was asked for was so at some moment since [`Entry::asked`].
    pub at: Moment,
    /// When it was asked for; the same as `at` for what nobody asked.
    pub asked: Moment,
    /// What was so.
    pub fact: Fact,
}

/// What can be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A replica said that it leads itself.
    Claimed {
        /// Who.
        replica: String,
        /// In which term.
        term: u64,
    },
    /// The store said which is the highest term, by a read that a majority confirmed.
    Stored {
        /// The term.
        term: u64,
    },
    /// A leader was heard at the sink.
    Heard(Heard),
    /// A replica said that a node is unreachable or dead.
    Accused {
        /// Who.
        replica: String,
        /// Whom.
        node: String,
        /// Of what, for example "NODE_UNREACHABLE".
        verdict: String,
    },
    /// Something was broken.
    Hurt(Fault),
    /// It was mended.
    Healed(Fault),
}

/// A call at the sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The action.
    pub id: String,
    /// Under which term.
    pub term: u64,
    /// Which try of that action, from 1; 0 when it was only asked about.
    pub attempt: u32,
    /// What the sink did.
    pub response: Response,
}

/// What the sink did with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// The effect happened.
    Applied,
    /// It had happened before, and did not again.
    Repeated,
    /// It was only asked about.
    Looked,
    /// The term was older than one it had heard.
    Fenced,
    /// It came too late by its own account.
    Expired,
}

/// Something that is broken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The replica does not run.
    ReplicaKilled(String),
    /// The replica's process is stopped.
    ReplicaStopped(String),
    /// The replica reaches no majority of the store.
    ReplicaCutOff(String),
    /// The node's agent does not run, or is stopped.
    AgentDown(String),
    /// Nothing reaches the node, and nothing comes from it.
    NodeDark(String),
    /// What one zone sends does not arrive in another.
    Cut {
        /// The sender's.
        from: String,
        /// The receiver's.
        to: String,
    },
    /// Anything else, which excuses nobody.
    Other(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::ReplicaKilled(replica) => write!(f, "{replica} killed"),
            Fault::ReplicaStopped(replica) => write!(f, "{replica} stopped"),
            Fault::ReplicaCutOff(replica) => write!(f, "{replica} cut off from the store"),
            Fault::AgentDown(node) => write!(f, "agent of {node} down"),
            Fault::NodeDark(node) => write!(f, "{node} dark"),
            Fault::Cut { from, to } => write!(f, "{from} to {to} cut"),
            Fault::Other(what) => f.write_str(what),
        }
    }
}

/// Where everything stands that is not broken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// All zones.
    pub zones: BTreeSet<String>,
    /// The zone of each node.
    pub nodes: std::collections::BTreeMap<String, String>,
}

/// Writes facts down. Clones write into the same history.
#[derive(Clone, Debug)]
pub struct Recorder {
    began: Instant,
    entries: Arc<Mutex<Vec<Entry>>>,
}

impl Default for Recorder {
    fn default() -> Recorder {
        Recorder { began: Instant::now(), entries: Arc::default() }
    }
}

impl Recorder {
    /// Now, on the clock of the history.
    pub fn now(&self) -> Moment {
        Moment(self.began.elapsed())
    }

    /// Writes down what is so now.
    pub fn note(&self, fact: Fact) {
        self.note_at(self.now(), fact);
    }

    /// Writes down what was so at a moment.
    pub fn note_at(&self, at: Moment, fact: Fact) {
        self.push(Entry { at, asked: at, fact });
    }

    /// Writes down what was asked for then and is known now.
    pub fn answer(&self, asked: Moment, fact: Fact) {
        self.push(Entry { at: self.now(), asked, fact });
    }

    /// Writes down what a call at the sink comes to, which is decided under the same lock, so that the order of the entries
    /// is the order of the effects.
    pub fn decide(&self, decide: impl FnOnce() -> Heard) -> Heard {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let heard = decide();
        let at = self.now();
        assert!(entries.len() < ENTRIES_MAX, "a history has at most {ENTRIES_MAX} entries");
        entries.push(Entry { at, asked: at, fact: Fact::Heard(heard.clone()) });
        heard
    }

    /// All so far, by time.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone();
        entries.sort_by_key(|entry| entry.at);
        entries
    }

    fn push(&self, entry: Entry) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(entries.len() < ENTRIES_MAX, "a history has at most {ENTRIES_MAX} entries");
        entries.push(entry);
    }
}

/// The history as it would be at a sink that does not look at terms: what was refused for its term has its effect instead.
/// The check must find violations in it whenever anything was refused.
pub fn without_fence(entries: &[Entry]) -> Vec<Entry> {
    let unfenced = |entry: &Entry| {
        let mut entry = entry.clone();
        if let Fact::Heard(heard) = &mut entry.fact
            && heard.response == Response::Fenced
        {
            heard.response = if heard.attempt == 0 { Response::Looked } else { Response::Applied };
        }
        entry
    };
    entries.iter().map(unfenced).collect()
}
