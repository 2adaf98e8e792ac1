//! Replicas under faults: pauses, crashes, cuts, slow and lost messages, clocks that run at different rates, stalled
//! watches, new leaders of etcd, and an etcd without one. Checks at every moment of true time what must hold.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::{
    Answer, Boot, Config, Election, Input, LeaderToken, Output, Request, RequestId, Role, WatchId,
};
use super::serve::serve;
use super::sim_etcd::{Compare, Op, SCAN_MS, SimEtcd};
use crate::id::Term;

/// True time between two looks at the world, in milliseconds.
const TICK_MS: u64 = 10;

/// Numbers from a seed (SplitMix64).
#[derive(Debug)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }
}

enum Packet {
    Request {
        from: usize,
        life: u64,
        id: RequestId,
        request: Request,
    },
    Answer {
        to: usize,
        life: u64,
        id: RequestId,
        answer: Answer,
    },
    /// A leader's write, on condition of its key and term.
    Write {
        key: String,
        term: Term,
    },
}

/// A process and its machine.
struct Replica {
    election: Election,
    token: Option<LeaderToken>,
    /// When the token is given back, once it must be.
    returns_ms: Option<u64>,
    watch: Option<(WatchId, Vec<Box<str>>, u64)>,
    inbox: Vec<(RequestId, Answer)>,
    /// Counts its processes.
    life: u64,
    /// What its clock showed at the beginning.
    clock_base_ms: u64,
    /// How far its clock goes in a million milliseconds.
    clock_rate: u64,
    paused_until_ms: u64,
    /// Not running until then.
    down_until_ms: u64,
    cut_until_ms: u64,
    stalled_until_ms: u64,
}

impl Replica {
    fn clock(&self, true_ms: u64) -> Boot {
        Boot::from_millis(self.clock_base_ms + true_ms * self.clock_rate / 1_000_000)
    }
}

/// What happened in a world.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) terms: u64,
    pub(super) writes: u64,
    pub(super) writes_refused: u64,
    pub(super) aborts: u64,
    /// Longest time without a live token since faults stopped, in milliseconds.
    pub(super) calm_gap_ms: u64,
}

/// Everything.
pub(super) struct World {
    dice: Dice,
    now_ms: u64,
    etcd: SimEtcd,
    replicas: Vec<Replica>,
    packets: BTreeMap<(u64, u64), Packet>,
    packets_sent: u64,
    /// etcd has no leader until then: it answers nothing and lets no lease expire.
    etcd_down_until_ms: u64,
    /// One request or answer in this many is lost; zero for none.
    loss_one_in: u64,
    last_term: Term,
    last_write: Term,
    /// Since when nobody leads.
    leaderless_since_ms: Option<u64>,
    pub(super) tally: Tally,
}

impl World {
    pub(super) fn new(seed: u64, ttl: Duration) -> World {
        let mut dice = Dice(seed);
        let replicas = (0..3)
            .map(|it| {
                let config = Config::try_new(&format!("replica-{it}"), "ostler/", ttl).unwrap();
                let clock_base_ms = dice.below(1_000_000_000);
                Replica {
                    election: Election::new(config, Boot::from_millis(clock_base_ms)),
                    token: None,
                    returns_ms: None,
                    watch: None,
                    inbox: Vec::new(),
                    life: 0,
                    clock_base_ms,
                    clock_rate: 950_000 + dice.below(100_000),
                    paused_until_ms: 0,
                    down_until_ms: 0,
                    cut_until_ms: 0,
                    stalled_until_ms: 0,
                }
            })
            .collect();
        World {
            dice,
            now_ms: 0,
            etcd: SimEtcd::new(),
            replicas,
            packets: BTreeMap::new(),
            packets_sent: 0,
            etcd_down_until_ms: 0,
            loss_one_in: 0,
            last_term: Term(0),
            last_write: Term(0),
            leaderless_since_ms: Some(0),
            tally: Tally::default(),
        }
    }

    pub(super) fn run(&mut self, end_ms: u64, faults: bool) {
        while self.now_ms < end_ms {
            self.now_ms += TICK_MS;
            if faults {
                self.break_something();
            }
            if self.etcd_down_until_ms == self.now_ms {
                self.etcd.change_leader(self.now_ms);
            }
            if self.etcd_is_up() && self.now_ms.is_multiple_of(SCAN_MS) {
                self.etcd.expire(self.now_ms);
            }
            self.deliver();
            for at in 0..self.replicas.len() {
                self.run_replica(at);
            }
            self.check(faults);
        }
    }

    /// Ends all faults.
    pub(super) fn heal(&mut self) {
        self.loss_one_in = 0;
        if !self.etcd_is_up() {
            self.etcd_down_until_ms = self.now_ms + TICK_MS;
        }
        for it in &mut self.replicas {
            it.paused_until_ms = it.paused_until_ms.min(self.now_ms);
            it.down_until_ms = it.down_until_ms.min(self.now_ms);
            it.cut_until_ms = it.cut_until_ms.min(self.now_ms);
            it.stalled_until_ms = it.stalled_until_ms.min(self.now_ms);
        }
        self.leaderless_since_ms = self.leaderless_since_ms.map(|_| self.now_ms);
    }

    fn etcd_is_up(&self) -> bool {
        self.etcd_down_until_ms <= self.now_ms
    }

    fn break_something(&mut self) {
        if !self.dice.one_in(60) {
            return;
        }
        let (at, now_ms) = (self.dice.below(3) as usize, self.now_ms);
        let long_ms = now_ms + 100 + self.dice.below(9_000);
        match self.dice.below(10) {
            0 | 1 => self.replicas[at].paused_until_ms = long_ms,
            2 => self.replicas[at].cut_until_ms = long_ms,
            3 => self.replicas[at].stalled_until_ms = long_ms,
            4 => self.crash(at, long_ms),
            5 => self.etcd.change_leader(now_ms),
            6 => self.etcd.compact(),
            7 => self.loss_one_in = [0, 20, 5, 3][self.dice.below(4) as usize],
            8 => self.etcd_down_until_ms = now_ms + TICK_MS * (1 + self.dice.below(400)),
            _ => self.tell(at, Input::Shutdown),
        }
    }

    fn crash(&mut self, at: usize, until_ms: u64) {
        let clock = self.replicas[at].clock(self.now_ms);
        let config = Config::try_new("again", "ostler/", self.replicas[at].election.config.ttl()).unwrap();
        let it = &mut self.replicas[at];
        it.election = Election::new(config, clock);
        it.life += 1;
        it.down_until_ms = until_ms;
        (it.token, it.returns_ms, it.watch) = (None, None, None);
        it.inbox.clear();
    }

    fn runs(&self, at: usize) -> bool {
        let it = &self.replicas[at];
        it.paused_until_ms <= self.now_ms && it.down_until_ms <= self.now_ms
    }

    fn run_replica(&mut self, at: usize) {
        if !self.runs(at) {
            return;
        }
        self.write(at);
        for (id, answer) in std::mem::take(&mut self.replicas[at].inbox) {
            self.tell(at, Input::Answered { id, answer });
        }
        self.watch(at);
        let now = self.replicas[at].clock(self.now_ms);
        let election = &mut self.replicas[at].election;
        if election.poll_timeout().is_some_and(|due| due <= now) {
            let outputs = election.handle_timeout(now);
            assert!(election.poll_timeout().is_none_or(|due| due > now));
            self.act(at, outputs);
        }
        if self.replicas[at].returns_ms.is_some_and(|due| due <= self.now_ms) {
            self.replicas[at].returns_ms = None;
            let token = self.replicas[at].token.take().expect("a token");
            self.tell(at, Input::Returned(token));
        }
    }

    /// A leader's work. It goes by the token alone, as a task would that was not told yet.
    fn write(&mut self, at: usize) {
        let Some(token) = &self.replicas[at].token else { return };
        let packet = Packet::Write { key: token.key().to_owned(), term: token.term() };
        if self.dice.one_in(10) {
            self.post(packet);
        }
    }

    fn watch(&mut self, at: usize) {
        let it = &self.replicas[at];
        let away = it.stalled_until_ms > self.now_ms || it.cut_until_ms > self.now_ms;
        let silent = away || !self.etcd_is_up();
        let Some((watch, keys, after)) = it.watch.clone().filter(|_| !silent) else { return };
        if !self.dice.one_in(3) {
            return;
        }
        for key in keys {
            match self.etcd.deletions(&key, after) {
                Ok(true) => self.tell(at, Input::Deleted { watch, key }),
                Ok(false) => {}
                Err(_) => {
                    self.replicas[at].watch = None;
                    return self.tell(at, Input::WatchLost { watch });
                }
            }
        }
    }

    fn tell(&mut self, at: usize, input: Input) {
        if !self.runs(at) {
            return;
        }
        let now = self.replicas[at].clock(self.now_ms);
        let outputs = self.replicas[at].election.handle(input, now);
        self.act(at, outputs);
    }

    fn act(&mut self, at: usize, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send { id, request } => {
                    let life = self.replicas[at].life;
                    self.post(Packet::Request { from: at, life, id, request });
                }
                Output::Watch { watch, keys, after_revision } => {
                    self.replicas[at].watch = Some((watch, keys, after_revision));
                }
                Output::Unwatch => self.replicas[at].watch = None,
                Output::Lead(token) => self.lead(at, token),
                Output::Renew(renewal) => self.replicas[at].token.as_mut().expect("a token").renew(renewal),
                Output::StepDown { .. } => {
                    self.replicas[at].returns_ms = Some(self.now_ms + self.dice.below(2_300));
                }
                Output::Left(_) => {}
                Output::Abort => {
                    self.tally.aborts += 1;
                    self.crash(at, self.now_ms + 500);
                    return;
                }
                Output::Ended => {
                    self.crash(at, self.now_ms + 500);
                    return;
                }
            }
        }
    }

    fn lead(&mut self, at: usize, token: LeaderToken) {
        assert!(
            token.term() > self.last_term,
            "terms increase: {:?} after {:?}",
            token.term(),
            self.last_term
        );
        self.last_term = token.term();
        self.tally.terms += 1;
        assert!(self.replicas[at].token.is_none(), "the token before was given back");
        self.replicas[at].token = Some(token);
    }

    fn post(&mut self, packet: Packet) {
        if self.loss_one_in > 0 && self.dice.one_in(self.loss_one_in) {
            return;
        }
        // Most messages take milliseconds; when messages are lost, some take seconds.
        let slow = self.loss_one_in > 0 && self.dice.one_in(8);
        let delay_ms = if slow { self.dice.below(6_000) } else { 1 + self.dice.below(20) };
        self.packets_sent += 1;
        self.packets.insert((self.now_ms + delay_ms, self.packets_sent), packet);
    }

    fn deliver(&mut self) {
        let later = self.packets.split_off(&(self.now_ms + 1, 0));
        for packet in std::mem::replace(&mut self.packets, later).into_values() {
            match packet {
                Packet::Request { .. } | Packet::Write { .. } if !self.etcd_is_up() => {}
                Packet::Request { from, life, id, request } => {
                    if self.replicas[from].cut_until_ms <= self.now_ms {
                        let answer = serve(&mut self.etcd, &request, self.now_ms);
                        self.post(Packet::Answer { to: from, life, id, answer });
                    }
                }
                Packet::Answer { to, life, id, answer } => {
                    let it = &mut self.replicas[to];
                    if it.life == life && it.cut_until_ms <= self.now_ms {
                        it.inbox.push((id, answer));
                    }
                }
                Packet::Write { key, term } => self.accept(key, term),
            }
        }
    }

    fn accept(&mut self, key: String, term: Term) {
        let put = Op::Put { key: "work".to_owned(), value: term.0.to_be_bytes().to_vec(), lease: 0 };
        let outcome = self.etcd.txn(&[Compare::CreateRevision(key, term.0)], &[put], &[]).unwrap();
        if outcome.succeeded {
            assert!(term >= self.last_write, "a write of {term:?} after one of {:?}", self.last_write);
            self.last_write = term;
            self.tally.writes += 1;
        } else {
            self.tally.writes_refused += 1;
        }
    }

    fn check(&mut self, faults: bool) {
        let live: Vec<Term> = self
            .replicas
            .iter()
            .filter_map(|it| it.token.as_ref().filter(|token| token.is_live(it.clock(self.now_ms))))
            .map(LeaderToken::term)
            .collect();
        assert!(live.len() <= 1, "two live tokens at {} ms: {live:?}", self.now_ms);
        let leads = (0..3).any(|at| matches!(self.replicas[at].election.role(), Role::Leading(_)));
        if !live.is_empty() && leads {
            self.leaderless_since_ms = None;
        } else {
            let since = *self.leaderless_since_ms.get_or_insert(self.now_ms);
            if !faults {
                self.tally.calm_gap_ms = self.tally.calm_gap_ms.max(self.now_ms - since);
            }
        }
    }
}
