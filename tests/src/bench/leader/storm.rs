//! A leader of 10,000 nodes over a real etcd: what it writes there while nothing happens, and how soon it has all of them
//! again when it was killed and everybody comes back at once.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use ostler_proto::v1;
use ostler_proto::v1::fleet_client::FleetClient;
use ostler_tests::load::{Fleet, Trace};
use tempfile::TempDir;
use tonic::transport::Channel;

use super::{LEADER_MAX, POLL, TTL_S};
use crate::etcd::{self, Etcd};
use crate::outcome::Outcome;
use crate::say;
use crate::servers::{Coordinator, free_address};

/// Different courses of values; agents share them.
const TRACES: usize = 64;

/// Seconds before anything is counted.
const SETTLE: usize = 10;

/// What nobody may be accused of: all of them are well. Their streams did break.
const ACCUSING: [&str; 8] = [
    "NODE_SUSPECT",
    "NODE_UNREACHABLE",
    "NODE_DEAD",
    "AGENT_DOWN",
    "FLAPPING",
    "ZONE_PARTITION",
    "ZONE_DOWN",
    "GLOBAL_FREEZE",
];

/// Measures.
pub(super) async fn measure(quick: bool, outcome: &mut Outcome) -> anyhow::Result<()> {
    let (agents, seconds) = if quick { (1_000, 5) } else { (10_000, 60) };
    let live = SETTLE + seconds;
    let traces: Vec<Arc<Trace>> =
        (0..TRACES as u64).map(|seed| Arc::new(Trace::new(seed, 0, live))).collect();
    let (etcd, address, data) = (Etcd::start()?, free_address()?, tempfile::tempdir()?);
    let first = replica(&etcd, address, &data, "before")?;
    leading(&first).await?;
    say(format_args!("connecting {agents} agents to a leader over etcd"));
    let mut fleet = Fleet::connect(address, agents, &traces, |_| {})?;
    fleet.run(SETTLE)?;
    say(format_args!("counting what is written to etcd in {seconds} s"));
    let before = etcd::revision(etcd.address).await?;
    let sent = fleet.run(seconds)?;
    let written = etcd::revision(etcd.address).await? - before;
    ensure!(sent.rows == (agents * seconds) as u64, "{} rows were sent", sent.rows);
    outcome.figure("storm.agents", agents as f64);
    outcome.at_most("leader.etcd_writes_per_s", written as f64 / seconds as f64, 10.0);

    say("killing it, and having everybody come back at once");
    first.server.signal("KILL")?;
    drop((first, fleet));
    let second = replica(&etcd, address, &data, "after")?;
    let began = Instant::now();
    let mut fleet = Fleet::connect(address, agents, &traces, |_| {})?;
    let mut client = FleetClient::connect(second.url()).await?;
    let mut took = None;
    // They report once a second while they are counted.
    while took.is_none() {
        ensure!(began.elapsed() < LEADER_MAX, "not all {agents} nodes are heard within {LEADER_MAX:?}");
        fleet.run(1)?;
        let summary = client.get_fleet(v1::GetFleetRequest::default()).await?.into_inner();
        let fresh = summary.counts.map_or(0, |counts| counts.nodes_fresh as usize);
        took = (fresh == agents).then(|| began.elapsed().as_secs_f64());
    }
    outcome.at_most("leader.fleet_back_s", took.unwrap_or(f64::NAN), 15.0);
    leading(&second).await?;
    fleet.run(SETTLE)?;
    let accused = accusations(&mut client).await?;
    outcome.at_most("leader.fleet_back_accusations", accused as f64, 0.0);
    Ok(())
}

/// A replica that keeps its own events in a folder of its own.
fn replica(etcd: &Etcd, address: SocketAddr, data: &TempDir, folder: &str) -> anyhow::Result<Coordinator> {
    let folder = data.path().join(folder);
    std::fs::create_dir(&folder)?;
    let folder = folder.to_str().context("the temporary folder has a readable name")?;
    let arguments = ["--store", "etcd", "--etcd-endpoints", &etcd.url(), "--lead-ttl-s", TTL_S];
    let arguments: Vec<&str> = arguments.into_iter().chain(["--data-dir", folder]).collect();
    Coordinator::at(address, "bench", &arguments)
}

async fn leading(replica: &Coordinator) -> anyhow::Result<()> {
    let mut client = FleetClient::connect(replica.url()).await?;
    let began = Instant::now();
    while began.elapsed() < LEADER_MAX {
        let fleet = client.get_fleet(v1::GetFleetRequest::default()).await?.into_inner();
        if fleet.leader == "bench" {
            return Ok(());
        }
        tokio::time::sleep(POLL.max(Duration::from_millis(20))).await;
    }
    bail!("it does not lead within {LEADER_MAX:?}")
}

/// Verdicts against anybody that it told of.
async fn accusations(client: &mut FleetClient<Channel>) -> anyhow::Result<usize> {
    let (mut accused, mut page_token) = (0, String::new());
    loop {
        let request = v1::ListRequest { page_token, ..v1::ListRequest::default() };
        let answer = client.list_events(request).await?.into_inner();
        let verdict = |event: &v1::Event| event.attributes.get("verdict").cloned().unwrap_or_default();
        accused += answer.events.iter().filter(|it| ACCUSING.contains(&&*verdict(it))).count();
        if answer.next_page_token.is_empty() {
            return Ok(accused);
        }
        page_token = answer.next_page_token;
    }
}
