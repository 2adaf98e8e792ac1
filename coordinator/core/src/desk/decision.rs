//! Decisions: what was seen, what was wanted because of it, and what came of that.

use std::fmt;

use super::reaction::reverse;
use crate::action::{ActionId, Digest, Effect, Target};
use crate::brake::{Mode, Take};
use crate::detect::Verdict;
use crate::id::{Incarnation, NodeId, Term, ZoneId};
use crate::time::Time;

/// Verdicts that a decision remembers, the newest of them. A node that is unreachable, dead and back has three.
pub const SEEN_MAX: usize = 8;

/// Wishes of a decision: a node has at most 64 engines, and each may be taken out of traffic and put back.
pub const WISHES_MAX: usize = 128;

/// Longest evidence or text that is kept, in bytes.
pub const TEXT_LENGTH_MAX: usize = 2_000;

/// How often one wish is tried, each time as an action of its own. What was never called does not count, and what puts back
/// is tried for ever.
pub const TRIES_MAX: u32 = 8;

/// Of what waits for a target that is not known any more.
pub(super) const GONE: &str = "gone";

/// Names a decision for ever: counts up, under whichever leader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct DecisionId(pub u64);

/// Why something was or was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Its number.
    pub id: DecisionId,
    /// What it is about.
    pub about: Target,
    /// Where that is.
    pub zone: ZoneId,
    /// What was seen, oldest first; never empty, at most [`SEEN_MAX`].
    pub seen: Vec<Seen>,
    /// What was wanted, at most [`WISHES_MAX`]. None when what was seen is only recorded.
    pub wishes: Vec<Wish>,
    /// How far it is.
    pub phase: Phase,
    /// When it was made.
    pub made: Time,
    /// When it last changed.
    pub changed: Time,
    /// The term of the leader that last changed it.
    pub term: Term,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Since when, by the clock of the leader that found it.
    pub at: Time,
    /// What.
    pub verdict: Verdict,
    /// What the verdict went by, in words.
    pub evidence: Box<str>,
}

/// How far a decision is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Its cause is there, or not known to have ended.
    Open,
    /// Its cause has ended, and what was done is being undone.
    Ending,
    /// Nothing is left to do. Final.
    Ended,
}

/// One thing that a decision wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What shall be done.
    pub effect: Effect,
    /// To what.
    pub target: Target,
    /// The target's identity where it lives.
    pub uid: Box<str>,
    /// The target's start that is meant.
    pub incarnation: Incarnation,
    /// The pools that it concerns, and what it took from each when it was last planned. What puts back takes nothing.
    pub takes: Vec<Take>,
    /// How many actions were made for it.
    pub actions: u32,
    /// How often its action failed.
    pub tries: u32,
    /// Before then it is not tried again.
    pub not_before: Time,
    /// The newest action that carries it out.
    pub action: Option<ActionId>,
    /// What is done about such actions, when it was last looked at.
    pub mode: Mode,
    /// Whether one of its actions may have had its effect without anybody knowing.
    pub unsure: bool,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It waits, for this.
    Waits(Obstacle),
    /// Its action was written down and has not ended.
    Begun,
    /// It is done.
    Done,
    /// It came to nothing, and is not tried again.
    Failed(Box<str>),
    /// It was not begun, and is not wanted any more.
    Dropped(Box<str>),
}

/// What a wish waits for. The same obstacle met again is counted and not told anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// For example "floor": a veto's name, or one of the desk's own.
    pub name: Box<str>,
    /// For a person, with the numbers of the newest time.
    pub text: Box<str>,
    /// When it was first met.
    pub since: Time,
    /// When it was last met.
    pub last: Time,
    /// How often it was looked for and met.
    pub count: u64,
}

impl Decision {
    /// What is true of it now, as far as it is known.
    pub fn newest(&self) -> &Seen {
        self.seen.last().expect("a decision is made by what was seen")
    }

    /// The verdict that it was made by.
    pub fn verdict(&self) -> Verdict {
        self.newest().verdict
    }

    /// The node that it is about, when it is about one or a part of one.
    pub fn node(&self) -> Option<&NodeId> {
        node_of(&self.about)
    }

    /// What actions name as their evidence: a decision that has seen something else since is other evidence.
    pub fn evidence_revision(&self) -> u64 {
        self.seen.last().map_or(0, |seen| seen.at.as_millis().wrapping_mul(32) + seen.verdict as u64)
    }

    /// The generation of the cause of a wish's next action: no other decision and no other action of the wish has it. The
    /// term is that of the leader who plans it: terms rise also when an old state of the store is restored, in which numbers
    /// of decisions and actions are counted once more.
    pub fn generation(&self, wish: &Wish, term: Term) -> u64 {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&term.0.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.id.0.to_be_bytes());
        bytes[16..].copy_from_slice(&wish.actions.to_be_bytes());
        let Digest(hash) = Digest::of(&bytes);
        u64::from_be_bytes(std::array::from_fn(|at| hash[at]))
    }

    /// Notes what was seen.
    pub(super) fn see(&mut self, seen: Seen) {
        if self.seen.len() == SEEN_MAX {
            self.seen.remove(0);
        }
        self.seen.push(seen);
    }

    /// Whether something was taken out of traffic by it, as far as anybody knows, and not put back.
    pub fn is_out(&self, target: &Target) -> bool {
        let of =
            |effect: Effect| self.wishes.iter().filter(move |it| it.effect == effect && it.target == *target);
        of(Effect::RemoveEndpoint).any(Wish::may_be_done)
            && !of(Effect::RestoreEndpoint).any(|it| it.fate == Fate::Done)
    }

    /// Whether it wants a target out of traffic, or has taken it out.
    pub(super) fn takes_out(&self, target: &Target) -> bool {
        let wanted = |wish: &Wish| match wish.fate {
            Fate::Waits(_) | Fate::Begun | Fate::Done => true,
            Fate::Failed(_) | Fate::Dropped(_) => wish.unsure,
        };
        let removes = |wish: &&Wish| reverse(wish.effect).is_some() && wish.target == *target;
        self.phase != Phase::Ended && self.wishes.iter().filter(removes).any(wanted)
    }

    /// Whether it has taken a target out of traffic, or is about to.
    pub(super) fn has_out(&self, target: &Target) -> bool {
        let begun =
            |it: &Wish| reverse(it.effect).is_some() && it.target == *target && it.fate == Fate::Begun;
        self.is_out(target) || self.wishes.iter().any(begun)
    }

    /// Whether nothing is left but what waits for its target to come back.
    pub(super) fn is_gone(&self) -> bool {
        let gone = |wish: &Wish| matches!(&wish.fate, Fate::Waits(it) if *it.name == *GONE);
        self.phase == Phase::Ending && self.wishes.iter().all(|it| it.fate.is_final() || gone(it))
    }

    /// Whether every wish has come to its end.
    pub(super) fn is_settled(&self) -> bool {
        self.wishes.iter().all(|it| it.fate.is_final())
    }
}

impl Wish {
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.fate, Fate::Waits(_))
    }

    /// Whether it is done, or may be without anybody knowing.
    pub(super) fn may_be_done(&self) -> bool {
        self.fate == Fate::Done || self.unsure
    }
}

impl Fate {
    /// Whether nothing changes it any more.
    pub fn is_final(&self) -> bool {
        match self {
            Fate::Waits(_) | Fate::Begun => false,
            Fate::Done | Fate::Failed(_) | Fate::Dropped(_) => true,
        }
    }

    /// For example "waits".
    pub const fn name(&self) -> &'static str {
        match self {
            Fate::Waits(_) => "waits",
            Fate::Begun => "begun",
            Fate::Done => "done",
            Fate::Failed(_) => "failed",
            Fate::Dropped(_) => "dropped",
        }
    }
}

impl Obstacle {
    /// One that was just met.
    pub(super) fn new(name: &str, text: &str, now: Time) -> Obstacle {
        Obstacle { name: name.into(), text: cut(text), since: now, last: now, count: 1 }
    }

    /// Meets one; whether it is another than before.
    pub(super) fn meet(&mut self, name: &str, text: &str, now: Time) -> bool {
        if *self.name != *name {
            *self = Obstacle::new(name, text, now);
            return true;
        }
        self.text = cut(text);
        self.last = now;
        self.count += 1;
        false
    }
}

impl Phase {
    /// For example "open".
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Open => "open",
            Phase::Ending => "ending",
            Phase::Ended => "ended",
        }
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "d{:012}", self.0)
    }
}

impl DecisionId {
    /// Reads what [`fmt::Display`] wrote.
    pub fn parse(text: &str) -> Option<DecisionId> {
        let digits = text.strip_prefix('d').filter(|it| it.bytes().all(|byte| byte.is_ascii_digit()))?;
        digits.parse().ok().map(DecisionId)
    }
}

/// The node of a target, when it is one or a part of one.
pub fn node_of(target: &Target) -> Option<&NodeId> {
    match target {
        Target::Node(node) | Target::Gpu(node, _) | Target::Engine(node, _) => Some(node),
        Target::Zone(_) | Target::Pool(_) | Target::PoolInZone(..) => None,
    }
}

/// The text, or as much of its beginning as is kept.
pub(super) fn cut(text: &str) -> Box<str> {
    text[..text.floor_char_boundary(TEXT_LENGTH_MAX)].into()
}
