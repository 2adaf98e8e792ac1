//! Where effects happen: an executor outside etcd, which takes calls whenever they come.
//!
//! It knows the numbers of what it has done and the highest term that spoke to it, as an agent does that keeps both on its
//! disk. Each of the two can be taken from it, to see that the checks notice.

use std::collections::BTreeMap;

use ostler_core::action::ActionId;
use ostler_core::id::Term;

/// Whether the executor refuses terms below the highest that spoke to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fencing {
    On,
    Off,
}

/// A call on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) id: ActionId,
    pub(crate) term: Term,
    pub(crate) attempt: u32,
    pub(crate) valid_until_ms: u64,
    /// Who is told of the outcome.
    pub(crate) replica: usize,
    pub(crate) life: u64,
    pub(crate) node: usize,
}

/// What the executor did, and what must hold of it.
#[derive(Debug)]
pub(crate) struct Sink {
    pub(crate) fencing: Fencing,
    /// Highest term that spoke to it.
    heard: Term,
    effects: BTreeMap<ActionId, u32>,
    /// Calls refused because their term was over.
    pub(crate) refused: u64,
    /// Effects under a term after a higher one had spoken.
    pub(crate) stale: Vec<String>,
}

impl Sink {
    pub(crate) fn new(fencing: Fencing) -> Sink {
        Sink { fencing, heard: Term(0), effects: BTreeMap::new(), refused: 0, stale: Vec::new() }
    }

    pub(crate) fn effects(&self) -> usize {
        self.effects.len()
    }

    /// A leader says its term and asks about an action: whether its effect is there.
    pub(crate) fn ask(&mut self, term: Term, id: ActionId) -> bool {
        self.heard = self.heard.max(term);
        self.effects.contains_key(&id)
    }

    /// Carries a call out, or not; whether its effect is there afterwards.
    pub(crate) fn call(&mut self, call: &Call, now_ms: u64) -> bool {
        let old = call.term < self.heard;
        if old && self.fencing == Fencing::On {
            self.refused += 1;
            return false;
        }
        if now_ms >= call.valid_until_ms {
            return self.effects.contains_key(&call.id);
        }
        self.heard = self.heard.max(call.term);
        if self.effects.contains_key(&call.id) {
            return true;
        }
        if old {
            self.stale
                .push(format!("an effect of {} under {:?} after {:?} spoke", call.id, call.term, self.heard));
        }
        *self.effects.entry(call.id).or_default() += 1;
        true
    }

    /// Effects of the action that had most.
    pub(crate) fn effects_most(&self) -> u32 {
        self.effects.values().copied().max().unwrap_or(0)
    }
}
