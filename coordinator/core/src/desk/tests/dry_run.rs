//! Nothing is done in a dry run, and everything is said.

use super::table::{Fault, Table, case, policy};
use crate::brake::Mode;
use crate::desk::{Executor, Fate, Phase};
use crate::detect::{Allowed, Class, Verdict};

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let mut table = Table::new(policy(Mode::DryRun));
    table.find(vec![case(1, Verdict::NodeDead)]);
    table.run(120);
    let decision = table.decision();
    assert_eq!((decision.verdict(), decision.phase), (Verdict::NodeDead, Phase::Open));
    assert_eq!(&*decision.newest().evidence, "nobody reaches it");
    for wish in &decision.wishes {
        let Fate::Waits(obstacle) = &wish.fate else { panic!("{wish:?}") };
        assert_eq!((&*obstacle.name, wish.mode), ("dry_run", Mode::DryRun));
        assert!(obstacle.count > 100, "it is looked at each second: {}", obstacle.count);
    }
    assert_eq!((table.desk.actions().len(), table.effects.len()), (0, 0));
}

#[test]
fn what_waits_for_the_same_is_not_written_again() {
    let mut table = Table::new(policy(Mode::DryRun));
    table.find((1..=10).map(|number| case(number, Verdict::NodeUnreachable)).collect());
    table.run(10);
    let before = table.writes;
    table.run(240);
    assert_eq!(table.writes, before, "nothing changed");
    table.run(120);
    assert_eq!(table.writes, before + 1, "and is stored once in five minutes");
}

#[test]
fn without_an_executor_what_is_switched_on_is_a_rehearsal_that_says_so() {
    let mut table = Table::new(super::super::Policy { executor: Executor::None, ..policy(Mode::Act) });
    table.find(vec![case(1, Verdict::NodeUnreachable)]);
    table.run(5);
    assert_eq!(table.waits_for(), "no_executor");
    assert_eq!(table.desk.actions().len(), 0);
}

#[test]
fn what_is_switched_off_is_recorded_as_such() {
    let mut table = Table::new(policy(Mode::Off));
    table.find(vec![case(1, Verdict::NodeUnreachable)]);
    table.run(5);
    assert_eq!(table.waits_for(), "switched_off");
}

#[test]
fn what_the_verdict_does_not_allow_now_waits_and_says_what_is_allowed() {
    let mut table = Table::new(policy(Mode::Act));
    let mut seen = case(1, Verdict::NodeUnreachable);
    seen.allowed = Allowed::of(&[Class::Annotate]);
    table.find(vec![seen]);
    table.run(5);
    assert_eq!(table.waits_for(), "verdict");
    table.find(vec![case(1, Verdict::NodeUnreachable)]);
    table.run(5);
    assert_eq!(table.effects.len(), 1, "it is done as soon as it is allowed");
}

#[test]
fn a_cause_that_ends_before_anything_was_done_ends_the_decision_and_the_next_one_is_another() {
    let mut table = Table::new(policy(Mode::DryRun));
    table.find(vec![case(1, Verdict::NodeUnreachable)]);
    table.run(3);
    table.find(Vec::new());
    table.run(3);
    assert_eq!(table.decision().phase, Phase::Ended);
    assert!(matches!(table.decision().wishes[0].fate, Fate::Dropped(_)));
    table.find(vec![case(1, Verdict::NodeUnreachable)]);
    table.run(3);
    let phases: Vec<Phase> = table.desk.decisions().map(|it| it.phase).collect();
    assert_eq!(phases, [Phase::Ended, Phase::Open]);
}

#[test]
fn a_thousand_decisions_are_kept_and_the_oldest_that_ended_go_first() {
    let mut table = Table::new(policy(Mode::DryRun));
    for round in 0..3 {
        table.find((0..600).map(|number| case(round * 600 + number, Verdict::NodeUnreachable)).collect());
        table.run(60);
        table.find(Vec::new());
        table.run(60);
    }
    assert_eq!(table.desk.decisions().count(), super::super::DECISIONS_MAX);
    let stored = table.store.keys().filter(|key| key.starts_with("decisions/")).count();
    assert_eq!(stored, super::super::DECISIONS_MAX, "and in the store as well");
    let oldest = table.desk.decisions().next().expect("there are some").id;
    assert_eq!(oldest.0, 801);
}

#[test]
fn a_storm_costs_few_writes_a_second() {
    let mut table = Table::new(policy(Mode::DryRun));
    table.find((0..900).map(|number| case(number, Verdict::NodeUnreachable)).collect());
    table.run(60);
    assert!(table.writes < 10 * 60, "{} writes in a minute", table.writes);
    assert_eq!(table.desk.decisions().count(), 900);
    assert_eq!(table.fault, Fault::None);
}
