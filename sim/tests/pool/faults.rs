//! What a fault does to requests, capacity and price.

use std::path::Path;

use ostler_sim::profile::Profile;
use ostler_sim::scaler::{Static, Wanted};
use ostler_sim::setup::{Fault, Faults, Prices, Setup, ZoneIndex, read_removals};
use ostler_sim::telemetry::Telemetry;
use ostler_sim::time::{SimTime, Span};
use ostler_sim::trace::Request;

use crate::load;

fn with_fault(at_s: u64, fault: Fault) -> Setup {
    let scripted = vec![(SimTime::after(Span::from_seconds(at_s)), fault)];
    Setup { faults: Faults { scripted, ..Faults::default() }, ..load::setup(3) }
}

#[test]
fn a_crash_sends_its_requests_elsewhere_and_is_replaced() {
    let requests = load::poisson(|_| 6.0, 300.0, load::chat, 2);
    let (outcome, served) = load::run_static(&with_fault(100, Fault::ReplicaCrash), &requests);
    assert!(outcome.interrupted > 0);
    assert_eq!(outcome.requests.retried, outcome.interrupted);
    assert_eq!(outcome.requests.finished, outcome.requests.arrived);
    assert_eq!(served.iter().filter(|it| it.retries > 0).count() as u64, outcome.interrupted);
    assert_eq!(outcome.cold_start.starts, 1);
    // Noticed after 3 s, started in 60.
    assert!((outcome.cold_start.start_seconds.max - 60.0).abs() < 0.1, "{:?}", outcome.cold_start);
}

#[test]
fn without_retries_what_a_crash_interrupts_is_aborted() {
    let requests = load::poisson(|_| 6.0, 300.0, load::chat, 2);
    let setup = Setup { retries_max: 0, ..with_fault(100, Fault::ReplicaCrash) };
    let (outcome, _) = load::run_static(&setup, &requests);
    assert_eq!(outcome.requests.aborted.lost, outcome.interrupted);
    assert!(outcome.interrupted > 0);
}

#[test]
fn a_dark_zone_is_made_up_for_in_the_others() {
    let requests = load::poisson(|_| 6.0, 400.0, load::chat, 3);
    let fault = Fault::ZoneDown { zone: ZoneIndex(0), lasts: Span::from_seconds(3600) };
    let (outcome, served) = load::run_static(&with_fault(100, fault), &requests);
    assert_eq!(outcome.requests.finished, outcome.requests.arrived);
    assert_eq!(outcome.cold_start.starts, 1, "three zones held one each");
    let late = served.iter().filter(|it| it.exposed).count();
    assert!(late > 200, "63 s at 6 a second arrived meanwhile: {late}");
}

#[test]
fn a_spot_notice_long_enough_to_drain_loses_nothing() {
    let requests = load::poisson(|_| 6.0, 300.0, load::chat, 4);
    let wanted = Wanted { on_demand: 1, spot: 2 };
    let setup = Setup { initial: wanted, ..with_fault(100, Fault::SpotNotice { nodes: 1 }) };
    let (outcome, _) = load::run(&setup, &requests, &mut Static(wanted));
    assert_eq!((outcome.interrupted, outcome.cold_start.starts), (0, 1));
    let short = Faults { spot_notice: Span::from_millis(200), ..setup.faults.clone() };
    let (outcome, _) = load::run(&Setup { faults: short, ..setup }, &requests, &mut Static(wanted));
    assert!(outcome.interrupted > 0);
}

#[test]
fn recorded_removals_take_the_same_nodes_from_a_pool() {
    let folder = match std::env::var_os("OSTLER_SHARED_DATA") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
    };
    let removals = read_removals(&folder.join("spot/bamboo/p3-trace.csv"))
        .expect("OSTLER_SHARED_DATA can name another data folder");
    let nodes = |fault: &Fault| if let Fault::SpotNotice { nodes } = fault { *nodes } else { 0 };
    assert_eq!(removals.iter().map(|(_, fault)| nodes(fault)).sum::<u32>(), 167);
    assert_eq!(removals[0], (SimTime::after(Span::from_seconds(2040)), Fault::SpotNotice { nodes: 4 }));
    let wanted = Wanted { on_demand: 1, spot: 8 };
    let profile = Profile { replicas_per_node: 1, ..Profile::llama_8b_h100() };
    let faults = Faults { scripted: removals, ..Faults::default() };
    let setup = Setup { profile, initial: wanted, faults, ..load::setup(9) };
    let requests = load::poisson(|_| 20.0, 3600.0, load::chat, 10);
    let (outcome, _) = load::run(&setup, &requests, &mut Static(wanted));
    assert!(outcome.cold_start.starts >= 4, "{:?}", outcome.cold_start);
    assert_eq!(outcome.requests.finished, outcome.requests.arrived);
}

#[test]
fn hours_and_money_are_those_of_the_replicas_that_had_a_node() {
    let requests = load::poisson(|_| 1.0, 3600.0, load::chat, 5);
    let prices = Prices { on_demand: 10.0, spot: 4.0 };
    let wanted = Wanted { on_demand: 2, spot: 3 };
    let setup = Setup { initial: wanted, prices, ..load::setup(2) };
    let (outcome, _) = load::run(&setup, &requests, &mut Static(wanted));
    let hours = outcome.ended.as_seconds() / 3600.0;
    assert!((outcome.replica_hours / (5.0 * hours) - 1.0).abs() < 1e-9);
    assert!((outcome.cost / (32.0 * hours) - 1.0).abs() < 1e-9);
    assert_eq!(outcome.gpu_hours, outcome.replica_hours);
}

#[test]
fn hours_of_many_replicas_over_many_days_are_all_counted() {
    let (day, ten_days) = (Span::from_seconds(86_400), Span::from_seconds(10 * 86_400));
    let at = |arrival| Request { arrival, input_tokens: 100, output_tokens: 10, class: 0, prefix: None };
    let requests = [SimTime::ZERO, SimTime::after(ten_days)].map(at);
    let telemetry = Telemetry { period: day, ..Telemetry::default() };
    let setup = Setup { telemetry, decide_every: day, ..load::setup(50) };
    let (outcome, _) = load::run_static(&setup, &requests);
    assert!((outcome.replica_hours - 12_000.0).abs() < 0.1, "{}", outcome.replica_hours);
    assert!((outcome.cost - 12_000.0).abs() < 0.1, "{}", outcome.cost);
}

/// All that a zone's one node holds, and a replica elsewhere: what dies at once cannot save what it loses.
#[test]
fn replicas_that_die_together_do_not_get_what_the_others_lose() {
    let requests = load::poisson(|_| 30.0, 200.0, load::chat, 6);
    for fault in [Fault::NodeDown, Fault::ZoneDown { zone: ZoneIndex(0), lasts: Span::from_seconds(3600) }] {
        let (outcome, served) =
            load::run_static(&Setup { initial: Wanted::on_demand(9), ..with_fault(100, fault) }, &requests);
        assert!(outcome.interrupted > 10, "three of nine replicas had requests: {}", outcome.interrupted);
        assert_eq!(outcome.requests.retried, outcome.interrupted);
        assert_eq!(outcome.requests.finished, outcome.requests.arrived, "one retry was enough for each");
        assert_eq!(served.iter().filter(|it| it.retries > 0).count() as u64, outcome.interrupted);
    }
}

#[test]
fn nodes_of_one_zone_die_together() {
    let requests = load::poisson(|_| 30.0, 200.0, load::chat, 6);
    let profile = Profile { replicas_per_node: 1, ..Profile::llama_8b_h100() };
    let fault = Fault::ZoneDown { zone: ZoneIndex(0), lasts: Span::from_seconds(3600) };
    let setup = Setup { profile, initial: Wanted::on_demand(9), ..with_fault(100, fault) };
    let (outcome, _) = load::run_static(&setup, &requests);
    assert!(outcome.interrupted > 10, "{}", outcome.interrupted);
    assert_eq!(outcome.requests.finished, outcome.requests.arrived, "one retry was enough for each");
}
