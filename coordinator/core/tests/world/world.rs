//! The world: everything there is, and the one queue of what happens, by true time.

use std::collections::BTreeMap;
use std::sync::Arc;

use ostler_core::action::ActionId;
use ostler_core::detect::{Probed, Testimony, ZoneReach};
use ostler_core::id::{NodeId, Term, ZoneId};
use ostler_core::layout::Layout;
use ostler_core::lead::{Answer, Request, RequestId};

use crate::agent::{self, Agent, Piece};
use crate::check::Record;
use crate::desk::Question;
use crate::dice::Dice;
use crate::etcd::{Cluster, SCAN_MS};
use crate::net::{Net, Side, Spot};
use crate::replica::Replica;
use crate::sink::{Call, Fencing, Sink};

/// Time between two looks of a watch.
pub(crate) const WATCH_MS: u64 = 100;

/// Something that happens.
#[derive(Clone, Debug)]
pub(crate) enum Happens {
    /// An agent's second.
    Beats(usize),
    /// An agent tries to connect.
    Dials {
        agent: usize,
        replica: usize,
    },
    /// Something comes to a process; another one on the same machine does not get it.
    Comes {
        replica: usize,
        life: u64,
        letter: Letter,
    },
    Steps {
        replica: usize,
        life: u64,
    },
    Elects {
        replica: usize,
        life: u64,
    },
    Returns {
        replica: usize,
        life: u64,
    },
    Second {
        replica: usize,
    },
    Watches {
        replica: usize,
    },
    Wakes {
        replica: usize,
    },
    Starts {
        replica: usize,
    },
    Etcd {
        replica: usize,
        life: u64,
        ask: Ask,
    },
    Scans,
    Calls(Call),
    Hails {
        replica: usize,
        life: u64,
        term: Term,
        id: ActionId,
    },
    /// A script's own fault ends, or begins.
    Fault,
}

/// What comes to a replica.
#[derive(Clone, Debug)]
pub(crate) enum Letter {
    Piece { stream: u64, agent: usize, piece: Piece },
    Probed { node: NodeId, round: u32, by: Option<NodeId>, answer: ostler_core::detect::Answer, took_ms: u64 },
    Reach { from: usize, reach: Vec<(ZoneId, ZoneReach)> },
    Asked { from: usize, nodes: Vec<NodeId> },
    Told { from: usize, node: NodeId, testimony: Testimony },
    Standing { leader: Option<String>, term: Term },
    Elected { id: RequestId, answer: Answer },
    Desk { term: Term, answer: ostler_core::desk::Answer },
    Sink { id: ActionId, told: ostler_core::desk::Told },
}

/// A request to etcd.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Election(RequestId, Request),
    Desk(Term, Question),
    Standing,
}

/// Everything.
pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) now_ms: u64,
    queue: BTreeMap<(u64, u64), Happens>,
    pushed: u64,
    pub(crate) etcd: Cluster,
    pub(crate) net: Net,
    pub(crate) agents: Vec<Agent>,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) sink: Sink,
    pub(crate) layout: Arc<Layout>,
    pub(crate) streams: u64,
    /// Random faults come one in so many milliseconds; none when zero.
    pub(crate) fault_every_ms: u64,
    /// Calls to the executor take up to so long.
    pub(crate) late_ms: u64,
    pub(crate) record: Record,
}

impl World {
    /// Three replicas and their zones, and nodes spread over the zones in turn.
    pub(crate) fn new(seed: u64, nodes: usize, zones: usize, fencing: Fencing) -> World {
        let mut dice = Dice(seed);
        let replicas = (0..3)
            .map(|at| {
                let base_ms = dice.below(1_000_000_000);
                Replica::new(at, at % zones, base_ms, dice.between(950_000, 1_050_000))
            })
            .collect();
        let mut world = World {
            dice,
            now_ms: 0,
            queue: BTreeMap::new(),
            pushed: 0,
            etcd: Cluster::new(),
            net: Net::calm(),
            agents: (0..nodes).map(|at| Agent::new(at, at % zones)).collect(),
            replicas,
            sink: Sink::new(fencing),
            layout: agent::layout(),
            streams: 0,
            fault_every_ms: 0,
            late_ms: 20,
            record: Record::default(),
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        for agent in 0..self.agents.len() {
            let after_ms = self.dice.below(1_000);
            self.after(after_ms, Happens::Beats(agent));
            for replica in 0..self.replicas.len() {
                let after_ms = self.dice.below(500);
                self.after(after_ms, Happens::Dials { agent, replica });
            }
        }
        for replica in 0..self.replicas.len() {
            self.after(0, Happens::Starts { replica });
            let after_ms = self.dice.below(1_000);
            self.after(after_ms, Happens::Second { replica });
            self.after(after_ms, Happens::Watches { replica });
        }
        self.after(SCAN_MS, Happens::Scans);
        self.after(1, Happens::Fault);
    }

    pub(crate) fn after(&mut self, after_ms: u64, what: Happens) {
        self.pushed += 1;
        self.queue.insert((self.now_ms + after_ms, self.pushed), what);
    }

    /// Lets so much time pass.
    pub(crate) fn run(&mut self, millis: u64) {
        let end_ms = self.now_ms + millis;
        while let Some(first) = self.queue.first_entry().filter(|it| it.key().0 <= end_ms) {
            let ((at_ms, _), what) = first.remove_entry();
            self.now_ms = at_ms;
            self.happen(what);
            self.check();
        }
        self.now_ms = end_ms;
    }

    pub(crate) fn happen(&mut self, what: Happens) {
        let now_ms = self.now_ms;
        match what {
            Happens::Beats(agent) => self.beat(agent),
            Happens::Dials { agent, replica } => self.dial(agent, replica),
            Happens::Comes { replica, life, .. }
            | Happens::Steps { replica, life }
            | Happens::Elects { replica, life }
            | Happens::Returns { replica, life }
                if self.replicas[replica].life != life || self.replicas[replica].is_down(now_ms) => {}
            Happens::Comes { replica, .. }
            | Happens::Steps { replica, .. }
            | Happens::Elects { replica, .. }
            | Happens::Returns { replica, .. }
                if !self.replicas[replica].runs(now_ms) =>
            {
                self.replicas[replica].held.push(what);
            }
            Happens::Comes { replica, letter, .. } => self.read(replica, letter),
            Happens::Steps { replica, .. } if self.replicas[replica].step_ms > now_ms => {}
            Happens::Steps { replica, .. } => self.step(replica),
            Happens::Elects { replica, .. } if self.replicas[replica].elect_ms > now_ms => {}
            Happens::Elects { replica, .. } => self.elect(replica),
            Happens::Returns { replica, .. } => self.give_token_back(replica),
            Happens::Second { replica } => self.second(replica),
            Happens::Watches { replica } => self.look_at_watch(replica),
            Happens::Wakes { replica } => self.wake(replica),
            Happens::Starts { replica } => self.start(replica),
            Happens::Etcd { replica, life, ask } => self.ask_etcd(replica, life, ask),
            Happens::Scans => self.scan(),
            Happens::Calls(call) => self.call(call),
            Happens::Hails { replica, life, term, id } => self.hail(replica, life, term, id),
            Happens::Fault => self.fault(),
        }
    }

    /// A packet to a replica: it can be lost, late, or find nobody.
    pub(crate) fn post(&mut self, from: Spot, replica: usize, life: u64, letter: Letter) {
        let to = self.replicas[replica].spot();
        let way_ms = self.net.packet(&mut self.dice).filter(|_| self.net.open(from, to, self.now_ms));
        if let Some(way_ms) = way_ms {
            self.after(way_ms, Happens::Comes { replica, life, letter });
        }
    }

    fn read(&mut self, replica: usize, letter: Letter) {
        match letter {
            Letter::Piece { stream, agent, piece } => self.fold(replica, stream, agent, piece),
            Letter::Probed { node, round, by, answer, took_ms } => {
                let fleet = self.replicas[replica].engine.fleet();
                let key = |name: &NodeId| fleet.node(name).map(ostler_core::fleet::Node::key);
                let by = match by {
                    None => Some(ostler_core::detect::Prober::Own),
                    Some(by) => key(&by).map(ostler_core::detect::Prober::Node),
                };
                let round_trip = std::time::Duration::from_millis(took_ms);
                if let (Some(node), Some(by)) = (key(&node), by) {
                    let probed = Probed { node, round, by, answer, round_trip };
                    self.learn(replica, ostler_core::detect::Fact::Probed(probed));
                }
            }
            Letter::Reach { from, reach } => self.hear_reach(replica, from, reach),
            Letter::Asked { from, nodes } => self.testify(replica, from, &nodes),
            Letter::Told { from, node, testimony } => self.hear_witness(replica, from, &node, testimony),
            Letter::Standing { leader, term } => self.hear_standing(replica, leader, term),
            Letter::Elected { id, answer } => {
                self.tell_election(replica, ostler_core::lead::Input::Answered { id, answer });
            }
            Letter::Desk { term, answer } => self.hear_desk(replica, term, answer),
            Letter::Sink { id, told } => self.hear_sink(replica, id, told),
        }
    }

    /// Etcd's place in the network.
    pub(crate) const ETCD: Spot = Spot { side: Side::Etcd, zone: None };
}
