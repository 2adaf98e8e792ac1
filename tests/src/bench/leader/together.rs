//! A node that loses its power at the moment at which the leader is killed: how soon the next leader has decided about it.
//!
//! Who was leading had heard the last of the node, and whoever follows must find its silence by itself.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use ostler_proto::v1;
use ostler_proto::v1::fleet_client::FleetClient;
use tempfile::TempDir;
use tonic::transport::Channel;

use super::{LEADER_MAX, PAUSE_STEP_MS, TTL_S};
use crate::etcd::Etcd;
use crate::node::Node;
use crate::say;
use crate::servers::{Coordinator, free_address};

const ZONES: [&str; 3] = ["zone-a", "zone-b", "zone-c"];

/// Agents of each zone that stay up: enough for probers in the zone of the one that does not.
const STEADY: usize = 4;

/// How often it is asked what was decided, which is how exact the figures are.
const POLL: Duration = Duration::from_millis(20);

/// How long everything is left alone between two rounds: the rhythm of each node is known by then to each replica, and
/// nobody learns.
const SETTLE: Duration = Duration::from_secs(15);

/// Measures so many times; seconds until the decision.
pub(super) async fn measure(rounds: u32) -> anyhow::Result<Vec<f64>> {
    let mut yard = Yard::start(rounds as usize).await?;
    say(format_args!("killing the leader together with a node {rounds} times"));
    let mut times = Vec::new();
    for round in 0..rounds {
        times.push(yard.round(round).await?);
    }
    Ok(times)
}

/// Three replicas at places that stay the same, and the nodes.
struct Yard {
    etcd: Etcd,
    addresses: Vec<SocketAddr>,
    replicas: Vec<Option<Coordinator>>,
    clients: Vec<FleetClient<Channel>>,
    victims: Vec<Node>,
    _steady: Vec<Node>,
    data: TempDir,
}

impl Yard {
    async fn start(rounds: usize) -> anyhow::Result<Self> {
        let (etcd, data) = (Etcd::start()?, tempfile::tempdir()?);
        let addresses = (0..3).map(|_| free_address()).collect::<anyhow::Result<Vec<_>>>()?;
        let coordinators = urls(&addresses);
        let mut steady = Vec::new();
        for zone in ZONES {
            for number in 0..STEADY {
                steady.push(Node::start(&coordinators, format!("{zone}-{number}"), zone)?);
            }
        }
        let victim = |number: usize| {
            Node::start(&coordinators, format!("victim-{number}"), ZONES[number % ZONES.len()])
        };
        let victims = (0..rounds).map(victim).collect::<anyhow::Result<Vec<_>>>()?;
        let (replicas, clients) = (Vec::new(), Vec::new());
        let mut yard = Self { etcd, addresses, replicas, clients, victims, _steady: steady, data };
        for at in 0..yard.addresses.len() {
            let replica = yard.replica(at)?;
            yard.clients.push(FleetClient::connect(replica.url()).await?);
            yard.replicas.push(Some(replica));
        }
        Ok(yard)
    }

    fn replica(&self, at: usize) -> anyhow::Result<Coordinator> {
        let (name, peers) = (name(at), urls(&self.addresses));
        let folder = self.data.path().join(&name);
        std::fs::create_dir_all(&folder)?;
        let folder = folder.to_str().context("the temporary folder has a readable name")?.to_owned();
        let etcd = self.etcd.url();
        let arguments =
            ["--store", "etcd", "--etcd-endpoints", &etcd, "--lead-ttl-s", TTL_S, "--peers", &peers];
        let arguments: Vec<&str> = arguments.into_iter().chain(["--data-dir", &folder]).collect();
        Coordinator::at(self.addresses[at], &name, &arguments)
    }

    async fn round(&mut self, round: u32) -> anyhow::Result<f64> {
        let mut victim = self.victims.pop().context("a victim is left")?;
        let steady = u32::try_from(ZONES.len() * STEADY)?;
        let leader = self.until("everybody is heard and one leads", async |fleets: &[v1::FleetSummary]| {
            let heard = |it: &v1::FleetSummary| it.counts.is_some_and(|counts| counts.nodes_fresh > steady);
            let agreed = fleets.iter().all(|it| it.leader == fleets[0].leader && heard(it));
            (0..fleets.len()).find(|at| agreed && name(*at) == fleets[0].leader)
        });
        let leader = leader.await?;
        tokio::time::sleep(SETTLE).await;
        tokio::time::sleep(Duration::from_millis(u64::from(round) * PAUSE_STEP_MS % 1000)).await;
        let killed = self.replicas[leader].take().context("the leader runs")?;
        victim.gate.shut().await?;
        let began = Instant::now();
        victim.agent.server.signal("STOP")?;
        killed.server.signal("KILL")?;
        let took = self.until_decided(&victim.name, leader, began).await?;
        drop(killed);
        self.replicas[leader] = Some(self.replica(leader)?);
        Ok(took)
    }

    /// Seconds until a replica that is left, and leads, has stored what it decided about a node.
    async fn until_decided(&mut self, node: &str, dead: usize, began: Instant) -> anyhow::Result<f64> {
        while began.elapsed() < LEADER_MAX {
            for at in (0..self.clients.len()).filter(|at| *at != dead) {
                let client = &mut self.clients[at];
                let decisions =
                    client.list_decisions(v1::ListRequest::default()).await?.into_inner().decisions;
                if let Some(decision) = decisions.iter().find(|it| it.node == node) {
                    ensure!(
                        decision.verdict() == v1::Verdict::NodeUnreachable,
                        "the decision is about {:?}",
                        decision.verdict()
                    );
                    return Ok(began.elapsed().as_secs_f64());
                }
            }
            tokio::time::sleep(POLL).await;
        }
        bail!("nothing is decided about {node} within {LEADER_MAX:?}")
    }

    /// Waits until something is found in what all replicas say.
    async fn until<R>(
        &mut self,
        what: &str,
        mut found: impl AsyncFnMut(&[v1::FleetSummary]) -> Option<R>,
    ) -> anyhow::Result<R> {
        let began = Instant::now();
        while began.elapsed() < 2 * LEADER_MAX {
            let mut fleets = Vec::new();
            for client in &mut self.clients {
                // One that has just been started may not listen yet.
                if let Ok(fleet) = client.get_fleet(v1::GetFleetRequest::default()).await {
                    fleets.push(fleet.into_inner());
                }
            }
            if fleets.len() == self.clients.len()
                && let Some(found) = found(&fleets).await
            {
                return Ok(found);
            }
            tokio::time::sleep(POLL).await;
        }
        bail!("not within {:?}: {what}", 2 * LEADER_MAX)
    }
}

fn name(at: usize) -> String {
    format!("replica-{at}")
}

fn urls(addresses: &[SocketAddr]) -> String {
    let urls: Vec<String> = addresses.iter().map(|address| format!("http://{address}")).collect();
    urls.join(",")
}
