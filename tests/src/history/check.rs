//! The rules, each a pass over the history.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use super::hurts::Hurts;
use super::{Entry, Fact, Fault, Heard, Moment, Places, Response};

/// How long things may take that are not forbidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Length of a leader's lease: one that is cut off leads no longer.
    pub lease: Duration,
    /// How long a call may be on its way to the sink.
    pub call: Duration,
    /// How old evidence may be when a verdict is told: a node that was ill so long ago may still be accused.
    pub evidence: Duration,
    /// How much later than it should the machine lets a thread run, at worst. What a replica says of itself may be so old;
    /// what it does may not, since it looks at the clock before.
    pub lag: Duration,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules {
            lease: Duration::from_secs(3),
            call: Duration::from_secs(2),
            evidence: Duration::from_secs(5),
            lag: Duration::from_secs(2),
        }
    }
}

/// Something that must never be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// An effect under a term older than one that the sink had heard.
    OldTerm {
        /// When.
        at: Moment,
        /// The action.
        id: String,
        /// Its term.
        term: u64,
        /// The newest term heard before.
        heard: u64,
    },
    /// An action had its effect again.
    Twice {
        /// When the second one was.
        at: Moment,
        /// The action.
        id: String,
    },
    /// Two leaders were served at the sink in times that overlap.
    Overlap {
        /// When the older one was served although the newer one had been.
        at: Moment,
        /// Its term.
        older: u64,
        /// The newer one's.
        newer: u64,
    },
    /// An effect by a leader that had been stopped or cut off for longer than its lease and a call last.
    ActedWhile {
        /// When.
        at: Moment,
        /// The leader.
        replica: String,
        /// What had befallen it.
        fault: Fault,
    },
    /// A replica said that it leads although another one had said so in a newer term, or the same.
    Led {
        /// When.
        at: Moment,
        /// Who.
        replica: String,
        /// Its term.
        term: u64,
        /// Who else.
        other: String,
        /// That one's term.
        newer: u64,
    },
    /// A replica that was cut off said that it leads when its lease was over.
    LedBeyondLease {
        /// When.
        at: Moment,
        /// Who.
        replica: String,
        /// For how long it was cut off by then.
        cut_off: Duration,
    },
    /// The highest term in the store fell.
    TermFell {
        /// When.
        at: Moment,
        /// From.
        from: u64,
        /// To.
        to: u64,
    },
    /// A node that its own zone and another one reached was accused.
    FalseAccusal {
        /// When.
        at: Moment,
        /// By whom.
        replica: String,
        /// Whom.
        node: String,
        /// Of what.
        verdict: String,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Violation::OldTerm { at, id, term, heard } => {
                write!(f, "{at}: {id} had an effect under term {term} after term {heard} was heard")
            }
            Violation::Twice { at, id } => write!(f, "{at}: {id} had its effect a second time"),
            Violation::Overlap { at, older, newer } => {
                write!(f, "{at}: the leader of term {older} was served after the one of term {newer}")
            }
            Violation::ActedWhile { at, replica, fault } => {
                write!(f, "{at}: {replica} had an effect, with {fault}")
            }
            Violation::Led { at, replica, term, other, newer } => {
                write!(f, "{at}: {replica} leads in term {term} after {other} led in term {newer}")
            }
            Violation::LedBeyondLease { at, replica, cut_off } => {
                write!(f, "{at}: {replica} still leads, cut off for {:.3} s", cut_off.as_secs_f64())
            }
            Violation::TermFell { at, from, to } => {
                write!(f, "{at}: the highest term in the store fell from {from} to {to}")
            }
            Violation::FalseAccusal { at, replica, node, verdict } => {
                write!(f, "{at}: {replica} calls {node} {verdict}, which is well")
            }
        }
    }
}

/// Everything in a history, by time, that must never be.
pub fn violations(entries: &[Entry], places: &Places, rules: &Rules) -> Vec<Violation> {
    let hurts = Hurts::of(entries);
    let mut found = Vec::new();
    effects(entries, &mut found);
    effects_while(entries, &hurts, rules, &mut found);
    claims(entries, &hurts, rules, &mut found);
    stored(entries, &mut found);
    accusals(entries, &hurts, places, rules, &mut found);
    found
}

/// What was heard at the sink, in order.
fn heard(entries: &[Entry]) -> impl Iterator<Item = (Moment, &Heard)> {
    entries.iter().filter_map(|entry| match &entry.fact {
        Fact::Heard(heard) => Some((entry.at, heard)),
        Fact::Claimed { .. } | Fact::Stored { .. } | Fact::Accused { .. } => None,
        Fact::Hurt(_) | Fact::Healed(_) => None,
    })
}

/// One effect an action at most, none under an old term, and terms served one after the other.
fn effects(entries: &[Entry], found: &mut Vec<Violation>) {
    let (mut newest, mut served, mut done) = (0, 0, BTreeSet::new());
    for (at, Heard { id, term, attempt: _, response }) in heard(entries) {
        let applied = *response == Response::Applied;
        if applied && *term < newest {
            found.push(Violation::OldTerm { at, id: id.clone(), term: *term, heard: newest });
        }
        if applied && !done.insert(id) {
            found.push(Violation::Twice { at, id: id.clone() });
        }
        let is_served = match response {
            Response::Applied | Response::Repeated | Response::Looked => true,
            Response::Fenced | Response::Expired => false,
        };
        if is_served && *term < served {
            found.push(Violation::Overlap { at, older: *term, newer: served });
        }
        newest = newest.max(*term);
        served = if is_served { served.max(*term) } else { served };
    }
}

/// No effect by a leader that cannot know any more that it leads.
fn effects_while(entries: &[Entry], hurts: &Hurts, rules: &Rules, found: &mut Vec<Violation>) {
    let leaders: BTreeMap<u64, &String> = claimed(entries).map(|claim| (claim.term, claim.replica)).collect();
    for (at, heard) in heard(entries).filter(|(_, heard)| heard.response == Response::Applied) {
        let Some(replica) = leaders.get(&heard.term) else { continue };
        let stopped = (Fault::ReplicaStopped((*replica).clone()), rules.call);
        let cut_off = (Fault::ReplicaCutOff((*replica).clone()), rules.lease + rules.call);
        for (fault, allowed) in [stopped, cut_off] {
            if hurts.since(&fault, at).is_some_and(|since| at.since(since) > allowed) {
                found.push(Violation::ActedWhile { at, replica: (*replica).clone(), fault });
            }
        }
    }
}

/// What a replica said of itself.
#[derive(Clone, Copy)]
struct Claim<'a> {
    at: Moment,
    asked: Moment,
    replica: &'a String,
    term: u64,
}

fn claimed(entries: &[Entry]) -> impl Iterator<Item = Claim<'_>> {
    entries.iter().filter_map(|entry| match &entry.fact {
        Fact::Claimed { replica, term } => {
            Some(Claim { at: entry.at, asked: entry.asked, replica, term: *term })
        }
        Fact::Stored { .. } | Fact::Heard(_) | Fact::Accused { .. } | Fact::Hurt(_) | Fact::Healed(_) => None,
    })
}

/// Nobody leads in an older term, or in the same, after another one was heard to lead.
fn claims(entries: &[Entry], hurts: &Hurts, rules: &Rules, found: &mut Vec<Violation>) {
    // When each replica was first known to lead in each term.
    let mut known: BTreeMap<(u64, &String), Moment> = BTreeMap::new();
    let none = String::new();
    let mut all: Vec<Claim<'_>> = claimed(entries).collect();
    all.sort_by_key(|claim| claim.at);
    for claim in &all {
        // What a process says that went on a moment ago may be what it knew before it was stopped.
        let stopped = Fault::ReplicaStopped(claim.replica.clone());
        let woke = Moment(claim.at.0.saturating_sub(rules.lag));
        let excused = hurts.touches(&stopped, woke.min(claim.asked), claim.at);
        let before = known.range((claim.term, &none)..).find(|&(&(term, other), &at)| {
            other != claim.replica && (term == claim.term || claim.asked >= at)
        });
        if let (Some((&(newer, other), _)), false) = (before, excused) {
            let (at, replica, other) = (claim.at, claim.replica.clone(), other.clone());
            found.push(Violation::Led { at, replica, term: claim.term, other, newer });
        }
        known.entry((claim.term, claim.replica)).or_insert(claim.at);
        let cut_off = Fault::ReplicaCutOff(claim.replica.clone());
        if let Some(since) = hurts.since(&cut_off, claim.asked)
            && !excused
            && claim.asked.since(since) > rules.lease + rules.lag
        {
            let (at, replica) = (claim.at, claim.replica.clone());
            found.push(Violation::LedBeyondLease { at, replica, cut_off: claim.asked.since(since) });
        }
    }
}

/// The store never forgets a term.
fn stored(entries: &[Entry], found: &mut Vec<Violation>) {
    let mut reads: Vec<(Moment, u64)> = Vec::new();
    for entry in entries {
        if let Fact::Stored { term } = entry.fact {
            let before = reads.iter().filter(|(at, _)| *at <= entry.asked).map(|(_, term)| *term).max();
            if let Some(from) = before.filter(|before| *before > term) {
                found.push(Violation::TermFell { at: entry.at, from, to: term });
            }
            reads.push((entry.at, term));
        }
    }
}

/// Nobody is accused who is well.
fn accusals(entries: &[Entry], hurts: &Hurts, places: &Places, rules: &Rules, found: &mut Vec<Violation>) {
    for entry in entries {
        if let Fact::Accused { replica, node, verdict } = &entry.fact {
            let from = Moment(entry.at.0.saturating_sub(rules.evidence));
            if hurts.well(node, places, from, entry.at) {
                let (at, replica) = (entry.at, replica.clone());
                let (node, verdict) = (node.clone(), verdict.clone());
                found.push(Violation::FalseAccusal { at, replica, node, verdict });
            }
        }
    }
}
