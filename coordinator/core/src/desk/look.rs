//! A look at the fleet: what is found of which a reaction is due, how open decisions stand, and the levels that the brake
//! goes by. It is copied out of the engine at once, so that nothing waits while the desk thinks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::decision::{DecisionId, Phase, cut, node_of};
use super::reaction::Reaction;
use super::{Decision, Desk};
use crate::action::{Effect, Target};
use crate::brake::{Freeze, PoolLevel, Scene, Take, ZoneLevel};
use crate::detect::{Allowed, Detector, Finding, Subject, Verdict};
use crate::fleet::{Fleet, Node};
use crate::id::{GpuId, Incarnation, NodeId, NodeKey, PoolId, ZoneId};
use crate::inventory::{Engine, EngineState};
use crate::layout::Owner;
use crate::metric::Metric;
use crate::time::Time;

/// From this score of local health on, the detection allows nothing disruptive.
const SCORE_UNWELL: u8 = 4;

/// How far back a verdict counts as changed of late.
const CHANGED_WITHIN: Duration = Duration::from_secs(60);

/// An engine whose KV cache is fuller than this has no room for the requests of another.
const KV_FULL_PPM: u64 = 900_000;

/// How long after its start a replica may take to find what another one had found: a busy engine is called stalled after
/// three minutes, and agents connect within one.
const FOUND_AGAIN_WITHIN: Duration = Duration::from_secs(240);

/// The fleet at one moment, as far as the desk goes by it.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// For the brake.
    pub scene: Scene,
    /// What is found, of which a reaction is due.
    pub cases: Vec<Case>,
    /// How things are that open decisions are about, and of which no case tells.
    pub others: BTreeMap<DecisionId, Standing>,
    /// What may be done at all.
    pub ceiling: Allowed,
    /// Nodes of which something is found, for the next look.
    pub(super) accused: BTreeSet<NodeKey>,
    /// Nodes that were cleared of late: their zones, and when.
    pub(super) cleared: Vec<(Time, ZoneId)>,
}

/// Something found that a reaction is due to.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What it is about.
    pub about: Target,
    /// Where that is.
    pub zone: ZoneId,
    /// What is found.
    pub verdict: Verdict,
    /// Since when.
    pub since: Time,
    /// What it goes by, in words; none when the desk has written it down already.
    pub evidence: Option<Box<str>>,
    /// Up to which class one may go.
    pub allowed: Allowed,
    /// What the reaction wants.
    pub wants: Vec<Want>,
}

/// One thing that a reaction wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Want {
    /// What shall be done.
    pub effect: Effect,
    /// To what.
    pub target: Target,
    /// Its identity where it lives.
    pub uid: Box<str>,
    /// Its start that is meant.
    pub incarnation: Incarnation,
    /// What that takes from which pools.
    pub takes: Vec<Take>,
}

/// How something is that an open decision is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// Nothing is wrong with it any more, and this is its present start.
    Well(Incarnation),
    /// Something else is found of it, to which there is no reaction, or it is too early to say: it may come back or get worse.
    Unsure,
    /// It is not known any more.
    Gone,
}

impl Look {
    /// Looks, for this desk; `before` is its look before.
    pub fn of(fleet: &Fleet, detector: &Detector, desk: &Desk, before: &Look, now: Time) -> Look {
        let mut look = Look { ceiling: detector.ceiling(), ..Look::default() };
        look.scene.at = now;
        look.scene.freeze = freeze(detector);
        look.compare(fleet, detector, before, now);
        look.zones(fleet, detector, now);
        let eye = Eye { fleet, detector, desk, now };
        look.cases =
            detector.findings().filter_map(|(subject, finding)| eye.case(subject, finding)).collect();
        let told: BTreeSet<&Target> = look.cases.iter().map(|case| &case.about).collect();
        let open = desk.decisions().filter(|it| it.phase != Phase::Ended && !told.contains(&it.about));
        look.others = open.map(|decision| (decision.id, eye.standing(decision))).collect();
        look.scene.pools = eye.pools(&look.cases, now);
        look
    }

    /// Finds out which nodes were cleared since the look before.
    fn compare(&mut self, fleet: &Fleet, detector: &Detector, before: &Look, now: Time) {
        let nodes = detector.findings().filter_map(|(subject, _)| match subject {
            Subject::Node(node) => Some(*node),
            Subject::Observer
            | Subject::Fleet
            | Subject::Zone(_)
            | Subject::Gpu(..)
            | Subject::Engine(..) => None,
        });
        self.accused = nodes.collect();
        let fresh = before.cleared.iter().filter(|(at, _)| now.since(*at) < CHANGED_WITHIN);
        self.cleared = fresh.cloned().collect();
        let cleared = before.accused.difference(&self.accused);
        let zone = |node: &NodeKey| Some((now, fleet.node_by_key(*node)?.zone().clone()));
        self.cleared.extend(cleared.filter_map(zone));
    }

    fn zones(&mut self, fleet: &Fleet, detector: &Detector, now: Time) {
        let mut changed: BTreeMap<&ZoneId, u32> = BTreeMap::new();
        for (_, zone) in &self.cleared {
            *changed.entry(zone).or_default() += 1;
        }
        for node in &self.accused {
            let finding = detector.finding(&Subject::Node(*node));
            let of_late = finding.is_some_and(|finding| now.since(finding.since) < CHANGED_WITHIN);
            if let Some(node) = fleet.node_by_key(*node).filter(|_| of_late) {
                *changed.entry(node.zone()).or_default() += 1;
            }
        }
        let level = |(zone, reach): (&ZoneId, crate::detect::ZoneReach)| {
            let level = ZoneLevel {
                nodes: reach.nodes,
                lost: reach.nodes.saturating_sub(reach.reached),
                changed: changed.get(zone).copied().unwrap_or(0).min(reach.nodes),
                partitioned: detector.verdict(&Subject::Zone(zone.clone())) == Verdict::ZonePartition,
            };
            (zone.clone(), level)
        };
        self.scene.zones = detector.reach().map(level).collect();
    }
}

/// Why nothing, or little, may be done anywhere.
fn freeze(detector: &Detector) -> Option<Freeze> {
    let report = detector.report();
    if detector.verdict(&Subject::Observer) == Verdict::ObserverIsolated {
        return Some(Freeze::ObserverIsolated);
    }
    if detector.verdict(&Subject::Fleet) == Verdict::GlobalFreeze {
        let zones = detector.findings().filter(|(subject, _)| matches!(subject, Subject::Zone(_))).count();
        return Some(Freeze::Global { zones: u32::try_from(zones).unwrap_or(u32::MAX) });
    }
    let score = report.local_health.score();
    let unwell = (score >= SCORE_UNWELL).then_some(Freeze::Unwell { score });
    if report.learning { Some(Freeze::Learning) } else { unwell }
}

/// What is looked with.
struct Eye<'a> {
    fleet: &'a Fleet,
    detector: &'a Detector,
    desk: &'a Desk,
    now: Time,
}

impl Eye<'_> {
    fn case(&self, subject: &Subject, finding: &Finding) -> Option<Case> {
        let reaction = Reaction::to(self.desk.policy().reactions, finding.verdict)?;
        let (about, zone, wants) = match subject {
            Subject::Observer | Subject::Fleet => return None,
            Subject::Zone(zone) => (Target::Zone(zone.clone()), zone.clone(), Vec::new()),
            Subject::Node(key) => {
                let node = self.fleet.node_by_key(*key)?;
                // A zone that fails is one case, and each of its nodes is not another.
                let of_zone = self.detector.verdict(&Subject::Zone(node.zone().clone()));
                if of_zone != Verdict::Healthy {
                    return None;
                }
                let wants = reaction.effects.iter().map(|effect| self.want_node(node, *effect)).collect();
                (Target::Node(node.id().clone()), node.zone().clone(), wants)
            }
            Subject::Gpu(key, gpu) => {
                let node = self.fleet.node_by_key(*key)?;
                let single = node.gpus().len() == 1;
                let uses = |it: &&Engine| it.gpus.contains(gpu) || it.gpus.is_empty() && single;
                let engines = node.engines().iter().filter(uses);
                let wants = engines.flat_map(|engine| {
                    reaction.effects.iter().map(|effect| want_engine(node, engine, *effect))
                });
                (Target::Gpu(node.id().clone(), gpu.clone()), node.zone().clone(), wants.collect())
            }
            Subject::Engine(key, id) => {
                let node = self.fleet.node_by_key(*key)?;
                let engine = node.engines().iter().find(|engine| engine.id == *id)?;
                let wants = reaction.effects.iter().map(|effect| want_engine(node, engine, *effect));
                (Target::Engine(node.id().clone(), id.clone()), node.zone().clone(), wants.collect())
            }
        };
        let known = self.desk.open(&about).is_some_and(|it| it.verdict() == finding.verdict);
        let evidence = (!known).then(|| cut(&finding.evidence.to_string()));
        let (verdict, since) = (finding.verdict, finding.since);
        Some(Case { about, zone, verdict, since, evidence, allowed: self.detector.allowed(subject), wants })
    }

    fn want_node(&self, node: &Node, effect: Effect) -> Want {
        let mut takes: BTreeMap<PoolId, Take> = BTreeMap::new();
        for engine in node.engines() {
            let Some(pool) = &engine.pool else { continue };
            let take =
                takes.entry(pool.clone()).or_insert(Take { pool: pool.clone(), endpoints: 0, ready: 0 });
            take.endpoints += 1;
            take.ready += u32::from(self.serves(node, engine));
        }
        Want {
            effect,
            target: Target::Node(node.id().clone()),
            uid: node.id().as_str().into(),
            incarnation: node.hello().incarnation,
            takes: takes.into_values().collect(),
        }
    }

    /// Whether an engine serves: nothing is found of it, of its GPUs or of its node that says that it does not.
    fn serves(&self, node: &Node, engine: &Engine) -> bool {
        let key = node.key();
        let lost = matches!(self.detector.node_verdict(key), Verdict::NodeUnreachable | Verdict::NodeDead);
        let broken = |gpu: &GpuId| {
            let verdict = self.detector.verdict(&Subject::Gpu(key, gpu.clone()));
            matches!(verdict, Verdict::GpuLost | Verdict::GpuHung)
        };
        let accused = self.detector.accuses_devices(key)
            && (self.detector.finding(&Subject::Engine(key, engine.id.clone())).is_some()
                || engine.gpus.iter().any(broken));
        node.connected() && engine.state == EngineState::Serving && !lost && !accused
    }

    fn standing(&self, decision: &Decision) -> Standing {
        let device = matches!(decision.about, Target::Gpu(..) | Target::Engine(..));
        match self.found(decision) {
            Standing::Well(_) if device && self.is_new() => Standing::Unsure,
            Standing::Gone if self.is_new() => Standing::Unsure,
            Standing::Well(_) | Standing::Gone if self.detector.report().learning => Standing::Unsure,
            found @ (Standing::Well(_) | Standing::Unsure | Standing::Gone) => found,
        }
    }

    /// Whether this replica has not run for long enough to know who is gone, and to find again what others had found.
    fn is_new(&self) -> bool {
        self.detector.began().is_none_or(|began| self.now.since(began) < FOUND_AGAIN_WITHIN)
    }

    fn found(&self, decision: &Decision) -> Standing {
        let node = decision.node().map(|node| self.fleet.node(node));
        let (subject, incarnation) = match (&decision.about, node) {
            (Target::Zone(zone), _) => (Subject::Zone(zone.clone()), Incarnation(0)),
            (_, None | Some(None)) => return Standing::Gone,
            (Target::Node(_), Some(Some(node))) => (Subject::Node(node.key()), node.hello().incarnation),
            (Target::Gpu(_, gpu), Some(Some(node))) => {
                (Subject::Gpu(node.key(), gpu.clone()), node.hello().incarnation)
            }
            (Target::Engine(_, engine), Some(Some(node))) => {
                (Subject::Engine(node.key(), engine.clone()), node.hello().incarnation)
            }
            (Target::Pool(_) | Target::PoolInZone(..), _) => return Standing::Gone,
        };
        let own = self.detector.verdict(&subject);
        // What is known of a device is old when its node is not heard.
        let of_node = node.flatten().map(|node| self.detector.node_verdict(node.key()));
        let found = [Some(own), of_node].into_iter().flatten().find(|verdict| *verdict != Verdict::Healthy);
        found.map_or(Standing::Well(incarnation), |_| Standing::Unsure)
    }

    /// The levels of the pools that cases would take from.
    fn pools(&self, cases: &[Case], now: Time) -> BTreeMap<(PoolId, ZoneId), PoolLevel> {
        let takes = cases.iter().flat_map(|case| &case.wants).flat_map(|want| &want.takes);
        let pools: BTreeSet<&PoolId> = takes.map(|take| &take.pool).collect();
        if pools.is_empty() {
            return BTreeMap::new();
        }
        let mut out: BTreeMap<&NodeId, Vec<&Target>> = BTreeMap::new();
        for (node, target) in self.desk.out().filter_map(|target| Some((node_of(target)?, target))) {
            out.entry(node).or_default().push(target);
        }
        let mut parts: BTreeMap<(&PoolId, &ZoneId), Part> = BTreeMap::new();
        for node in self.fleet.nodes_by_key() {
            let out = out.get(node.id()).map_or(&[][..], Vec::as_slice);
            for (position, engine) in (0_u8..).zip(node.engines()) {
                let Some(pool) = engine.pool.as_ref().filter(|pool| pools.contains(pool)) else { continue };
                let out = out.iter().any(|target| is_part(engine, target));
                let ready = !out && self.serves(node, engine);
                let value = |metric| node.fresh(Owner::Engine(position), metric, now).unwrap_or(0);
                let part = parts.entry((pool, node.zone())).or_default();
                part.level.endpoints += 1;
                part.level.removed += u32::from(out);
                if ready {
                    part.level.ready += 1;
                    part.waiting |= value(Metric::EngineRequestsWaiting) > 0;
                    part.kv_ppm += u64::try_from(value(Metric::EngineKvCacheUsagePpm)).unwrap_or(0);
                }
            }
        }
        let floor = self.desk.policy().floor;
        let level = |((pool, zone), part): ((&PoolId, &ZoneId), Part)| {
            ((pool.clone(), zone.clone()), part.level(floor))
        };
        parts.into_iter().map(level).collect()
    }
}

/// A pool's part in a zone while it is summed.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    level: PoolLevel,
    /// Some engine has requests that wait.
    waiting: bool,
    /// Shares of KV caches in use, summed.
    kv_ppm: u64,
}

impl Part {
    /// While requests wait, all that serve are needed; else as many as hold what is in the caches now.
    fn level(self, floor: u32) -> PoolLevel {
        let filled = u32::try_from(self.kv_ppm.div_ceil(KV_FULL_PPM)).unwrap_or(u32::MAX);
        let needed = if self.waiting { self.level.ready } else { filled.min(self.level.ready) };
        PoolLevel { floor: floor.min(self.level.endpoints), needed, ..self.level }
    }
}

/// Whether an engine is what left traffic on its node, or a part of it.
fn is_part(engine: &Engine, out: &Target) -> bool {
    match out {
        Target::Node(_) => true,
        Target::Engine(_, id) => *id == engine.id,
        Target::Zone(_) | Target::Pool(_) | Target::PoolInZone(..) | Target::Gpu(..) => false,
    }
}

/// What a reaction wants of an engine that something is found of: it serves nobody, so that its pool loses no more by it.
fn want_engine(node: &Node, engine: &Engine, effect: Effect) -> Want {
    let take = |pool: &PoolId| Take { pool: pool.clone(), endpoints: 1, ready: 0 };
    Want {
        effect,
        target: Target::Engine(node.id().clone(), engine.id.clone()),
        uid: format!("{}/{}", node.id(), engine.id).into(),
        incarnation: node.hello().incarnation,
        takes: engine.pool.iter().map(take).collect(),
    }
}
