//! A small world around a detector: nodes that beat, a network that loses and delays, and a clock that jumps from event
//! to event. The same seed makes the same world.

use std::collections::BTreeSet;
use std::time::Duration;

use ostler_core::detect::{
    Action, Allowed, Answer, Ask, Class, Detector, Ending, Fact, Identity, Own, Probed, Prober, Start,
    Subject, Transition, Verdict,
};
use ostler_core::id::{Incarnation, NodeId, NodeKey, ZoneId};
use ostler_core::time::Time;

/// How the network behaves.
#[derive(Clone, Copy)]
pub(crate) struct Network {
    /// Messages lost, in ten thousand.
    pub(crate) lost: u64,
    /// Each way takes up to so many milliseconds.
    pub(crate) jitter_ms: u64,
}

/// One that does no harm.
pub(crate) const CALM: Network = Network { lost: 0, jitter_ms: 5 };

/// The one of the goal: 5 % loss, 0-300 ms jitter.
pub(crate) const ROUGH: Network = Network { lost: 500, jitter_ms: 300 };

/// How far ahead anything is planned.
const HORIZON_MS: usize = 16_384;

/// Answers of probes, by their place in a list.
const OK: u8 = 0;
const REFUSED: u8 = 1;
const TIMED_OUT: u8 = 2;
const LET_IN: u8 = 3;
const UNASKED: u8 = 4;
const NO_ROUTE: u8 = 5;

/// How a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    Up,
    /// Its host answers, its agent does not run.
    NoAgent,
    /// Nothing comes from it.
    Silent,
    /// It lives, but its stream to the coordinator does not get through.
    NoStream,
}

#[derive(Clone, Copy, Debug)]
enum Happens {
    Sends(u32),
    Beats(u32),
    Answers { node: u32, round: u32, by: Option<u32>, answer: u8 },
    Steps,
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let value = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (value ^ value >> 31) % below.max(1)
    }
}

/// The world.
pub(crate) struct World {
    pub(crate) detector: Detector,
    pub(crate) now: u64,
    pub(crate) network: Network,
    pub(crate) nodes: Vec<Health>,
    pub(crate) zones: Vec<usize>,
    /// Zones whose nodes we do not reach, and that do not reach us.
    pub(crate) cut_off: BTreeSet<usize>,
    /// Nodes whose addresses lead to others.
    pub(crate) taken: BTreeSet<u32>,
    /// Nodes whose addresses nobody knows.
    pub(crate) nameless: BTreeSet<u32>,
    /// Zones that no other zone reaches either.
    pub(crate) islands: BTreeSet<usize>,
    /// Nodes whose agents must start again.
    pub(crate) crashed: BTreeSet<u32>,
    /// Whether the driver does not run.
    pub(crate) paused: bool,
    /// Whether facts are held back and come together later.
    pub(crate) clogged: bool,
    held: Vec<Happens>,
    pub(crate) transitions: Vec<(u64, Transition)>,
    /// Actions other than probes.
    pub(crate) actions: Vec<Action>,
    dice: Dice,
    /// What happens in each of the next milliseconds, by the time modulo their count.
    events: Vec<Vec<Happens>>,
    /// When the next step is scheduled.
    step_at: Option<u64>,
}

impl World {
    /// Nodes spread over zones in turn, all connected and heard for a while.
    pub(crate) fn new(seed: u64, nodes: u32, zones: usize, network: Network) -> World {
        let mut world = World {
            detector: Detector::new(),
            now: 1_000_000,
            network,
            nodes: vec![Health::Up; nodes as usize],
            zones: (0..nodes as usize).map(|node| node % zones).collect(),
            cut_off: BTreeSet::new(),
            islands: BTreeSet::new(),
            taken: BTreeSet::new(),
            nameless: BTreeSet::new(),
            crashed: BTreeSet::new(),
            paused: false,
            clogged: false,
            held: Vec::new(),
            transitions: Vec::new(),
            actions: Vec::new(),
            dice: Dice(seed),
            events: vec![Vec::new(); HORIZON_MS],
            step_at: None,
        };
        for node in 0..nodes {
            world.join(node, 1);
            let offset = world.dice.roll(1000);
            world.at(offset, Happens::Sends(node));
        }
        world
    }

    pub(crate) fn time(&self) -> Time {
        Time::from_millis(self.now)
    }

    pub(crate) fn tell(&mut self, fact: Fact<'_>) {
        self.detector.handle(fact, Time::from_millis(self.now));
        self.schedule();
    }

    pub(crate) fn identity(&self, node: u32) -> Identity {
        Identity {
            node: NodeKey(node),
            name: NodeId::from(format!("n{node}").as_str()),
            zone: zone_id(self.zones[node as usize]),
            interval: Duration::from_secs(1),
        }
    }

    pub(crate) fn join(&mut self, node: u32, incarnation: u64) {
        let identity = self.identity(node);
        self.tell(Fact::Joined { identity, incarnation: Incarnation(incarnation), start: Start::Agent });
        self.tell(Fact::Snapshot(NodeKey(node)));
    }

    /// The agent's process dies; its host closes the stream.
    pub(crate) fn crash(&mut self, node: u32) {
        self.crashed.insert(node);
        self.nodes[node as usize] = Health::NoAgent;
        self.tell(Fact::Ended(NodeKey(node), Ending::Closed));
    }

    pub(crate) fn run(&mut self, millis: u64) {
        for _ in 0..millis {
            self.moment();
            self.now += 1;
        }
    }

    /// All that happens in this millisecond, and what comes of it at once.
    fn moment(&mut self) {
        let at = slot(self.now);
        let mut done = 0;
        while let Some(&what) = self.events[at].get(done) {
            done += 1;
            self.happen(what);
        }
        self.events[at].clear();
    }

    pub(crate) fn verdict(&self, node: u32) -> Verdict {
        self.detector.verdict(&Subject::Node(NodeKey(node)))
    }

    pub(crate) fn zone_verdict(&self, zone: usize) -> Verdict {
        self.detector.verdict(&Subject::Zone(zone_id(zone)))
    }

    pub(crate) fn allowed(&self, node: u32) -> Allowed {
        self.detector.allowed(&Subject::Node(NodeKey(node)))
    }

    /// Whether anything at all that is disruptive is allowed anywhere.
    pub(crate) fn disrupts(&self) -> bool {
        let subjects: Vec<&Subject> = self.detector.findings().map(|(subject, _)| subject).collect();
        subjects
            .into_iter()
            .any(|subject| self.detector.allowed(subject).highest() >= Some(Class::Disruptive))
    }

    /// When the verdict on a node became this, for the first time since a moment.
    pub(crate) fn became(&self, node: u32, verdict: Verdict, since: u64) -> Option<u64> {
        let subject = Subject::Node(NodeKey(node));
        let mut of = self.transitions.iter().filter(|(at, it)| *at >= since && it.subject == subject);
        of.find(|(_, it)| it.finding.verdict == verdict).map(|(at, _)| *at)
    }

    pub(crate) fn count(&self, verdict: Verdict) -> usize {
        self.transitions.iter().filter(|(_, it)| it.finding.verdict == verdict).count()
    }

    /// What the newest finding on a subject goes by, in words.
    pub(crate) fn words(&self, subject: &Subject) -> String {
        self.detector.finding(subject).map(|finding| finding.evidence.to_string()).unwrap_or_default()
    }

    fn at(&mut self, after: u64, what: Happens) {
        assert!(after < HORIZON_MS as u64, "{after} ms ahead");
        self.events[slot(self.now + after)].push(what);
    }

    fn schedule(&mut self) {
        if let Some(due) = self.detector.poll_timeout().map(|due| due.as_millis().max(self.now))
            && self.step_at.is_none_or(|at| due < at)
        {
            self.step_at = Some(due);
            self.at(due - self.now, Happens::Steps);
        }
    }

    fn happen(&mut self, what: Happens) {
        match what {
            Happens::Sends(node) => {
                let gap = 900 + self.dice.roll(201);
                self.at(gap, Happens::Sends(node));
                let through = self.nodes[node as usize] == Health::Up && self.near(node);
                if through && let Some(delay) = self.way() {
                    self.at(delay, Happens::Beats(node));
                }
            }
            Happens::Steps if self.step_at != Some(self.now) || self.paused => {
                self.step_at = self.step_at.filter(|at| *at > self.now);
            }
            Happens::Steps => self.step(),
            Happens::Beats(_) | Happens::Answers { .. } if self.paused || self.clogged => {
                self.held.push(what)
            }
            Happens::Beats(node) => self.tell(Fact::Beat(NodeKey(node))),
            Happens::Answers { node, round, by, answer } => {
                let by = by.map_or(Prober::Own, |by| Prober::Node(NodeKey(by)));
                let answer = [
                    Answer::Ok,
                    Answer::Refused,
                    Answer::TimedOut,
                    Answer::LetIn,
                    Answer::Unasked,
                    Answer::NoRoute,
                ][usize::from(answer)];
                let round_trip = Duration::from_millis(20);
                self.tell(Fact::Probed(Probed { node: NodeKey(node), round, by, answer, round_trip }));
            }
        }
    }

    fn step(&mut self) {
        self.step_at = None;
        let actions = self.detector.step(self.time());
        let moved = self.detector.report().transitions.clone();
        self.transitions.extend(moved.into_iter().map(|it| (self.now, it)));
        for action in actions {
            match action {
                Action::Probe(ask) => self.probe(&ask),
                Action::Corroborate(_) | Action::Resign(_) => self.actions.push(action),
            }
        }
        self.schedule();
    }

    /// Everything that was held back comes at once, the driver's overdue step first or last.
    pub(crate) fn resume(&mut self, step_first: bool) {
        (self.paused, self.clogged) = (false, false);
        if step_first {
            self.step();
        }
        for what in std::mem::take(&mut self.held) {
            self.happen(what);
        }
        self.step();
    }

    fn probe(&mut self, ask: &Ask) {
        let node = ask.node.0;
        let (let_in, (answer, took)) = self.reach(None, node, ask.timeout);
        if let Some(let_in) = let_in {
            self.at(let_in, Happens::Answers { node, round: ask.round, by: None, answer: LET_IN });
        }
        self.at(took, Happens::Answers { node, round: ask.round, by: None, answer });
        for peer in &ask.peers {
            let by = peer.0;
            let works = self.nodes[by as usize] == Health::Up && self.near(by);
            let (Some(there), Some(back)) = (self.way(), self.way()) else { continue };
            if !works {
                continue;
            }
            let (_, (answer, took)) = self.reach(Some(by), node, ask.peer_timeout);
            self.at(there + took + back, Happens::Answers { node, round: ask.round, by: Some(by), answer });
        }
    }

    /// After how long a probe is let in, and what it brings after how long.
    fn reach(&mut self, by: Option<u32>, node: u32, timeout: Duration) -> (Option<u64>, (u8, u64)) {
        if self.nameless.contains(&node) {
            return (None, (UNASKED, 0));
        }
        if self.taken.contains(&node) {
            return (Some(1), (NO_ROUTE, 2));
        }
        let timeout = timeout.as_millis() as u64;
        let zone = self.zones[node as usize];
        let connected = match by {
            None => self.near(node),
            Some(by) => {
                let from = self.zones[by as usize];
                from == zone || !self.islands.contains(&zone) && !self.islands.contains(&from)
            }
        };
        let health = self.nodes[node as usize];
        let mut round_trip = || Some(self.way()? + self.way()?).filter(|took| *took < timeout);
        let (let_in, answered) = (round_trip(), round_trip());
        let Some(let_in) = let_in.filter(|_| connected && health != Health::Silent) else {
            return (None, (TIMED_OUT, timeout));
        };
        match answered {
            _ if health == Health::NoAgent => (None, (REFUSED, let_in)),
            Some(answered) => (Some(let_in), (OK, let_in + answered)),
            None => (Some(let_in), (REFUSED, let_in + timeout)),
        }
    }

    /// Whether the network between us and a node is there.
    fn near(&self, node: u32) -> bool {
        !self.cut_off.contains(&self.zones[node as usize])
    }

    /// How long one way takes; none when the message is lost.
    fn way(&mut self) -> Option<u64> {
        let lost = self.dice.roll(10_000) < self.network.lost;
        let delay = self.dice.roll(self.network.jitter_ms + 1);
        (!lost).then_some(delay)
    }

    /// A replica that leads.
    pub(crate) fn lead(&mut self) {
        self.tell(Fact::Own(Own::Leading));
    }
}

fn slot(at: u64) -> usize {
    (at % HORIZON_MS as u64) as usize
}

pub(crate) fn zone_id(zone: usize) -> ZoneId {
    ZoneId::from(["a", "b", "c", "d"][zone])
}
