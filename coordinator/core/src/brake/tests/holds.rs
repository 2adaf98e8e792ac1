//! A person's hold stops everything in its scope.

use super::super::{Advice, HOLDS_MAX, HoldId, HoldRefusal, NewHold, Scope};
use super::{ask, at, brake, name, scene, zone};
use crate::action::Class;
use crate::id::{NodeId, PoolId};
use crate::time::Time;

fn hold(scope: Scope, until: Option<Time>) -> NewHold {
    NewHold { scope, until, by: "alice".into(), reason: "firmware".into() }
}

#[test]
fn a_hold_stops_what_its_scope_covers() {
    let cases = [
        (Scope::Fleet, "held"),
        (Scope::Zone(zone("a")), "held"),
        (Scope::Zone(zone("b")), "permitted"),
        (Scope::Pool(PoolId::from("p")), "held"),
        (Scope::Pool(PoolId::from("q")), "permitted"),
        (Scope::Node(NodeId::from("n")), "held"),
        (Scope::Node(NodeId::from("m")), "permitted"),
    ];
    for (scope, expected) in cases {
        let mut brake = brake();
        brake.hold(hold(scope.clone(), None), at(99)).expect("placed");
        for class in Class::BRAKED {
            let veto = brake.check(&ask(class, 1, at(100)), &scene(100), at(100));
            assert_eq!(name(veto.as_ref()), expected, "{class} under a hold on {scope}");
        }
    }
}

#[test]
fn a_hold_ends_when_it_is_released_or_runs_out() {
    let mut brake = brake();
    let first = brake.hold(hold(Scope::Fleet, None), at(99)).expect("placed");
    let second = brake.hold(hold(Scope::Fleet, Some(at(200))), at(99)).expect("placed");
    assert_eq!((first, second), (HoldId(1), HoldId(2)));
    let veto = brake.check(&ask(Class::Traffic, 1, at(100)), &scene(100), at(100)).expect("held");
    assert_eq!(
        (veto.to_string().as_str(), veto.advice()),
        ("hold 1 on the fleet by alice: firmware", Advice::Person)
    );
    assert!(brake.release(first) && !brake.release(first));
    let veto = brake.check(&ask(Class::Traffic, 1, at(199)), &scene(199), at(199)).expect("held");
    assert_eq!(veto.advice(), Advice::WaitUntil(at(200)));
    assert_eq!(brake.check(&ask(Class::Traffic, 1, at(200)), &scene(200), at(200)), None);
}

#[test]
fn a_hold_without_a_reason_or_in_the_past_is_not_placed_and_there_are_only_so_many() {
    let mut brake = brake();
    let nameless = NewHold { reason: "".into(), ..hold(Scope::Fleet, None) };
    assert_eq!(brake.hold(nameless, at(1)), Err(HoldRefusal::Nameless));
    assert_eq!(brake.hold(hold(Scope::Fleet, Some(at(1))), at(1)), Err(HoldRefusal::Past { until: at(1) }));
    for _ in 0..HOLDS_MAX {
        brake.hold(hold(Scope::Fleet, Some(at(50))), at(1)).expect("placed");
    }
    assert_eq!(brake.hold(hold(Scope::Fleet, None), at(49)), Err(HoldRefusal::Full));
    assert!(brake.hold(hold(Scope::Fleet, None), at(50)).is_ok(), "what has run out makes room");
}
