//! Holds and releases.

use std::time::Duration;

use super::table::{Fault, Table, case, policy};
use crate::brake::{Mode, Scope};
use crate::desk::{Order, OrderRefusal, Wanted};
use crate::detect::Verdict;

fn order(request: &str, wanted: Wanted) -> Order {
    Order { request_id: request.into(), by: "ann".into(), reason: "maintenance".into(), wanted }
}

fn hold(request: &str, scope: Scope, lasts: Option<Duration>) -> Order {
    order(request, Wanted::Hold { scope, lasts })
}

fn give(table: &mut Table, order: &Order) -> Result<Box<str>, OrderRefusal> {
    let now = table.now;
    table.desk.order(order, now).map(|taken| taken.message)
}

#[test]
fn a_hold_stops_what_was_not_begun_until_it_is_released_also_for_the_next_leader() {
    let scopes = [Scope::Fleet, Scope::Zone("a".into()), Scope::Pool("p".into()), Scope::Node("n1".into())];
    for scope in scopes {
        let mut table = Table::new(policy(Mode::Act));
        table.run(1);
        give(&mut table, &hold("1", scope.clone(), None)).expect("it is held");
        table.find(vec![case(1, Verdict::NodeUnreachable)]);
        table.run(10);
        assert_eq!(table.waits_for(), "held", "{scope}");
        table.next_leader();
        table.run(10);
        assert_eq!((table.waits_for(), table.effects.len()), ("held", 0), "{scope}");
        give(&mut table, &order("2", Wanted::Release(scope.clone()))).expect("it is released");
        table.run(10);
        assert_eq!(table.effects.len(), 1, "{scope}");
    }
}

#[test]
fn a_hold_of_another_node_holds_nothing_here_and_one_that_runs_out_ends() {
    let mut table = Table::new(policy(Mode::Act));
    table.run(1);
    give(&mut table, &hold("1", Scope::Node("n2".into()), None)).expect("it is held");
    give(&mut table, &hold("2", Scope::Zone("a".into()), Some(Duration::from_secs(20)))).expect("it is held");
    table.find(vec![case(1, Verdict::NodeUnreachable)]);
    table.run(15);
    assert_eq!(table.effects.len(), 0);
    table.run(15);
    assert_eq!(table.effects.len(), 1);
}

#[test]
fn an_order_that_is_given_again_has_no_second_effect_and_its_name_no_other_meaning() {
    let mut table = Table::new(policy(Mode::Act));
    table.run(1);
    let first = give(&mut table, &hold("1", Scope::Fleet, None)).expect("it is held");
    table.run(1);
    table.next_leader();
    table.run(1);
    assert_eq!(give(&mut table, &hold("1", Scope::Fleet, None)), Ok(first));
    assert_eq!(table.desk.memory().holds.len(), 1);
    let other = give(&mut table, &order("1", Wanted::Release(Scope::Fleet)));
    assert!(matches!(other, Err(OrderRefusal::Reused { .. })), "{other:?}");
}

#[test]
fn an_order_needs_a_name_a_person_and_a_reason_and_a_desk_that_has_loaded() {
    let mut table = Table::new(policy(Mode::Act));
    assert_eq!(give(&mut table, &hold("1", Scope::Fleet, None)), Err(OrderRefusal::NotReady));
    table.run(1);
    for (id, by, reason) in [("", "ann", "why"), ("1", " ", "why"), ("1", "ann", "")] {
        let wanted = Wanted::Release(Scope::Fleet);
        let order = Order { request_id: id.into(), by: by.into(), reason: reason.into(), wanted };
        assert!(matches!(give(&mut table, &order), Err(OrderRefusal::Wrong { .. })), "{order:?}");
    }
    assert!(table.desk.rehearse(&hold("9", Scope::Fleet, None)).is_ok());
    assert!(table.desk.memory().holds.is_empty(), "a rehearsal holds nothing");
}

#[test]
fn an_order_that_is_repeated_before_it_is_stored_is_answered_when_it_is() {
    let mut table = Table::new(policy(Mode::Act));
    table.run(1);
    let order = hold("1", Scope::Fleet, None);
    let first = table.desk.order(&order, table.now).expect("it is held");
    assert!(first.write.is_some());
    assert_eq!(table.desk.order(&order, table.now), Ok(first.clone()));
    table.fault = Fault::Lost;
    table.tick();
    assert_eq!(table.desk.order(&order, table.now), Ok(first), "nobody knows yet whether it is stored");
    table.run(7);
    table.fault = Fault::None;
    table.run(7);
    let again = table.desk.order(&order, table.now).expect("it is held");
    assert!(again.write.is_some(), "it was lost, and is another one now");
    table.run(1);
    assert_eq!(table.desk.order(&order, table.now).map(|taken| taken.write), Ok(None));
}

#[test]
fn an_order_is_short_and_in_one_line() {
    let mut table = Table::new(policy(Mode::Act));
    table.run(1);
    let long = "x".repeat(300);
    for text in [&*long, "all is well\nit is so", "a\u{1b}[2J"] {
        let good = hold("1", Scope::Fleet, None);
        let place = crate::id::NodeId::from(text);
        let orders = [
            Order { request_id: text.into(), ..good.clone() },
            Order { by: text.into(), ..good.clone() },
            Order { reason: text.into(), ..good },
            order("1", Wanted::Release(Scope::Node(place))),
        ];
        for order in orders {
            assert!(matches!(give(&mut table, &order), Err(OrderRefusal::Wrong { .. })), "{order:?}");
        }
    }
}
