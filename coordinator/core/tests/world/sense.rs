//! The engine at work in a replica: steps, probes, and what replicas tell one another.
//!
//! What the coordinator does not do yet is modelled as the reference says: each second a replica tells the others what it
//! reaches, a leader reads its own key, the score and the reach go to the election, and others answer for single nodes.

use std::time::Duration;

use ostler_core::detect::{self, Action, Fact, Own, Replica as Reached, Subject, Testimony, ZoneReach};
use ostler_core::engine::Engine;
use ostler_core::event::Event;
use ostler_core::id::{NodeId, NodeKey, Term, ZoneId};
use ostler_core::lead::Input;

use crate::agent::{self, Health};
use crate::replica;
use crate::world::{Ask, Happens, Letter, World};

/// Times between two steps of the coordinator's driver.
const STEP_MS_MIN: u64 = 50;
const STEP_MS_MAX: u64 = 250;

/// How long what another replica said it reaches is believed.
const REACH_FRESH_MS: u64 = 5_000;

/// How old the answer that the own key is there may be: a look is asked for each second and takes a second at most.
const KEY_FRESH: Duration = Duration::from_secs(3);

impl World {
    pub(crate) fn learn(&mut self, replica: usize, fact: Fact<'_>) {
        let it = &mut self.replicas[replica];
        let now = it.time(self.now_ms);
        it.engine.learn(fact, now);
        self.hasten(replica);
    }

    /// Has a step come sooner when a fact made it due, as the driver does.
    pub(crate) fn hasten(&mut self, replica: usize) {
        let it = &self.replicas[replica];
        let now = it.time(self.now_ms);
        let Some(due) = it.engine.poll_timeout() else { return };
        let due_ms = self.now_ms + u64::try_from(due.since(now).as_millis()).expect("a short time");
        let due_ms = due_ms.max(it.stepped_ms + STEP_MS_MIN);
        if due_ms < it.step_ms {
            self.plan_step(replica, due_ms);
        }
    }

    pub(crate) fn plan_step(&mut self, replica: usize, at_ms: u64) {
        let (life, at_ms) = (self.replicas[replica].life, at_ms.max(self.now_ms));
        self.replicas[replica].step_ms = at_ms;
        self.after(at_ms - self.now_ms, Happens::Steps { replica, life });
    }

    pub(crate) fn step(&mut self, replica: usize) {
        let now_ms = self.now_ms;
        let it = &mut self.replicas[replica];
        let now = it.time(now_ms);
        it.stepped_ms = now_ms;
        let actions = it.engine.step(now);
        let due = it.engine.poll_timeout().map_or(STEP_MS_MAX, |due| due.since(now).as_millis() as u64);
        self.plan_step(replica, now_ms + due.clamp(STEP_MS_MIN, STEP_MS_MAX));
        self.note_verdicts(replica);
        for action in actions {
            match action {
                Action::Probe(ask) => self.probe(replica, &ask),
                Action::Corroborate(nodes) => self.corroborate(replica, &nodes),
                // The election hears of both reasons each second.
                Action::Resign(_) => self.record.resignations += 1,
            }
        }
        self.work(replica);
    }

    fn probe(&mut self, replica: usize, ask: &detect::Ask) {
        let engine = &self.replicas[replica].engine;
        let Some(node) = node_of(engine, ask.node) else { return };
        let peers: Vec<NodeId> = ask.peers.iter().filter_map(|peer| node_of(engine, *peer)).collect();
        let (from, life, round) = (self.replicas[replica].spot(), self.replicas[replica].life, ask.round);
        let (let_in_ms, last) = self.knock(from, &node, ask.timeout);
        let let_in = let_in_ms.map(|let_in_ms| (detect::Answer::LetIn, let_in_ms));
        for (answer, took_ms) in let_in.into_iter().chain([last]) {
            let letter = Letter::Probed { node: node.clone(), round, by: None, answer, took_ms };
            self.after(took_ms, Happens::Comes { replica, life, letter });
        }
        for by in peers {
            let peer = &self.agents[agent::number(&by)];
            let connected = peer.streams.get(&replica).is_some_and(|it| it.stuck.is_empty());
            let works = connected && peer.health == Health::Well;
            let spot = peer.spot();
            if !works || !self.net.open_both(spot, from, self.now_ms) {
                continue;
            }
            let (there_ms, back_ms) = (self.net.piece(&mut self.dice), self.net.piece(&mut self.dice));
            let (_, (answer, took_ms)) = self.knock(spot, &node, ask.peer_timeout);
            let letter = Letter::Probed { node: node.clone(), round, by: Some(by), answer, took_ms };
            self.after(there_ms + took_ms + back_ms, Happens::Comes { replica, life, letter });
        }
    }

    /// After how long a probe is let in, and what it brings after how long.
    fn knock(
        &mut self,
        from: crate::net::Spot,
        node: &NodeId,
        timeout: Duration,
    ) -> (Option<u64>, (detect::Answer, u64)) {
        let timeout_ms = u64::try_from(timeout.as_millis()).expect("a short time");
        let it = &self.agents[agent::number(node)];
        let open = self.net.open_both(from, it.spot(), self.now_ms);
        let health = it.health;
        let mut round_trip = || self.net.piece(&mut self.dice) + self.net.piece(&mut self.dice);
        let (let_in_ms, answered_ms) = (round_trip(), round_trip());
        if !open || health == Health::Off || let_in_ms >= timeout_ms {
            return (None, (detect::Answer::TimedOut, timeout_ms));
        }
        match health {
            Health::Crashed => (None, (detect::Answer::Refused, let_in_ms)),
            Health::Well if answered_ms < timeout_ms => {
                (Some(let_in_ms), (detect::Answer::Ok, let_in_ms + answered_ms))
            }
            // The kernel takes the connection, and nobody answers on it in time.
            Health::Well | Health::Hung | Health::Off => {
                (Some(let_in_ms), (detect::Answer::Refused, let_in_ms + timeout_ms))
            }
        }
    }

    fn corroborate(&mut self, replica: usize, nodes: &[NodeKey]) {
        let it = &self.replicas[replica];
        let nodes: Vec<NodeId> = nodes.iter().filter_map(|node| node_of(&it.engine, *node)).collect();
        self.tell_others(replica, &Letter::Asked { from: replica, nodes });
    }

    fn tell_others(&mut self, replica: usize, letter: &Letter) {
        for other in (0..self.replicas.len()).filter(|other| *other != replica) {
            let (from, life) = (self.replicas[replica].spot(), self.replicas[other].life);
            self.post(from, other, life, letter.clone());
        }
    }

    /// Another replica asks what is known of nodes. What was not heard for a moment is not testified to.
    pub(crate) fn testify(&mut self, replica: usize, from: usize, nodes: &[NodeId]) {
        let (spot, life) = (self.replicas[replica].spot(), self.replicas[from].life);
        for name in nodes {
            let it = &self.replicas[replica];
            let Some(node) = it.engine.fleet().node(name) else { continue };
            let verdict = it.engine.detector().node_verdict(node.key());
            let heard = it.time(self.now_ms).since(node.heard()) < Duration::from_millis(1_500);
            let lost = matches!(verdict, detect::Verdict::NodeUnreachable | detect::Verdict::NodeDead);
            if !lost && !heard {
                continue;
            }
            let testimony = if lost { Testimony::Lost } else { Testimony::Alive };
            self.post(spot, from, life, Letter::Told { from: replica, node: name.clone(), testimony });
        }
    }

    pub(crate) fn hear_witness(&mut self, replica: usize, from: usize, node: &NodeId, told: Testimony) {
        let key = self.replicas[replica].engine.fleet().node(node).map(ostler_core::fleet::Node::key);
        if let Some(node) = key {
            let name = replica::name(from);
            self.learn(replica, Fact::Witness { replica: &name, node, testimony: told });
        }
    }

    pub(crate) fn hear_reach(&mut self, replica: usize, from: usize, reach: Vec<(ZoneId, ZoneReach)>) {
        let name = replica::name(from);
        self.learn(replica, Fact::Replica(Reached { name: &name, reach: &reach }));
        self.replicas[replica].others.insert(from, (self.now_ms, reach));
    }

    /// What a replica does once a second besides.
    pub(crate) fn second(&mut self, replica: usize) {
        self.after(1_000, Happens::Second { replica });
        let now_ms = self.now_ms;
        if !self.replicas[replica].runs(now_ms) {
            return;
        }
        let it = &self.replicas[replica];
        let reach: Vec<(ZoneId, ZoneReach)> =
            it.engine.detector().reach().map(|(zone, reach)| (zone.clone(), reach)).collect();
        let own = total(&reach);
        let fresh = it.others.values().filter(|(at_ms, _)| now_ms - at_ms <= REACH_FRESH_MS);
        let best = fresh.map(|(_, reach)| total(reach)).max().unwrap_or(0).max(own);
        let score = it.engine.detector().report().local_health.score();
        self.tell_others(replica, &Letter::Reach { from: replica, reach });
        self.tell_election(replica, Input::Health { score });
        self.tell_election(replica, Input::Reach { own, best });
        self.look_at_key(replica);
        let life = self.replicas[replica].life;
        self.send_etcd(replica, life, Ask::Standing);
        let silent = now_ms - self.replicas[replica].standing_ms > 5_000;
        if silent {
            let term = self.replicas[replica].engine.report().term;
            self.hear_standing_of(replica, None, term);
        }
    }

    /// A leader proves to its engine that its key is there.
    fn look_at_key(&mut self, replica: usize) {
        let it = &self.replicas[replica];
        if it.token.is_none() || it.returns_ms.is_some() {
            return;
        }
        let boot = it.boot(self.now_ms);
        let held = it.election.confirmed().map(|at| boot.since(at) <= KEY_FRESH);
        if let Some(held) = held {
            self.learn(replica, Fact::Own(if held { Own::KeyHeld } else { Own::KeyMissing }));
        }
        self.tell_election(replica, Input::Confirm);
    }

    /// What etcd says of who leads; what a replica knows of itself is newer.
    pub(crate) fn hear_standing(&mut self, replica: usize, leader: Option<String>, term: Term) {
        self.replicas[replica].standing_ms = self.now_ms;
        let it = &self.replicas[replica];
        let leads = it.token.is_some() && it.returns_ms.is_none();
        if !leads {
            let leader = leader.filter(|_| term > it.last_term);
            self.hear_standing_of(replica, leader, term.max(it.last_term));
        }
    }

    pub(crate) fn hear_standing_of(&mut self, replica: usize, leader: Option<String>, term: Term) {
        let it = &mut self.replicas[replica];
        let now = it.time(self.now_ms);
        let _ = it.engine.handle(Event::Leader { leader: leader.as_deref(), term }, now);
        self.hasten(replica);
    }

    /// The verdict of a replica on a node.
    pub(crate) fn verdict(&self, replica: usize, node: usize) -> detect::Verdict {
        let engine = &self.replicas[replica].engine;
        let known = engine.fleet().node(&agent::name(node));
        known.map_or(detect::Verdict::Healthy, |it| engine.detector().verdict(&Subject::Node(it.key())))
    }
}

fn node_of(engine: &Engine, key: NodeKey) -> Option<NodeId> {
    engine.fleet().node_by_key(key).map(|node| node.id().clone())
}

fn total(reach: &[(ZoneId, ZoneReach)]) -> u32 {
    reach.iter().map(|(_, it)| it.reached).sum()
}
