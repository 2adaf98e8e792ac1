//! Several decisions about one engine: the GPUs that it runs on.

use super::table::{BEGIN_MS, Table, policy, zone};
use crate::action::{Effect, Target};
use crate::brake::{Mode, Take};
use crate::desk::{Case, Fate, Phase, Standing, Want};
use crate::detect::Verdict;
use crate::id::{GpuId, Incarnation};
use crate::time::Time;

fn gpu(number: u32) -> Target {
    Target::Gpu("n1".into(), GpuId::from(format!("g{number}").as_str()))
}

fn engine() -> Target {
    Target::Engine("n1".into(), "e1".into())
}

/// A GPU of the engine is lost.
fn lost(number: u32) -> Case {
    let want = Want {
        effect: Effect::RemoveEndpoint,
        target: engine(),
        uid: "n1/e1".into(),
        incarnation: Incarnation(1),
        takes: vec![Take { pool: "p".into(), endpoints: 1, ready: 0 }],
    };
    Case {
        about: gpu(number),
        zone: zone(),
        verdict: Verdict::GpuLost,
        since: Time::from_millis(BEGIN_MS),
        evidence: Some("it fell off".into()),
        allowed: Verdict::GpuLost.allowed(),
        wants: vec![want],
    }
}

#[test]
fn an_engine_that_loses_all_its_gpus_leaves_traffic_once() {
    let mut table = Table::new(policy(Mode::Act));
    // One endpoint more may leave, and not two.
    table.look.scene.pools.values_mut().for_each(|level| (level.endpoints, level.removed) = (20, 9));
    table.find((0..8).map(lost).collect());
    table.run(10);
    assert_eq!(table.done, [(Effect::RemoveEndpoint, engine())]);
    let waits = |name: &str| {
        let waits = |fate: &Fate| matches!(fate, Fate::Waits(it) if *it.name == *name);
        table.desk.decisions().filter(|it| waits(&it.wishes[0].fate)).count()
    };
    assert_eq!((table.desk.decisions().count(), waits("already_out")), (8, 7));
}

#[test]
fn an_engine_comes_back_when_the_last_of_its_gpus_has() {
    let mut table = Table::new(policy(Mode::Act));
    table.find(vec![lost(0), lost(1)]);
    table.run(10);
    // The one whose decision took it out comes back first, and then the other way round.
    for back in [0, 1] {
        table.find(vec![lost(1 - back)]);
        table.run(10);
        table.next_leader();
        table.run(10);
        assert_eq!(table.effects_of(Effect::RestoreEndpoint), back as usize);
        assert!(table.desk.is_out(&engine()));
        table.find(Vec::new());
        table.run(10);
        assert_eq!(table.effects_of(Effect::RestoreEndpoint), back as usize + 1);
        assert!(!table.desk.is_out(&engine()));
        assert!(table.desk.decisions().all(|it| it.phase == Phase::Ended));
        table.find(vec![lost(0), lost(1)]);
        table.run(10);
        assert_eq!(table.effects_of(Effect::RemoveEndpoint), back as usize + 2);
    }
}

#[test]
fn what_another_decision_keeps_out_stays_out_when_one_ends() {
    let mut table = Table::new(policy(Mode::Act));
    table.find(vec![lost(0), lost(1)]);
    table.run(10);
    table.find(vec![lost(0)]);
    table.standings.insert(gpu(1), Standing::Gone);
    table.run(10);
    assert!(table.desk.open(&gpu(1)).is_none(), "nothing is out by it");
    assert!(table.desk.is_out(&engine()));
    assert_eq!(table.effects_of(Effect::RestoreEndpoint), 0);
}
