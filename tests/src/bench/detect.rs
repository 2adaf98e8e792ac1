//! How soon it is known what is gone, and how often what lives is accused.
//!
//! Agents of several zones report to one coordinator and are probed through gates. One at a time an agent is killed, or
//! stopped behind a shut gate as if its machine had lost power; a GPU falls off the bus or hangs; at last one small zone
//! after the other goes dark. Each time counts until the verdict reaches a client of Watch. False accusations are counted in a simulated
//! network around the coordinator's own detector, where a million node-seconds take seconds.

#[allow(dead_code, reason = "the tests of the detector, whose world this is, use the rest")]
#[path = "../../../coordinator/core/tests/detect/harness.rs"]
mod world;

use std::time::{Duration, Instant};

use anyhow::Context;
use ostler_core::detect::Verdict;
use ostler_proto::v1;
use ostler_proto::v1::fleet_client::FleetClient;
use tonic::Streaming;

use self::world::{Health, ROUGH, World};
use crate::node::{Node, WELL};
use crate::outcome::Outcome;
use crate::servers::Coordinator;
use crate::{runtime, say};

const ZONES: [&str; 3] = ["zone-a", "zone-b", "zone-c"];

/// Agents of each of them that stay up: enough for three probers in the zone of each that does not.
const STEADY: usize = 4;

/// Agents of each zone that goes dark: as few as make it a matter of the zone.
const DARK: usize = 3;

/// Longest wait for a verdict, and for the agents to be heard.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Beats before anything fails: the detector knows the rhythm by then.
const SETTLE: Duration = Duration::from_secs(15);

/// How long a node that is gone is remembered, so that those that fell before do not make their zone look ill.
const RETENTION: Duration = Duration::from_secs(10);

/// Steps between the moments at which something fails, in milliseconds: the golden ratio's part of the second between two
/// beats, so that they meet every moment of it evenly.
const PAUSE_STEP_MS: u64 = 618;

/// What befalls the second GPU, and the verdict that is due.
const FAULTS: [(&str, &str); 3] = [
    ("[gpu.1]\nlost = true\n", "GPU_LOST"),
    ("[[xid]]\nid = 1\ngpu = 1\ncode = 79\nonly_live = true\n", "GPU_LOST"),
    ("[[fault]]\ncall = \"nvmlDeviceGetTemperature\"\ngpu = 1\naction = \"hang\"\n", "GPU_HUNG"),
];

/// Measures.
pub(crate) fn measure(quick: bool) -> anyhow::Result<Outcome> {
    let rounds = if quick { 1 } else { 10 };
    let mut outcome = Outcome::new("detect");
    runtime()?.block_on(real(rounds, &mut outcome))?;
    let (nodes, millis) = if quick { (100, 105_000) } else { (1_000, 1_050_000) };
    say(format_args!("{} node-seconds of loss and jitter", u64::from(nodes) * millis / 1000));
    simulated(nodes, millis, &mut outcome);
    Ok(outcome)
}

/// Measures with real processes.
async fn real(rounds: usize, outcome: &mut Outcome) -> anyhow::Result<()> {
    let mut yard = Yard::start(rounds).await?;
    outcome.figure("agents", (yard.nodes.len() + yard.dark.len() + yard.victims.len()) as f64);
    outcome.figure("rounds", rounds as f64);
    say(format_args!("losing a GPU {} times", rounds.max(FAULTS.len())));
    let gpus = yard.lose_gpus(rounds.max(FAULTS.len())).await?;
    outcome.at_most("detect.gpu_s_p99", p99(gpus), 3.0);
    say(format_args!("killing {rounds} agents"));
    let crashes = yard.kill(rounds).await?;
    outcome.at_most("detect.crash_s_p99", p99(crashes), 0.5);
    say(format_args!("silencing {rounds} nodes"));
    let silences = yard.silence(rounds).await?;
    outcome.at_most("detect.silent_node_s_p99", p99(silences), 3.0);
    let zones = dark_zones(rounds);
    say(format_args!("darkening {zones} zones"));
    outcome.figure("zones_darkened", zones as f64);
    outcome.at_most("detect.zone_s_p99", p99(yard.darken(zones).await?), 6.0);
    Ok(())
}

/// Measures in a simulated network that loses one message in twenty and delays each by up to 300 ms.
fn simulated(nodes: u32, millis: u64, outcome: &mut Outcome) {
    let mut world = World::new(1, nodes, 3, ROUGH);
    world.run(millis);
    let count = |verdicts: &[Verdict]| verdicts.iter().map(|verdict| world.count(*verdict)).sum::<usize>();
    let scale = 1e6 / (f64::from(nodes) * millis as f64 / 1000.0);
    let accused = count(&[
        Verdict::NodeUnreachable,
        Verdict::NodeDead,
        Verdict::Flapping,
        Verdict::AgentDown,
        Verdict::ZonePartition,
        Verdict::ZoneDown,
        Verdict::GlobalFreeze,
        Verdict::ObserverIsolated,
    ]);
    outcome.figure("suspicions_per_1e6_node_s", count(&[Verdict::NodeSuspect]) as f64 * scale);
    outcome.at_most("detect.false_per_1e6_node_s", accused as f64 * scale, 0.0);
    // A detector that does not look accuses nobody either.
    world.nodes[0] = Health::Silent;
    world.run(10_000);
    let told = world.count(Verdict::NodeUnreachable);
    outcome.at_least("detect.simulated_silences_told", told as f64, 1.0);
}

/// Zones that go dark.
const fn dark_zones(rounds: usize) -> usize {
    rounds.div_ceil(2)
}

fn dark_zone(number: usize) -> String {
    format!("dark-{number}")
}

/// Seconds below which 99 of 100 are: of fewer the longest.
fn p99(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    let rank = (seconds.len() * 99).div_ceil(100);
    seconds.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// A coordinator, its agents, and what it tells of them.
struct Yard {
    /// Nodes that stay up.
    nodes: Vec<Node>,
    /// Nodes of the zones that go dark.
    dark: Vec<Node>,
    events: Streaming<v1::WatchResponse>,
    /// Nodes that are still to be killed or silenced.
    victims: Vec<Node>,
    _coordinator: Coordinator,
}

impl Yard {
    /// Starts it with so many nodes to kill, as many to silence, and half as many zones to go dark.
    async fn start(rounds: usize) -> anyhow::Result<Self> {
        let retention = RETENTION.as_secs().to_string();
        let coordinator =
            Coordinator::named("bench", &["--store", "memory", "--node-retention-s", &retention])?;
        let url = coordinator.url();
        let start = |zone: &str, name: String| Node::start(&url, name, zone);
        let group = |zone: &str, count: usize| {
            (0..count)
                .map(|number| start(zone, format!("{zone}-{number}")))
                .collect::<anyhow::Result<Vec<_>>>()
        };
        let (mut nodes, mut dark) = (Vec::new(), Vec::new());
        for zone in ZONES {
            nodes.extend(group(zone, STEADY)?);
        }
        for number in 0..dark_zones(rounds) {
            dark.extend(group(&dark_zone(number), DARK)?);
        }
        let victim = |number: usize| start(ZONES[number % ZONES.len()], format!("victim-{number}"));
        let victims = (0..2 * rounds).map(victim).collect::<anyhow::Result<Vec<Node>>>()?;
        let mut client = FleetClient::connect(url).await?;
        say(format_args!("waiting for {} agents", nodes.len() + dark.len() + victims.len()));
        let wanted = u32::try_from(nodes.len() + dark.len() + victims.len())?;
        let heard = async {
            while fresh(&mut client).await? < wanted {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(WAIT_MAX, heard).await.context("the agents are not heard within 30 s")??;
        tokio::time::sleep(SETTLE).await;
        let request = v1::WatchRequest { kinds: vec![v1::Kind::Event as i32], ..v1::WatchRequest::default() };
        let events = client.watch(request).await?.into_inner();
        Ok(Self { nodes, dark, events, victims, _coordinator: coordinator })
    }

    async fn lose_gpus(&mut self, rounds: usize) -> anyhow::Result<Vec<f64>> {
        let mut times = Vec::new();
        for round in 0..rounds {
            pause(round).await;
            let (fault, verdict) = FAULTS[round % FAULTS.len()];
            let at = round % self.nodes.len();
            self.nodes[at].agent.set_scenario(&format!("{WELL}{fault}"))?;
            let (began, name) = (Instant::now(), self.nodes[at].name.clone());
            self.told(verdict, |event| event.node == name && !event.gpu.is_empty()).await?;
            times.push(began.elapsed().as_secs_f64());
        }
        Ok(times)
    }

    async fn kill(&mut self, rounds: usize) -> anyhow::Result<Vec<f64>> {
        let mut times = Vec::new();
        for round in 0..rounds {
            pause(round).await;
            let node = self.victims.pop().context("a victim is left")?;
            let Node { name, agent, gate, .. } = node;
            gate.close().await;
            agent.server.signal("KILL")?;
            let began = Instant::now();
            self.told("AGENT_DOWN", |event| event.node == name).await?;
            times.push(began.elapsed().as_secs_f64());
        }
        Ok(times)
    }

    async fn silence(&mut self, rounds: usize) -> anyhow::Result<Vec<f64>> {
        let mut times = Vec::new();
        for round in 0..rounds {
            pause(round).await;
            let mut node = self.victims.pop().context("a victim is left")?;
            node.gate.shut().await?;
            node.agent.server.signal("STOP")?;
            let began = Instant::now();
            self.told("NODE_UNREACHABLE", |event| event.node == node.name).await?;
            times.push(began.elapsed().as_secs_f64());
        }
        Ok(times)
    }

    /// Seconds until each of the zones is down. The next one follows when the one before is forgotten: zones that fall
    /// together would be a freeze.
    async fn darken(&mut self, zones: usize) -> anyhow::Result<Vec<f64>> {
        let mut times = Vec::new();
        for round in 0..zones {
            tokio::time::sleep(RETENTION).await;
            pause(round).await;
            let zone = dark_zone(round);
            let mut nodes = self.dark.iter_mut().filter(|node| node.zone == zone).collect::<Vec<_>>();
            for node in &mut nodes {
                node.gate.shut().await?;
            }
            let began = Instant::now();
            for node in &nodes {
                node.agent.server.signal("STOP")?;
            }
            self.told("ZONE_DOWN", |event| event.zone == zone).await?;
            times.push(began.elapsed().as_secs_f64());
        }
        Ok(times)
    }

    /// Waits until a verdict is told of.
    async fn told(&mut self, verdict: &str, of: impl Fn(&v1::Event) -> bool) -> anyhow::Result<()> {
        let arrival = async {
            while let Some(answer) = self.events.message().await? {
                for change in answer.changes {
                    if let Some(v1::change::Entry::Event(event)) = change.entry
                        && event.attributes.get("verdict").is_some_and(|told| told == verdict)
                        && of(&event)
                    {
                        return Ok(());
                    }
                }
            }
            anyhow::bail!("the watch ended")
        };
        let waited = tokio::time::timeout(WAIT_MAX, arrival).await;
        waited.with_context(|| format!("{verdict} is not told of within 30 s"))?
    }
}

async fn fresh(client: &mut FleetClient<tonic::transport::Channel>) -> anyhow::Result<u32> {
    let fleet = client.get_fleet(v1::GetFleetRequest::default()).await?.into_inner();
    Ok(fleet.counts.map_or(0, |counts| counts.nodes_fresh))
}

/// Moves on in the second between two beats.
async fn pause(round: usize) {
    tokio::time::sleep(Duration::from_millis(1000 + round as u64 * PAUSE_STEP_MS % 1000)).await;
}
