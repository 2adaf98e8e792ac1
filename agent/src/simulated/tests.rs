//! The world as its agents see it.

use ostler_proto::v1::agent_event::Kind;
use ostler_proto::v1::{EngineState, GpuState, Metric};

use super::*;
use crate::sample::Group;

fn value(groups: &[Group], metric: Metric) -> Option<i64> {
    groups
        .iter()
        .flat_map(|group| &group.values)
        .find(|(found, _)| *found == metric)
        .and_then(|(_, value)| *value)
}

/// Requests that run and wait, once a second from `from` to `to`.
fn watch(world: &mut World, from: u32, to: u32) -> Vec<(usize, usize)> {
    (from..to)
        .map(|second| {
            world.advance(f64::from(second));
            world.requests()
        })
        .collect()
}

#[test]
fn the_fleet_begins_busy_and_its_numbers_fit_together() {
    let mut world = World::new(&Plan::default());
    let sample = world.read(0);
    assert_eq!((sample.gpus.len(), sample.engines.len()), (8, 2));
    let engine = &sample.engines[0].groups;
    let running = value(engine, Metric::EngineRequestsRunning).unwrap();
    let tokens = value(engine, Metric::EngineGenerationTokensMilliPerSecond).unwrap() as f64 / 1e3;
    let itl = value(engine, Metric::EngineItlP50Microseconds).unwrap() as f64 / 1e6;
    assert!(running > 10, "{running} requests run");
    let by_latency = running as f64 / itl;
    assert!(
        (0.5..2.0).contains(&(tokens / by_latency)),
        "{tokens} tokens/s, but {running} sequences at {itl} s"
    );
    for gpu in &sample.gpus {
        assert!(value(&gpu.groups, Metric::GpuUtilizationPercent).unwrap() > 30);
        let used = value(&gpu.groups, Metric::GpuMemoryUsedBytes).unwrap();
        assert!(used < value(&gpu.groups, Metric::GpuMemoryTotalBytes).unwrap());
    }
}

#[test]
fn every_value_is_in_an_order_that_never_changes() {
    let mut world = World::new(&Plan { nodes_per_zone: 4, seed: 3 });
    let order = |sample: &NodeSample| -> Vec<Metric> {
        let gpus = sample.gpus.iter().flat_map(|gpu| &gpu.groups);
        let engines = sample.engines.iter().flat_map(|engine| &engine.groups);
        gpus.chain(engines)
            .chain(&sample.host)
            .flat_map(|group| &group.values)
            .map(|(metric, _)| *metric)
            .collect()
    };
    let before = order(&world.read(0));
    world.begin(&Incident::GpuLost { node: 0, gpu: 5 });
    world.advance(3.0);
    assert_eq!(order(&world.read(0)), before);
}

#[test]
fn load_comes_in_bursts_that_make_requests_wait_and_then_drains() {
    let mut world = World::new(&Plan::default());
    let waiting: Vec<usize> = watch(&mut world, 0, 120).into_iter().map(|(_, waiting)| waiting).collect();
    assert!(waiting.iter().any(|&count| count > 100), "never a queue: {waiting:?}");
    assert!(waiting.iter().any(|&count| count < 30), "always a queue: {waiting:?}");
}

#[test]
fn a_gpu_that_falls_off_the_bus_is_lost_with_its_engine_and_leaves_the_others_alone() {
    let mut world = World::new(&Plan::default());
    world.begin(&Incident::GpuLost { node: 0, gpu: 5 });
    world.advance(1.0);
    let sample = world.read(0);
    let states: Vec<GpuState> = sample.gpus.iter().map(|gpu| gpu.info.state()).collect();
    assert_eq!(states.iter().filter(|state| **state == GpuState::Ok).count(), 7);
    assert_eq!(states[5], GpuState::Lost);
    assert_eq!(value(&sample.gpus[5].groups, Metric::GpuUtilizationPercent), None);
    assert_eq!(sample.engines[0].info.state(), EngineState::Serving);
    assert_eq!(sample.engines[1].info.state(), EngineState::Down);
    assert!(sample.events.iter().any(|event| matches!(event, Kind::Xid(xid) if xid.xid == 79)));
    assert!(world.read(0).events.is_empty(), "events are told once");
}

#[test]
fn a_dark_zone_moves_its_requests_to_the_others_and_comes_back_loading() {
    let mut world = World::new(&Plan::default());
    world.advance(5.0);
    let before = world.requests();
    world.begin(&Incident::ZoneDark { zone: "zone-c" });
    let after = world.requests();
    assert!(after.0 + after.1 + 50 > before.0 + before.1, "{before:?} became {after:?}");
    world.advance(20.0);
    world.end(&Incident::ZoneDark { zone: "zone-c" });
    assert_eq!(world.read(11).engines[0].info.state(), EngineState::Loading);
    world.advance(30.0);
    let back = world.read(11);
    assert_eq!(back.engines[0].info.state(), EngineState::Serving);
    assert!(value(&back.engines[0].groups, Metric::EngineRequestsRunning).unwrap() > 0);
}

#[test]
fn the_same_seed_gives_the_same_world_however_often_it_is_looked_at() {
    let (mut often, mut once) = (World::new(&Plan::default()), World::new(&Plan::default()));
    (0..100).for_each(|tenth| often.advance(f64::from(tenth) / 10.0));
    often.advance(10.0);
    once.advance(10.0);
    assert_eq!(often.requests(), once.requests());
    assert_eq!(often.read(3), once.read(3));
}
