//! The simulated fleet: one agent for each node, on a thread of its own, so that a node can die without a goodbye.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures_util::future::try_join_all;
use ostler_agent::config::Config;
use ostler_agent::server::Listener;
use ostler_agent::simulated::gate::Gate;
use ostler_agent::simulated::incident::{Phase, Step, round};
use ostler_agent::simulated::plan::NodePlan;
use ostler_agent::simulated::{Incident, Plan, Simulation};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::Error;

/// Stack of one agent's thread: its futures are on the heap, and a debug build needs half of this.
const STACK_BYTES: usize = 1 << 20;

/// How long agents may take to say goodbye.
const GOODBYE_TIME_MAX: Duration = Duration::from_secs(2);

/// Where an incident happens, in the words of the fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) kind: &'static str,
    pub(crate) zone: String,
    pub(crate) node: String,
    pub(crate) gpu: String,
    /// For a person.
    pub(crate) text: String,
}

/// The fleet and its script.
#[derive(Debug)]
pub(crate) struct Demo {
    plan: Plan,
    nodes: Vec<NodePlan>,
    simulation: Simulation,
    agents: Vec<Option<SimulatedAgent>>,
    /// The ports of nodes without power, which swallow what is sent to them.
    dark: BTreeMap<usize, Gate>,
    coordinator: String,
    /// The round of the script that `steps` is of.
    round: u32,
    /// Steps of that round that are still to come.
    steps: Vec<Step>,
}

impl Demo {
    /// Starts all agents.
    pub(crate) fn start(plan: Plan, coordinator: &str) -> Result<Demo, Error> {
        let nodes = plan.nodes();
        let simulation = Simulation::start(&plan);
        let agents = nodes.iter().map(|_| None).collect();
        let steps = round(&plan, 0);
        let mut demo = Demo {
            plan,
            nodes,
            simulation,
            agents,
            dark: BTreeMap::new(),
            coordinator: coordinator.to_owned(),
            round: 0,
            steps,
        };
        (0..demo.nodes.len()).try_for_each(|node| demo.start_agent(node))?;
        Ok(demo)
    }

    /// Nodes, GPUs and engines that the plan has.
    pub(crate) fn sizes(plan: &Plan) -> (usize, usize, usize) {
        let nodes = plan.nodes();
        let sum = |count: fn(&NodePlan) -> usize| nodes.iter().map(count).sum();
        (nodes.len(), sum(|node| node.gpu_uuids.len()), sum(NodePlan::engines))
    }

    /// The steps that are to be taken by now.
    pub(crate) fn due(&mut self, now: Duration) -> Vec<Step> {
        let count = self.steps.iter().take_while(|step| step.at <= now).count();
        let due = self.steps.drain(..count).collect();
        if self.steps.is_empty() {
            self.round += 1;
            self.steps = round(&self.plan, self.round);
        }
        due
    }

    /// Lets it happen, or puts it right.
    pub(crate) async fn carry_out(&mut self, step: &Step) -> Result<(), Error> {
        let nodes = self.concerned(&step.incident);
        match (step.phase, &step.incident) {
            (Phase::Begin, Incident::GpuLost { .. }) => self.simulation.begin(&step.incident),
            (Phase::Begin, Incident::NodeDown { .. } | Incident::ZoneDark { .. }) => {
                let cut = nodes.iter().filter_map(|node| Some((*node, self.agents[*node].take()?)));
                let cut = cut.map(async |(node, agent)| anyhow::Ok((node, agent.lose_power().await?)));
                let dark = try_join_all(cut).await.map_err(|error| Error::failed(&error))?;
                self.dark.extend(dark);
                self.simulation.begin(&step.incident);
            }
            (Phase::End, incident) => {
                // A node that is put right restarts: where it still ran it says goodbye first.
                for agent in nodes.iter().filter_map(|node| self.agents[*node].take()) {
                    agent.stop.cancel();
                    agent.gone_by(Instant::now() + GOODBYE_TIME_MAX).await;
                }
                self.simulation.end(incident);
                self.dark.retain(|node, _| !nodes.contains(node));
                nodes.iter().try_for_each(|node| self.start_agent(*node))?;
            }
        }
        Ok(())
    }

    /// The incident in the words of the fleet.
    pub(crate) fn told(&self, incident: &Incident) -> Told {
        match incident {
            Incident::GpuLost { node, gpu } => {
                let (node, index) = (&self.nodes[*node], gpu);
                let text = format!(
                    "GPU {index} of {} ({}) has fallen off the bus, XID 79",
                    node.name, node.gpu.name
                );
                let gpu = node.gpu_uuids[*gpu].clone();
                Told { kind: "gpu_lost", zone: node.zone.to_owned(), node: node.name.clone(), gpu, text }
            }
            Incident::NodeDown { node } => {
                let node = &self.nodes[*node];
                let text = format!("node {} has lost power", node.name);
                Told {
                    kind: "node_down",
                    zone: node.zone.to_owned(),
                    node: node.name.clone(),
                    gpu: String::new(),
                    text,
                }
            }
            Incident::ZoneDark { zone } => Told {
                kind: "zone_dark",
                zone: (*zone).to_owned(),
                node: String::new(),
                gpu: String::new(),
                text: format!("{zone} has gone dark"),
            },
        }
    }

    /// Lets every agent say goodbye.
    pub(crate) async fn stop(mut self) {
        let agents: Vec<SimulatedAgent> = self.agents.iter_mut().filter_map(Option::take).collect();
        agents.iter().for_each(|agent| agent.stop.cancel());
        let deadline = Instant::now() + GOODBYE_TIME_MAX;
        for agent in agents {
            agent.gone_by(deadline).await;
        }
    }

    fn concerned(&self, incident: &Incident) -> Vec<usize> {
        match incident {
            Incident::GpuLost { node, .. } | Incident::NodeDown { node } => vec![*node],
            Incident::ZoneDark { zone } => {
                (0..self.nodes.len()).filter(|node| self.nodes[*node].zone == *zone).collect()
            }
        }
    }

    fn start_agent(&mut self, node: usize) -> Result<(), Error> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let gate = Gate::open(port.local_addr()?).map_err(|error| Error::failed(&error))?;
        let config = config(&self.nodes[node], &self.coordinator, gate.address())?;
        self.agents[node] = Some(SimulatedAgent::start(config, self.simulation.source(node), port, gate)?);
        Ok(())
    }
}

/// What a simulated node's agent is told: nothing of this machine is read, nothing is kept.
fn config(node: &NodePlan, coordinator: &str, probe: SocketAddr) -> Result<Config, Error> {
    let text = format!(
        r#"
node = "{}"
zone = "{}"
coordinators = ["{coordinator}"]
listen = "127.0.0.1:0"
probe_address = "{probe}"
state_dir = ""
labels = {{ gpu = "{}", simulated = "true" }}
backoff = {{ first_ms = 200, longest_ms = 1000 }}
buffer = {{ bytes = 262144 }}
nvml = {{ enabled = false }}
kmsg = {{ enabled = false }}
host = {{ enabled = false }}
cloud = {{ provider = "off" }}
"#,
        node.name, node.zone, node.gpu.name
    );
    let config = Config::from_text(Some((Path::new("the settings of the simulation"), &text)), &[]);
    config.map_err(|error| Error::failed(&error.into()))
}

/// One node's agent. Dropping it ends it at once: sockets close, and nothing is said.
#[derive(Debug)]
struct SimulatedAgent {
    /// Ends it with a goodbye.
    stop: CancellationToken,
    /// Ends it at once.
    cut: CancellationToken,
    thread: JoinHandle<()>,
    /// The way to its port.
    gate: Option<Gate>,
}

impl SimulatedAgent {
    fn start(
        config: Config,
        source: Box<dyn ostler_agent::sample::Source>,
        port: TcpListener,
        gate: Gate,
    ) -> Result<SimulatedAgent, Error> {
        let (stop, cut) = (CancellationToken::new(), CancellationToken::new());
        let (stopped, cut_off) = (stop.clone(), cut.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let life = move || {
            runtime.block_on(async {
                let listener = Listener::try_from(port)
                    .inspect_err(|error| tracing::error!("a simulated agent answers no probes: {error}"));
                tokio::select! {
                    () = cut_off.cancelled() => {}
                    () = ostler_agent::run_on(listener.ok(), config, source, stopped) => {}
                }
            });
        };
        let thread =
            thread::Builder::new().name("simulated".to_owned()).stack_size(STACK_BYTES).spawn(life)?;
        Ok(SimulatedAgent { stop, cut, thread, gate: Some(gate) })
    }

    /// Its machine is gone in the middle of a word, and its port swallows what comes until the gate that remains is dropped.
    async fn lose_power(mut self) -> anyhow::Result<Gate> {
        let mut gate = self.gate.take().expect("it is there until now");
        gate.shut().await?;
        Ok(gate)
    }

    /// Waits for its end until `deadline`, then cuts it off.
    async fn gone_by(self, deadline: Instant) {
        while !self.thread.is_finished() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for SimulatedAgent {
    fn drop(&mut self) {
        self.cut.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_simulated_node_gets_a_configuration_that_reads_nothing_of_this_machine() {
        for node in Plan::default().nodes() {
            let config = config(&node, "http://127.0.0.1:1", ([127, 0, 0, 1], 2).into()).unwrap();
            assert_eq!((config.node.as_str(), config.zone.as_str()), (node.name.as_str(), node.zone));
            assert!(config.listen.unwrap().ip().is_loopback() && config.state_directory.is_none());
            assert_eq!(config.probe_address, "127.0.0.1:2");
            assert!(config.sources.nvml.is_none() && config.sources.host.is_none());
        }
    }
}
