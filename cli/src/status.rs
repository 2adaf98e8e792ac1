//! `ostler status`: the whole fleet in one screen.

use ostler_proto::v1;

use crate::args::Server;
use crate::client::Client;
use crate::error::Error;
use crate::kind::{Entry, Kind};
use crate::output::{Output, Tone, units};

/// Asks for the summary and prints it.
pub(crate) async fn run(server: &Server, output: Output) -> Result<(), Error> {
    let fleet = Client::connect(server).await?.fleet().await?;
    if output.for_programs() {
        return output.value(&serde_json::to_value(&fleet).map_err(std::io::Error::other)?);
    }
    output.line(&headline(&fleet, output))?;
    if fleet.zones.is_empty() {
        return output.line("\nNo node has reported yet. On each GPU node run: ostler-agent (see its --help for the address of this coordinator)");
    }
    output.line("")?;
    let zones: Vec<Entry> = fleet.zones.into_iter().map(Entry::Zone).collect();
    output.list(Kind::Zones, &zones, &[])?;
    if fleet.pools.is_empty() {
        return Ok(());
    }
    output.line("")?;
    let pools: Vec<Entry> = fleet.pools.into_iter().map(Entry::Pool).collect();
    output.list(Kind::Pools, &pools, &[])
}

fn headline(fleet: &v1::FleetSummary, output: Output) -> String {
    let counts = fleet.counts.unwrap_or_default();
    let part = |name: &str, good: u32, all: u32| {
        let tone = if good == all { Tone::Plain } else { Tone::Warn };
        output.paint(&format!("{name} {}", units::of(good, all)), tone)
    };
    let mut parts = vec![
        part("nodes", counts.nodes_fresh, counts.nodes),
        part("GPUs", counts.gpus_ok, counts.gpus),
        part("engines", counts.engines_serving, counts.engines),
    ];
    parts.push(format!("replica {} up {}", units::text(&fleet.replica), units::age(fleet.uptime_s * 1_000)));
    parts.push(match (fleet.leader.as_str(), fleet.term) {
        ("", _) => output.paint("no leader", Tone::Warn),
        (leader, term) => format!("leader {} term {term}", units::text(leader)),
    });
    if fleet.simulated {
        parts.push(output.paint("SIMULATED", Tone::Warn));
    }
    parts.join("   ")
}
