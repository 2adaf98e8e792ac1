use super::*;
use crate::policy::limits::Limits;
use crate::policy::observation::{Milli, Phase, Readiness, Reading, Readings, Replica, Sample};
use crate::policy::proposal::Reason;

const START: Time = Time::from_millis(1_000_000_000_000);

fn at(seconds: u64) -> Time {
    START + Duration::from_secs(seconds)
}

fn pool(count: u32, metric: &str, value: i64, now: Time) -> Pool {
    let sample = Sample { value: Milli::from_units(value), at: now, window: Duration::ZERO };
    let replica = Replica {
        phase: Phase::Running,
        readiness: Readiness::Ready(START),
        leaving: false,
        started: Some(START),
        readings: Readings::default(),
        requests: std::collections::BTreeMap::new(),
    };
    Pool {
        replicas_wanted: count,
        replicas_existing: count,
        replicas: vec![replica; count as usize],
        readings: Readings::from_iter([(metric.into(), Reading::Fresh(sample))]),
    }
}

fn panic(between: Between) -> Decider {
    let config = panic::Config::concurrency();
    Decider::new(Policy::Panic { config, metric: "in_flight".into(), between })
}

fn stable_asks(proposal: &Proposal) -> u32 {
    let asks = proposal.reasons.iter().find_map(|reason| {
        let Reason::Panic(panic::Reason::Windows { stable, .. }) = reason else { return None };
        Some(*stable)
    });
    asks.expect("the windows are told")
}

fn weighted_cooldown(decider: &mut Decider, count: u32, seconds: u64) -> Option<Duration> {
    let proposal = decider.decide(&pool(count, "cpu_percent", 50, at(seconds)), at(seconds));
    proposal.reasons.iter().find_map(|reason| {
        let Reason::Weighted(weighted::Reason::Cooldown { left }) = reason else { return None };
        Some(*left)
    })
}

#[test]
fn a_reading_holds_since_the_one_before_where_that_is_said() {
    let asked = |between| {
        let mut decider = panic(between);
        (0..=60).step_by(10).map(|it| decider.decide(&pool(1, "in_flight", 700, at(it)), at(it))).last()
    };
    assert_eq!(stable_asks(&asked(Between::Held).unwrap()), 10, "700 over 70 a replica");
    assert_eq!(stable_asks(&asked(Between::Nothing).unwrap()), 1, "six seconds of sixty");
}

#[test]
fn two_readings_in_one_second_are_not_twice_the_load() {
    let mut decider = panic(Between::Held);
    for millis in [0, 400, 900, 1300, 1700, 2500] {
        let now = START + Duration::from_millis(millis);
        let proposal = decider.decide(&pool(1, "in_flight", 140, now), now);
        assert_eq!(stable_asks(&proposal), 2, "at {millis} ms");
    }
}

#[test]
fn a_change_is_the_policys_own_when_it_is_what_it_proposed() {
    let limits = Limits::new(1, 20).unwrap();
    let mut own = Decider::new(Policy::Weighted(weighted::Config::source(limits)));
    own.decide(&pool(4, "cpu_percent", 50, at(0)), at(0));
    assert_eq!(weighted_cooldown(&mut own, 4, 60), None);
    assert_eq!(weighted_cooldown(&mut own, 5, 120), Some(Duration::from_secs(300)), "by somebody else");

    let mut other = own.clone();
    other.proposed = Some((6, at(130)));
    assert_eq!(
        weighted_cooldown(&mut other, 6, 180),
        Some(Duration::from_secs(250)),
        "since it was proposed"
    );
}

#[test]
fn an_autoscaler_begins_as_it_is_told() {
    let metric = target::Metric {
        name: "queue".into(),
        source: target::Source::External(target::PoolTarget::AverageValue(Milli::from_units(10))),
    };
    let config = target::Config::new(Limits::new(1, 20).unwrap(), vec![metric]);
    let first = |beginning| {
        let mut decider = Decider::new(Policy::Target { config: config.clone(), beginning });
        decider.decide(&pool(8, "queue", 20, START), START).replicas
    };
    assert_eq!(first(Beginning::FirstCount), Some(8), "its window holds the first count");
    assert_eq!(first(Beginning::Nothing), Some(2));
}

#[test]
fn a_clone_decides_the_same() {
    let mut decider = panic(Between::Held);
    let mut looks = (0..90).map(|it| pool(3, "in_flight", 70 * (it % 7), at(it as u64)));
    looks.by_ref().take(40).enumerate().for_each(|(it, pool)| decider.look(&pool, at(it as u64)));
    let mut clone = decider.clone();
    for (it, pool) in (40..).zip(looks) {
        assert_eq!(decider.decide(&pool, at(it)), clone.decide(&pool, at(it)));
    }
}
