//! What holds for any sequence of facts, hostile ones included.

use std::time::Duration;

use ostler_core::engine::{Engine, Policy};
use ostler_core::event::{Event, GoodbyeReason, Happening, Reply, What};
use ostler_core::fleet::{Node, State, StateCounts, Sum};
use ostler_core::id::{Incarnation, NodeId, Session};
use ostler_core::inventory::{GpuState, Source, SourceState};
use ostler_core::layout::Owner;
use ostler_core::metric::Metric;
use ostler_core::{signals, time::Time};
use proptest::prelude::*;

use crate::harness::{Agent, Row, Yard, bits, hello, layout};

const NAMES: [&str; 3] = ["n0", "n1", "n2"];

/// One thing that a test does to the engine.
#[derive(Clone, Debug)]
enum Deed {
    Join {
        name: usize,
        incarnation: u64,
    },
    /// A snapshot with this many values and this one spoiled.
    Snapshot {
        name: usize,
        seq: u64,
        values: usize,
        spoiled: i64,
    },
    /// The next honest row.
    Row {
        name: usize,
        slot: usize,
        value: i64,
    },
    Hostile {
        name: usize,
        row: Row,
    },
    Happened {
        name: usize,
        id: u64,
    },
    Goodbye {
        name: usize,
    },
    Disconnected {
        name: usize,
    },
    Dropped {
        name: usize,
        rows: u64,
    },
    Pass {
        millis: u64,
    },
    Step,
}

fn deed() -> impl Strategy<Value = Deed> {
    let name = 0..NAMES.len();
    prop_oneof![
        2 => (name.clone(), 0..3u64).prop_map(|(name, incarnation)| Deed::Join { name, incarnation }),
        2 => (name.clone(), any::<u64>(), prop_oneof![9 => Just(18usize), 1 => 0..40usize], prop_oneof![9 => Just(7), 1 => any::<i64>()])
            .prop_map(|(name, seq, values, spoiled)| Deed::Snapshot { name, seq, values, spoiled }),
        6 => (name.clone(), 0..18usize, 0..=100i64).prop_map(|(name, slot, value)| Deed::Row { name, slot, value }),
        2 => (name.clone(), row()).prop_map(|(name, row)| Deed::Hostile { name, row }),
        1 => (name.clone(), 0..6u64).prop_map(|(name, id)| Deed::Happened { name, id }),
        1 => name.clone().prop_map(|name| Deed::Goodbye { name }),
        1 => name.clone().prop_map(|name| Deed::Disconnected { name }),
        1 => (name, any::<u64>()).prop_map(|(name, rows)| Deed::Dropped { name, rows }),
        3 => prop_oneof![0..5_000u64, 0..5_000_000u64].prop_map(|millis| Deed::Pass { millis }),
        2 => Just(Deed::Step),
    ]
}

fn row() -> impl Strategy<Value = Row> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..5);
    let change = proptest::collection::vec(prop_oneof![any::<i64>(), -3..3i64], 0..9);
    let parts = (0..4u64, 0..8_000_000u64, bytes(), change, bytes(), proptest::option::of(bytes()));
    parts.prop_map(|(seq, age, changed, change, sampled, absent)| Row {
        seq,
        age: Duration::from_millis(age),
        changed,
        change,
        sampled,
        absent,
        sources: vec![Source { name: Box::from("nvml"), state: SourceState::Hung, detail: Box::default() }],
    })
}

/// A yard and the newest stream of each node.
struct Scene {
    yard: Yard,
    agents: Vec<Agent>,
}

impl Scene {
    fn new() -> Scene {
        let nowhere = |key| Session { node: ostler_core::id::NodeKey(key), number: 0 };
        Scene { yard: Yard::new(), agents: (0..3).map(|key| Agent::new(nowhere(key))).collect() }
    }

    /// Does a deed; what the engine answered, if it was asked.
    fn act(&mut self, deed: &Deed) -> Option<Reply> {
        let Scene { yard, agents } = self;
        Some(match deed {
            Deed::Join { name, incarnation } => {
                let hello = ostler_core::event::Hello {
                    incarnation: Incarnation(*incarnation),
                    ..hello(NAMES[*name])
                };
                let reply = yard.handle(Event::Joined(hello));
                if let Reply::Joined(session) = reply {
                    agents[*name] = Agent::new(session);
                }
                reply
            }
            Deed::Snapshot { name, seq, values, spoiled } => {
                let agent = &mut agents[*name];
                agent.seq = *seq;
                agent.values = vec![5; *values];
                if let Some(value) = agent.values.last_mut() {
                    *value = *spoiled;
                }
                let reply = agent.send_snapshot(yard);
                agent.values.resize(18, 5);
                reply
            }
            Deed::Row { name, slot, value } => {
                let agent = &mut agents[*name];
                if agent.seq == u64::MAX {
                    return None;
                }
                agent.send_row(yard, &[(*slot, *value)])
            }
            Deed::Hostile { name, row } => {
                let agent = &agents[*name];
                let row = Row { seq: agent.seq.wrapping_add(row.seq), ..row.clone() };
                row.send(yard, agent.session)
            }
            Deed::Happened { name, id } => {
                let what = What::Source(Source {
                    name: Box::from("host"),
                    state: SourceState::Ok,
                    detail: Box::default(),
                });
                let happening = Happening { id: *id, age: Duration::ZERO, what };
                yard.handle(Event::Happened { session: agents[*name].session, happening })
            }
            Deed::Goodbye { name } => {
                let session = agents[*name].session;
                yard.handle(Event::Goodbye { session, reason: GoodbyeReason::Shutdown, detail: "" })
            }
            Deed::Disconnected { name } => {
                let session = agents[*name].session;
                yard.handle(Event::Disconnected { session, reason: "test" })
            }
            Deed::Dropped { name, rows } => {
                yard.handle(Event::RowsDropped { session: agents[*name].session, rows: *rows })
            }
            Deed::Pass { millis } => {
                yard.pass(*millis);
                return None;
            }
            Deed::Step => {
                yard.engine.step(yard.now);
                return None;
            }
        })
    }
}

/// What a node keeps of its totals is what adding up would give.
fn assert_totals(node: &Node, now: Time) {
    let gpus = || (0..node.gpus().len()).map(|at| Owner::Gpu(at as u8));
    let engines = || (0..node.engines().len()).map(|at| Owner::Engine(at as u8));
    let sum = |owners: &mut dyn Iterator<Item = Owner>, metric| {
        let fresh: Vec<i64> = owners.filter_map(|owner| node.fresh(owner, metric, now)).collect();
        Sum { total: fresh.iter().sum(), count: fresh.len() as u8 }
    };
    let totals = node.totals(now);
    assert_eq!(totals.gpu_utilization_percent(), sum(&mut gpus(), Metric::GpuUtilizationPercent));
    assert_eq!(totals.gpu_memory_used_bytes(), sum(&mut gpus(), Metric::GpuMemoryUsedBytes));
    assert_eq!(totals.requests_waiting(), sum(&mut engines(), Metric::EngineRequestsWaiting));
    assert_eq!(totals.cpu_used_ppm(), sum(&mut std::iter::once(Owner::Host), Metric::HostCpuUsedPpm));
    assert_eq!(node.gpus_ok(), node.gpus().iter().filter(|gpu| gpu.state == GpuState::Ok).count());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_sequence_of_facts_breaks_the_engine_and_what_is_refused_changes_nothing(
        deeds in proptest::collection::vec(deed(), 1..120),
    ) {
        let mut scene = Scene::new();
        let mut revision = 0;
        for deed in &deeds {
            let before = scene.yard.picture();
            let reply = scene.act(deed);
            if matches!(reply, Some(Reply::Refused(_))) {
                prop_assert_eq!(scene.yard.picture(), before);
            }
            let (fleet, now) = (scene.yard.engine.fleet(), scene.yard.now);
            for later in [0, 1, 2_999, 3_001, 40_000] {
                let now = now + Duration::from_millis(later);
                fleet.nodes().for_each(|node| assert_totals(node, now));
            }
            prop_assert!(fleet.revision() >= revision);
            let since = fleet.since(revision).expect("a revision just seen is known");
            let newer: Vec<_> = fleet.nodes().filter(|node| node.revision() > revision).map(|node| node.key()).collect();
            let mut listed: Vec<_> = since.nodes.iter().map(|node| node.key()).collect();
            listed.sort_by_key(|key| fleet.node_by_key(*key).map(|node| node.id().clone()));
            prop_assert_eq!(listed, newer);
            revision = fleet.revision();
            if matches!(deed, Deed::Step) {
                let states: Vec<_> = fleet.nodes().map(|node| node.state(now)).collect();
                let count = |state| states.iter().filter(|it| **it == state).count() as u32;
                let (joining, fresh) = (count(State::Joining), count(State::Fresh));
                let (stale, left) = (count(State::Stale), count(State::Left));
                prop_assert_eq!(fleet.states(), StateCounts { joining, fresh, stale, left });
                prop_assert!(scene.yard.engine.poll_timeout().is_none_or(|due| due > now));
            }
            let coverage = signals::all(fleet, now).fleet.signals.coverage;
            prop_assert!((0.0..=1.0).contains(&coverage));
            for node in fleet.nodes() {
                for (&value, slot) in node.values().iter().zip(node.layout().slots()) {
                    prop_assert!(slot.metric.range().contains(&value));
                }
            }
        }
    }

    #[test]
    fn the_same_facts_give_the_same_report(deeds in proptest::collection::vec(deed(), 1..120)) {
        let run = || {
            let mut scene = Scene::new();
            let replies: Vec<_> = deeds.iter().map(|deed| scene.act(deed)).collect();
            (replies, scene.yard.engine.report().clone(), scene.yard.engine.poll_timeout(), scene.yard.picture())
        };
        prop_assert_eq!(run(), run());
    }

    #[test]
    fn a_snapshot_and_its_rows_lead_where_a_snapshot_of_the_end_leads(
        changes in proptest::collection::vec(
            (proptest::collection::btree_map(0..18usize, 0..=100i64, 0..9), proptest::option::of(proptest::collection::vec(0..18usize, 0..5))),
            0..30,
        ),
    ) {
        let mut followed = Yard::new();
        let mut agent = followed.agent("n");
        for (values, absent) in &changes {
            let values: Vec<_> = values.iter().map(|(&slot, &value)| (slot, value)).collect();
            let mut row = agent.row(&values);
            row.absent = absent.as_deref().map(bits);
            if let Some(absent) = &row.absent {
                agent.absent.clone_from(absent);
            }
            prop_assert_eq!(row.send(&mut followed, agent.session), Reply::Folded);
        }
        let mut told = Yard::new();
        agent.session = told.join(hello("n"));
        prop_assert_eq!(agent.send_snapshot(&mut told), Reply::Folded);
        let (rows, snapshot) = (followed.node("n"), told.node("n"));
        prop_assert_eq!(rows.values(), snapshot.values());
        prop_assert_eq!(rows.absent(), snapshot.absent());
        prop_assert_eq!(rows.seq(), snapshot.seq());
        let sums = |yard: &Yard| signals::all(yard.engine.fleet(), yard.now);
        prop_assert_eq!(sums(&followed), sums(&told));
    }

    #[test]
    fn the_engine_never_asks_to_be_called_at_once(
        // Some so long that nodes are forgotten.
        silences in proptest::collection::vec(
            prop_oneof![30 => 0..60_000u64, 1 => 3_590_000..4_000_000u64], 1..20),
    ) {
        let mut engine = Engine::new(Policy::default(), "replica-1");
        let mut now = Time::from_millis(1);
        for (at, silence) in silences.into_iter().enumerate() {
            let reply = engine.handle(Event::Joined(hello(NAMES[at % 3])), now);
            prop_assert!(matches!(reply, Reply::Joined(_)));
            let end = now + Duration::from_millis(silence);
            let (mut steps, steps_max) = (0, 20 + 15 * silence / 1000);
            while let Some(due) = engine.poll_timeout().filter(|due| *due <= end) {
                engine.step(due.max(now));
                prop_assert!(engine.poll_timeout().is_none_or(|next| next > due));
                steps += 1;
                prop_assert!(steps < steps_max, "at most fifteen looks a second, and a few for what falls due");
            }
            now = end;
        }
    }
}

#[test]
fn the_standard_node_is_what_these_tests_count_on() {
    assert_eq!((layout().slots().len(), layout().groups().len()), (18, 6));
    assert!(layout().find(Owner::Host, Metric::HostCpuUsedPpm).is_some());
    let mut yard = Yard::new();
    yard.agent("n");
    assert!(yard.engine.fleet().node(&NodeId::from("n")).is_some());
}
