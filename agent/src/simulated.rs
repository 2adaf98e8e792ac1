//! A fleet that does not exist, for demonstrations and tests: GPUs and inference servers under a bursty load.
//!
//! [`World`] is a pure model: a queue, a batch and a KV cache for each engine; power, heat and clocks for each GPU; one
//! load balancer for each model. [`Simulation`] lets it run by the clock and gives each simulated node a
//! [`Source`], so that everything after the reading of values is the code that real nodes run. A simulated source
//! says that it is one, and nothing here can be mistaken for a measurement further on.

pub mod gate;
mod gpu;
pub mod hardware;
pub mod incident;
mod load;
mod machine;
pub mod plan;
mod reading;
mod replica;
mod window;
mod world;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

pub use incident::Incident;
pub use plan::Plan;
pub use world::World;

use crate::sample::{NodeSample, Source};

/// A world that runs by the clock, shared by the sources of its nodes.
#[derive(Clone, Debug)]
pub struct Simulation {
    world: Arc<Mutex<World>>,
    started: Instant,
}

impl Simulation {
    /// Builds the fleet of `plan` and starts its clock.
    pub fn start(plan: &Plan) -> Simulation {
        let world = Arc::new(Mutex::new(World::new(plan)));
        Simulation { world, started: Instant::now() }
    }

    /// What the agent on node number `node` reads from.
    pub fn source(&self, node: usize) -> Box<dyn Source> {
        Box::new(SimulatedSource { simulation: self.clone(), node })
    }

    /// Lets the incident happen.
    pub fn begin(&self, incident: &Incident) {
        self.with_world(|world| world.begin(incident));
    }

    /// Puts it right.
    pub fn end(&self, incident: &Incident) {
        self.with_world(|world| world.end(incident));
    }

    /// Requests that run and that wait now, in the whole fleet.
    pub fn requests(&self) -> (usize, usize) {
        self.with_world(|world| world.requests())
    }

    fn with_world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.advance(self.started.elapsed().as_secs_f64());
        look(&mut world)
    }
}

/// One node of the simulation.
#[derive(Debug)]
struct SimulatedSource {
    simulation: Simulation,
    node: usize,
}

impl Source for SimulatedSource {
    fn read(&mut self) -> NodeSample {
        self.simulation.with_world(|world| world.read(self.node))
    }

    fn simulated(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
