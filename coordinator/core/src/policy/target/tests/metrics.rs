//! What one metric asks for.

use super::*;

fn asks(source: Source, pool: &Pool) -> Result<i32, Failure> {
    let config = config(1, 100_000, source);
    calculator::replicas(pool, &config, &config.metrics[0], NOW)
}

fn cools<const N: usize>(values: [i64; N]) -> Vec<Replica> {
    values.map(cool).into()
}

/// Replicas that have a reading, and so many that have none.
fn with_silent<const N: usize>(values: [i64; N], silents: usize) -> Vec<Replica> {
    let mut replicas = cools(values);
    replicas.extend(std::iter::repeat_n(silent(), silents));
    replicas
}

#[test]
fn utilization_is_of_what_was_requested() {
    assert_eq!(asks(utilization(30), &pool(3, cools([300, 500, 700]))), Ok(5));
    assert_eq!(asks(utilization(50), &pool(5, cools([100, 300, 500, 250, 250]))), Ok(3));
    let within = vec![asking(1010, 900), asking(1030, 1000), asking(1020, 1100)];
    assert_eq!(asks(utilization(100), &pool(3, within)), Ok(3), "102 % is near enough");
    let truncated = vec![asking(1109, 1000)];
    assert_eq!(asks(utilization(100), &pool(1, truncated)), Ok(1), "110.9 % is counted as 110 %");
}

#[test]
fn utilization_needs_every_request() {
    let without = Replica { requests: BTreeMap::new(), ..cool(200) };
    assert_eq!(asks(utilization(100), &pool(2, vec![cool(200), without])), Err(Failure::NoRequest));
    assert_eq!(asks(utilization(100), &pool(1, vec![asking(200, 0)])), Err(Failure::NothingRequested));
    assert_eq!(asks(utilization(100), &pool(1, Vec::new())), Err(Failure::NoReplicas));
    assert_eq!(asks(utilization(100), &pool(2, vec![silent(), silent()])), Err(Failure::NoReadings));
}

#[test]
fn unready_replicas_slow_growth_down() {
    let replicas = vec![unready(300), cool(500), cool(700)];
    assert_eq!(asks(utilization(30), &pool(3, replicas)), Ok(4));
    let mostly = vec![cool(400), unready(500), unready(700)];
    assert_eq!(asks(utilization(30), &pool(3, mostly)), Ok(3), "they turn growth into shrinking");
    let shrinking = vec![cool(100), cool(300), cool(500), unready(250), unready(250)];
    assert_eq!(asks(utilization(50), &pool(5, shrinking)), Ok(2), "they do not slow shrinking down");
}

#[test]
fn replicas_that_warm_up_count_as_unready_for_cpu_only() {
    let replicas = || vec![hot(300), cool(500), cool(700)];
    assert_eq!(asks(utilization(30), &pool(3, replicas())), Ok(4));
    let memory =
        Source::Resource { kind: ResourceKind::Other, target: ResourceTarget::UtilizationPercent(30) };
    assert_eq!(asks(memory, &pool(3, replicas())), Ok(5));
    assert_eq!(asks(pods(15_000), &pool(3, vec![cool(50_000), cool(10_000), hot(30_000)])), Ok(6));
}

#[test]
fn a_replica_warms_up_as_kubernetes_counts() {
    let counted = |readiness, started| {
        let replica = Replica { readiness, started, ..cool(600) };
        asks(utilization(100), &pool(1, vec![replica])).is_ok()
    };
    assert!(counted(Readiness::Ready(ago(61)), Some(ago(200))));
    assert!(counted(Readiness::Ready(ago(60)), Some(ago(200))), "a whole window since it became ready");
    assert!(!counted(Readiness::Ready(ago(59)), Some(ago(200))), "the sample began before it became ready");
    assert!(!counted(Readiness::Unready(ago(100)), Some(ago(200))));
    assert!(counted(Readiness::Unknown(ago(100)), Some(ago(200))), "unknown is not unready");
    assert!(counted(Readiness::Ready(ago(1)), Some(ago(300))), "its time to warm up is over");
    assert!(!counted(Readiness::Unready(ago(1000)), Some(ago(1029))), "it was never ready");
    assert!(counted(Readiness::Unready(ago(1000)), Some(ago(1030))), "it was ready once");
    assert!(!counted(Readiness::Ready(ago(1000)), None));
    assert!(!counted(Readiness::Unreported, Some(ago(1000))));
}

#[test]
fn pending_replicas_slow_growth_and_failed_and_leaving_ones_do_not_count() {
    let pending = || Replica { phase: Phase::Pending, ..silent() };
    let one = vec![cool(100), pending(), pending(), pending(), pending()];
    assert_eq!(asks(utilization(50), &pool(5, one)), Ok(1));
    for gone in [
        Replica { phase: Phase::Failed, ..cool(9000) },
        Replica { leaving: true, ..cool(9000) },
        Replica { leaving: true, ..silent() },
    ] {
        let up = vec![cool(500), cool(700), gone.clone(), gone];
        assert_eq!(asks(utilization(30), &pool(2, up)), Ok(4));
    }
    let growing = vec![cool(2000), pending()];
    assert_eq!(asks(utilization(50), &pool(2, growing)), Ok(4), "200 % over two replicas is 100 %");
}

#[test]
fn missing_readings_slow_the_change_down_both_ways() {
    assert_eq!(asks(utilization(100), &pool(2, with_silent([1000], 1))), Ok(2));
    assert_eq!(asks(utilization(100), &pool(2, with_silent([1900], 1))), Ok(2), "as if it used nothing");
    assert_eq!(asks(utilization(100), &pool(2, with_silent([600], 1))), Ok(2), "as if it used all");
    let mut down = with_silent([100, 100], 1);
    down.push(unready(100));
    assert_eq!(asks(utilization(50), &pool(4, down)), Ok(3));
    let mut up = with_silent([2000], 1);
    up.push(unready(100));
    assert_eq!(asks(utilization(50), &pool(3, up)), Ok(4));
    let silent_two = Replica { readings: Readings::default(), ..asking(0, 2000) };
    let over = vec![unready(200), asking(100, 1000), asking(100, 2000), silent_two];
    assert_eq!(asks(utilization(300), &pool(4, over)), Ok(2), "a target above all that was asked for");
}

#[test]
fn the_mean_is_a_whole_thousandth() {
    assert_eq!(asks(pods(15_000), &pool(3, cools([20_000, 10_000, 30_000]))), Ok(4));
    assert_eq!(asks(pods(20_000), &pool(5, cools([12_000; 5]))), Ok(3));
    assert_eq!(asks(pods(20_000), &pool(5, cools([20_000, 19_000, 21_000]))), Ok(5));
    assert_eq!(asks(pods(1), &pool(3, cools([1, 1, 3]))), Ok(3), "the mean of 1.67 is counted as 1");
    assert_eq!(asks(pods(17_000), &pool(2, with_silent([10_000, 10_000], 1))), Ok(2), "a surge of replicas");
    let raw = Source::ContainerResource {
        kind: ResourceKind::Cpu,
        target: ResourceTarget::AverageValue(Milli(15_000)),
    };
    let hot_one = vec![cool(20_000), cool(10_000), hot(30_000)];
    assert_eq!(asks(raw, &pool(3, hot_one)), Ok(3), "a raw resource warms up too");
}

#[test]
fn a_pool_value_is_held_against_the_ready_replicas() {
    for source in [Source::Object, Source::External] {
        let value = |target| source(PoolTarget::Value(Milli(target)));
        assert_eq!(asks(value(15_000), &pool_at(3, cools([0; 3]), 20_000)), Ok(4));
        assert_eq!(asks(value(20_000), &pool_at(5, cools([0; 5]), 12_000)), Ok(3));
        let one_ready = vec![unready(0), cool(0), unready(0)];
        assert_eq!(asks(value(10_000), &pool_at(3, one_ready, 50_000)), Ok(5));
        let leaving = vec![Replica { leaving: true, ..cool(0) }];
        assert_eq!(asks(value(10_000), &pool_at(3, leaving, 50_000)), Ok(5), "who leaves still counts here");
        assert_eq!(asks(value(1), &pool_at(3, cools([0; 3]), i64::MAX)), Ok(i32::MAX));
        assert_eq!(asks(value(10_000), &pool_at(3, Vec::new(), 50_000)), Err(Failure::NoReplicas));
        assert_eq!(asks(value(10_000), &pool_at(3, Vec::new(), 10_500)), Ok(3), "near enough needs no count");
        assert_eq!(asks(value(15_000), &pool_at(0, Vec::new(), 20_000)), Ok(2), "from nothing");
        assert_eq!(asks(value(15_000), &pool_at(0, Vec::new(), 15_001)), Ok(2), "without tolerance");
    }
}

#[test]
fn a_pool_value_can_be_shared_among_the_existing_replicas() {
    for source in [Source::Object, Source::External] {
        let average = |target| source(PoolTarget::AverageValue(Milli(target)));
        assert_eq!(asks(average(5000), &pool_at(3, Vec::new(), 20_000)), Ok(4));
        assert_eq!(asks(average(2150), &pool_at(3, Vec::new(), 8600)), Ok(4));
        assert_eq!(asks(average(2867), &pool_at(5, Vec::new(), 8600)), Ok(3));
        assert_eq!(asks(average(5000), &pool_at(4, Vec::new(), 20_500)), Ok(4), "near enough");
        assert_eq!(asks(average(1), &pool_at(1, Vec::new(), i64::MAX)), Ok(i32::MAX));
        assert_eq!(asks(average(i64::MAX), &pool_at(1, Vec::new(), i64::MAX)), Ok(1));
        assert_eq!(asks(average(5000), &pool_at(0, Vec::new(), 0)), Ok(0));
        assert_eq!(asks(average(5000), &pool_at(0, Vec::new(), 5001)), Ok(2));
    }
    let average = PoolTarget::AverageValue(Milli(5000));
    let negative = pool_at(3, Vec::new(), -20_000);
    assert_eq!(asks(Source::Object(average), &negative), Ok(-4));
    assert_eq!(asks(Source::External(average), &negative), Ok(i32::MAX), "taken for an overflow");
}

#[test]
fn what_is_no_fresh_number_of_the_pool_is_no_value() {
    let sample = Sample { value: Milli(5), at: ago(600), window: Duration::ZERO };
    for reading in
        [Reading::Stale(sample), Reading::Missing, Reading::Failed, Reading::NotFinite, Reading::Reset]
    {
        let mut pool = pool(3, cools([0; 3]));
        pool.readings.set(name(), reading);
        let target = Source::External(PoolTarget::Value(Milli(1000)));
        assert_eq!(asks(target, &pool), Err(Failure::Unreadable(reading)));
    }
}
