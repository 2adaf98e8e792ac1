//! What the desk asks of its shell, and what it is answered.

use std::fmt;

use super::{Decision, DecisionId, Given};
use crate::action::audit::{Entry, Head};
use crate::action::{ActionId, Intent, Observed, Record};
use crate::brake::Memory;
use crate::id::Term;
use crate::time::Time;

/// Something for the shell to do. All but [`Request::Call`] and [`Request::Look`] are for the store, one at a time.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Read all that desks keep, and answer with [`Answer::Loaded`].
    Load {
        /// To be given back with the answer.
        number: u64,
    },
    /// Carry all of it out in one transaction under the term, or nothing.
    Write(Batch),
    /// Have the executor do it. To be made only while the lead's deadline has not come.
    Call(Call),
    /// Ask the executor what became of an action.
    Look {
        /// Which.
        id: ActionId,
        /// Under which term. The executor refuses lower ones from then on.
        term: Term,
    },
}

/// Changes that happen together.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// To be given back with the answer.
    pub number: u64,
    /// At most [`super::OPERATIONS_MAX`], each key once.
    pub changes: Vec<Change>,
}

/// One change, on condition that the key is as it was read, where it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Whose.
    pub key: Key,
    /// The revision that last changed it, 0 when it is not there. None for an old entry of the audit log, which is deleted
    /// whatever it is: the condition on the log's end stands for it.
    pub read: Option<u64>,
    /// What it shall be; none to delete it.
    pub item: Option<Item>,
}

/// Where something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// An action.
    Action(ActionId),
    /// A decision.
    Decision(DecisionId),
    /// An entry of the audit log.
    Audit(u64),
    /// The end of the audit log.
    AuditHead,
    /// What the brake remembers.
    Memory,
    /// Up to when actions are forgotten.
    Watermark,
    /// What operators ordered of late.
    Orders,
}

/// What is kept.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// Under [`Key::Action`].
    Action(Box<Record>),
    /// Under [`Key::Decision`].
    Decision(Box<Decision>),
    /// Under [`Key::Audit`].
    Audit(Entry),
    /// Under [`Key::AuditHead`].
    AuditHead(Head),
    /// Under [`Key::Memory`].
    Memory(Memory),
    /// Under [`Key::Watermark`].
    Watermark(Time),
    /// Under [`Key::Orders`], oldest first.
    Orders(Vec<Given>),
}

/// What the store holds under a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// Where.
    pub key: Key,
    /// The revision that last changed it.
    pub revision: u64,
    /// What; entries of the audit log are not loaded.
    pub item: Item,
}

/// A call to the executor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The action's number: a repeat has no second effect.
    pub id: ActionId,
    /// Refused when a higher one has spoken to the executor.
    pub term: Term,
    /// Which try of the action it is.
    pub attempt: u32,
    /// What is to be done, to what, and until when it may be begun.
    pub intent: Intent,
}

/// What the shell answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// To [`Request::Load`].
    Loaded {
        /// Of the request.
        number: u64,
        /// All that is kept, besides entries of the audit log.
        kept: Vec<Kept>,
    },
    /// To [`Request::Write`]: it was carried out.
    Written {
        /// Of the batch.
        number: u64,
        /// By this revision.
        revision: u64,
    },
    /// To a request to the store: it was not carried out, or nobody knows.
    Unknown {
        /// Of the request.
        number: u64,
    },
    /// What the executor says of an action.
    Told {
        /// Which.
        id: ActionId,
        /// What.
        told: Told,
    },
}

/// What the executor says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It has the action and works on it.
    Acked {
        /// Which attempt it heard.
        attempt: u32,
    },
    /// The effect is there.
    Done,
    /// It will not do it.
    Refused {
        /// Which attempt it heard.
        attempt: u32,
        /// Its words.
        detail: Box<str>,
    },
    /// Having been asked: it has the action and works on it.
    Working,
    /// Having been asked: it did not work and will not.
    Failed {
        /// Its words.
        detail: Box<str>,
    },
    /// Having been asked: whether the effect is there.
    Observed(Observed),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Action(id) => write!(f, "actions/{id}"),
            Key::Decision(id) => write!(f, "decisions/{id}"),
            Key::Audit(sequence) => write!(f, "audit/{sequence:016}"),
            Key::AuditHead => f.write_str("desk/audit-head"),
            Key::Memory => f.write_str("desk/brake"),
            Key::Watermark => f.write_str("desk/watermark"),
            Key::Orders => f.write_str("desk/orders"),
        }
    }
}
