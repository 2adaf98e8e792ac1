//! Streams of one node: take-over, restart, goodbye, and what is told twice.

use std::time::Duration;

use ostler_core::event::{
    Event, GoodbyeReason, Happening, Hello, Maintenance, MaintenanceKind, Refusal, Reply, What, Xid,
};
use ostler_core::fleet::{NODES_MAX, State};
use ostler_core::id::{GpuId, Incarnation, Term, ZoneId};
use ostler_core::inventory::{EngineState, GpuState, Source, SourceState};
use ostler_core::journal::Severity;
use ostler_core::layout::Owner;

use crate::harness::{Agent, Yard, hello, refusal};

/// Makes a hello wrong.
type Spoil = fn(&mut Hello);

#[test]
fn a_newer_stream_takes_over_and_the_older_one_is_refused() {
    let mut yard = Yard::new();
    let mut older = yard.agent("n");
    let mut newer = Agent::new(yard.join(hello("n")));
    assert_eq!(newer.session.node, older.session.node);
    assert_eq!(older.send_row(&mut yard, &[(0, 50)]), Reply::Refused(Refusal::Ended));
    assert_eq!(older.send_snapshot(&mut yard), Reply::Refused(Refusal::Ended));
    let broken = Event::Disconnected { session: older.session, reason: "reset by peer" };
    assert_eq!(yard.handle(broken), Reply::Skipped);
    assert!(yard.node("n").connected());
    assert_eq!(newer.send_snapshot(&mut yard), Reply::Folded);
    assert_eq!(newer.send_row(&mut yard, &[(0, 51)]), Reply::Folded);
    assert_eq!(yard.node("n").values()[0], 51);
    assert_eq!(yard.told(), ["node_joined"], "a reconnect is no news");
}

#[test]
fn an_older_incarnation_is_refused_and_leaves_the_newer_in_place() {
    let mut yard = Yard::new();
    let session = yard.join(crate::harness::hello("n"));
    let newer = yard.join(Hello { incarnation: Incarnation(7), ..hello("n") });
    assert_ne!(session, newer);
    let older = yard.handle(Event::Joined(Hello { incarnation: Incarnation(6), ..hello("n") }));
    let text = "incarnation 6 of node n is older than 7, which has reported already; two agents may run under one name";
    assert_eq!(refusal(&older), text);
    assert_eq!(Agent::new(newer).send_snapshot(&mut yard), Reply::Folded);
}

#[test]
fn a_restart_and_a_reboot_are_told_apart() {
    let mut yard = Yard::new();
    yard.agent("n");
    let mut again = hello("n");
    again.incarnation = Incarnation(2);
    yard.join(again.clone());
    again.incarnation = Incarnation(3);
    again.boot_id = Box::from("boot-2");
    again.zone = ZoneId::from("b");
    yard.join(again);
    assert_eq!(yard.told(), ["node_joined", "node_restarted", "node_rebooted"]);
    assert_eq!(yard.node("n").zone(), &ZoneId::from("b"));
}

#[test]
fn a_node_that_says_goodbye_has_left_until_it_joins_again() {
    let mut yard = Yard::new();
    let mut agent = yard.agent("n");
    let goodbye =
        Event::Goodbye { session: agent.session, reason: GoodbyeReason::Shutdown, detail: "SIGTERM" };
    assert_eq!(yard.handle(goodbye), Reply::Folded);
    assert_eq!(yard.node("n").state(yard.now), State::Left);
    assert_eq!(yard.node("n").state_reason(yard.now), "said goodbye: agent stopped: SIGTERM");
    assert_eq!(agent.send_row(&mut yard, &[]), Reply::Refused(Refusal::Ended));
    yard.pass(60_000);
    assert!(yard.engine.step(yard.now).is_empty());
    assert_eq!(yard.told(), ["node_joined", "node_left"], "silence after a goodbye is no fault");
    yard.join(hello("n"));
    assert_eq!(yard.node("n").state(yard.now), State::Fresh);
    assert_eq!(yard.told(), ["node_joined", "node_left", "node_returned"]);
}

#[test]
fn a_broken_stream_is_a_reason_but_not_yet_a_silence() {
    let mut yard = Yard::new();
    let agent = yard.agent("n");
    let broken = Event::Disconnected { session: agent.session, reason: "reset by peer" };
    assert_eq!(yard.handle(broken), Reply::Folded);
    assert!(!yard.node("n").connected());
    assert_eq!(yard.node("n").state(yard.now), State::Fresh);
    assert_eq!(yard.node("n").state_reason(yard.now), "disconnected: reset by peer");
    yard.pass(4_200);
    let text = "no message for 4.2 s, and one is due every 1.0 s: reset by peer";
    assert_eq!(yard.node("n").state_reason(yard.now), text);
}

fn happened(agent: &Agent, id: u64, what: What) -> Event<'static> {
    Event::Happened { session: agent.session, happening: Happening { id, age: Duration::from_secs(2), what } }
}

fn xid(number: u32) -> What {
    What::Xid(Xid {
        gpu: Some(GpuId::from("GPU-0-1")),
        pci_bus_id: Box::from("0000:18:00"),
        number,
        gpu_instance_id: None,
        compute_instance_id: Some(4),
        source: Box::from("kmsg"),
        message: Box::from("GPU has fallen off the bus."),
        nvswitch: false,
    })
}

#[test]
fn a_happening_that_is_sent_again_is_told_once() {
    let mut yard = Yard::new();
    let agent = yard.agent("n");
    assert_eq!(yard.handle(happened(&agent, 4, xid(79))), Reply::Folded);
    assert_eq!(yard.handle(happened(&agent, 3, xid(48))), Reply::Folded);
    assert_eq!(yard.handle(happened(&agent, 4, xid(79))), Reply::Skipped);
    let agent = Agent::new(yard.join(hello("n")));
    assert_eq!(yard.handle(happened(&agent, 4, xid(79))), Reply::Skipped, "after a reconnect");
    assert_eq!(yard.node("n").happening_id(), 4);
    let restarted = Hello { incarnation: Incarnation(2), ..hello("n") };
    let agent = Agent::new(yard.join(restarted));
    assert_eq!(yard.handle(happened(&agent, 4, xid(13))), Reply::Folded, "another incarnation counts anew");
    assert_eq!(yard.told(), ["node_joined", "xid", "xid", "node_restarted", "xid"]);
    let entry = yard.engine.fleet().journal().entry(2).expect("it is kept");
    assert_eq!(entry.message, "XID 79: GPU has fallen off the bus.");
    assert_eq!(entry.at, yard.now - Duration::from_secs(2));
    assert_eq!(entry.place.gpu, Some(GpuId::from("GPU-0-1")));
    assert!(entry.attributes.contains(&("compute_instance_id", String::from("4"))));
}

#[test]
fn a_state_told_by_an_event_is_not_told_again_by_the_snapshot() {
    let mut yard = Yard::new();
    let mut agent = yard.agent("n");
    let (gpu, detail) = (agent.gpus[1].id.clone(), Box::from("GPU is lost"));
    let lost = What::Gpu { gpu, from: GpuState::Ok, to: GpuState::Lost, detail };
    let (engine, detail) = (agent.engines[0].id.clone(), Box::default());
    let down = What::Engine { engine, from: EngineState::Serving, to: EngineState::Down, detail };
    for (id, what) in [(1, lost.clone()), (2, down.clone())] {
        assert_eq!(yard.handle(happened(&agent, id, what)), Reply::Folded);
    }
    let node = yard.node("n");
    assert_eq!(node.gpus()[1].state, GpuState::Lost);
    assert_eq!(node.engines()[0].state, EngineState::Down);
    assert_eq!(node.owner_revision(Owner::Engine(0)), node.revision());
    agent.gpus[1].state = GpuState::Lost;
    agent.engines[0].state = EngineState::Down;
    agent.seq += 1;
    assert_eq!(agent.send_snapshot(&mut yard), Reply::Folded);
    assert_eq!(yard.handle(happened(&agent, 3, lost)), Reply::Folded);
    assert_eq!(yard.handle(happened(&agent, 4, down)), Reply::Folded);
    assert_eq!(yard.told(), ["node_joined", "gpu_state", "engine_state"]);
    agent.gpus[1].state = GpuState::Ok;
    agent.gpus.remove(0);
    agent.layout = std::sync::Arc::new(ostler_core::layout::Layout::new(1, 1, Vec::new()).unwrap());
    agent.values.clear();
    agent.absent.clear();
    assert_eq!(agent.send_snapshot(&mut yard), Reply::Folded);
    let told: Vec<_> =
        yard.engine.fleet().journal().after(3).map(|it| (it.severity, it.message.as_str())).collect();
    let expected = [
        (Severity::Info, "GPU is ok, was lost"),
        (Severity::Critical, "GPU is no longer listed by its node"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_the_cloud_and_the_sources_say_is_told_with_its_weight() {
    let mut yard = Yard::new();
    let mut agent = yard.agent("n");
    let spot = Maintenance {
        provider: Box::from("aws"),
        kind: MaintenanceKind::SpotInterruption,
        notice_id: Box::from("i-1"),
        begins_in_ms: Some(120_000),
        cancelled: false,
        detail: Box::default(),
    };
    let withdrawn = Maintenance { cancelled: true, ..spot.clone() };
    let hung =
        Source { name: Box::from("nvml"), state: SourceState::Hung, detail: Box::from("no answer for 3 s") };
    let what = [What::Maintenance(spot), What::Maintenance(withdrawn), What::Source(hung.clone())];
    for (id, what) in (1..).zip(what) {
        assert_eq!(yard.handle(happened(&agent, id, what)), Reply::Folded);
    }
    let mut row = agent.row(&[]);
    row.sources = vec![hung];
    assert_eq!(row.send(&mut yard, agent.session), Reply::Folded);
    let dropped = Event::RowsDropped { session: agent.session, rows: 7 };
    assert_eq!(yard.handle(dropped), Reply::Folded);
    let told: Vec<_> =
        yard.engine.fleet().journal().after(1).map(|it| (it.severity, it.message.as_str())).collect();
    let expected = [
        (Severity::Critical, "aws announced: spot interruption in 120 s"),
        (Severity::Info, "aws withdrew: spot interruption"),
        (Severity::Warning, "source nvml is hung, was unknown: no answer for 3 s"),
        (Severity::Warning, "agent dropped 7 rows while it was cut off"),
    ];
    assert_eq!(told, expected);
    assert_eq!(yard.node("n").rows_dropped(), 7);
    assert_eq!(yard.node("n").sources().len(), 1);
}

#[test]
fn another_leader_is_told_and_an_older_term_is_not_believed() {
    let mut yard = Yard::new();
    let lead = |leader, term| Event::Leader { leader, term: Term(term) };
    assert_eq!(yard.handle(lead(Some("r1"), 5)), Reply::Folded);
    assert_eq!(yard.handle(lead(Some("r1"), 5)), Reply::Folded);
    assert_eq!(yard.handle(lead(Some("r0"), 4)), Reply::Skipped);
    assert_eq!(yard.told(), ["leader_changed"]);
    assert_eq!(yard.engine.report().leader.as_deref(), Some("r1"));
}

#[test]
fn a_hello_outside_the_limits_is_refused_by_field() {
    let mut yard = Yard::new();
    let cases: [(Spoil, &str); 6] = [
        (|it| it.node = "".into(), "`node` must be 1-253 characters of A-Z a-z 0-9 . _ -"),
        (|it| it.node = "a/b".into(), "`node` must be 1-253 characters of A-Z a-z 0-9 . _ -"),
        (
            |it| it.zone = "z".repeat(64).as_str().into(),
            "`zone` must be 1-63 characters of A-Z a-z 0-9 . _ -",
        ),
        (|it| it.interval = Duration::ZERO, "`interval_ms` must be 1 to 600000"),
        (
            |it| it.labels = (0..33).map(|at| (at.to_string().into(), Box::default())).collect(),
            "`labels` has more than 32 entries",
        ),
        (
            |it| it.labels = [(Box::from("k"), "v".repeat(64).into())].into(),
            "`labels` has a key or value longer than 63 bytes",
        ),
    ];
    for (spoil, text) in cases {
        let mut spoiled = hello("n");
        spoil(&mut spoiled);
        assert_eq!(refusal(&yard.handle(Event::Joined(spoiled))), text);
    }
    assert!(yard.engine.fleet().is_empty());
}

#[test]
fn a_full_fleet_takes_no_more_nodes_but_knows_its_own() {
    let mut yard = Yard::new();
    for number in 0..NODES_MAX {
        yard.join(hello(&format!("n{number}")));
    }
    let full = Reply::Refused(Refusal::Full { limit: NODES_MAX });
    assert_eq!(yard.handle(Event::Joined(hello("one-more"))), full);
    assert!(matches!(yard.handle(Event::Joined(hello("n7"))), Reply::Joined(_)));
}
