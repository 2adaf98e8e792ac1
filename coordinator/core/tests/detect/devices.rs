//! Verdicts on GPUs and engines.

use std::sync::Arc;
use std::time::Duration;

use ostler_core::detect::{
    Detector, EngineSample, Evidence, Fact, GpuEvidence, GpuSample, Identity, Remedy, Start, Subject,
    Verdict, Wear, XidTable,
};
use ostler_core::event::GoodbyeReason;
use ostler_core::id::{EngineId, GpuId, Incarnation, NodeId, NodeKey, ZoneId};
use ostler_core::inventory::{EngineState, GpuState};
use ostler_core::time::Time;

const NODE: NodeKey = NodeKey(0);

const WELL: GpuSample = GpuSample { state: GpuState::Ok, recovery: None, worn: Wear::None };

const BUSY: EngineSample = EngineSample {
    state: EngineState::Serving,
    running: Some(4),
    waiting: Some(9),
    progress: Some(1000),
    gpu_percent: Some(97),
};

/// One node that beats every second, with a GPU and an engine.
struct Bench {
    detector: Detector,
    now: u64,
    gpu: GpuId,
    engine: EngineId,
}

impl Bench {
    fn new() -> Bench {
        let detector = Detector::new();
        let (gpu, engine) = (GpuId::from("GPU-a"), EngineId::from("vllm"));
        let mut bench = Bench { detector, now: 1_000_000, gpu, engine };
        bench.join(Start::Agent, 1);
        bench
    }

    fn tell(&mut self, fact: Fact<'_>) {
        self.detector.handle(fact, Time::from_millis(self.now));
    }

    fn join(&mut self, start: Start, incarnation: u64) {
        let identity = Identity {
            node: NODE,
            name: NodeId::from("n0"),
            zone: ZoneId::from("a"),
            interval: Duration::from_secs(1),
        };
        self.tell(Fact::Joined { identity, incarnation: Incarnation(incarnation), start });
    }

    /// A second passes, with its beat and its step.
    fn second(&mut self) {
        for _ in 0..5 {
            self.now += 200;
            self.detector.step(Time::from_millis(self.now));
        }
        self.tell(Fact::Beat(NODE));
    }

    /// Time passes of which nothing is told.
    fn wait(&mut self, span: Duration) {
        self.tell(Fact::Goodbye(NODE, GoodbyeReason::Shutdown));
        let end = Time::from_millis(self.now) + span;
        while let Some(due) = self.detector.poll_timeout().filter(|due| *due < end) {
            self.detector.step(due);
        }
        self.now = end.as_millis();
        self.join(Start::Agent, self.now);
    }

    fn sample(&mut self, sample: GpuSample) {
        let gpu = self.gpu.clone();
        self.tell(Fact::Gpu { node: NODE, gpu: &gpu, sample });
    }

    fn xid(&mut self, number: u32, message: &str) {
        let gpu = self.gpu.clone();
        self.tell(Fact::Xid { node: NODE, gpu: &gpu, number, message });
    }

    /// Samples of the engine, one a second; what it is found to be after each.
    fn engine(&mut self, seconds: u32, sample: impl Fn(u32) -> EngineSample) -> Vec<Verdict> {
        let engine = self.engine.clone();
        let subject = Subject::Engine(NODE, engine.clone());
        let second = |at| {
            self.second();
            self.tell(Fact::Engine { node: NODE, engine: &engine, gpus: &[], sample: sample(at) });
            self.detector.verdict(&subject)
        };
        (0..seconds).map(second).collect()
    }

    fn gpu_subject(&self) -> Subject {
        Subject::Gpu(NODE, self.gpu.clone())
    }

    fn gpu(&self) -> Verdict {
        self.detector.verdict(&self.gpu_subject())
    }

    fn gpu_evidence(&self) -> GpuEvidence {
        match self.detector.finding(&self.gpu_subject()).map(|it| &it.evidence) {
            Some(Evidence::Gpu(Some(evidence))) => *evidence,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_the_agent_sees_is_the_verdict_at_once_and_ends_with_it() {
    for (state, verdict) in [
        (GpuState::Lost, Verdict::GpuLost),
        (GpuState::Hung, Verdict::GpuHung),
        (GpuState::Degraded, Verdict::GpuDegraded),
        (GpuState::Unreadable, Verdict::Healthy),
        (GpuState::Unknown, Verdict::Healthy),
    ] {
        let mut bench = Bench::new();
        for _ in 0..4 {
            bench.second();
        }
        bench.sample(GpuSample { state, ..WELL });
        assert_eq!(bench.gpu(), verdict);
        if verdict != Verdict::Healthy {
            assert_eq!(bench.detector.allowed(&bench.gpu_subject()).to_string(), "A0 A1 A3");
        }
        bench.sample(WELL);
        assert_eq!(bench.gpu(), Verdict::Healthy);
    }
}

#[test]
fn errors_mean_what_the_table_says() {
    for (xid, verdict, remedy) in [
        (79, Verdict::GpuLost, Some(Remedy::RebootNode)),
        (119, Verdict::GpuDegraded, Some(Remedy::ResetGpu)),
        (48, Verdict::GpuDegraded, Some(Remedy::ResetGpu)),
        (74, Verdict::GpuDegraded, Some(Remedy::ResetGpu)),
        (151, Verdict::GpuDegraded, Some(Remedy::RebootNode)),
        (54, Verdict::GpuDegraded, Some(Remedy::Inspect)),
        (142, Verdict::GpuDegraded, Some(Remedy::Inspect)),
        (31, Verdict::Healthy, None),
        (43, Verdict::Healthy, None),
        (63, Verdict::Healthy, None),
        (145, Verdict::Healthy, None),
        (999, Verdict::Healthy, None),
    ] {
        let mut bench = Bench::new();
        bench.xid(xid, "");
        for _ in 0..3 {
            bench.second();
        }
        assert_eq!(bench.gpu(), verdict, "XID {xid} within three seconds");
        if remedy.is_some() {
            assert_eq!(Some(bench.gpu_evidence().remedy), remedy, "XID {xid}");
        }
        for _ in 0..100 {
            bench.second();
        }
        assert_eq!(bench.gpu(), verdict, "XID {xid} is not over by itself");
    }
}

#[test]
fn unknown_errors_are_only_reported() {
    let mut bench = Bench::new();
    [999, 43, 5].iter().for_each(|xid| bench.xid(*xid, ""));
    assert_eq!(bench.detector.report().xids_reported, 3);
    assert_eq!(bench.detector.findings().count(), 0);
}

#[test]
fn the_drivers_own_verdict_wins_over_the_table() {
    let mut bench = Bench::new();
    bench.sample(GpuSample { recovery: Some(2), ..WELL });
    assert_eq!(bench.gpu(), Verdict::GpuDegraded, "without any error");
    let GpuEvidence { remedy, driver_says, .. } = bench.gpu_evidence();
    assert_eq!((remedy, driver_says), (Remedy::RebootNode, true));
    bench.xid(119, "");
    bench.second();
    bench.sample(GpuSample { recovery: Some(2), ..WELL });
    assert_eq!(bench.gpu_evidence().remedy, Remedy::RebootNode, "the table says reset");
    assert_eq!(
        bench.gpu_evidence().to_string(),
        "XID 119 (reset_gpu); the driver says: drain the node and reboot it"
    );

    let mut bench = Bench::new();
    bench.xid(119, "");
    bench.second();
    assert_eq!(bench.gpu(), Verdict::Healthy, "the driver may speak still");
    bench.sample(GpuSample { recovery: Some(0), ..WELL });
    for _ in 0..3 {
        bench.second();
    }
    assert_eq!(bench.gpu(), Verdict::Healthy, "it says that nothing is needed");
}

#[test]
fn xid_154_tells_the_drivers_verdict_and_withdraws_it() {
    let mut bench = Bench::new();
    bench.xid(154, "GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)");
    assert_eq!((bench.gpu(), bench.gpu_evidence().remedy), (Verdict::GpuDegraded, Remedy::ResetGpu));
    bench.second();
    bench.xid(154, "GPU recovery action changed from 0x1 (GPU Reset Required) to 0x0 (None)");
    assert_eq!(bench.gpu(), Verdict::Healthy);
}

#[test]
fn a_pools_own_table_counts_on_its_nodes() {
    let mut bench = Bench::new();
    let table = XidTable::standard().overridden(&XidTable::parse("63,reset_gpu\n79,ignore").unwrap());
    bench.tell(Fact::XidTable(NODE, Arc::new(table)));
    bench.xid(79, "");
    bench.second();
    assert_eq!(bench.gpu(), Verdict::Healthy);
    bench.xid(63, "");
    (0..3).for_each(|_| bench.second());
    assert_eq!((bench.gpu(), bench.gpu_evidence().remedy), (Verdict::GpuDegraded, Remedy::ResetGpu));
}

#[test]
fn application_errors_point_at_the_gpu_when_they_repeat_on_it_within_an_hour() {
    let mut bench = Bench::new();
    bench.xid(31, "");
    bench.xid(13, "");
    bench.xid(31, "");
    assert_eq!(bench.gpu(), Verdict::Healthy);
    bench.xid(31, "");
    assert_eq!((bench.gpu(), bench.gpu_evidence().remedy), (Verdict::GpuDegraded, Remedy::Inspect));
    let mut bench = Bench::new();
    for _ in 0..5 {
        bench.xid(31, "");
        bench.now += 1_900_000;
    }
    assert_eq!(bench.gpu(), Verdict::Healthy, "never three within an hour");
}

#[test]
fn worn_memory_is_inspected() {
    for worn in [Wear::RemapFailed, Wear::SramThreshold] {
        let mut bench = Bench::new();
        bench.sample(GpuSample { worn, ..WELL });
        assert_eq!((bench.gpu(), bench.gpu_evidence().remedy), (Verdict::GpuDegraded, Remedy::Inspect));
    }
}

#[test]
fn a_restart_of_the_machine_mends_and_the_third_in_a_week_is_no_remedy() {
    let mut bench = Bench::new();
    for round in 0..3 {
        bench.xid(79, "");
        assert_eq!(bench.gpu(), Verdict::GpuLost);
        let remedy = if round < 2 { Remedy::RebootNode } else { Remedy::Inspect };
        assert_eq!(bench.gpu_evidence().remedy, remedy, "round {round}");
        bench.join(Start::Agent, 10 + round);
        bench.second();
        assert_eq!(bench.gpu(), Verdict::GpuLost, "a restart of the agent mends nothing");
        bench.join(Start::Machine, 20 + round);
        bench.second();
        assert_eq!(bench.gpu(), Verdict::Healthy);
    }
}

#[test]
fn gpus_that_once_asked_for_a_restart_leave_their_places_to_others() {
    let mut bench = Bench::new();
    let fall = |bench: &mut Bench, gpu: u32| {
        let gpu = GpuId::from(format!("GPU-{gpu}").as_str());
        bench.tell(Fact::Xid { node: NODE, gpu: &gpu, number: 79, message: "" });
        bench.detector.verdict(&Subject::Gpu(NODE, gpu))
    };
    assert!((0..16).all(|gpu| fall(&mut bench, gpu) == Verdict::GpuLost));
    bench.join(Start::Machine, 2);
    bench.second();
    assert_eq!(fall(&mut bench, 16), Verdict::Healthy, "a node has sixteen");
    bench.wait(Duration::from_hours(8 * 24));
    assert_eq!(fall(&mut bench, 16), Verdict::GpuLost);
}

#[test]
fn a_fault_of_which_the_driver_never_speaks_is_over_after_a_day_without_another() {
    let mut bench = Bench::new();
    bench.xid(48, "");
    bench.wait(Duration::from_hours(23));
    assert_eq!(bench.gpu(), Verdict::GpuDegraded);
    bench.wait(Duration::from_hours(2));
    assert_eq!(bench.gpu(), Verdict::Healthy);
}

#[test]
fn an_engine_with_work_and_idle_gpus_that_does_nothing_is_stalled_after_ten_seconds() {
    let mut bench = Bench::new();
    let verdicts = bench.engine(30, |_| EngineSample { gpu_percent: Some(0), ..BUSY });
    let first = verdicts.iter().position(|it| *it == Verdict::EngineStalled).unwrap();
    assert!((10..=12).contains(&first), "{first}");
    assert!(verdicts[first..].iter().all(|it| *it == Verdict::EngineStalled));
    let subject = Subject::Engine(NODE, bench.engine.clone());
    assert_eq!(bench.detector.allowed(&subject).to_string(), "A0 A1 A3");
    let words = bench.detector.finding(&subject).unwrap().evidence.to_string();
    assert!(words.starts_with("4 requests run and 9 wait, and nothing was done for 1"), "{words}");
    let verdicts = bench.engine(3, |at| EngineSample { progress: Some(2000 + u64::from(at)), ..BUSY });
    assert_eq!(
        verdicts,
        [Verdict::EngineStalled, Verdict::Healthy, Verdict::Healthy],
        "two samples with progress"
    );
}

#[test]
fn busy_idle_loading_and_untold_engines_are_not_stalled() {
    let nothing = EngineSample { running: None, waiting: None, progress: None, gpu_percent: None, ..BUSY };
    type Sample = Box<dyn Fn(u32) -> EngineSample>;
    let cases: [(&str, Sample); 8] = [
        ("busy", Box::new(|at| EngineSample { progress: Some(u64::from(at)), gpu_percent: Some(0), ..BUSY })),
        ("reads a long prompt", Box::new(|at| EngineSample { progress: Some(u64::from(at / 170)), ..BUSY })),
        ("a slow one whose GPUs nobody reads", {
            Box::new(|at| EngineSample { progress: Some(u64::from(at / 100)), gpu_percent: None, ..BUSY })
        }),
        (
            "idle",
            Box::new(|_| EngineSample { running: Some(0), waiting: Some(0), gpu_percent: Some(0), ..BUSY }),
        ),
        ("loads", Box::new(|_| EngineSample { state: EngineState::Loading, gpu_percent: Some(0), ..BUSY })),
        ("gone", Box::new(|_| EngineSample { state: EngineState::Down, gpu_percent: Some(0), ..BUSY })),
        ("tells nothing", Box::new(move |_| nothing)),
        ("tells no progress", Box::new(|_| EngineSample { progress: None, gpu_percent: Some(0), ..BUSY })),
    ];
    for (name, sample) in cases {
        let verdicts = Bench::new().engine(600, sample);
        assert!(verdicts.iter().all(|it| *it == Verdict::Healthy), "{name}");
    }
}

#[test]
fn a_hung_kernel_under_full_utilization_is_found_later() {
    let verdicts = Bench::new().engine(200, |_| BUSY);
    let first = verdicts.iter().position(|it| *it == Verdict::EngineStalled).unwrap();
    assert!((179..=181).contains(&first), "{first}");
}

#[test]
fn an_engine_that_no_longer_answers_with_work_in_hand_is_stalled() {
    let mut bench = Bench::new();
    bench.engine(20, |at| EngineSample { progress: Some(u64::from(at)), ..BUSY });
    let silent = EngineSample {
        state: EngineState::Timeout,
        running: None,
        waiting: None,
        progress: None,
        gpu_percent: Some(0),
    };
    let verdicts = bench.engine(15, |_| silent);
    assert_eq!(verdicts.last(), Some(&Verdict::EngineStalled));
    assert_eq!(verdicts[5], Verdict::Healthy);
}

#[test]
fn an_engine_on_a_sick_gpu_is_not_accused_and_old_facts_of_a_silent_node_allow_nothing() {
    let mut bench = Bench::new();
    bench.sample(GpuSample { state: GpuState::Hung, ..WELL });
    let (gpu, engine) = ([bench.gpu.clone()], bench.engine.clone());
    for _ in 0..30 {
        bench.second();
        let sample = EngineSample { gpu_percent: Some(0), ..BUSY };
        bench.tell(Fact::Engine { node: NODE, engine: &engine, gpus: &gpu, sample });
    }
    assert_eq!(bench.detector.verdict(&Subject::Engine(NODE, engine)), Verdict::Healthy);
    assert_eq!(bench.detector.allowed(&bench.gpu_subject()).to_string(), "A0 A1 A3");
    bench.tell(Fact::Goodbye(NODE, ostler_core::event::GoodbyeReason::Shutdown));
    bench.detector.step(Time::from_millis(bench.now));
    assert_eq!(bench.detector.allowed(&bench.gpu_subject()).to_string(), "A0");
}
