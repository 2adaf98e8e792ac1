//! Real outages, replayed: how soon and how rightly they are told.
//!
//! Stretches of a measured trace are acted out around the coordinator's own engine, on a network that loses one message in
//! twenty and delays each way by up to 300 ms. The stretches are the hours in which most machines fell, where whole sites
//! go, and hours spread evenly over the trace, where single machines do.

use ostler_tests::replay::{
    Called, Faults, Fleet, Found, GpuScore, Network, Score, Script, Symptom, Trace, falls, percentile,
    replay_gpus,
};

use crate::outcome::Outcome;
use crate::say;

/// The network of the goal.
const ROUGH: Network = Network { loss_percent: 5, jitter_ms: 300 };

/// How long a silent machine is remembered. It stands for the hour of the default, because hours without events are half a
/// minute here.
const RETENTION_MS: u64 = 240_000;

const HOUR_S: u64 = 3_600;

/// Busiest hours, and hours spread evenly.
const HOURS: (usize, u64) = (3, 8);
const HOURS_QUICK: (usize, u64) = (1, 2);

/// Faults of GPU servers, evenly over the trace, when not all.
const FAULTS_QUICK: usize = 60;

/// Measures.
pub(crate) fn measure(quick: bool) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::new("replay");
    let trace = Trace::grid5000()?;
    let mut score = Score::default();
    let hours = hours(&trace, if quick { HOURS_QUICK } else { HOURS });
    for (number, &from_s) in hours.iter().enumerate() {
        let script = Script::of(&trace, from_s, from_s + HOUR_S);
        let record = Fleet::new(&script, ROUGH, 1, RETENTION_MS).run();
        score.add(&script, &record, &falls(&script, RETENTION_MS));
        say(format_args!(
            "hour {} of {} (second {from_s}): {} machines fell in {} s",
            number + 1,
            hours.len(),
            record.silences.len(),
            script.length_ms / 1000
        ));
    }
    score.wrong.iter().for_each(say);
    outcome.figure("hours", hours.len() as f64);
    tell(&score, &mut outcome);
    say("faults of GPU servers");
    let faults = Faults::infinite_hbd()?;
    let most = if quick { FAULTS_QUICK } else { faults.faults.len() };
    tell_gpus(&replay_gpus(&faults, most, ROUGH), &mut outcome);
    Ok(outcome)
}

/// Beginnings of hours, each once.
fn hours(trace: &Trace, (busiest, even): (usize, u64)) -> Vec<u64> {
    let mut hours = trace.busiest(HOUR_S);
    hours.truncate(busiest);
    let (begun_s, end_s) = (trace.begun_s(), trace.length_s());
    hours.extend((0..even).map(|number| (begun_s + (end_s - begun_s) * number / even) / HOUR_S * HOUR_S));
    hours.sort_unstable();
    hours.dedup();
    hours
}

/// In seconds; no number when there are no values, which fails its limit.
fn seconds(values: &[u64], percent: usize) -> f64 {
    percentile(values, percent).map_or(f64::NAN, |ms| ms as f64 / 1000.0)
}

fn tell(score: &Score, outcome: &mut Outcome) {
    let rate = |count: u64| count as f64 * 1e6 / score.machine_s.max(1) as f64;
    let Score { alone, with_zone, .. } = score;
    outcome.figure("node_seconds", score.machine_s as f64);
    outcome.figure("simulated_s", score.simulated_s as f64);
    outcome.figure("silent_node_s_p50", seconds(&alone.told_ms, 50));
    outcome.at_most("replay.silent_node_s_p99", seconds(&alone.told_ms, 99), 3.0);
    outcome.figure("silent_node_s_max", seconds(&alone.told_ms, 100));
    outcome.figure("with_zone_s_p50", seconds(&with_zone.told_ms, 50));
    outcome.figure("with_zone_s_p99", seconds(&with_zone.told_ms, 99));
    outcome.figure("zone_s_p50", seconds(&score.down_ms, 50));
    outcome.at_most("replay.zone_s_p99", seconds(&score.down_ms, 99), 6.0);
    outcome.at_most("replay.false_per_1e6_node_s", rate(score.false_unreachable), 0.0);
    outcome.figure("late_unreachable", score.late_unreachable as f64);
    for (verdict, count) in &score.on_machines_up {
        say(format_args!("on machines that were up: {verdict} {count} times"));
    }
    let suspicions = score.on_machines_up.get("NODE_SUSPECT").copied().unwrap_or_default();
    outcome.figure("suspicions_per_1e6_node_s", rate(suspicions));
    tell_found(alone, ["alone_told", "alone_brief", "alone_held", "alone_kept"], outcome);
    tell_found(with_zone, ["with_zone_told", "with_zone_brief", "with_zone_held", "with_zone_kept"], outcome);
    outcome.at_most("replay.missed", (alone.missed + with_zone.missed) as f64, 0.0);
    tell_called(score.gone, ["gone_called_down", "gone_called_partition", "gone_called_neither"], outcome);
    outcome.figure("gone_held", score.gone_held as f64);
    tell_called(score.part, ["part_called_down", "part_called_partition", "part_called_neither"], outcome);
    tell_called(
        score.unclear,
        ["unclear_called_down", "unclear_called_partition", "unclear_called_neither"],
        outcome,
    );
    outcome.at_most("replay.false_zone", score.false_zone as f64, 0.0);
    outcome.at_most("replay.zone_taken_for_nodes", score.zone_taken_for_nodes as f64, 0.0);
    outcome.at_most("replay.node_taken_for_zone", score.node_taken_for_zone as f64, 0.0);
    outcome.figure("freezes", score.freezes.0 as f64);
    outcome.at_most("replay.false_freezes", score.freezes.1 as f64, 0.0);
    outcome.figure("isolations", score.isolations.0 as f64);
    outcome.at_most("replay.false_isolations", score.isolations.1 as f64, 0.0);
    outcome.figure("resignations", score.resignations as f64);
}

fn tell_found(found: &Found, ids: [&'static str; 4], outcome: &mut Outcome) {
    let Found { told_ms, missed: _, held, brief, kept } = found;
    let values = [told_ms.len() as u64, *brief, *held, *kept];
    ids.into_iter().zip(values).for_each(|(id, value)| outcome.figure(id, value as f64));
}

fn tell_called(called: Called, ids: [&'static str; 3], outcome: &mut Outcome) {
    let Called { down, partition, neither } = called;
    ids.into_iter().zip([down, partition, neither]).for_each(|(id, value)| outcome.figure(id, value as f64));
}

fn tell_gpus(score: &GpuScore, outcome: &mut Outcome) {
    let GpuScore { servers, told_ms, missed, wrong, faults } = score;
    servers.wrong.iter().for_each(say);
    let unseen = faults.get(&Symptom::Nothing).copied().unwrap_or_default();
    outcome.figure("gpu_server_node_seconds", servers.machine_s as f64);
    outcome.figure("gpu_faults", told_ms.len() as f64 + *missed as f64);
    outcome.figure("gpu_server_faults_without_a_symptom", unseen as f64);
    outcome.figure("gpu_server_silent_s_max", seconds(&servers.alone.told_ms, 100));
    outcome.at_most("replay.gpu_s_p99", seconds(told_ms, 99), 3.0);
    outcome.at_most("replay.gpu_missed", *missed as f64, 0.0);
    outcome.at_most("replay.gpu_wrong", *wrong as f64, 0.0);
    let accused = servers.false_unreachable + servers.false_zone + servers.alone.missed;
    outcome.at_most("replay.gpu_servers_wrong", accused as f64, 0.0);
}
