//! The whole simulated fleet under its load. Time is passed in; the same plan and calls give the same fleet.

use ostler_proto::v1;

use super::incident::Incident;
use super::load::Load;
use super::machine::Machine;
use super::plan::{MODELS, NodePlan, Plan};
use super::reading::Reader;
use super::replica::{Request, TICK_SECONDS};
use crate::sample::NodeSample;

/// Load runs this long before the fleet is first seen, so that it begins busy and warm, in ticks.
const WARM_UP_TICKS: u64 = 400;

/// Ticks that one call works off at most (a minute): after a suspended laptop wakes, the rest of the night is skipped.
const CATCH_UP_TICKS_MAX: u64 = 600;

/// Usual load of a pool as a share of what its engines can do. A burst exceeds it, and so does the usual load while a
/// zone is dark: both make queues, as in a fleet that is not made larger than it must be.
const USUAL_SHARE: f64 = 0.6;

/// Machines, engines and the requests between them.
#[derive(Debug)]
pub struct World {
    machines: Vec<Machine>,
    readers: Vec<Reader>,
    pools: Vec<Pool>,
    /// Ticks worked off, warm-up included.
    ticks: u64,
}

/// The engines of one model, and the requests for it.
#[derive(Debug)]
struct Pool {
    load: Load,
    /// (machine, engine) of every engine that serves it.
    engines: Vec<(usize, usize)>,
    /// Those of them that take requests.
    serving: Vec<(usize, usize)>,
}

impl World {
    /// The fleet of `plan`, warmed up.
    pub fn new(plan: &Plan) -> World {
        let machines: Vec<Machine> =
            plan.nodes().into_iter().map(|node| Machine::new(node, plan.seed)).collect();
        let pools = (0..MODELS.len()).map(|pool| Pool::new(plan.seed, pool, &machines)).collect();
        let readers = machines.iter().map(|_| Reader::default()).collect();
        let mut world = World { machines, readers, pools, ticks: 0 };
        (0..WARM_UP_TICKS).for_each(|_| world.tick());
        world
    }

    /// Works until `now`, counted in seconds from the first look at the fleet.
    pub fn advance(&mut self, now: f64) {
        let due = WARM_UP_TICKS + (now.max(0.0) / TICK_SECONDS) as u64;
        let ticks = due.saturating_sub(self.ticks);
        (0..ticks.min(CATCH_UP_TICKS_MAX)).for_each(|_| self.tick());
        self.ticks = self.ticks.max(due);
    }

    /// The machines, in the order of their numbers.
    pub fn nodes(&self) -> impl Iterator<Item = &NodePlan> {
        self.machines.iter().map(|machine| &machine.plan)
    }

    /// What the agent on this machine reads; events are given once.
    pub fn read(&mut self, node: usize) -> NodeSample {
        let now = self.now();
        self.readers[node].read(&mut self.machines[node], now)
    }

    /// Requests that run and that wait, in the whole fleet.
    pub fn requests(&self) -> (usize, usize) {
        let engines = || self.machines.iter().flat_map(|machine| &machine.engines);
        (
            engines().map(|engine| engine.replica.running()).sum(),
            engines().map(|engine| engine.replica.waiting()).sum(),
        )
    }

    /// Lets it happen.
    pub fn begin(&mut self, incident: &Incident) {
        let machines = &mut self.machines;
        let lost: Vec<(usize, Request)> = match incident {
            Incident::GpuLost { node, gpu } => {
                with_pool(&mut machines[*node], |machine| machine.lose_gpu(*gpu))
            }
            Incident::NodeDown { node } => with_pool(&mut machines[*node], Machine::cut),
            Incident::ZoneDark { zone } => machines
                .iter_mut()
                .filter(|machine| machine.plan.zone == *zone && machine.alive)
                .flat_map(|machine| with_pool(machine, Machine::cut))
                .collect(),
        };
        self.balance(lost);
    }

    /// Puts it right: the machines concerned start anew.
    pub fn end(&mut self, incident: &Incident) {
        let now = self.now();
        let concerned = |machine: &Machine, index: usize| match incident {
            Incident::GpuLost { node, .. } | Incident::NodeDown { node } => index == *node,
            Incident::ZoneDark { zone } => machine.plan.zone == *zone,
        };
        let mut lost = Vec::new();
        for (index, machine) in self.machines.iter_mut().enumerate() {
            if concerned(machine, index) {
                lost.extend(with_pool(machine, |machine| machine.boot(now)));
            }
        }
        self.balance(lost);
    }

    fn now(&self) -> f64 {
        self.ticks as f64 * TICK_SECONDS
    }

    fn tick(&mut self) {
        self.ticks += 1;
        let now = self.now();
        for (pool, model) in self.pools.iter_mut().zip(&MODELS) {
            for _ in 0..pool.load.arrivals(now, TICK_SECONDS) {
                let prompt_tokens = pool.load.length(model.prompt_tokens);
                let output_tokens = pool.load.length(model.output_tokens);
                let request = Request { arrived: now - TICK_SECONDS / 2.0, prompt_tokens, output_tokens };
                pool.dispatch(&mut self.machines, request);
            }
        }
        let mut loaded = false;
        for machine in &mut self.machines {
            loaded |= machine.tick(now);
        }
        if loaded {
            self.balance(Vec::new());
        }
    }

    /// Learns which engines serve, and sends the requests of those that are gone to the others.
    fn balance(&mut self, lost: Vec<(usize, Request)>) {
        for pool in &mut self.pools {
            let serving =
                pool.engines.iter().filter(|(machine, engine)| self.machines[*machine].serves(*engine));
            pool.serving = serving.copied().collect();
        }
        for (pool, request) in lost {
            self.pools[pool].dispatch(&mut self.machines, request);
        }
    }
}

impl Pool {
    fn new(seed: u64, pool: usize, machines: &[Machine]) -> Pool {
        let model = &MODELS[pool];
        let serves = |machine: &Machine| std::ptr::eq(machine.plan.model, model);
        let own = machines.iter().enumerate().filter(|(_, machine)| serves(machine));
        let engines: Vec<_> = own
            .flat_map(|(index, machine)| (0..machine.engines.len()).map(move |engine| (index, engine)))
            .collect();
        let rate = engines
            .iter()
            .map(|(machine, _)| USUAL_SHARE * model.requests_per_second_max(machines[*machine].plan.speed))
            .sum();
        Pool { load: Load::new(seed, pool, rate), serving: engines.clone(), engines }
    }

    /// Gives the request to the better of two engines; with none it is lost, as its client would see.
    fn dispatch(&mut self, machines: &mut [Machine], request: Request) {
        if self.serving.is_empty() {
            return;
        }
        let (one, other) = self.load.pair(self.serving.len());
        let pressure = |place: usize| {
            let (machine, engine) = self.serving[place];
            machines[machine].engines[engine].replica.pressure()
        };
        let (machine, engine) = self.serving[if pressure(other) < pressure(one) { other } else { one }];
        machines[machine].engines[engine].replica.accept(request);
    }
}

/// The requests that `change` takes from the machine, each with the number of its pool.
fn with_pool(
    machine: &mut Machine,
    change: impl FnOnce(&mut Machine) -> Vec<Request>,
) -> Vec<(usize, Request)> {
    let model = machine.plan.model;
    let pool =
        MODELS.iter().position(|other| std::ptr::eq(other, model)).expect("plans name models of the list");
    change(machine).into_iter().map(|request| (pool, request)).collect()
}

/// The state that the wire gives a GPU of this machine.
pub(super) fn gpu_state(present: bool) -> v1::GpuState {
    if present { v1::GpuState::Ok } else { v1::GpuState::Lost }
}
