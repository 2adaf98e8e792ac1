//! `ostler-bench NAME`: measures what the design promises, and fails when a promise is not kept.
//!
//! Servers under test are processes of their own, the release binaries next to this one, so that their CPU and memory are
//! counted apart from the load's. Progress goes to stderr; stdout has a table, or one JSON object with `-o json`.

mod agent;
mod chaos;
mod detect;
mod etcd;
mod freshness;
mod ingest;
mod leader;
mod node;
mod outcome;
mod prometheus;
mod query;
mod recorder;
mod replay;
mod servers;
mod targets;

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use ostler_tests::sink::Fence;

/// Measures one part of Ostler and checks it against its limits.
#[derive(Debug, Parser)]
#[command(name = "ostler-bench", version)]
struct Arguments {
    /// What to measure.
    bench: Bench,
    /// Run this beside Ostler in the same run and compare: "prometheus" for `ingest`.
    #[arg(long, value_name = "NAME")]
    peer: Option<Peer>,
    /// How to print the result.
    #[arg(short, long, default_value = "table", value_name = "FORMAT")]
    output: Output,
    /// A tenth of the load and the time, to see that it works; the limits still decide the exit code.
    #[arg(long)]
    quick: bool,
    /// Agents that report in `ingest` (10,000 unless said).
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    agents: Option<u16>,
    /// What decides the troubles of `chaos` and their order (1 unless said).
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Only the trouble of `chaos` that the sink's look at terms is for, at a sink that does not look: the check must find it.
    #[arg(long)]
    unfenced: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Bench {
    /// CPU and memory of the coordinator for each agent.
    Ingest,
    /// Time from a change in NVML to a client of Watch.
    Freshness,
    /// Time of a list of 10,000 nodes, and of a change to 100 watchers.
    Query,
    /// Time without a leader when it is killed, told to end, or dies with a node; a fleet that comes back at once.
    Leader,
    /// Time until it is known that a node, an agent, a GPU or a zone is gone, and how often that is wrong.
    Detect,
    /// The same of outages that were measured elsewhere, replayed; whether a zone is told from its nodes.
    Replay,
    /// CPU and memory of the agent, and what it does when NVML hangs.
    Agent,
    /// Whether anything that must never be happens while replicas, etcd, agents and the network between them break.
    Chaos,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Peer {
    /// Debian's Prometheus scraping the same values.
    Prometheus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Table,
    Json,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match measure(&arguments) {
        Ok(outcome) => {
            outcome.print(arguments.output == Output::Json);
            if outcome.ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("ostler-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> anyhow::Result<outcome::Outcome> {
    let Arguments { bench, peer, quick, agents, seed, unfenced, output: _ } = arguments;
    if peer.is_some() && *bench != Bench::Ingest {
        anyhow::bail!("only `ingest` has a peer; leave --peer off");
    }
    if agents.is_some() && *bench != Bench::Ingest {
        anyhow::bail!("only `ingest` can have another number of agents; leave --agents off");
    }
    if (seed.is_some() || *unfenced) && *bench != Bench::Chaos {
        anyhow::bail!("only `chaos` has a seed and a fence; leave --seed and --unfenced off");
    }
    rlimit::increase_nofile_limit(u64::MAX)?;
    match bench {
        Bench::Ingest => ingest::measure(*quick, agents.map(usize::from), peer.is_some()),
        Bench::Freshness => freshness::measure(*quick),
        Bench::Query => query::measure(*quick),
        Bench::Leader => leader::measure(*quick),
        Bench::Detect => detect::measure(*quick),
        Bench::Replay => replay::measure(*quick),
        Bench::Agent => agent::measure(*quick),
        Bench::Chaos => {
            let fence = if *unfenced { Fence::Off } else { Fence::On };
            chaos::measure(*quick, seed.unwrap_or(1), fence)
        }
    }
}

/// Tells on stderr what is being done.
fn say(text: impl std::fmt::Display) {
    eprintln!("{text}");
}

/// A runtime for the bench's own clients and servers.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?)
}
