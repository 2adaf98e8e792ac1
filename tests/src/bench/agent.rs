//! What an agent costs its node, and what it does when an NVML call never returns.
//!
//! Eight fake GPUs whose values move, one engine, one report a second to a coordinator that only writes down when reports
//! come. Then a call on one GPU hangs for ever.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;
use ostler_tests::process;

use crate::freshness::{engine_url, serve_engine};
use crate::outcome::Outcome;
use crate::recorder::Recorder;
use crate::servers::{Agent, free_address};
use crate::{runtime, say};

/// Time for the agent to start, find its GPUs and settle.
const SETTLE: Duration = Duration::from_secs(10);

/// Time that is watched after the hang.
const HANG: Duration = Duration::from_secs(12);

/// Eight H100s at work.
const WORK: &str = r#"
profile = "H100"
count = 8
[all]
utilization_percent = { wave = { min = 20, max = 98, period_s = 17 } }
memory_utilization_percent = { wave = { min = 10, max = 60, period_s = 13 } }
power_mw = { wave = { min = 200000, max = 680000, period_s = 17 } }
temperature_c = { wave = { min = 40, max = 75, period_s = 60 } }
"#;

/// What happens then.
const HANGS: &str = r#"
[[fault]]
call = "nvmlDeviceGetTemperature*"
gpu = 3
action = "hang"
"#;

/// Measures.
pub(crate) fn measure(quick: bool) -> anyhow::Result<Outcome> {
    let seconds = if quick { 10 } else { 60 };
    let runtime = runtime()?;
    let (address, engine) = (free_address()?, free_address()?);
    let recorder = Recorder::default();
    runtime.block_on(async {
        recorder.serve(address);
        serve_engine(engine).await
    })?;
    let agent = Agent::start(&format!("http://{address}"), Some(&engine_url(engine)), WORK)?;
    thread::sleep(SETTLE);
    ensure!(recorder.heartbeats() > 3, "the agent does not report");
    ensure!(recorder.gpus_ok() == 8, "the agent sees {} of 8 GPUs", recorder.gpus_ok());

    say(format_args!("measuring the agent for {seconds} s"));
    let pids = agent.pids()?;
    ensure!(pids.len() == 2, "the agent has {} processes; it should have a child for NVML", pids.len());
    let start = Instant::now();
    let before = usage(&pids)?;
    thread::sleep(Duration::from_secs(seconds));
    let after = usage(&pids)?;
    let share = (after.cpu - before.cpu).as_secs_f64() / start.elapsed().as_secs_f64();
    let mut outcome = Outcome::new("agent");
    outcome.figure("seconds", seconds as f64);
    outcome.at_most("agent.rss_mb", after.resident_bytes as f64 / 1e6, 15.0);
    outcome.at_most("agent.cpu_percent", 100.0 * share, 0.5);

    say("a call on GPU 3 hangs for ever");
    agent.set_scenario(&format!("{WORK}{HANGS}"))?;
    let start = Instant::now();
    thread::sleep(HANG);
    let reported =
        recorder.hang().map_or(f64::INFINITY, |at| (at.saturating_duration_since(start)).as_secs_f64());
    outcome.at_most("agent.hang_reported_s", reported, 3.0);
    outcome.at_most("agent.heartbeat_gap_s", recorder.gap_max(start).as_secs_f64(), 1.5);
    Ok(outcome)
}

/// Sum over the processes.
fn usage(pids: &[u32]) -> anyhow::Result<process::Usage> {
    let mut sum = process::Usage::default();
    for &pid in pids {
        let usage = process::usage(pid)?;
        sum.cpu += usage.cpu;
        sum.resident_bytes += usage.resident_bytes;
    }
    Ok(sum)
}
