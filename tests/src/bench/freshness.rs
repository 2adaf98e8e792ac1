//! How old the truth is: a value changes in the NVML library, an agent reads it at 1 Hz, a client of Watch sees it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use hdrhistogram::Histogram;
use ostler_proto::v1;
use ostler_proto::v1::fleet_client::FleetClient;

use crate::outcome::{self, Outcome};
use crate::servers::{Agent, Coordinator, free_address};
use crate::{runtime, say, targets};

/// Longest wait for a change to arrive, and for the first reading.
const ARRIVAL_MAX: Duration = Duration::from_secs(20);

/// Steps between the pauses, in milliseconds: the golden ratio's part of a second, so that changes meet the sampling
/// interval evenly at every moment. A change is seen right after a reading, so equal pauses would always meet the same.
const PAUSE_STEP_MS: u64 = 618;

/// Measures.
pub(crate) fn measure(quick: bool) -> anyhow::Result<Outcome> {
    let changes = if quick { 10 } else { 100 };
    let runtime = runtime()?;
    let engine = free_address()?;
    runtime.block_on(serve_engine(engine))?;
    let coordinator = Coordinator::start()?;
    let agent = Agent::start(&coordinator.url(), Some(&engine_url(engine)), &scenario(100))?;
    say(format_args!("changing a GPU's power {changes} times"));
    let histogram = runtime.block_on(watch(&coordinator.url(), &agent, changes))?;
    let mut outcome = Outcome::new("freshness");
    let milliseconds = |quantile| histogram.value_at_quantile(quantile) as f64 / 1000.0;
    outcome.figure("changes", changes as f64);
    outcome.figure("freshness.ms_p50", milliseconds(0.5));
    outcome.figure("freshness.ms_max", histogram.max() as f64 / 1000.0);
    outcome.at_most("freshness.ms_p99", milliseconds(0.99), 1200.0);
    Ok(outcome)
}

/// Serves the page of a vLLM server.
pub(crate) async fn serve_engine(address: SocketAddr) -> anyhow::Result<()> {
    let start = Instant::now();
    let page = move |_| Arc::from(targets::vllm(start.elapsed().as_secs_f64()));
    targets::serve(address, Arc::new(page)).await?;
    Ok(())
}

/// Where an engine at this address has its metrics.
pub(crate) fn engine_url(address: SocketAddr) -> String {
    format!("http://{address}/metrics")
}

/// Eight H100s of which the first draws so many watts.
fn scenario(watts: i64) -> String {
    let milliwatts = 1000 * watts;
    format!(
        "profile = \"H100\"\ncount = 8\n[gpu.0]\npower_mw = {milliwatts}\npower_instant_mw = {milliwatts}\npower_average_mw = {milliwatts}\n"
    )
}

async fn watch(url: &str, agent: &Agent, changes: i64) -> anyhow::Result<Histogram<u64>> {
    let mut client = FleetClient::connect(url.to_owned()).await?;
    let request = v1::WatchRequest { kinds: vec![v1::Kind::Gpu as i32], ..v1::WatchRequest::default() };
    let mut stream = client.watch(request).await?.into_inner();
    wait_for(&mut stream, 100.0).await.context("the first reading does not arrive")?;
    let mut histogram = outcome::times()?;
    for watts in 101..=100 + changes {
        let pause = watts.unsigned_abs() * PAUSE_STEP_MS % 1000;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        agent.set_scenario(&scenario(watts))?;
        let start = Instant::now();
        wait_for(&mut stream, watts as f64).await.context("a change does not arrive")?;
        histogram.saturating_record(u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX));
    }
    Ok(histogram)
}

/// Waits until some GPU draws this power.
async fn wait_for(stream: &mut tonic::Streaming<v1::WatchResponse>, watts: f64) -> anyhow::Result<()> {
    let arrival = async {
        while let Some(answer) = stream.message().await? {
            for change in answer.changes {
                if let Some(v1::change::Entry::Gpu(gpu)) = change.entry
                    && gpu.power_watts == Some(watts)
                {
                    return Ok(());
                }
            }
        }
        anyhow::bail!("the watch ended")
    };
    tokio::time::timeout(ARRIVAL_MAX, arrival).await.context("waited 20 s")?
}
