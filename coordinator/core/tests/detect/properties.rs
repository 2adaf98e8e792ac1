//! What holds for any sequence of facts, hostile ones included.

use std::time::Duration;

use ostler_core::detect::{
    Action, Allowed, Answer, Class, CloudState, Detector, Ending, EngineSample, Evidence, Fact, FenceProof,
    GpuSample, Identity, Own, Probed, Prober, Replica, Start, Subject, Testimony, Verdict, Wear, ZoneReach,
    unreachable,
};
use ostler_core::event::GoodbyeReason;
use ostler_core::id::{EngineId, GpuId, Incarnation, NodeId, NodeKey, ZoneId};
use ostler_core::inventory::{EngineState, GpuState};
use ostler_core::time::Time;
use proptest::prelude::*;

const NODES: u32 = 12;

/// One thing that a test does to a detector.
#[derive(Clone, Debug)]
enum Deed {
    Join {
        node: u32,
        zone: usize,
        incarnation: u64,
        machine: bool,
    },
    Expect {
        node: u32,
        zone: usize,
    },
    /// All but these nodes beat.
    Beats {
        silent: u16,
    },
    Ended {
        node: u32,
    },
    Goodbye {
        node: u32,
    },
    Forgotten {
        node: u32,
    },
    /// The questions asked last are answered, each as its prober's number says.
    Answers {
        what: u64,
    },
    Foreign {
        node: u32,
        round: u32,
        by: u32,
    },
    Lease {
        node: u32,
        age_ms: u64,
    },
    DataPlane {
        node: u32,
        succeeded: u64,
        failed: u64,
    },
    Cloud {
        node: u32,
        off: bool,
    },
    Fenced {
        node: u32,
    },
    Witness {
        node: u32,
        alive: bool,
    },
    Replica {
        reached: u32,
    },
    Gpu {
        node: u32,
        gpu: u32,
        state: GpuState,
        recovery: Option<u8>,
    },
    Xid {
        node: u32,
        gpu: u32,
        number: u32,
    },
    /// An engine that has work; none says what it did.
    Engine {
        node: u32,
        engine: u32,
        progress: u64,
    },
    Key {
        held: bool,
    },
    Lead,
    Pass {
        millis: u64,
    },
}

fn deed() -> impl Strategy<Value = Deed> {
    let node = 0..NODES;
    prop_oneof![
        3 => (node.clone(), 0..3usize, 0..4u64, any::<bool>())
            .prop_map(|(node, zone, incarnation, machine)| Deed::Join { node, zone, incarnation, machine }),
        1 => (node.clone(), 0..3usize).prop_map(|(node, zone)| Deed::Expect { node, zone }),
        6 => prop_oneof![Just(0), Just(1), Just(0xfff), any::<u16>()].prop_map(|silent| Deed::Beats { silent }),
        1 => node.clone().prop_map(|node| Deed::Ended { node }),
        1 => node.clone().prop_map(|node| Deed::Goodbye { node }),
        1 => node.clone().prop_map(|node| Deed::Forgotten { node }),
        6 => prop_oneof![Just(0), Just(u64::MAX), any::<u64>()].prop_map(|what| Deed::Answers { what }),
        1 => (0..NODES + 2, 0..9u32, 0..NODES + 2)
            .prop_map(|(node, round, by)| Deed::Foreign { node, round, by }),
        1 => (node.clone(), 0..60_000u64).prop_map(|(node, age_ms)| Deed::Lease { node, age_ms }),
        1 => (node.clone(), any::<u64>(), any::<u64>())
            .prop_map(|(node, succeeded, failed)| Deed::DataPlane { node, succeeded, failed }),
        1 => (node.clone(), any::<bool>()).prop_map(|(node, off)| Deed::Cloud { node, off }),
        1 => node.clone().prop_map(|node| Deed::Fenced { node }),
        1 => (node, any::<bool>()).prop_map(|(node, alive)| Deed::Witness { node, alive }),
        1 => (0..20u32).prop_map(|reached| Deed::Replica { reached }),
        3 => devices(),
        1 => prop_oneof![9 => Just(true), 1 => Just(false)].prop_map(|held| Deed::Key { held }),
        1 => Just(Deed::Lead),
        9 => prop_oneof![9 => 0..900u64, 1 => 0..90_000u64].prop_map(|millis| Deed::Pass { millis }),
    ]
}

/// More GPUs and engines than a node may have.
fn devices() -> impl Strategy<Value = Deed> {
    let node = 0..NODES / 4;
    let states = vec![GpuState::Ok, GpuState::Degraded, GpuState::Hung, GpuState::Lost];
    let (state, recovery) = (proptest::sample::select(states), proptest::option::of(0..5u8));
    let number = proptest::sample::select(&[13u32, 48, 63, 79, 95, 154, 999][..]);
    prop_oneof![
        (node.clone(), 0..20u32, state, recovery).prop_map(|(node, gpu, state, recovery)| Deed::Gpu {
            node,
            gpu,
            state,
            recovery
        }),
        (node.clone(), 0..20u32, number).prop_map(|(node, gpu, number)| Deed::Xid { node, gpu, number }),
        (node, prop_oneof![3 => 0..2u32, 1 => 0..80u32], 0..2u64)
            .prop_map(|(node, engine, progress)| Deed::Engine { node, engine, progress }),
    ]
}

fn identity(node: u32, zone: usize) -> Identity {
    Identity {
        node: NodeKey(node),
        name: NodeId::from(format!("n{node}").as_str()),
        zone: ZoneId::from(["a", "b", "c"][zone]),
        interval: Duration::from_secs(1),
    }
}

fn gpu_id(gpu: u32) -> GpuId {
    GpuId::from(format!("GPU-{gpu}").as_str())
}

/// A detector, its clock, and the questions that wait for an answer.
struct Scene {
    detector: Detector,
    now: u64,
    asked: Vec<(NodeKey, u32, Prober)>,
}

impl Scene {
    fn tell(&mut self, fact: Fact<'_>) {
        self.detector.handle(fact, Time::from_millis(self.now));
    }

    /// Steps whenever it is time, as a driver does that is at most a little late.
    fn pass(&mut self, millis: u64) -> Vec<Action> {
        let until = self.now + millis;
        let mut actions = Vec::new();
        while let Some(due) = self.detector.poll_timeout().map(|due| due.as_millis().max(self.now))
            && due <= until
        {
            self.now = due;
            for action in self.detector.step(Time::from_millis(due)) {
                if let Action::Probe(ask) = &action {
                    let peers = ask.peers.iter().map(|by| Prober::Node(*by));
                    self.asked.extend(peers.chain([Prober::Own]).map(|by| (ask.node, ask.round, by)));
                }
                actions.push(action);
            }
            assert!(
                self.detector.poll_timeout().is_none_or(|next| next.as_millis() > due),
                "it would never end"
            );
        }
        self.now = until;
        actions
    }

    fn act(&mut self, deed: &Deed) -> Vec<Action> {
        match *deed {
            Deed::Pass { millis } => return self.pass(millis),
            Deed::Join { node, zone, incarnation, machine } => {
                let start = if machine { Start::Machine } else { Start::Agent };
                let incarnation = Incarnation(incarnation);
                self.tell(Fact::Joined { identity: identity(node, zone), incarnation, start });
                self.tell(Fact::Snapshot(NodeKey(node)));
            }
            Deed::Expect { node, zone } => self.tell(Fact::Expected(identity(node, zone))),
            Deed::Beats { silent } => {
                let heard = (0..NODES).filter(|node| silent >> node & 1 == 0);
                heard.for_each(|node| self.tell(Fact::Beat(NodeKey(node))));
            }
            Deed::Ended { node } => self.tell(Fact::Ended(NodeKey(node), Ending::Reset)),
            Deed::Goodbye { node } => self.tell(Fact::Goodbye(NodeKey(node), GoodbyeReason::Unknown)),
            Deed::Forgotten { node } => self.tell(Fact::Forgotten(NodeKey(node))),
            Deed::Answers { what } => self.answer(what),
            Deed::Foreign { node, round, by } => {
                let (by, answer, round_trip) = (Prober::Node(NodeKey(by)), Answer::Ok, Duration::MAX);
                self.tell(Fact::Probed(Probed { node: NodeKey(node), round, by, answer, round_trip }));
            }
            Deed::Lease { node, age_ms } => {
                self.tell(Fact::Lease { node: NodeKey(node), age: Duration::from_millis(age_ms) });
            }
            Deed::DataPlane { node, succeeded, failed } => {
                let (node, span) = (NodeKey(node), Duration::from_secs(1));
                self.tell(Fact::DataPlane { node, span, succeeded, failed });
            }
            Deed::Cloud { node, off } => {
                let state = if off { CloudState::Stopped } else { CloudState::Running };
                self.tell(Fact::Cloud(NodeKey(node), state));
            }
            Deed::Fenced { node } => self.tell(Fact::Fenced(NodeKey(node), FenceProof::SelfFence)),
            Deed::Witness { node, alive } => {
                let testimony = if alive { Testimony::Alive } else { Testimony::Lost };
                self.tell(Fact::Witness { replica: "r2", node: NodeKey(node), testimony });
            }
            Deed::Replica { reached } => {
                let reach = [(ZoneId::from("a"), ZoneReach { nodes: 4, reached })];
                self.tell(Fact::Replica(Replica { name: "r2", reach: &reach }));
            }
            Deed::Gpu { node, gpu, state, recovery } => {
                let (gpu, sample) = (gpu_id(gpu), GpuSample { state, recovery, worn: Wear::None });
                self.tell(Fact::Gpu { node: NodeKey(node), gpu: &gpu, sample });
            }
            Deed::Xid { node, gpu, number } => {
                let (node, gpu) = (NodeKey(node), gpu_id(gpu));
                self.tell(Fact::Xid { node, gpu: &gpu, number, message: "(Node Reboot Required)" });
            }
            Deed::Engine { node, engine, progress } => {
                let (engine, state) = (EngineId::from(format!("e{engine}").as_str()), EngineState::Serving);
                let (running, waiting, gpu_percent) = (Some(4), Some(1), Some(0));
                let sample = EngineSample { state, running, waiting, progress: Some(progress), gpu_percent };
                self.tell(Fact::Engine { node: NodeKey(node), engine: &engine, gpus: &[gpu_id(0)], sample });
            }
            Deed::Key { held } => self.tell(Fact::Own(if held { Own::KeyHeld } else { Own::KeyMissing })),
            Deed::Lead => self.tell(Fact::Own(Own::Leading)),
        }
        Vec::new()
    }

    fn answer(&mut self, what: u64) {
        for (at, (node, round, by)) in std::mem::take(&mut self.asked).into_iter().enumerate() {
            let answer = match what >> (at % 16 * 4) & 7 {
                0 => Answer::TimedOut,
                1 => Answer::Refused,
                2 => Answer::NoRoute,
                3 => Answer::Unasked,
                4 => Answer::LetIn,
                _ => Answer::Ok,
            };
            self.tell(Fact::Probed(Probed { node, round, by, answer, round_trip: Duration::ZERO }));
        }
    }
}

fn play(deeds: &[Deed], mut each: impl FnMut(&Scene)) -> (Vec<Action>, Detector) {
    let mut scene = Scene { detector: Detector::new(), now: 1_000_000, asked: Vec::new() };
    let mut actions = Vec::new();
    for deed in deeds {
        actions.extend(scene.act(deed));
        each(&scene);
    }
    (actions, scene.detector)
}

/// Every verdict that allows more than a note has the evidence that the table asks for.
fn check(scene: &Scene) {
    let detector = &scene.detector;
    let isolated = detector.verdict(&Subject::Observer) == Verdict::ObserverIsolated;
    assert!(detector.report().rounds_in_flight <= 1024);
    for node in (0..NODES).map(NodeKey) {
        assert_eq!(detector.node_verdict(node), detector.verdict(&Subject::Node(node)), "in short");
        let device = |subject: &Subject| match subject {
            Subject::Gpu(on, _) | Subject::Engine(on, _) => *on == node,
            Subject::Observer | Subject::Fleet | Subject::Zone(_) | Subject::Node(_) => false,
        };
        let accused = detector.findings().any(|(subject, _)| device(subject));
        assert_eq!(detector.accuses_devices(node), accused, "in short");
    }
    for (subject, finding) in detector.findings() {
        let allowed = detector.allowed(subject);
        let partition = finding.verdict == Verdict::ZonePartition;
        let most = finding.verdict.allowed();
        let most = if partition { most.with(Class::Traffic) } else { most };
        assert_eq!(allowed.and(most), allowed, "{subject:?}");
        assert!(!isolated || allowed == Allowed::NONE, "{subject:?}");
        assert!(!finding.evidence.to_string().is_empty());
        let Evidence::Node(evidence) = &finding.evidence else { continue };
        assert_eq!(evidence.verdict, finding.verdict);
        let condemned = [Verdict::NodeUnreachable, Verdict::NodeDead].contains(&finding.verdict);
        assert!(!condemned || unreachable(&evidence.signs), "{evidence:?}");
        assert!(finding.verdict != Verdict::NodeDead || evidence.signs.fence.is_some(), "{evidence:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_sequence_of_facts_breaks_the_detector_or_condemns_without_evidence(
        deeds in proptest::collection::vec(deed(), 1..150),
    ) {
        play(&deeds, check);
    }

    #[test]
    fn the_same_facts_lead_to_the_same_questions_and_verdicts(
        deeds in proptest::collection::vec(deed(), 1..60),
    ) {
        let (one, first) = play(&deeds, |_| {});
        let (two, second) = play(&deeds, |_| {});
        prop_assert_eq!(one, two);
        prop_assert!(first.findings().eq(second.findings()));
    }

    #[test]
    fn when_all_nodes_are_forgotten_nothing_is_left(deeds in proptest::collection::vec(deed(), 1..100)) {
        let (_, mut detector) = play(&deeds, |_| {});
        let now = Time::from_millis(100_000_000);
        (0..NODES).for_each(|node| detector.handle(Fact::Forgotten(NodeKey(node)), now));
        detector.handle(Fact::Own(Own::KeyHeld), now);
        // Longer than one that is new remembers what others knew.
        let end = now + Duration::from_secs(700);
        while let Some(due) = detector.poll_timeout().filter(|due| *due < end) {
            detector.step(due.max(now));
        }
        let left: Vec<_> = detector.findings().collect();
        prop_assert!(left.is_empty(), "{:?}", left);
        prop_assert_eq!(detector.report().rounds_in_flight, 0);
        prop_assert!((0..NODES).all(|node| !detector.accuses_devices(NodeKey(node))));
    }
}
