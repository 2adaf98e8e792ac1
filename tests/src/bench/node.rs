//! A node as benches have it: an agent over the fake library, and the way to it, which can be shut.

use ostler_agent::simulated::gate::Gate;

use crate::servers::{Agent, free_address};

/// What its agent finds when nothing is wrong.
pub(crate) const WELL: &str = "profile = \"H100\"\ncount = 2\n";

/// A node: its agent and the way to it.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) zone: String,
    pub(crate) agent: Agent,
    pub(crate) gate: Gate,
}

impl Node {
    /// Starts one that reports to these coordinators, with a comma between two.
    pub(crate) fn start(coordinators: &str, name: String, zone: &str) -> anyhow::Result<Self> {
        let listen = free_address()?;
        let gate = Gate::open(listen)?;
        let (listen, probe) = (listen.to_string(), gate.address().to_string());
        let settings = [("NODE", &*name), ("ZONE", zone), ("LISTEN", &listen), ("PROBE_ADDRESS", &probe)];
        let agent = Agent::start_with(coordinators, None, WELL, &settings)?;
        Ok(Self { name, zone: zone.to_owned(), agent, gate })
    }
}
