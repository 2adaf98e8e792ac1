use super::super::observation::{Readings, Sample};
use super::*;

const UTILIZATION: &str = "utilization_percent";

fn at(minute: u64) -> Time {
    Time::from_millis(1_000_000_000 + minute * 60_000)
}

fn pool(replicas: u32, reading: Reading) -> Pool {
    Pool {
        replicas_wanted: replicas,
        readings: Readings::from_iter([(UTILIZATION.into(), reading)]),
        ..Pool::default()
    }
}

fn fresh(units: i64, now: Time) -> Reading {
    Reading::Fresh(Sample { value: Milli::from_units(units), at: now, window: Duration::ZERO })
}

fn config() -> Config {
    Config {
        limits: Limits::new(3, 10).unwrap(),
        rules: vec![Rule::source(UTILIZATION.into())],
        cooldown: Duration::ZERO,
    }
}

/// What is wanted each minute of three or more replicas, where none is a minute without a number.
fn wanted(config: &Config, replicas: u32, minutes: &[Option<i64>]) -> Vec<u32> {
    let mut memory = Memory::default();
    let look = |(minute, units): (u64, &Option<i64>)| {
        let now = at(minute);
        let reading = units.map_or(Reading::Failed, |units| fresh(units, now));
        let proposal = propose(&pool(replicas, reading), config, &mut memory, now);
        proposal.replicas.expect("it always has an opinion")
    };
    (0..).zip(minutes).map(look).collect()
}

#[test]
fn a_pool_grows_to_its_target_after_five_minutes_above() {
    assert_eq!(wanted(&config(), 3, &[Some(95); 7]), [3, 3, 3, 3, 3, 4, 4]);
    assert_eq!(wanted(&config(), 4, &[Some(200); 6]).last(), Some(&10), "4 * 200 / 80");
    assert_eq!(wanted(&config(), 10, &[Some(200); 6]).last(), Some(&10), "the maximum");
    let mut dipped = [Some(95); 7];
    dipped[3] = Some(80);
    assert_eq!(wanted(&config(), 3, &dipped), [3; 7], "80 is not above 80");
}

#[test]
fn a_pool_shrinks_by_one_after_five_minutes_below() {
    assert_eq!(wanted(&config(), 6, &[Some(20); 6]), [6, 6, 6, 6, 6, 5]);
    assert_eq!(wanted(&config(), 3, &[Some(0); 6]).last(), Some(&3), "the minimum");
}

#[test]
fn a_minute_without_a_number_delays_shrinking_and_not_growing() {
    let gap = |units| [Some(units), Some(units), None, Some(units), Some(units), Some(units), None];
    assert_eq!(wanted(&config(), 4, &gap(95)), [4, 4, 4, 4, 4, 5, 4]);
    assert_eq!(wanted(&config(), 6, &gap(20)), [6; 7]);
    let now = at(0);
    let proposal = propose(&pool(6, Reading::NotFinite), &config(), &mut Memory::default(), now);
    assert_eq!(proposal.evidence, Evidence::Lacking);
    assert_eq!(proposal.reasons[0].to_string(), "utilization_percent is not a number");
}

#[test]
fn a_step_down_never_asks_for_the_step_up_that_undoes_it() {
    let at_once = |below| Config {
        limits: Limits::new(1, 10).unwrap(),
        rules: vec![Rule {
            above_lasting: Duration::ZERO,
            below_lasting: Duration::ZERO,
            below: Milli::from_units(below),
            ..Rule::source(UTILIZATION.into())
        }],
        cooldown: Duration::ZERO,
    };
    assert_eq!(wanted(&at_once(70), 2, &[Some(50)]), [2], "one replica would be at 100 %");
    assert_eq!(wanted(&at_once(70), 2, &[Some(40)]), [1], "one replica is at 80 %, which is not above 80");
}

#[test]
fn all_rules_must_be_low_to_shrink_and_one_high_to_grow() {
    let rule = |name: &str| Rule {
        above_lasting: Duration::ZERO,
        below_lasting: Duration::ZERO,
        ..Rule::source(name.into())
    };
    let config = Config { rules: vec![rule("a"), rule("b")], ..config() };
    let wants = |a: i64, b: i64| {
        let readings = Readings::from_iter([("a".into(), fresh(a, at(0))), ("b".into(), fresh(b, at(0)))]);
        let pool = Pool { replicas_wanted: 6, readings, ..Pool::default() };
        propose(&pool, &config, &mut Memory::default(), at(0)).replicas.unwrap()
    };
    assert_eq!([wants(10, 10), wants(10, 60), wants(10, 100), wants(120, 100)], [5, 6, 8, 9]);
}

#[test]
fn steps_are_counts_shares_or_targets() {
    let grown = |grow| Rule { grow, ..Rule::source(UTILIZATION.into()) }.grown(4, Milli::from_units(100));
    assert_eq!(grown(Step::Replicas(3)), 7);
    assert_eq!([grown(Step::Percent(50)), grown(Step::Percent(1))], [6, 5]);
    assert_eq!(grown(Step::Target(Milli::from_units(80))), 5);
    let shrunk =
        |shrink| Rule { shrink, ..Rule::source(UTILIZATION.into()) }.shrunk(8, Milli::from_units(10));
    assert_eq!(shrunk(Step::Replicas(3)), 5);
    assert_eq!([shrunk(Step::Percent(50)), shrunk(Step::Percent(1))], [4, 7]);
    assert_eq!(shrunk(Step::Target(Milli::from_units(40))), 2);
    assert_eq!(shrunk(Step::Replicas(8)), 1, "8 at 10 % are one at 80 %");
}

#[test]
fn after_a_change_there_is_a_pause() {
    let config = Config { cooldown: Duration::from_secs(300), ..config() };
    let mut memory = Memory::default();
    memory.scaled(at(5));
    let mut looks = Vec::new();
    for minute in 0..=10 {
        let proposal = propose(&pool(4, fresh(95, at(minute))), &config, &mut memory, at(minute));
        looks.push(proposal.replicas.unwrap());
    }
    assert_eq!(looks[5..], [4, 4, 4, 4, 4, 5]);
}
