//! What is bounded, and goes on when a bound is reached.

use super::table::{Table, case, node, policy, zone};
use crate::action::audit::{Deed, Head, Verb};
use crate::action::{ActionId, Effect};
use crate::brake::{Mode, Scope};
use crate::desk::{DecisionId, Desk, Item, Key, Order, OrderRefusal, Phase, Wanted};
use crate::detect::Verdict;
use crate::id::Term;

/// Entries of the audit log that are kept.
const KEPT: u64 = 10_000;

#[test]
fn a_log_that_is_full_loses_its_oldest_entries_and_nothing_stops() {
    let mut table = Table::new(policy(Mode::Act));
    let mut head = Head::EMPTY;
    for _ in 0..KEPT {
        let deed = Deed { verb: Verb::OrderGiven, actor: "ann", subject: "", detail: "" };
        let entry = head.append(deed, Term(1), table.now);
        (head, table.revision) = (entry.head(), 1);
        let key = Key::Audit(entry.sequence);
        table.store.insert(key.to_string(), (key, 1, Item::Audit(entry)));
    }
    table.store.insert(Key::AuditHead.to_string(), (Key::AuditHead, 1, Item::AuditHead(head)));
    table.find(vec![case(1, Verdict::NodeUnreachable)]);
    table.run(5);
    assert_eq!(table.done, [(Effect::RemoveEndpoint, node(1))]);
    let kept = table.store.values().filter(|(key, ..)| matches!(key, Key::Audit(_))).count();
    assert_eq!(kept as u64, KEPT);
    assert!(!table.store.contains_key(&Key::Audit(1).to_string()), "the oldest is deleted");
}

fn hold(number: u32) -> Order {
    let wanted = Wanted::Hold { scope: Scope::Zone(zone()), lasts: None };
    Order { request_id: format!("r{number}").into(), by: "ann".into(), reason: "why".into(), wanted }
}

#[test]
fn of_a_burst_of_orders_some_are_put_off_and_the_leader_goes_on() {
    let mut table = Table::new(policy(Mode::Act));
    table.find((0..40).map(|number| case(number, Verdict::NodeUnreachable)).collect());
    table.run(1);
    let mut taken = 0;
    for number in 0..200 {
        match table.desk.order(&hold(number), table.now) {
            Ok(_) => taken += 1,
            Err(refusal) => assert_eq!(refusal, OrderRefusal::Busy),
        }
    }
    assert_eq!(taken, 16);
    table.run(2);
    assert!(table.desk.order(&hold(500), table.now).is_ok(), "there is room again");
}

#[test]
fn a_state_of_the_store_that_is_restored_leads_to_no_action_that_was_done_before() {
    let mut table = Table::new(policy(Mode::Act));
    table.find(vec![case(1, Verdict::NodeUnreachable)]);
    table.run(5);
    let first: Vec<ActionId> = table.effects.keys().copied().collect();
    table.store.clear();
    table.desk = Desk::new(table.policy.clone(), Term(9), "r3");
    table.run(5);
    assert_eq!((first.len(), table.effects.len()), (1, 2), "the same node is taken out by another action");
}

#[test]
fn a_number_of_a_decision_is_never_used_twice_also_when_the_newest_is_forgotten() {
    let mut table = Table::new(policy(Mode::DryRun));
    let most = super::super::DECISIONS_MAX as u32;
    let find = |table: &mut Table, last: u32| {
        let numbers = (1..most).chain([last]);
        table.find(numbers.map(|number| case(number, Verdict::NodeUnreachable)).collect());
        table.run(40);
    };
    find(&mut table, most);
    find(&mut table, most + 1);
    let newest = table.desk.decisions().next_back().expect("there are some");
    assert_eq!((newest.id, &newest.about), (DecisionId(u64::from(most) + 1), &node(most + 1)));
}

#[test]
fn a_case_that_gets_no_decision_is_counted_once() {
    let mut table = Table::new(policy(Mode::DryRun));
    let most = super::super::DECISIONS_MAX as u32;
    table.find((0..most + 2).map(|number| case(number, Verdict::NodeUnreachable)).collect());
    table.run(40);
    assert_eq!(table.desk.counts().undecided, 2);
}

#[test]
fn who_waits_for_what_never_came_back_gives_way_to_what_is_found_now() {
    let mut table = Table::new(policy(Mode::Act));
    table.look.scene.pools.values_mut().for_each(|level| (level.endpoints, level.ready) = (4_000, 3_000));
    let most = super::super::DECISIONS_MAX as u32;
    let gone = (0..most).map(|number| (node(number), crate::desk::Standing::Gone));
    table.standings.extend(gone);
    table.find((0..most).map(|number| case(number, Verdict::NodeUnreachable)).collect());
    table.run(90);
    assert_eq!(table.effects_of(Effect::RemoveEndpoint), most as usize);
    table.find(vec![case(most, Verdict::NodeUnreachable)]);
    table.run(30);
    assert_eq!(table.desk.open(&node(most)).map(|it| it.phase), Some(Phase::Open));
    assert!(table.desk.open(&node(0)).is_none(), "the oldest was given up");
}
