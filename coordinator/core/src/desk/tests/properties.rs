//! What holds whatever happens: faults of the store, leaders that change at any step, verdicts that come and go.

use proptest::prelude::*;

use super::table::{Fault, Hand, Table, case, node, policy};
use crate::action::Effect;
use crate::brake::Mode;
use crate::detect::Verdict;

/// Something that happens between two steps.
#[derive(Clone, Copy, Debug)]
enum Happens {
    Ticks(u8),
    Finds(u8, bool),
    Clears(u8),
    NextLeader,
    Store(Fault),
    Executor(Hand),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        4 => (1..12_u8).prop_map(Happens::Ticks),
        2 => (0..4_u8, any::<bool>()).prop_map(|(node, dead)| Happens::Finds(node, dead)),
        2 => (0..4_u8).prop_map(Happens::Clears),
        1 => Just(Happens::NextLeader),
        1 => prop_oneof![Just(Fault::None), Just(Fault::AnswerLost), Just(Fault::Lost)].prop_map(Happens::Store),
        1 => prop_oneof![Just(Hand::Answers), Just(Hand::Silent), Just(Hand::Deaf), Just(Hand::Refuses)]
            .prop_map(Happens::Executor),
    ]
}

/// Lives through it, and then through two quiet minutes.
fn live(mode: Mode, story: &[Happens]) -> Table {
    let mut table = Table::new(policy(mode));
    let mut found = [None; 4];
    for happens in story {
        match *happens {
            Happens::Ticks(count) => (0..count).for_each(|_| table.tick()),
            Happens::Finds(node, dead) => {
                found[usize::from(node)] =
                    Some(if dead { Verdict::NodeDead } else { Verdict::NodeUnreachable });
            }
            Happens::Clears(node) => found[usize::from(node)] = None,
            Happens::NextLeader => table.next_leader(),
            Happens::Store(fault) => table.fault = fault,
            Happens::Executor(hand) => table.hand = hand,
        }
        let cases = (0..).zip(found).filter_map(|(node, verdict)| Some(case(node, verdict?)));
        table.find(cases.collect());
    }
    (table.fault, table.hand) = (Fault::None, Hand::Answers);
    table.find(Vec::new());
    // The longest wait of what failed is five minutes.
    table.run(420);
    table
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn no_action_has_two_effects_and_all_that_left_traffic_is_back_in_the_end(
        story in proptest::collection::vec(happens(), 1..40)
    ) {
        let table = live(Mode::Act, &story);
        prop_assert!(table.effects.values().all(|count| *count == 1));
        for target in (0..4).map(node) {
            let mut moves = table.done.iter().filter(|(effect, of)| *of == target && *effect != Effect::Drain);
            let last = moves.next_back().map(|(effect, _)| *effect);
            prop_assert!(last.is_none_or(|it| it == Effect::RestoreEndpoint), "{target} is out: {:?}", table.done);
            prop_assert!(!table.desk.is_out(&target));
        }
        prop_assert!(table.desk.actions().all(|it| it.state.is_final()), "nothing is left to do");
        prop_assert!(table.desk.decisions().all(|it| it.phase == super::super::Phase::Ended));
    }

    #[test]
    fn a_dry_run_never_plans_and_never_calls(story in proptest::collection::vec(happens(), 1..40)) {
        let table = live(Mode::DryRun, &story);
        prop_assert_eq!((table.desk.actions().len(), table.effects.len()), (0, 0));
    }
}
