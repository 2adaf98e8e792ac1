//! Questions about a silent node: who is asked, in which rounds, and what came back.
//!
//! One round is one probe of our own and up to five that other nodes make for us: three in the node's zone and two in
//! different other zones. Who is asked follows from the node's key and the round's number alone, so a replay asks the
//! same, and the work spreads evenly over the fleet. Two rounds are kept; verdicts go by both.

use std::time::Duration;

use super::fact::{Answer, Probed, Prober};
use super::roster::Roster;
use crate::id::NodeKey;
use crate::time::Time;

/// Probers in the node's own zone.
const IN_ZONE: usize = 3;

/// Probers in other zones, each in another.
const OUT_OF_ZONE: usize = 2;

/// Members of a zone looked at to find probers: with half of a zone silent, 32 are fit still.
const LOOKED_AT: usize = 64;

/// How long a host may take to let our own probe in, and its agent as long again to answer: two ways of 300 ms, the jitter
/// that must do no harm, and a little.
pub const PROBE_TIMEOUT: Duration = Duration::from_millis(650);

/// How long each half of a probe made for us may take at the prober, whose order and report need time as well: of two ways of 0-300 ms
/// one in eighteen takes longer.
pub const PEER_TIMEOUT: Duration = Duration::from_millis(500);

/// When a round without a sign of life makes a suspect: the timeout and a little for the answer to be handed in.
pub(super) const PATIENCE: Duration = Duration::from_millis(700);

/// When nothing more is expected of a round: an order of 300 ms, twice the prober's timeout, a report of 300 ms, and a
/// little.
pub(super) const ROUND_OVER: Duration = Duration::from_millis(1700);

/// When the second round follows one that has no sign of life yet.
pub(super) const SECOND_ROUND: Duration = Duration::from_millis(350);

/// When each further round follows.
pub(super) const NEXT_ROUND: Duration = Duration::from_secs(1);

/// How long rounds follow so fast, and how fast after that, or once nobody reached the node.
pub(super) const EAGER: Duration = Duration::from_secs(10);
pub(super) const LATER_ROUND: Duration = Duration::from_secs(5);

/// When a round that found no place is tried again.
pub(super) const RETRY: Duration = Duration::from_millis(100);

/// A round of probes for the shell to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The node to ask about.
    pub node: NodeKey,
    /// Comes back with the answers.
    pub round: u32,
    /// How long the host may take to let our own probe in, and the agent to answer it.
    pub timeout: Duration,
    /// Nodes to have probe it; empty when the first answer is expected from its host at once.
    pub peers: Vec<NodeKey>,
    /// How long each half of theirs may take.
    pub peer_timeout: Duration,
}

/// A probe that another node makes for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer {
    pub(super) by: NodeKey,
    pub(super) in_zone: bool,
    pub(super) answer: Option<Answer>,
    pub(super) round_trip: Duration,
}

/// One round.
#[derive(Clone, Debug)]
pub(super) struct Round {
    pub(super) number: u32,
    pub(super) asked: Time,
    pub(super) own: Option<Answer>,
    pub(super) peers: Vec<Peer>,
    /// Whether its unanswered probes were counted against us.
    pub(super) closed: bool,
}

/// What became of rounds. Probes that could not be made say nothing of anybody, and are in neither number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Closed {
    pub(super) rounds: u32,
    pub(super) asked: u32,
    pub(super) missing: u32,
}

/// What was asked about a node since it fell silent.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) opened: Time,
    /// When the next round may start.
    pub(super) next: Time,
    /// The one before the newest, and the newest.
    pub(super) rounds: [Option<Round>; 2],
    /// Rounds begun since the last sign of life.
    pub(super) mute: u32,
}

/// Answers counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Of probers that are themselves still heard.
    pub asked: u32,
    /// The agent answered.
    pub ok: u32,
    /// The host refused.
    pub refused: u32,
    /// Nothing in time, or no route.
    pub timed_out: u32,
}

impl Tally {
    /// Whether anything came from the host.
    pub fn alive(self) -> bool {
        self.ok + self.refused > 0
    }

    fn add(&mut self, answer: Option<Answer>) {
        match answer {
            Some(Answer::Ok) => self.ok += 1,
            Some(Answer::Refused) => self.refused += 1,
            Some(Answer::TimedOut | Answer::NoRoute) => self.timed_out += 1,
            Some(Answer::LetIn | Answer::Unasked) | None => {}
        }
    }
}

impl Question {
    pub(super) fn new(now: Time) -> Question {
        Question { opened: now, next: now, rounds: [None, None], mute: 0 }
    }

    /// Begins a round; the one before the last is forgotten.
    pub(super) fn begin(&mut self, number: u32, peers: Vec<Peer>, now: Time) {
        self.mute = self.mute.saturating_add(1);
        self.rounds.swap(0, 1);
        self.rounds[1] = Some(Round { number, asked: now, own: None, peers, closed: false });
    }

    /// Takes an answer; false when nobody waits for it.
    pub(super) fn answer(&mut self, probed: &Probed) -> bool {
        let rounds = self.rounds.iter_mut().flatten();
        let Some(round) = rounds.into_iter().find(|round| round.number == probed.round) else { return false };
        match probed.by {
            Prober::Own => round.own = Some(probed.answer),
            Prober::Node(by) => {
                let Some(peer) = round.peers.iter_mut().find(|peer| peer.by == by) else { return false };
                peer.answer = Some(probed.answer);
                peer.round_trip = probed.round_trip;
            }
        }
        // That somebody lets us in at its address is not yet that it was the node.
        if sign_of_life(Some(probed.answer)) && probed.answer != Answer::LetIn {
            self.mute = 0;
        }
        true
    }

    /// Whether every probe of a round has its answer.
    fn complete(round: &Round) -> bool {
        !matches!(round.own, None | Some(Answer::LetIn))
            && round.peers.iter().all(|peer| peer.answer.is_some())
    }

    /// Whether no probe of the newest round could be made, neither by us nor by others.
    pub(super) fn unasked(&self) -> bool {
        let unasked = |answer| answer == Some(Answer::Unasked);
        let others =
            |round: &Round| !round.peers.is_empty() && round.peers.iter().all(|peer| unasked(peer.answer));
        let of = |round: &Round| unasked(round.own) && others(round);
        self.rounds[1].as_ref().is_some_and(of)
    }

    /// Whether the newest rounds brought a sign of life.
    pub(super) fn alive(&self) -> bool {
        let of = |round: &Round| {
            sign_of_life(round.own) || round.peers.iter().any(|peer| sign_of_life(peer.answer))
        };
        self.rounds.iter().flatten().any(of)
    }

    /// A prober of another zone that told of the node, and whether any of them reached it.
    pub(super) fn told_outside(&self) -> Option<(NodeKey, bool)> {
        let peers = self.rounds.iter().flatten().flat_map(|round| &round.peers);
        let told = peers.filter(|peer| !peer.in_zone).filter_map(|peer| Some((peer.by, peer.answer?)));
        let told = told.filter(|(_, answer)| *answer != Answer::Unasked);
        told.fold(None, |found, (by, answer)| {
            Some((by, sign_of_life(Some(answer)) || found.is_some_and(|(_, reached)| reached)))
        })
    }

    /// Closes the rounds whose time is over, or all; how many, and how many probes of fit nodes they had and missed.
    pub(super) fn close(&mut self, over: impl Fn(&Round) -> bool, fit: impl Fn(NodeKey) -> bool) -> Closed {
        let mut closed = Closed::default();
        for round in self.rounds.iter_mut().flatten().filter(|round| !round.closed) {
            if over(round) || Question::complete(round) {
                round.closed = true;
                closed.rounds += 1;
                let peers = round.peers.iter().filter(|peer| peer.answer.is_some() || fit(peer.by));
                for answer in peers.map(|peer| peer.answer).chain([round.own]) {
                    closed.asked += u32::from(answer != Some(Answer::Unasked));
                    closed.missing += u32::from(answer.is_none());
                }
            }
        }
        closed
    }

    /// Our own probes.
    pub(super) fn own(&self) -> Tally {
        let mut tally = Tally::default();
        for round in self.rounds.iter().flatten().filter(|round| round.own != Some(Answer::Unasked)) {
            tally.asked += 1;
            tally.add(round.own);
        }
        tally
    }

    /// Probes of others, those in the zone or those outside. A prober that is silent itself cannot be expected to
    /// answer, so it counts as asked only when it did.
    pub(super) fn peers(&self, in_zone: bool, fit: impl Fn(NodeKey) -> bool) -> Tally {
        let mut tally = Tally::default();
        let all = self.rounds.iter().flatten().flat_map(|round| &round.peers);
        for peer in all.filter(|peer| peer.in_zone == in_zone && peer.answer != Some(Answer::Unasked)) {
            if peer.answer.is_some() || fit(peer.by) {
                tally.asked += 1;
                tally.add(peer.answer);
            }
        }
        tally
    }
}

fn sign_of_life(answer: Option<Answer>) -> bool {
    matches!(answer, Some(Answer::LetIn | Answer::Ok | Answer::Refused))
}

/// Who is to be asked about a node in a round.
pub(super) fn choose(roster: &Roster, node: NodeKey, round: u32) -> Vec<Peer> {
    let Some(watch) = roster.get(node) else { return Vec::new() };
    let start = mix(u64::from(node.0) << 32 | u64::from(round));
    let mut peers = Vec::with_capacity(IN_ZONE + OUT_OF_ZONE);
    let peer = |by, in_zone| Peer { by, in_zone, answer: None, round_trip: Duration::ZERO };
    let within = fit_members(roster, watch.zone, node, start);
    peers.extend(within.take(IN_ZONE).map(|by| peer(by, true)));
    let zones = roster.zones().len();
    let others = (0..zones).map(|step| at(start, step, zones)).filter(|zone| *zone != watch.zone);
    let outside = others.take(LOOKED_AT).filter_map(|zone| fit_members(roster, zone, node, start).next());
    peers.extend(outside.take(OUT_OF_ZONE).map(|by| peer(by, false)));
    if peers.iter().filter(|peer| !peer.in_zone).count() == 1 {
        // Only one other zone has anybody: ask two there.
        let zone = roster.get(peers[peers.len() - 1].by).map_or(watch.zone, |watch| watch.zone);
        peers.extend(fit_members(roster, zone, node, start).nth(1).map(|by| peer(by, false)));
    }
    peers
}

fn fit_members(
    roster: &Roster,
    zone: usize,
    node: NodeKey,
    start: u64,
) -> impl Iterator<Item = NodeKey> + '_ {
    let members = &roster.zones()[zone].members;
    let steps = 0..members.len().min(LOOKED_AT);
    let all = steps.map(move |step| members[at(start, step, members.len())]);
    all.filter(move |by| *by != node && roster.fit(*by))
}

fn at(start: u64, step: usize, length: usize) -> usize {
    ((start % length as u64) as usize + step) % length
}

/// Spreads numbers that are close together (the finalizer of SplitMix64, Steele, Lea and Flood, 2014).
fn mix(value: u64) -> u64 {
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}
