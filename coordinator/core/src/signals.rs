//! Numbers about a pool, a zone or the fleet: summed or averaged over what is fresh.
//!
//! Missing is not zero: a signal that no owner has is none, and owners that are silent lower the coverage instead of the
//! sums. Owners on a node that said goodbye are counted as inventory, but nothing is expected of them any more.
//! Everything is computed when asked, in one pass; nothing is kept that could disagree with the fleet.

mod sum;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use self::sum::{EngineSample, GpuSample, Sum};
use crate::fleet::{self, Fleet, Freshness, Node, State};
use crate::id::{PoolId, ZoneId};
use crate::inventory::{EngineState, GpuState};
use crate::layout::Owner;
use crate::time::Time;

/// Numbers over some engines and GPUs. Each is none when no owner has a fresh value of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Signals {
    /// Sum over engines.
    pub requests_running: Option<f64>,
    /// Sum over engines: requests that wait for capacity.
    pub requests_waiting: Option<f64>,
    /// Mean over engines, 0-1.
    pub kv_cache_usage: Option<f64>,
    /// The worst engine's.
    pub ttft_p95_seconds: Option<f64>,
    /// The worst engine's.
    pub itl_p95_seconds: Option<f64>,
    /// Sum over engines.
    pub generation_tokens_per_second: Option<f64>,
    /// Sum over engines.
    pub prompt_tokens_per_second: Option<f64>,
    /// Sum over engines.
    pub requests_per_second: Option<f64>,
    /// Sum over engines.
    pub errors_per_second: Option<f64>,
    /// Mean over GPUs, 0-100.
    pub gpu_utilization_percent: Option<f64>,
    /// Sum over GPUs.
    pub gpu_memory_used_bytes: Option<f64>,
    /// Sum over GPUs.
    pub gpu_memory_total_bytes: Option<f64>,
    /// Sum over GPUs.
    pub gpu_power_watts: Option<f64>,
    /// Age of the oldest value that was counted.
    pub age: Duration,
    /// Share of the owners that had a fresh value, 0-1; 0 when there is no owner.
    pub coverage: f64,
    /// Fresh when anything is, as far as `coverage` says; stale when only old values are known; missing when none is.
    pub freshness: Freshness,
}

/// How much there is, and how much of it works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All nodes known.
    pub nodes: u32,
    /// Those whose messages arrive.
    pub nodes_fresh: u32,
    /// All GPUs of these nodes.
    pub gpus: u32,
    /// Those that are well, on nodes whose messages arrive.
    pub gpus_ok: u32,
    /// All engines of these nodes.
    pub engines: u32,
    /// Those that serve, on nodes whose messages arrive.
    pub engines_serving: u32,
}

/// A node, a zone or the fleet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Total {
    /// How much there is.
    pub counts: Counts,
    /// How it is doing.
    pub signals: Signals,
}

/// The replicas of one model.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// The model they serve; the first one by node key when they differ.
    pub model: Box<str>,
    /// How many engines there are.
    pub engines: u32,
    /// Those that serve, on nodes whose messages arrive.
    pub engines_serving: u32,
    /// GPUs that the engines say they run on.
    pub gpus: u32,
    /// Zones it has engines in.
    pub zones: BTreeSet<ZoneId>,
    /// How it is doing.
    pub signals: Signals,
}

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// All nodes.
    pub fleet: Total,
    /// By zone.
    pub zones: BTreeMap<ZoneId, Total>,
    /// By pool.
    pub pools: BTreeMap<PoolId, Pool>,
}

/// Fleet, zones and pools in one pass.
pub fn all(fleet: &Fleet, now: Time) -> Summary {
    let mut summing = Summing::default();
    summing.add(fleet, usize::MAX, now);
    summing.finish()
}

/// The same pass in parts, for those who cannot keep the fleet to themselves for so long. What changes meanwhile is in it
/// or not.
#[derive(Default)]
pub struct Summing {
    whole: TotalSum,
    zones: BTreeMap<ZoneId, TotalSum>,
    pools: BTreeMap<PoolId, PoolSum>,
    /// Key of the next node.
    next: usize,
}

impl Summing {
    /// Adds the nodes of the next so many keys; false once there are no more.
    pub fn add(&mut self, fleet: &Fleet, keys: usize, now: Time) -> bool {
        let end = self.next.saturating_add(keys);
        for node in fleet.nodes_in(self.next..end) {
            let view = View::of(node, now);
            let sum = TotalSum::of(&view);
            self.whole.merge(&sum);
            match self.zones.get_mut(node.zone()) {
                Some(zone) => zone.merge(&sum),
                None => self.zones.entry(node.zone().clone()).or_default().merge(&sum),
            }
            add_pools(&mut self.pools, &view, None);
        }
        self.next = end;
        end < fleet.keys()
    }

    /// What was added.
    pub fn finish(self) -> Summary {
        Summary {
            fleet: self.whole.total(),
            zones: self.zones.into_iter().map(|(name, sum)| (name, sum.total())).collect(),
            pools: self.pools.into_iter().map(|(name, sum)| (name, sum.pool())).collect(),
        }
    }
}

/// All nodes.
pub fn fleet(fleet: &Fleet, now: Time) -> Total {
    total(fleet.nodes_by_key(), now)
}

/// The nodes of a zone; none when it has none.
pub fn zone(fleet: &Fleet, zone: &ZoneId, now: Time) -> Option<Total> {
    let mut nodes = fleet.nodes_by_key().filter(|node| node.zone() == zone).peekable();
    nodes.peek()?;
    Some(total(nodes, now))
}

/// The engines of a pool and the GPUs they say they run on; none when it has no engine.
pub fn pool(fleet: &Fleet, pool: &PoolId, now: Time) -> Option<Pool> {
    let mut pools = BTreeMap::new();
    let within = |node: &&Node| node.engines().iter().any(|engine| engine.pool.as_ref() == Some(pool));
    for node in fleet.nodes_by_key().filter(within) {
        add_pools(&mut pools, &View::of(node, now), Some(pool));
    }
    pools.remove(pool).map(PoolSum::pool)
}

/// One node.
pub fn node(node: &Node, now: Time) -> Total {
    total(std::iter::once(node), now)
}

/// One engine, without GPUs.
pub fn engine(engine: fleet::Engine<'_>, now: Time) -> Signals {
    let mut sum = Sum::default();
    if engine.node.state(now) != State::Left {
        sum.add_engine(&EngineSample::of(engine.node, engine.position, now));
    }
    sum.signals()
}

fn total<'a>(nodes: impl Iterator<Item = &'a Node>, now: Time) -> Total {
    let mut sum = TotalSum::default();
    nodes.for_each(|node| sum.merge(&TotalSum::of(&View::of(node, now))));
    sum.total()
}

/// A node at one moment, read once for all sums that it goes into.
struct View<'a> {
    node: &'a Node,
    state: State,
    gpus: Vec<GpuSample>,
    engines: Vec<EngineSample>,
}

impl<'a> View<'a> {
    fn of(node: &'a Node, now: Time) -> View<'a> {
        let state = node.state(now);
        let (gpus, engines) = if state == State::Left {
            (Vec::new(), Vec::new())
        } else {
            let layout = node.layout();
            let positions = |count| 0..u8::try_from(count).expect("at most 64 of a kind");
            (
                positions(layout.gpus()).map(|at| GpuSample::of(node, Owner::Gpu(at), now)).collect(),
                positions(layout.engines()).map(|at| EngineSample::of(node, at, now)).collect(),
            )
        };
        View { node, state, gpus, engines }
    }

    fn serves(&self, state: EngineState) -> bool {
        self.state == State::Fresh && state == EngineState::Serving
    }
}

#[derive(Default)]
struct TotalSum {
    counts: Counts,
    sum: Sum,
}

impl TotalSum {
    fn of(view: &View<'_>) -> TotalSum {
        let fresh = view.state == State::Fresh;
        let mut it = TotalSum::default();
        it.counts.nodes = 1;
        it.counts.nodes_fresh = u32::from(fresh);
        for gpu in view.node.gpus() {
            it.counts.gpus += 1;
            it.counts.gpus_ok += u32::from(fresh && gpu.state == GpuState::Ok);
        }
        for engine in view.node.engines() {
            it.counts.engines += 1;
            it.counts.engines_serving += u32::from(view.serves(engine.state));
        }
        view.gpus.iter().for_each(|gpu| it.sum.add_gpu(gpu));
        view.engines.iter().for_each(|engine| it.sum.add_engine(engine));
        it
    }

    fn merge(&mut self, other: &TotalSum) {
        let Counts { nodes, nodes_fresh, gpus, gpus_ok, engines, engines_serving } = other.counts;
        self.counts.nodes += nodes;
        self.counts.nodes_fresh += nodes_fresh;
        self.counts.gpus += gpus;
        self.counts.gpus_ok += gpus_ok;
        self.counts.engines += engines;
        self.counts.engines_serving += engines_serving;
        self.sum.merge(&other.sum);
    }

    fn total(self) -> Total {
        Total { counts: self.counts, signals: self.sum.signals() }
    }
}

#[derive(Default)]
struct PoolSum {
    model: Box<str>,
    engines: u32,
    engines_serving: u32,
    gpus: u32,
    zones: BTreeSet<ZoneId>,
    sum: Sum,
}

impl PoolSum {
    fn new(model: &str) -> PoolSum {
        PoolSum { model: Box::from(model), ..PoolSum::default() }
    }

    fn pool(self) -> Pool {
        let PoolSum { model, engines, engines_serving, gpus, zones, sum } = self;
        Pool { model, engines, engines_serving, gpus, zones, signals: sum.signals() }
    }
}

/// Adds a node to the pools of its engines, or only to one of them.
fn add_pools(pools: &mut BTreeMap<PoolId, PoolSum>, view: &View<'_>, only: Option<&PoolId>) {
    // Bits of the GPUs of each pool, so that two engines on one GPU count it once.
    let mut gpus: Vec<(&PoolId, u16)> = Vec::new();
    for (position, engine) in view.node.engines().iter().enumerate() {
        let Some(id) = engine.pool.as_ref().filter(|id| only.is_none_or(|only| only == *id)) else {
            continue;
        };
        let pool = match pools.get_mut(id) {
            Some(pool) => pool,
            None => pools.entry(id.clone()).or_insert_with(|| PoolSum::new(&engine.model)),
        };
        pool.engines += 1;
        pool.engines_serving += u32::from(view.serves(engine.state));
        if !pool.zones.contains(view.node.zone()) {
            pool.zones.insert(view.node.zone().clone());
        }
        if let Some(sample) = view.engines.get(position) {
            pool.sum.add_engine(sample);
        }
        let bits = view.node.engine_gpus(position);
        if bits == 0 {
            continue;
        }
        match gpus.iter_mut().find(|(pool, _)| *pool == id) {
            Some((_, known)) => *known |= bits,
            None => gpus.push((id, bits)),
        }
    }
    for (id, bits) in gpus {
        let pool = pools.get_mut(id).expect("its engines were just added");
        pool.gpus += bits.count_ones();
        let on = |(position, _): &(usize, &GpuSample)| bits >> position & 1 == 1;
        view.gpus.iter().enumerate().filter(on).for_each(|(_, gpu)| pool.sum.add_gpu(gpu));
    }
}
