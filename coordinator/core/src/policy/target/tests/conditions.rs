//! Whole decisions: limits, several metrics, sleep, and what is said of them.

use super::*;
use ConditionKind::{AbleToScale, ScalingActive, ScalingLimited};

fn texts(proposal: &Proposal) -> Vec<String> {
    proposal.reasons.iter().map(ToString::to_string).collect()
}

/// Two metrics of the pool, of which each asks for so many; none where it has no value.
fn two(current: u32, asked: [Option<i64>; 2]) -> (Pool, Config) {
    let names = ["first", "second"];
    let metric = |name: &str| Metric {
        name: name.into(),
        source: Source::External(PoolTarget::AverageValue(Milli(1000))),
    };
    let mut pool = pool(current, Vec::new());
    for (name, asked) in names.iter().zip(asked) {
        let reading = asked.map_or(Reading::Failed, |asked| reading(asked * 1000));
        pool.readings.set((*name).into(), reading);
    }
    let limits = Limits::new(1, 100).unwrap();
    (pool, Config::new(limits, names.map(metric).into()))
}

fn replicas(current: u32, asked: [Option<i64>; 2]) -> Option<u32> {
    let (pool, config) = two(current, asked);
    propose(&pool, &config, &mut Memory::empty(), NOW).replicas
}

#[test]
fn of_several_metrics_the_largest_count_wins() {
    assert_eq!(replicas(5, [Some(3), Some(8)]), Some(8));
    assert_eq!(replicas(5, [Some(3), Some(2)]), Some(3));
    assert_eq!(replicas(5, [Some(0), Some(0)]), Some(1), "the minimum");
}

#[test]
fn a_failed_metric_lets_the_pool_grow_and_not_shrink() {
    assert_eq!(replicas(5, [None, Some(8)]), Some(8));
    assert_eq!(replicas(5, [Some(5), None]), Some(5));
    let (pool, config) = two(5, [None, Some(4)]);
    let proposal = propose(&pool, &config, &mut Memory::empty(), NOW);
    assert_eq!((proposal.replicas, proposal.evidence), (None, Evidence::Lacking));
    let failed = Some((false, ConditionReason::FailedGetExternalMetric));
    assert_eq!(condition(&proposal, ScalingActive), failed);
    assert_eq!(condition(&proposal, ScalingLimited), None);
    assert_eq!(
        texts(&proposal),
        [
            "first cannot be used: its value is not answered",
            "second asks for 4",
            "nothing changes: 1 of 2 metrics cannot be used"
        ]
    );
    assert_eq!(replicas(5, [None, None]), None);
}

#[test]
fn a_decision_without_a_value_leaves_no_trace() {
    let (pool, config) = two(5, [None, None]);
    let mut memory = Memory::beginning(5, NOW);
    let before = memory.clone();
    propose(&pool, &config, &mut memory, NOW);
    assert_eq!(memory, before);
}

#[test]
fn the_first_failed_metric_names_the_condition() {
    for (source, reason) in [
        (utilization(50), ConditionReason::FailedGetResourceMetric),
        (pods(50), ConditionReason::FailedGetPodsMetric),
        (Source::Object(PoolTarget::Value(Milli(1))), ConditionReason::FailedGetObjectMetric),
        (Source::External(PoolTarget::Value(Milli(1))), ConditionReason::FailedGetExternalMetric),
        (
            Source::ContainerResource {
                kind: ResourceKind::Other,
                target: ResourceTarget::UtilizationPercent(5),
            },
            ConditionReason::FailedGetContainerResourceMetric,
        ),
    ] {
        let config = config(1, 9, source);
        let proposal = propose(&pool(2, vec![silent()]), &config, &mut Memory::empty(), NOW);
        assert_eq!(condition(&proposal, ScalingActive), Some((false, reason)));
        assert_eq!(condition(&proposal, AbleToScale), Some((true, ConditionReason::SucceededGetScale)));
    }
}

#[test]
fn outside_of_the_limits_no_metric_is_asked() {
    let config = config(3, 6, pods(1000));
    let to = |current| propose(&pool(current, Vec::new()), &config, &mut Memory::empty(), NOW);
    assert_eq!((to(9).replicas, to(2).replicas), (Some(6), Some(3)));
    assert_eq!(texts(&to(9)), ["there are more replicas than the maximum of 6"]);
    assert_eq!(condition(&to(2), ScalingActive), None);
}

#[test]
fn a_window_and_a_limit_are_told() {
    let config = config(1, 6, pods(1000));
    let mut memory = Memory::beginning(4, NOW);
    let low = propose(&pool(4, vec![cool(500); 4]), &config, &mut memory, NOW);
    assert_eq!(low.replicas, Some(4));
    assert_eq!(condition(&low, AbleToScale), Some((true, ConditionReason::ScaleDownStabilized)));
    assert_eq!(condition(&low, ScalingActive), Some((true, ConditionReason::ValidMetricFound)));
    assert_eq!(condition(&low, ScalingLimited), Some((false, ConditionReason::DesiredWithinRange)));
    let high = propose(&pool(4, vec![cool(9000); 4]), &config, &mut memory, NOW);
    assert_eq!(high.replicas, Some(6));
    assert_eq!(condition(&high, AbleToScale), Some((true, ConditionReason::ReadyForNewScale)));
    assert_eq!(condition(&high, ScalingLimited), Some((true, ConditionReason::TooManyReplicas)));
    assert_eq!(texts(&high), ["cpu asks for 36", "cpu asks for most: 36", "6 instead of 36: the maximum"]);
}

#[test]
fn a_first_look_holds_the_pool_for_the_window_when_it_begins_with_the_count() {
    let config = config(1, 6, pods(1000));
    let low = || pool(4, vec![cool(100); 4]);
    assert_eq!(propose(&low(), &config, &mut Memory::empty(), NOW).replicas, Some(1));
    let mut memory = Memory::beginning(4, ago(300));
    assert_eq!(propose(&low(), &config, &mut memory, NOW).replicas, Some(4));
    assert_eq!(propose(&low(), &config, &mut memory, NOW + Duration::from_secs(1)).replicas, Some(1));
}

fn sleeper(min: u32, zero: ZeroReplicas) -> Config {
    let config = config(min, 9, Source::Object(PoolTarget::Value(Milli(1000))));
    Config { zero, downscale_stabilization: Duration::ZERO, ..config }
}

#[test]
fn a_pool_that_was_switched_off_stays_off() {
    for (config, mut memory) in [
        (sleeper(0, ZeroReplicas::Manual), Memory::asleep(ago(900))),
        (sleeper(0, ZeroReplicas::Allowed), Memory::empty()),
        (Config { zero: ZeroReplicas::Allowed, ..config(0, 9, pods(1000)) }, Memory::asleep(ago(900))),
    ] {
        let proposal = propose(&pool_at(0, Vec::new(), 5000), &config, &mut memory, NOW);
        assert_eq!(proposal.replicas, None);
        let disabled = Some((false, ConditionReason::ScalingDisabled));
        assert_eq!(condition(&proposal, ScalingActive), disabled);
        assert_eq!(texts(&proposal), ["the pool is switched off: it has no replicas"]);
    }
}

#[test]
fn a_pool_that_was_put_to_sleep_wakes() {
    let config = sleeper(0, ZeroReplicas::Allowed);
    let mut memory = Memory::empty();
    let asleep = propose(&pool_at(1, vec![cool(0)], 0), &config, &mut memory, NOW);
    assert_eq!(asleep.replicas, Some(0));
    memory.scaled(&config, 1, 0, NOW);
    let quiet = propose(&pool_at(0, Vec::new(), 0), &config, &mut memory, NOW);
    assert_eq!(quiet.replicas, Some(0));
    let woken = propose(&pool_at(0, Vec::new(), 2500), &config, &mut memory, NOW);
    assert_eq!(woken.replicas, Some(3));
    memory.scaled(&config, 0, 3, NOW);
    let off = propose(&pool_at(0, Vec::new(), 2500), &config, &mut memory, NOW);
    assert_eq!(off.replicas, None, "now someone else switched it off");
}

#[test]
fn a_sleeping_pool_obeys_a_minimum_that_was_raised() {
    let config = sleeper(2, ZeroReplicas::Allowed);
    let mut memory = Memory::asleep(ago(900));
    let proposal = propose(&pool_at(0, Vec::new(), 0), &config, &mut memory, NOW);
    assert_eq!(proposal.replicas, Some(2));
}
