//! One decision of several proposals.
//!
//! First one count is chosen, then the ranges that proposals ask for and the pool's own limits hold it, and last a veto
//! can stop it. **Missing data never scales in**: while one proposal says that it knows too little, the chosen count is
//! not below the current one. Ranges, limits and vetoes are orders and not guesses, so they are obeyed all the same.

use std::fmt;

use super::limits::Limits;
use super::proposal::{Evidence, Proposal};

/// How one count is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The largest: no policy's need goes unmet.
    Max,
    /// The smallest: every policy can hold the pool back.
    Min,
    /// That of the highest rank that has an opinion.
    Priority,
}

/// A proposal and how much it counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// 0 is the highest; of equals, the first counts.
    pub rank: u8,
    /// What it wants.
    pub proposal: Proposal,
}

/// What must not happen, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Veto {
    /// What.
    pub forbids: Forbids,
    /// Why, for a person.
    pub reason: Box<str>,
}

/// What a veto is against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forbids {
    /// Fewer replicas.
    ScaleIn,
    /// More replicas.
    ScaleOut,
    /// Any change.
    Change,
}

/// What the pool should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The count; the current one when nothing should change.
    pub replicas: u32,
    /// What became of the proposals, in the order of the steps. Their own reasons are with them.
    pub reasons: Vec<Reason>,
}

/// Chooses one count and holds it to all that was asked for.
pub fn merge(rule: Rule, current: u32, limits: Limits, proposals: &[Ranked], vetoes: &[Veto]) -> Decision {
    let mut reasons = Vec::new();
    let mut replicas = current;
    match choose(rule, proposals) {
        None => reasons.push(Reason::NoOpinion),
        Some((index, wanted)) => {
            reasons.push(Reason::Chosen { index, replicas: wanted });
            replicas = wanted;
        }
    }
    let lacking = |ranked: &Ranked| ranked.proposal.evidence == Evidence::Lacking;
    if let Some(index) = proposals.iter().position(lacking).filter(|_| replicas < current) {
        reasons.push(Reason::Held { index, replicas });
        replicas = current;
    }
    replicas = hold(replicas, proposals, limits, &mut reasons);
    for veto in vetoes {
        let allowed = match veto.forbids {
            Forbids::ScaleIn => replicas.max(current),
            Forbids::ScaleOut => replicas.min(current),
            Forbids::Change => current,
        };
        if allowed != replicas {
            reasons.push(Reason::Vetoed { replicas, why: veto.reason.clone() });
            replicas = allowed;
        }
    }
    Decision { replicas, reasons }
}

/// Which proposal counts, and its count.
fn choose(rule: Rule, proposals: &[Ranked]) -> Option<(usize, u32)> {
    let opinions = proposals.iter().enumerate().filter_map(|(index, ranked)| {
        ranked.proposal.replicas.map(|replicas| (index, ranked.rank, replicas))
    });
    let chosen = match rule {
        Rule::Max => opinions.min_by_key(|(_, rank, replicas)| (std::cmp::Reverse(*replicas), *rank)),
        Rule::Min => opinions.min_by_key(|(_, rank, replicas)| (*replicas, *rank)),
        Rule::Priority => opinions.min_by_key(|(_, rank, _)| *rank),
    };
    chosen.map(|(index, _, replicas)| (index, replicas))
}

/// Within the ranges of the proposals, a ceiling before a floor because it is a budget, and then within the limits.
fn hold(replicas: u32, proposals: &[Ranked], limits: Limits, reasons: &mut Vec<Reason>) -> u32 {
    let floor = proposals.iter().map(|ranked| ranked.proposal.bounds.floor).max().unwrap_or(0);
    let ceiling = proposals.iter().map(|ranked| ranked.proposal.bounds.ceiling).min().unwrap_or(u32::MAX);
    let held = replicas.max(floor).min(ceiling);
    if held != replicas {
        reasons.push(Reason::Bounded { asked: replicas, replicas: held });
    }
    let limited = limits.clamp(held);
    if limited != held {
        reasons.push(Reason::Limited { asked: held, replicas: limited });
    }
    limited
}

/// What became of the proposals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nobody proposes a count.
    NoOpinion,
    /// One proposal was chosen.
    Chosen {
        /// Which one, counted from 0.
        index: usize,
        /// Its count.
        replicas: u32,
    },
    /// The pool does not shrink, because a proposal knows too little.
    Held {
        /// Which one, counted from 0.
        index: usize,
        /// The count that was chosen.
        replicas: u32,
    },
    /// A proposal wants all to stay within a range.
    Bounded {
        /// The count before.
        asked: u32,
        /// The count after.
        replicas: u32,
    },
    /// The pool has a limit.
    Limited {
        /// The count before.
        asked: u32,
        /// The count after.
        replicas: u32,
    },
    /// A veto.
    Vetoed {
        /// The count that was stopped.
        replicas: u32,
        /// Why.
        why: Box<str>,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::NoOpinion => f.write_str("nothing changes: no policy has an opinion"),
            Reason::Chosen { index, replicas } => write!(f, "proposal {} was chosen: {replicas}", index + 1),
            Reason::Held { index, replicas } => {
                write!(f, "not {replicas}: proposal {} knows too little to shrink by", index + 1)
            }
            Reason::Bounded { asked, replicas } => {
                write!(f, "{replicas} instead of {asked}: a policy bounds the count")
            }
            Reason::Limited { asked, replicas } => {
                write!(f, "{replicas} instead of {asked}: the limits of the pool")
            }
            Reason::Vetoed { replicas, why } => write!(f, "not {replicas}: {why}"),
        }
    }
}

#[cfg(test)]
mod tests;
