//! Simulated machines around the coordinator's own engine, acting out a script.
//!
//! A machine that is up beats once a second; one that is down says nothing and answers nothing, and returns as a machine that
//! started anew. Probes are answered by what is true, over the same network as everything else. The engine is stepped as the
//! coordinator's driver steps it. Time jumps from event to event, and the same seed makes the same run.

mod probe;
mod record;

use std::sync::Arc;
use std::time::Duration;

use ostler_core::detect::{Action, Answer, Fact, Probed, Prober};
use ostler_core::engine::{Engine, Policy};
use ostler_core::event::{Event, Happening, Reply, What};
use ostler_core::id::{NodeKey, Term, ZoneId};
use ostler_core::layout::Layout;
use ostler_core::time::Time;

pub use self::record::{About, Record, Silence, Told};
use super::machine::{Machine, layout};
use super::script::Script;
use crate::dice::Dice;

/// Times between two steps of the coordinator's driver.
const STEP_MS_MIN: u64 = 50;
const STEP_MS_MAX: u64 = 250;

/// How far ahead anything is planned; a power of two above the longest probe.
const HORIZON_MS: usize = 16_384;

/// The engine's clock when a script begins.
const BEGIN_MS: u64 = 1_000_000;

/// How long a packet of a handshake is waited for before it is sent again.
const RETRANSMIT_MS: u64 = 1_000;

/// How the network behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// Messages lost, in a hundred.
    pub loss_percent: u64,
    /// Each way takes up to so many milliseconds.
    pub jitter_ms: u64,
}

/// Machines, the network and the engine.
#[derive(Debug)]
pub struct Fleet<'a> {
    script: &'a Script,
    network: Network,
    engine: Engine,
    retention_ms: u64,
    layout: Arc<Layout>,
    /// GPUs of each machine.
    gpus: usize,
    zones: Vec<ZoneId>,
    machines: Vec<Machine>,
    /// Index of the machine by node key.
    places: Vec<usize>,
    now_ms: u64,
    /// Changes of the script that have happened.
    changed: usize,
    dice: Dice,
    /// What happens in each of the next milliseconds, by the time modulo their count.
    events: Vec<Vec<Happens>>,
    stepped_ms: u64,
    /// When the next step is planned.
    step_ms: Option<u64>,
    record: Record,
}

/// Something that happens.
#[derive(Clone, Copy, Debug)]
enum Happens {
    /// A machine's second.
    Beats(usize),
    /// A beat comes to the engine, unless the machine that sent it started again.
    Comes {
        machine: usize,
        life: u64,
    },
    /// A machine's agent tries to connect.
    Dials {
        machine: usize,
        life: u64,
    },
    Joins {
        machine: usize,
        life: u64,
    },
    Answers(Probed),
    Steps,
}

impl<'a> Fleet<'a> {
    /// Machines with so many GPUs, named and in zones as the script says. The engine forgets a machine that is silent for
    /// `retention_ms`.
    pub fn new(script: &'a Script, network: Network, gpus: usize, retention_ms: u64) -> Self {
        let zones = script.zones.iter().max().map_or(0, |zone| zone + 1);
        let machine = |(at, zone): (usize, &usize)| Machine::new(&format!("m{at}"), *zone);
        let mut fleet = Self {
            script,
            network,
            engine: Engine::new(Policy { retention: Duration::from_millis(retention_ms) }, "replay"),
            retention_ms,
            layout: layout(gpus),
            gpus,
            zones: (0..zones).map(|zone| ZoneId::from(format!("z{zone}").as_str())).collect(),
            machines: script.zones.iter().enumerate().map(machine).collect(),
            places: Vec::new(),
            now_ms: 0,
            changed: 0,
            dice: Dice::new(script.length_ms),
            events: vec![Vec::new(); HORIZON_MS],
            stepped_ms: 0,
            step_ms: None,
            record: Record::new(script.zones.len()),
        };
        fleet.begin();
        fleet
    }

    fn begin(&mut self) {
        let leader = Event::Leader { leader: Some("replay"), term: Term(1) };
        let _ = self.engine.handle(leader, self.time());
        for machine in 0..self.machines.len() {
            let after_ms = self.dice.below(1000);
            self.after(after_ms, Happens::Beats(machine));
            if self.script.up[machine] {
                self.rise(machine);
            }
        }
        self.schedule();
    }

    /// Acts out the whole script; what the engine told and what it should have.
    pub fn run(mut self) -> Record {
        self.run_until(self.script.length_ms);
        self.record.close(self.now_ms);
        self.record
    }

    /// Acts out the script up to a moment.
    pub(super) fn run_until(&mut self, end_ms: u64) {
        while self.now_ms < end_ms {
            self.moment();
            self.now_ms += 1;
            if self.now_ms.is_multiple_of(record::LOOK_MS) {
                self.second();
            }
        }
    }

    /// Tells the engine of something that happened on a machine that is connected.
    pub(super) fn tell(&mut self, machine: usize, id: u64, what: What) {
        if let Some(session) = self.machines[machine].session {
            let happening = Happening { id, age: Duration::ZERO, what };
            let _ = self.engine.handle(Event::Happened { session, happening }, self.time());
            self.schedule();
        }
    }

    /// The script's present.
    pub(super) fn now_ms(&self) -> u64 {
        self.now_ms
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(super) fn machine(&self, at: usize) -> &Machine {
        &self.machines[at]
    }

    fn moment(&mut self) {
        while let Some(change) = self.script.changes.get(self.changed).filter(|it| it.at_ms <= self.now_ms) {
            self.changed += 1;
            if change.up { self.rise(change.machine) } else { self.fall(change.machine) }
        }
        let at = slot(self.now_ms);
        let mut done = 0;
        while let Some(&what) = self.events[at].get(done) {
            done += 1;
            self.happen(what);
        }
        self.events[at].clear();
    }

    /// Once a second: what has been so in it.
    fn second(&mut self) {
        self.record.machine_s += self.machines.iter().filter(|it| it.up).count() as u64;
        self.note_allowed();
    }

    fn rise(&mut self, machine: usize) {
        let it = &mut self.machines[machine];
        (it.up, it.since_ms, it.seen) = (true, self.now_ms, true);
        it.life += 1;
        // What it said before is over.
        it.session = None;
        let life = it.life;
        self.record.rises(machine, self.now_ms);
        self.after(0, Happens::Dials { machine, life });
    }

    fn fall(&mut self, machine: usize) {
        let key = self.machines[machine].session.map(|session| session.node);
        let verdict = key.map(|key| self.engine.detector().node_verdict(key));
        let it = &mut self.machines[machine];
        (it.up, it.since_ms) = (false, self.now_ms);
        self.record.falls(machine, verdict, self.now_ms);
    }

    fn after(&mut self, after_ms: u64, what: Happens) {
        assert!(after_ms < HORIZON_MS as u64, "{after_ms} ms ahead");
        self.events[slot(self.now_ms + after_ms)].push(what);
    }

    fn happen(&mut self, what: Happens) {
        match what {
            Happens::Beats(machine) => self.beat(machine),
            Happens::Comes { machine, life } if self.machines[machine].life == life => {
                self.fold_beat(machine)
            }
            Happens::Dials { machine, life } if self.lives(machine, life) => self.dial(machine, life),
            Happens::Joins { machine, life } if self.lives(machine, life) => self.join(machine),
            Happens::Answers(probed) => {
                self.engine.learn(Fact::Probed(probed), self.time());
                self.schedule();
            }
            Happens::Steps if self.step_ms == Some(self.now_ms) => self.step(),
            Happens::Comes { .. } | Happens::Dials { .. } | Happens::Joins { .. } | Happens::Steps => {}
        }
    }

    fn lives(&self, machine: usize, life: u64) -> bool {
        self.machines[machine].up && self.machines[machine].life == life
    }

    fn beat(&mut self, machine: usize) {
        let gap_ms = 900 + self.dice.below(201);
        self.after(gap_ms, Happens::Beats(machine));
        let Machine { up: true, life, session: Some(_), .. } = self.machines[machine] else { return };
        if let Some(way_ms) = self.way() {
            self.after(way_ms, Happens::Comes { machine, life });
        }
    }

    fn fold_beat(&mut self, machine: usize) {
        let now = self.time();
        let it = &mut self.machines[machine];
        let Some(session) = it.session else { return };
        let reply = self.engine.handle(Event::Row { session, row: it.row() }, now);
        assert_eq!(reply, Reply::Folded, "the stream is in order");
        self.schedule();
    }

    fn dial(&mut self, machine: usize, life: u64) {
        match self.way().zip(self.way()) {
            Some((there_ms, back_ms)) => self.after(there_ms + back_ms, Happens::Joins { machine, life }),
            None => self.after(RETRANSMIT_MS, Happens::Dials { machine, life }),
        }
    }

    fn join(&mut self, machine: usize) {
        let now = self.time();
        let it = &mut self.machines[machine];
        let hello = it.hello(&self.zones[it.zone]);
        let Reply::Joined(session) = self.engine.handle(Event::Joined(hello), now) else {
            panic!("{} may join", it.name);
        };
        (it.session, it.seq) = (Some(session), 0);
        let snapshot = it.snapshot(&self.layout, self.gpus);
        let reply = self.engine.handle(Event::Snapshot { session, snapshot }, now);
        assert_eq!(reply, Reply::Folded, "a snapshot begins a stream");
        let place = session.node.0 as usize;
        if place >= self.places.len() {
            self.places.resize(place + 1, usize::MAX);
        }
        self.places[place] = machine;
        self.schedule();
    }

    /// Plans a step for when one is due, as the driver does.
    fn schedule(&mut self) {
        let due = self.engine.poll_timeout().map(|due| due.as_millis().saturating_sub(BEGIN_MS));
        let latest_ms = self.stepped_ms + STEP_MS_MAX;
        let due_ms =
            due.unwrap_or(latest_ms).clamp(self.stepped_ms + STEP_MS_MIN, latest_ms).max(self.now_ms);
        if self.step_ms.is_none_or(|planned_ms| due_ms < planned_ms) {
            self.step_ms = Some(due_ms);
            self.after(due_ms - self.now_ms, Happens::Steps);
        }
    }

    fn step(&mut self) {
        (self.step_ms, self.stepped_ms) = (None, self.now_ms);
        let actions = self.engine.step(self.time());
        self.note_transitions();
        for action in actions {
            match action {
                Action::Probe(ask) => self.probe(&ask),
                Action::Corroborate(_) => {}
                Action::Resign(_) => self.record.resignations += 1,
            }
        }
        self.schedule();
    }

    /// The machine at a place of the fleet.
    fn at(&self, node: NodeKey) -> usize {
        self.places[node.0 as usize]
    }

    /// How long one way takes; none when the message is lost.
    fn way(&mut self) -> Option<u64> {
        let lost = self.dice.below(100) < self.network.loss_percent;
        let way_ms = self.dice.below(self.network.jitter_ms + 1);
        (!lost).then_some(way_ms)
    }

    fn answer(&mut self, after_ms: u64, asked: (NodeKey, u32), by: Prober, answer: Answer) {
        let round_trip = Duration::from_millis(after_ms);
        let (node, round) = asked;
        self.after(after_ms, Happens::Answers(Probed { node, round, by, answer, round_trip }));
    }

    fn time(&self) -> Time {
        Time::from_millis(BEGIN_MS + self.now_ms)
    }
}

fn slot(at_ms: u64) -> usize {
    (at_ms % HORIZON_MS as u64) as usize
}
