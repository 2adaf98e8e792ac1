use super::*;
use crate::policy::decider::{Beginning, Between};
use crate::policy::observation::{Milli, Readings, Sample};

const START: Time = Time::from_millis(1_000_000_000_000);

fn external(limits: Limits) -> Policy {
    let source = Source::External(target::PoolTarget::AverageValue(Milli::from_units(10)));
    let config = target::Config::new(limits, vec![target::Metric { name: "queue".into(), source }]);
    Policy::Target { config, beginning: Beginning::Nothing }
}

fn pool(count: u32, reading: Reading) -> Pool {
    let readings = Readings::from_iter([("queue".into(), reading)]);
    Pool { replicas_wanted: count, replicas_existing: count, replicas: Vec::new(), readings }
}

fn fresh(value: i64, age: Duration) -> Reading {
    Reading::Fresh(Sample { value: Milli::from_units(value), at: START - age, window: Duration::ZERO })
}

fn limits(min: u32, max: u32) -> Limits {
    Limits::new(min, max).unwrap()
}

#[test]
fn a_record_holds_inputs_with_their_ages_and_what_cut_the_proposal() {
    let mut panel = Panel::new(external(limits(1, 30)), Vec::new(), limits(1, 6));
    let record = panel.decide(&pool(4, fresh(200, Duration::from_secs(3))), START);
    assert_eq!(record.replicas_wanted, 4);
    assert_eq!(asked(&record.opinion.proposal), Some(20));
    assert_eq!(record.opinion.proposal.replicas, Some(8), "at most twice as many at once");
    assert_eq!(record.decision.replicas, 6, "the limits of the pool");
    let cut: Vec<_> = record.opinion.proposal.reasons.iter().filter(|it| cuts(it)).collect();
    assert!(matches!(
        cut[..],
        [proposal::Reason::Target(target::Reason::Limited { asked: 20, replicas: 8, .. })]
    ));
    let age = Some(Duration::from_secs(3));
    assert!(
        matches!(&record.opinion.inputs[..], [Input { seen: InputSeen::Pool { age: it, .. }, .. }] if *it == age)
    );
}

#[test]
fn what_is_asked_beside_changes_nothing() {
    let beside = Policy::Panic {
        config: panic::Config::concurrency(),
        metric: "queue".into(),
        between: Between::Held,
    };
    let mut alone = Panel::new(external(limits(1, 30)), Vec::new(), limits(1, 30));
    let mut with = Panel::new(external(limits(1, 30)), vec![beside], limits(1, 30));
    for (count, value) in [(2, 15), (2, 90), (4, 10), (4, 700)] {
        let pool = pool(count, fresh(value, Duration::ZERO));
        let (alone, with) = (alone.decide(&pool, START), with.decide(&pool, START));
        assert_eq!((alone.opinion, alone.decision), (with.opinion, with.decision));
        assert_eq!(with.beside.len(), 1);
    }
}

#[test]
fn missing_data_never_scales_in_whatever_the_policy_says() {
    let config = panic::Config { scale_down_delay: Duration::ZERO, ..panic::Config::concurrency() };
    let policy = Policy::Panic { config, metric: "queue".into(), between: Between::Held };
    let mut panel = Panel::new(policy, Vec::new(), limits(0, 30));
    panel.look(&pool(9, fresh(70, Duration::ZERO)), START);
    let record = panel.decide(&pool(9, Reading::Failed), START + Duration::from_secs(30));
    assert_eq!(record.opinion.proposal.replicas, Some(1));
    assert_eq!(record.decision.replicas, 9);
    let Input { seen, .. } = &record.opinion.inputs[0];
    assert_eq!(*seen, InputSeen::Pool { reading: Reading::Failed, age: None });
}
