//! What is true of the fleet: verdicts on nodes, zones, GPUs and engines, and on ourselves first, each with its evidence.
//!
//! Silence only starts the questions. A little over one missed beat makes us ask the node itself and ask five others to;
//! their answers, and not a long timer, make the verdict, which then comes within three beats. The observer proves
//! itself before it accuses anybody: time in which it was not running is nobody's silence ([`Detector::handle`]), and when
//! it reaches less of the fleet than it should, it says that of itself.
//!
//! A [`Detector`] is driven like the [`crate::engine::Engine`]: facts in by [`Detector::handle`], questions out by
//! [`Detector::step`], which the driver calls when [`Detector::poll_timeout`] says so and not later than a quarter of a
//! second after. A beat costs a few additions; a step looks only at nodes that are due. Verdicts are read from
//! [`Detector::findings`] at any time, and what moved from [`Detector::report`]. Nothing here acts.

mod around;
mod arrival;
mod attention;
mod clues;
mod devices;
mod due;
mod evidence;
mod fact;
mod flap;
mod fold;
mod gpu;
mod judge;
mod local_health;
mod observer;
mod probe;
mod progress;
mod roster;
mod step;
mod verdict;
mod watch;
mod xid;
mod zone;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use self::attention::Attention;
pub use self::devices::Minded;
use self::devices::{Devices, Moved};
pub use self::evidence::{Evidence, NodeEvidence, ProberAnswer, StreamEvidence};
pub use self::fact::{
    Answer, CanaryResult, CloudState, Ending, EngineSample, Fact, FenceProof, GpuSample, Identity, Own,
    Probed, Prober, Replica, Start, Testimony, Wear, ZoneReach,
};
pub use self::gpu::{Cause, GpuEvidence};
pub use self::judge::{Sign, Signs, judge, unreachable};
pub use self::local_health::{Doubt, LocalHealth, SCORE_MAX};
use self::observer::Observer;
pub use self::observer::{Isolation, Resignation};
pub use self::probe::{Ask, PEER_TIMEOUT, PROBE_TIMEOUT, Tally};
pub use self::progress::EngineEvidence;
use self::roster::Roster;
pub use self::verdict::{Allowed, Subject, Verdict};
pub use self::xid::{Action as XidAction, Recovery, Remedy, Table as XidTable, TableError};
pub use self::zone::ZoneSigns;
pub use crate::class::Class;
use crate::id::{NodeKey, ZoneId};
use crate::time::Time;

/// Something for the shell to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Make these probes; each answer comes back as [`Fact::Probed`].
    Probe(Ask),
    /// Ask the other replicas about these nodes; their answers come back as [`Fact::Witness`]. At most
    /// [`CORROBORATED_MAX`].
    Corroborate(Vec<NodeKey>),
    /// Give the lead away.
    Resign(Resignation),
}

/// Nodes that other replicas are asked about at once, as the wire allows.
pub const CORROBORATED_MAX: usize = 1000;

/// Something that is true of a subject.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What.
    pub verdict: Verdict,
    /// Since when, by the driver's clock.
    pub since: Time,
    /// What it went by.
    pub evidence: Evidence,
}

/// A verdict that moved.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// Whose.
    pub subject: Subject,
    /// What it was.
    pub was: Verdict,
    /// What it is, [`Verdict::Healthy`] included.
    pub finding: Finding,
}

/// What the detector does, for the dashboard and for tests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Steps taken.
    pub steps: u64,
    /// Verdicts that moved since the step before the last, in order.
    pub transitions: Vec<Transition>,
    /// Rounds of probes whose answers are awaited.
    pub rounds_in_flight: u32,
    /// Rounds of probes ever asked for.
    pub rounds: u64,
    /// How much we doubt ourselves.
    pub local_health: LocalHealth,
    /// Whether we are new here, or were led astray just now.
    pub learning: bool,
    /// All time in which we were not running, which was nobody's silence.
    pub away: Duration,
    /// GPU errors that were only reported, because the table does not hold them against a GPU.
    pub xids_reported: u64,
}

/// What is found of one node, in short.
#[derive(Clone, Copy, Debug)]
struct Held {
    /// The verdict on the node itself.
    verdict: Verdict,
    /// How many of its devices are not healthy; at most 80.
    devices: u8,
}

/// Nothing is held against a node.
const HELD_NOTHING: Held = Held { verdict: Verdict::Healthy, devices: 0 };

/// The detection.
#[derive(Clone, Debug)]
pub struct Detector {
    clock: Attention,
    roster: Roster,
    queue: due::Queue,
    observer: Observer,
    /// By node key.
    devices: Vec<Option<Box<Devices>>>,
    /// The table of nodes whose pool has none of its own.
    xids: Arc<XidTable>,
    /// All that is not [`Verdict::Healthy`].
    findings: BTreeMap<Subject, Finding>,
    /// By node key, in short: a list of all nodes looks nothing up.
    held: Vec<Held>,
    /// Moved since the last step.
    moved: Vec<Transition>,
    report: Report,
    /// The next second, on the inner clock; none before the first fact.
    tick: Option<Time>,
    /// When to look at zones again.
    look: Option<Time>,
    /// Probes of this second.
    probes: probe::Closed,
}

impl Default for Detector {
    fn default() -> Self {
        Detector::new()
    }
}

impl Detector {
    /// A detector that knows no node.
    pub fn new() -> Detector {
        Detector {
            clock: Attention::default(),
            roster: Roster::default(),
            queue: due::Queue::default(),
            observer: Observer::default(),
            devices: Vec::new(),
            xids: Arc::new(XidTable::standard()),
            findings: BTreeMap::new(),
            held: Vec::new(),
            moved: Vec::new(),
            report: Report::default(),
            tick: None,
            look: None,
            probes: probe::Closed::default(),
        }
    }

    /// Folds one fact. Facts about nodes that are not known are passed over.
    pub fn handle(&mut self, fact: Fact<'_>, now: Time) {
        let now = self.attend(now);
        match fact {
            Fact::Beat(node) => self.beat(node, now),
            Fact::Engine { node, engine, gpus, sample } => {
                let moved = self.devices(node).and_then(|it| it.note_engine(node, engine, sample, gpus, now));
                self.tell_moved(moved, now);
            }
            Fact::Gpu { node, gpu, sample } => {
                let moved = self.devices(node).and_then(|it| it.note_gpu(node, gpu, sample, now));
                self.tell_moved(moved, now);
            }
            Fact::Xid { node, gpu, number, message } => {
                let standard = Arc::clone(&self.xids);
                let Some(devices) = self.devices(node) else { return };
                let (counts, moved) = devices.note_xid((node, gpu), (number, message), &standard, now);
                self.report.xids_reported += u64::from(!counts);
                self.tell_moved(moved, now);
            }
            Fact::XidTable(node, table) => {
                if let Some(devices) = self.devices(node) {
                    devices.table = Some(table);
                }
            }
            Fact::Own(own) => self.note_own(own, now),
            Fact::Replica(replica) => self.observer.note_replica(replica, now),
            Fact::Forgotten(node) => self.forget(node, now),
            Fact::Expected(identity) => self.expect(&identity, now),
            Fact::Joined { identity, incarnation, start } => self.join(identity, incarnation, start, now),
            Fact::Snapshot(..)
            | Fact::Ended(..)
            | Fact::Goodbye(..)
            | Fact::Probed(..)
            | Fact::Lease { .. }
            | Fact::DataPlane { .. }
            | Fact::Cloud(..)
            | Fact::Fenced(..)
            | Fact::Canary(..)
            | Fact::Witness { .. } => self.note_clue(&fact, now),
        }
    }

    /// When to step although no fact came; none before the first fact. After that it looks around once a second.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.next_step().map(|due| self.clock.outer(due))
    }

    /// What it does.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// All that is not healthy now, ordered by subject.
    pub fn findings(&self) -> impl Iterator<Item = (&Subject, &Finding)> {
        self.findings.iter()
    }

    /// What is true of a subject; none when it is healthy.
    pub fn finding(&self, subject: &Subject) -> Option<&Finding> {
        self.findings.get(subject)
    }

    /// The verdict on a subject.
    pub fn verdict(&self, subject: &Subject) -> Verdict {
        self.findings.get(subject).map_or(Verdict::Healthy, |finding| finding.verdict)
    }

    /// The verdict on a node, without looking for its evidence.
    pub fn node_verdict(&self, node: NodeKey) -> Verdict {
        self.held(node).verdict
    }

    /// Whether any GPU or engine of a node is not healthy.
    pub fn accuses_devices(&self, node: NodeKey) -> bool {
        self.held(node).devices > 0
    }

    fn held(&self, node: NodeKey) -> Held {
        self.held.get(node.0 as usize).copied().unwrap_or(HELD_NOTHING)
    }

    /// Which further samples of a node's devices matter although they tell nothing new.
    pub fn minded(&self, node: NodeKey) -> Minded {
        let devices = self.devices.get(node.0 as usize).and_then(Option::as_deref);
        devices.map(Devices::minded).unwrap_or_default()
    }

    /// How much of each zone is reached, for the other replicas.
    pub fn reach(&self) -> impl Iterator<Item = (&ZoneId, ZoneReach)> {
        self.roster.reach()
    }

    /// What may be done in the name of the verdict on a subject now: what the verdict allows, less what the observer, the
    /// zone and missing witnesses forbid.
    pub fn allowed(&self, subject: &Subject) -> Allowed {
        let now = self.clock.inner(self.report_time());
        let verdict = self.verdict(subject);
        let allowed = verdict.allowed();
        let allowed = match subject {
            Subject::Observer | Subject::Fleet => allowed,
            Subject::Zone(zone) => {
                let bad = self.roster.zone(zone).is_some_and(|zone| zone.signs.data_plane == Sign::Bad);
                let moves = bad && verdict == Verdict::ZonePartition;
                if moves { allowed.with(Class::Traffic) } else { allowed }
            }
            Subject::Node(node) => allowed.and(self.corroborated(*node, now)),
            // What is known of a device is old when its node is not heard; the node's own verdict counts.
            Subject::Gpu(node, _) | Subject::Engine(node, _) => {
                let heard = self.verdict(&Subject::Node(*node)) == Verdict::Healthy;
                if heard { allowed } else { Allowed::of(&[Class::Annotate]) }
            }
        };
        allowed.and(self.ceiling())
    }

    /// When the first fact was told; none before.
    pub fn began(&self) -> Option<Time> {
        self.observer.began()
    }

    /// What may be done at all.
    pub fn ceiling(&self) -> Allowed {
        if self.verdict(&Subject::Observer) == Verdict::ObserverIsolated {
            return Allowed::NONE;
        }
        let frozen = self.verdict(&Subject::Fleet) == Verdict::GlobalFreeze;
        let allowed = if frozen { Verdict::GlobalFreeze.allowed() } else { Allowed::ALL };
        let unsure =
            self.report.local_health.score() >= local_health::SCORE_FROZEN || self.observer.learning();
        if unsure { allowed.below(Class::Disruptive) } else { allowed }
    }

    /// What witnesses permit on a node: nothing disruptive while its zone fails as a whole or did a moment ago, or while other replicas live
    /// and none of them agrees; nothing irreversible while there is nobody to agree.
    fn corroborated(&self, node: NodeKey, now: Time) -> Allowed {
        let Some(watch) = self.roster.get(node) else { return Allowed::NONE };
        let accompanied = self.observer.accompanied(now);
        let zone = &self.roster.zones()[watch.zone];
        let zonal = zone.shaken() || zone.recovers(now);
        if zonal || accompanied && watch.replicas(now) != Sign::Bad {
            Allowed::ALL.below(Class::Disruptive)
        } else if accompanied {
            Allowed::ALL
        } else {
            Allowed::ALL.below(Class::Irreversible)
        }
    }
}
