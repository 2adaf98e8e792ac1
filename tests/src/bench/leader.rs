//! How long the fleet is without a leader: three replicas over a real etcd, of which the leader is killed or told to end.
//! Then what goes with that: a node that dies at the same moment ([`together`]), and a whole fleet that comes back at once
//! ([`storm`]).

mod storm;
mod together;

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use ostler_proto::v1;
use ostler_proto::v1::fleet_client::FleetClient;
use tempfile::TempDir;
use tonic::transport::Channel;

use crate::etcd::Etcd;
use crate::outcome::Outcome;
use crate::servers::Coordinator;
use crate::{runtime, say};

/// Length of the lease.
const TTL_S: &str = "3";

/// How often the replicas that are left are asked who leads, which is how exact the figures are.
const POLL: Duration = Duration::from_millis(2);

/// Longest wait for a leader.
const LEADER_MAX: Duration = Duration::from_secs(30);

/// Steps between the moments at which leaders end, in milliseconds: the golden ratio's part of the second between two
/// keepalives, so that they end evenly at every moment of it.
const PAUSE_STEP_MS: u64 = 618;

/// Measures.
pub(crate) fn measure(quick: bool) -> anyhow::Result<Outcome> {
    let rounds = if quick { 1 } else { 10 };
    runtime()?.block_on(async {
        let mut cluster = Cluster::start().await?;
        let mut outcome = Outcome::new("leader");
        outcome.figure("rounds", f64::from(rounds));
        say(format_args!("killing the leader {rounds} times"));
        let killed = cluster.end_leaders("KILL", rounds).await?;
        say(format_args!("telling the leader to end {rounds} times"));
        let graceful = cluster.end_leaders("TERM", rounds).await?;
        outcome.figure("leader.killed_s_mean", mean(&killed));
        outcome.figure("leader.graceful_s_mean", mean(&graceful));
        outcome.at_most("leader.killed_s_max", longest(&killed), 4.0);
        outcome.at_most("leader.graceful_s_max", longest(&graceful), 0.3);
        drop(cluster);
        let with_node = together::measure(rounds).await?;
        outcome.figure("leader.with_node_s_mean", mean(&with_node));
        outcome.at_most("leader.with_node_s_max", longest(&with_node), 8.0);
        storm::measure(quick, &mut outcome).await?;
        Ok(outcome)
    })
}

/// etcd and three replicas.
struct Cluster {
    replicas: Vec<Replica>,
    started: u32,
    etcd: Etcd,
}

struct Replica {
    name: String,
    coordinator: Coordinator,
    client: FleetClient<Channel>,
    _data: TempDir,
}

impl Replica {
    async fn start(endpoint: &str, name: String) -> anyhow::Result<Self> {
        let data = tempfile::tempdir()?;
        let folder = data.path().to_str().context("the temporary folder has a readable name")?;
        let arguments =
            ["--store", "etcd", "--etcd-endpoints", endpoint, "--lead-ttl-s", TTL_S, "--data-dir", folder];
        let coordinator = Coordinator::named(&name, &arguments)?;
        let client = FleetClient::connect(coordinator.url()).await?;
        Ok(Self { name, coordinator, client, _data: data })
    }

    async fn fleet(&mut self) -> anyhow::Result<v1::FleetSummary> {
        Ok(self.client.get_fleet(v1::GetFleetRequest::default()).await?.into_inner())
    }
}

impl Cluster {
    async fn start() -> anyhow::Result<Self> {
        let mut cluster = Self { replicas: Vec::new(), started: 0, etcd: Etcd::start()? };
        for _ in 0..3 {
            cluster.add().await?;
        }
        Ok(cluster)
    }

    async fn add(&mut self) -> anyhow::Result<()> {
        self.started += 1;
        let name = format!("replica-{}", self.started);
        self.replicas.push(Replica::start(&self.etcd.url(), name).await?);
        Ok(())
    }

    /// Ends the leader so many times and starts another replica each time; seconds until the next one led.
    async fn end_leaders(&mut self, signal: &str, rounds: u32) -> anyhow::Result<Vec<f64>> {
        let mut times = Vec::new();
        for round in 0..rounds {
            let (at, term) = self.agreed().await?;
            let pause = u64::from(round) * PAUSE_STEP_MS % 1000;
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let leader = self.replicas.remove(at);
            let began = Instant::now();
            leader.coordinator.server.signal(signal)?;
            self.next_leader(term).await?;
            times.push(began.elapsed().as_secs_f64());
            self.add().await?;
        }
        Ok(times)
    }

    /// Waits until all say that the same one leads: its place and its term.
    async fn agreed(&mut self) -> anyhow::Result<(usize, u64)> {
        let began = Instant::now();
        while began.elapsed() < LEADER_MAX {
            let mut told = Vec::new();
            for replica in &mut self.replicas {
                let fleet = replica.fleet().await?;
                told.push((fleet.leader, fleet.term));
            }
            let leader = self.replicas.iter().position(|replica| replica.name == told[0].0);
            if let Some(at) = leader.filter(|_| told.iter().all(|it| *it == told[0])) {
                return Ok((at, told[0].1));
            }
            tokio::time::sleep(POLL).await;
        }
        bail!("the replicas do not agree on a leader within {LEADER_MAX:?}")
    }

    /// Waits until one of them says that it leads itself, in a later term.
    async fn next_leader(&mut self, term: u64) -> anyhow::Result<()> {
        let began = Instant::now();
        while began.elapsed() < LEADER_MAX {
            for replica in &mut self.replicas {
                let fleet = replica.fleet().await?;
                if fleet.leader == replica.name && fleet.term > term {
                    return Ok(());
                }
            }
            tokio::time::sleep(POLL).await;
        }
        bail!("nobody leads within {LEADER_MAX:?}")
    }
}

fn longest(seconds: &[f64]) -> f64 {
    seconds.iter().copied().fold(f64::NAN, f64::max)
}

fn mean(seconds: &[f64]) -> f64 {
    seconds.iter().sum::<f64>() / seconds.len() as f64
}
