//! What a report costs the coordinator, and what a node costs it.
//!
//! All agents connect, fill ten minutes of history by sending it as the backlog of an agent that was cut off, and then
//! report once a second, each at its own moment of the second. CPU is the coordinator's whole use in that time, memory
//! its whole resident size at the end, divided by the agents.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use ostler_proto::v1;
use ostler_tests::load::{Fleet, Sent, Trace};
use ostler_tests::process;

use crate::outcome::{Outcome, Peer};
use crate::servers::Coordinator;
use crate::{prometheus, runtime, say};

/// Different courses of values; agents share them.
const TRACES: usize = 64;

/// Seconds of history filled before measuring.
const PAST: usize = 600;

/// Seconds at the pace of one report a second before measuring.
const SETTLE: usize = 5;

/// What was measured of the coordinator.
#[derive(Clone, Copy, Debug)]
struct Measured {
    sent: Sent,
    seconds: usize,
    cpu: Duration,
    resident_bytes: u64,
    agents: usize,
}

impl Measured {
    fn cpu_us_per_report(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.sent.rows as f64
    }

    fn bytes_per_node(&self) -> f64 {
        self.resident_bytes as f64 / self.agents as f64
    }
}

/// Measures, and compares with Prometheus when asked.
pub(crate) fn measure(quick: bool, peer: bool) -> anyhow::Result<Outcome> {
    let (agents, seconds) = if quick { (1_000, 5) } else { (10_000, 30) };
    let traces = traces(SETTLE + seconds);
    let mut outcome = Outcome::new("ingest");
    let ours = coordinator(agents, seconds, &traces)?;
    let cores = ours.cpu.as_secs_f64() / ours.seconds as f64;
    outcome.figure("agents", agents as f64);
    outcome.figure("reports", ours.sent.rows as f64);
    outcome.figure("row_bytes_mean", traces[0].row_bytes_mean as f64);
    outcome.figure("cores_used", cores);
    outcome.figure("resident_bytes", ours.resident_bytes as f64);
    outcome.at_most("ingest.cpu_us_per_report", ours.cpu_us_per_report(), 10.0);
    outcome.at_most("ingest.bytes_per_node", ours.bytes_per_node(), 100_000.0);
    outcome.at_least("ingest.agents_per_core", (agents as f64 / cores).floor(), 10_000.0);
    if peer {
        compare(quick, &mut outcome)?;
    }
    Ok(outcome)
}

/// Both with as many agents as Prometheus has targets.
fn compare(quick: bool, outcome: &mut Outcome) -> anyhow::Result<()> {
    let (targets, settle, seconds) = if quick { (200, 15, 15) } else { (1_000, PAST, 60) };
    let traces = traces(settle + seconds + SETTLE);
    let ours = coordinator(targets, seconds, &traces)?;
    let theirs = prometheus::measure(targets, settle, seconds, &traces)?;
    outcome.figure("peer_run.agents", targets as f64);
    outcome.figure("peer_run.cpu_us_per_report", ours.cpu_us_per_report());
    outcome.figure("peer_run.bytes_per_node", ours.bytes_per_node());
    outcome.at_least("ingest.cpu_ratio", theirs.cpu_us_per_report / ours.cpu_us_per_report(), 30.0);
    outcome.at_least("ingest.memory_ratio", theirs.bytes_per_node / ours.bytes_per_node(), 8.0);
    outcome.set_peer(Peer {
        name: theirs.version,
        figures: BTreeMap::from([
            ("cpu_us_per_report", theirs.cpu_us_per_report),
            ("bytes_per_node", theirs.bytes_per_node),
            ("targets", targets as f64),
            ("reports", theirs.scrapes as f64),
        ]),
    });
    Ok(())
}

fn traces(live: usize) -> Vec<Arc<Trace>> {
    (0..TRACES as u64).map(|seed| Arc::new(Trace::new(seed, PAST, live))).collect()
}

fn coordinator(agents: usize, seconds: usize, traces: &[Arc<Trace>]) -> anyhow::Result<Measured> {
    let coordinator = Coordinator::start()?;
    let pid = coordinator.server.pid();
    say(format_args!("connecting {agents} agents, each with {PAST} s of backlog"));
    let mut fleet = Fleet::connect(coordinator.address, agents, traces, |connected| {
        say(format_args!("  {connected} connected"));
    })?;
    fleet.run(SETTLE)?;
    say(format_args!("measuring {seconds} s at one report a second and agent"));
    let before = process::usage(pid)?;
    let sent = fleet.run(seconds)?;
    let after = process::usage(pid)?;
    ensure!(sent.ended == 0, "the coordinator ended {} streams", sent.ended);
    ensure!(sent.resyncs == 0, "the coordinator lost track {} times", sent.resyncs);
    ensure!(
        sent.late * 100 <= sent.rows,
        "{} of {} reports left late: the load cannot keep up",
        sent.late,
        sent.rows
    );
    let fresh = fresh_nodes(&coordinator)?;
    ensure!(fresh == agents, "{fresh} of {agents} nodes are fresh");
    let cpu = after.cpu.saturating_sub(before.cpu);
    Ok(Measured { sent, seconds, cpu, resident_bytes: after.resident_bytes, agents })
}

fn fresh_nodes(coordinator: &Coordinator) -> anyhow::Result<usize> {
    runtime()?.block_on(async {
        let mut client = v1::fleet_client::FleetClient::connect(coordinator.url()).await?;
        let fleet = client.get_fleet(v1::GetFleetRequest::default()).await?.into_inner();
        Ok(fleet.counts.map_or(0, |counts| counts.nodes_fresh as usize))
    })
}
