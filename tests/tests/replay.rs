//! A small part of the outages that `ostler-bench replay` replays, on a network that loses and delays.
//!
//! It needs the shared data beside the repository and fails with its path when that is not there.

use ostler_tests::replay::{
    Extent, Faults, Fleet, Network, Score, Script, Trace, falls, percentile, replay_gpus,
};

const ROUGH: Network = Network { loss_percent: 5, jitter_ms: 300 };
const RETENTION_MS: u64 = 240_000;

/// Machines of each site: enough for probers, and few enough for a build without optimization.
const PER_SITE: usize = 12;

/// The part of the trace, in seconds.
const SPAN_S: u64 = 1_200;

#[test]
fn real_outages_of_nodes_and_of_whole_sites_are_told_in_time_and_nobody_else_is_accused() {
    let trace = Trace::grid5000().unwrap_or_else(|error| panic!("{error}")).smaller(PER_SITE);
    let (mut score, mut gone) = (Score::default(), 0);
    for from_s in trace.busiest(SPAN_S).into_iter().take(2) {
        let script = Script::of(&trace, from_s, from_s + SPAN_S);
        let record = Fleet::new(&script, ROUGH, 1, RETENTION_MS).run();
        let falls = falls(&script, RETENTION_MS);
        gone += falls.iter().filter(|fall| fall.extent == Extent::Gone).count();
        score.add(&script, &record, &falls);
    }
    let Score { alone, with_zone, wrong, .. } = &score;
    assert_eq!(score.false_unreachable, 0, "{wrong:#?}");
    assert_eq!((alone.missed, with_zone.missed), (0, 0), "{wrong:#?}");
    assert_eq!((score.false_zone, score.zone_taken_for_nodes), (0, 0), "{wrong:#?}");
    assert_eq!((score.gone.neither, score.gone.partition), (0, 0), "{wrong:#?}");
    assert!(percentile(&alone.told_ms, 99).is_some_and(|ms| ms <= 3_500), "{:?}", alone.told_ms);
    assert!(percentile(&score.down_ms, 100).is_none_or(|ms| ms <= 6_000), "{:?}", score.down_ms);
    let told = (alone.told_ms.len(), with_zone.told_ms.len(), gone);
    assert!(told.0 >= 4 && told.1 >= 20 && told.2 >= 1, "the outages bite: {told:?}");
}

#[test]
fn faults_of_gpu_servers_are_told_as_what_they_are() {
    let faults = Faults::infinite_hbd().unwrap_or_else(|error| panic!("{error}"));
    let few = Faults { servers: 40, faults: faults.faults.into_iter().filter(|it| it.server < 40).collect() };
    let score = replay_gpus(&few, 20, ROUGH);
    assert_eq!((score.missed, score.wrong, score.servers.false_unreachable), (0, 0, 0), "{score:#?}");
    assert!(percentile(&score.told_ms, 99).is_some_and(|ms| ms <= 3_000), "{:?}", score.told_ms);
}
