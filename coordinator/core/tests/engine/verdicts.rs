//! What the detection makes of the facts that the fleet folds.

use std::time::Duration;

use ostler_core::detect::{Answer, Fact, Minded, Probed, Prober, Subject, Verdict};
use ostler_core::engine::Action;
use ostler_core::event::{Event, GoodbyeReason, Happening, Reply, What, Xid};
use ostler_core::id::{GpuId, NodeKey};
use ostler_core::inventory::{EngineState, GpuState, Source, SourceState};
use ostler_core::layout::Owner;
use ostler_core::metric::Metric;
use ostler_core::time::Time;

use crate::harness::{Agent, Yard, bits, hello};

/// Steps whenever the engine wants to for so long; all that it asked for.
fn follow(yard: &mut Yard, millis: u64) -> Vec<Action> {
    let end = yard.now + Duration::from_millis(millis);
    let mut actions = Vec::new();
    while let Some(due) = yard.engine.poll_timeout().filter(|due| *due <= end) {
        yard.now = due.max(yard.now);
        actions.extend(yard.engine.step(yard.now));
    }
    yard.now = end;
    actions
}

/// Lets an agent send a row a second for so long.
fn report(yard: &mut Yard, agent: &mut Agent, seconds: u64, values: &[(usize, i64)]) {
    for _ in 0..seconds {
        follow(yard, 1000);
        assert_eq!(agent.send_row(yard, values), Reply::Folded);
    }
}

fn node(yard: &Yard) -> Verdict {
    yard.engine.detector().verdict(&Subject::Node(NodeKey(0)))
}

fn gpu(yard: &Yard, at: u8) -> Verdict {
    let id = GpuId::from(format!("GPU-0-{at}").as_str());
    yard.engine.detector().verdict(&Subject::Gpu(NodeKey(0), id))
}

fn happen(yard: &mut Yard, agent: &Agent, id: u64, what: What) {
    let happening = Happening { id, age: Duration::ZERO, what };
    assert_eq!(yard.handle(Event::Happened { session: agent.session, happening }), Reply::Folded);
}

fn lost(at: u8) -> What {
    let gpu = GpuId::from(format!("GPU-0-{at}").as_str());
    What::Gpu { gpu, from: GpuState::Ok, to: GpuState::Lost, detail: Box::from("fell off the bus") }
}

#[test]
fn a_node_that_reports_is_asked_nothing() {
    let mut yard = Yard::new();
    let mut agent = yard.agent("n");
    for _ in 0..60 {
        assert_eq!(follow(&mut yard, 1000), []);
        assert_eq!(agent.send_row(&mut yard, &[]), Reply::Folded);
    }
    assert_eq!(node(&yard), Verdict::Healthy);
}

#[test]
fn a_stream_that_ends_makes_us_ask_at_once_and_a_refusal_makes_the_agent_down() {
    let mut yard = Yard::new();
    let mut agent = yard.agent("n");
    report(&mut yard, &mut agent, 30, &[]);
    let broken = Event::Disconnected { session: agent.session, reason: "killed" };
    assert_eq!(yard.handle(broken), Reply::Folded);
    assert!(
        yard.engine.poll_timeout().is_some_and(|due| due <= yard.now),
        "it is looked at in the next step"
    );
    let actions = yard.engine.step(yard.now);
    let [Action::Probe(ask)] = actions.as_slice() else { panic!("asked {actions:?}") };
    let (node_key, round) = (ask.node, ask.round);
    yard.pass(2);
    let (by, answer, round_trip) = (Prober::Own, Answer::Refused, Duration::from_millis(2));
    yard.engine.learn(Fact::Probed(Probed { node: node_key, round, by, answer, round_trip }), yard.now);
    yard.engine.step(yard.now);
    assert_eq!(node(&yard), Verdict::AgentDown);
}

#[test]
fn a_goodbye_is_no_fault() {
    let mut yard = Yard::new();
    let mut agent = yard.agent("n");
    report(&mut yard, &mut agent, 30, &[]);
    let goodbye = Event::Goodbye { session: agent.session, reason: GoodbyeReason::Shutdown, detail: "" };
    assert_eq!(yard.handle(goodbye), Reply::Folded);
    assert_eq!(follow(&mut yard, 30_000), []);
    assert_eq!(node(&yard), Verdict::Left);
}

#[test]
fn a_gpu_that_falls_off_the_bus_is_lost_and_its_neighbour_is_not() {
    let mut yard = Yard::new();
    let agent = yard.agent("n");
    happen(&mut yard, &agent, 1, lost(1));
    assert_eq!((gpu(&yard, 0), gpu(&yard, 1)), (Verdict::Healthy, Verdict::GpuLost));
}

#[test]
fn an_error_of_the_driver_finds_its_gpu_by_the_bus() {
    let mut yard = Yard::new();
    let mut agent = Agent::new(yard.join(hello("n")));
    agent.gpus[1].pci_bus_id = Box::from("00000000:18:00.0");
    assert_eq!(agent.send_snapshot(&mut yard), Reply::Folded);
    let xid = Xid {
        gpu: None,
        pci_bus_id: Box::from("00000000:18:00.0"),
        number: 79,
        gpu_instance_id: None,
        compute_instance_id: None,
        source: Box::from("kmsg"),
        message: Box::from("GPU has fallen off the bus."),
        nvswitch: false,
    };
    happen(&mut yard, &agent, 1, What::Xid(xid));
    assert_eq!((gpu(&yard, 0), gpu(&yard, 1)), (Verdict::Healthy, Verdict::GpuLost));
}

#[test]
fn when_calls_into_the_driver_hang_all_gpus_hang_unless_the_agent_knows_which() {
    let hung = |yard: &mut Yard, agent: &Agent| {
        let source = Source { name: Box::from("nvml"), state: SourceState::Hung, detail: Box::default() };
        happen(yard, agent, 2, What::Source(source));
    };
    let mut yard = Yard::new();
    let agent = yard.agent("n");
    hung(&mut yard, &agent);
    assert_eq!((gpu(&yard, 0), gpu(&yard, 1)), (Verdict::GpuHung, Verdict::GpuHung));
    let mut yard = Yard::new();
    let agent = yard.agent("n");
    happen(&mut yard, &agent, 1, lost(1));
    hung(&mut yard, &agent);
    assert_eq!((gpu(&yard, 0), gpu(&yard, 1)), (Verdict::Healthy, Verdict::GpuLost));
}

/// A node with an engine on two GPUs that do nothing, and what it says of its tokens.
fn engine_on_idle_gpus(yard: &mut Yard) -> (Agent, Subject, usize) {
    let mut agent = Agent::new(yard.join(hello("n")));
    agent.engines[0].gpus = agent.gpus.iter().map(|gpu| gpu.id.clone()).collect();
    for at in 0..2 {
        agent.set(Owner::Gpu(at), Metric::GpuUtilizationPercent, 0);
    }
    assert_eq!(agent.send_snapshot(yard), Reply::Folded);
    let engine = Subject::Engine(NodeKey(0), agent.engines[0].id.clone());
    let tokens = agent.slot(Owner::Engine(0), Metric::EngineGenerationTokensTotal);
    for count in 11..41 {
        report(yard, &mut agent, 1, &[(tokens, count)]);
    }
    (agent, engine, tokens)
}

#[test]
fn an_engine_that_gets_on_is_not_looked_at() {
    let mut yard = Yard::new();
    let (mut agent, engine, tokens) = engine_on_idle_gpus(&mut yard);
    assert_eq!(yard.engine.detector().minded(NodeKey(0)), Minded::default());
    report(&mut yard, &mut agent, 2, &[]);
    assert!(yard.engine.detector().minded(NodeKey(0)).engines, "it has work and does nothing");
    report(&mut yard, &mut agent, 1, &[(tokens, 99)]);
    assert_eq!(yard.engine.detector().minded(NodeKey(0)), Minded::default());
    assert_eq!(yard.engine.detector().verdict(&engine), Verdict::Healthy);
}

#[test]
fn an_engine_that_holds_requests_and_makes_no_tokens_on_idle_gpus_is_stalled() {
    let mut yard = Yard::new();
    let (mut agent, engine, _) = engine_on_idle_gpus(&mut yard);
    assert_eq!(yard.engine.detector().verdict(&engine), Verdict::Healthy, "it makes tokens");
    report(&mut yard, &mut agent, 12, &[]);
    assert_eq!(yard.engine.detector().verdict(&engine), Verdict::EngineStalled);
}

#[test]
fn an_engine_that_no_longer_answers_with_requests_in_hand_is_stalled() {
    let mut yard = Yard::new();
    let (mut agent, engine, _) = engine_on_idle_gpus(&mut yard);
    // Its numbers are gone before its state says why.
    let slots: Vec<usize> = agent.layout.of(Owner::Engine(0)).map(|(_, slot)| slot).collect();
    let mut row = agent.row(&slots.iter().map(|slot| (*slot, 0)).collect::<Vec<_>>());
    row.absent = Some(bits(&slots));
    assert_eq!(row.send(&mut yard, agent.session), Reply::Folded);
    let (from, to) = (EngineState::Serving, EngineState::Timeout);
    let id = agent.engines[0].id.clone();
    happen(&mut yard, &agent, 1, What::Engine { engine: id, from, to, detail: Box::default() });
    report(&mut yard, &mut agent, 14, &[]);
    assert_eq!(yard.engine.detector().verdict(&engine), Verdict::EngineStalled);
}

#[test]
fn a_replica_that_is_told_that_it_leads_learns_first() {
    let mut yard = Yard::new();
    let mut agent = yard.agent("n");
    report(&mut yard, &mut agent, 60, &[]);
    assert!(!yard.engine.detector().report().learning);
    let lead = Event::Leader { leader: Some("replica-1"), term: ostler_core::id::Term(7) };
    assert_eq!(yard.handle(lead), Reply::Folded);
    let now: Time = yard.now;
    yard.engine.step(now);
    assert!(yard.engine.detector().report().learning);
}
