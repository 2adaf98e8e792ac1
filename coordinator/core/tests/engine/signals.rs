//! Sums, means and worst values, and what is not counted.

use std::time::Duration;

use ostler_core::event::{Event, GoodbyeReason, Reply};
use ostler_core::fleet::Freshness;
use ostler_core::id::{EngineId, NodeId, PoolId, ZoneId};
use ostler_core::inventory::EngineState;
use ostler_core::layout::Owner;
use ostler_core::metric::Metric;
use ostler_core::signals;

use crate::harness::{Agent, Yard, bits, hello};

const RUNNING: Metric = Metric::EngineRequestsRunning;

/// A node of a zone that runs so many requests.
fn agent(yard: &mut Yard, name: &str, zone: &str, running: i64) -> Agent {
    let mut agent = Agent::new(yard.join(ostler_core::event::Hello { zone: zone.into(), ..hello(name) }));
    agent.set(Owner::Engine(0), RUNNING, running);
    agent.engines[0].gpus = agent.gpus.iter().map(|gpu| gpu.id.clone()).collect();
    assert_eq!(agent.send_snapshot(yard), Reply::Folded);
    agent
}

#[test]
fn levels_are_summed_shares_are_averaged_and_latencies_take_the_worst() {
    let mut yard = Yard::new();
    let mut one = agent(&mut yard, "one", "a", 3);
    let mut two = agent(&mut yard, "two", "b", 4);
    for (agent, cache, ttft, utilization) in
        [(&mut one, 250_000, 800_000, 20), (&mut two, 750_000, 300_000, 40)]
    {
        agent.set(Owner::Engine(0), Metric::EngineKvCacheUsagePpm, cache);
        agent.set(Owner::Engine(0), Metric::EngineTtftP95Microseconds, ttft);
        for gpu in 0..2 {
            agent.set(Owner::Gpu(gpu), Metric::GpuUtilizationPercent, utilization);
            agent.set(Owner::Gpu(gpu), Metric::GpuPowerMilliwatts, 500_500);
        }
        agent.seq += 1;
        assert_eq!(agent.send_snapshot(&mut yard), Reply::Folded);
    }
    yard.pass(700);
    let pool = signals::pool(yard.engine.fleet(), &PoolId::from("chat"), yard.now).expect("it has engines");
    let sum = pool.signals;
    assert_eq!(sum.requests_running, Some(7.0));
    assert_eq!(sum.kv_cache_usage, Some(0.5));
    assert_eq!(sum.ttft_p95_seconds, Some(0.8));
    assert_eq!(sum.gpu_utilization_percent, Some(30.0));
    assert_eq!(sum.gpu_power_watts, Some(2002.0));
    assert_eq!((sum.coverage, sum.freshness, sum.age), (1.0, Freshness::Fresh, Duration::from_millis(700)));
    assert_eq!((pool.engines, pool.engines_serving, pool.gpus), (2, 2, 4));
    assert_eq!(pool.zones.len(), 2);
}

#[test]
fn what_no_engine_reports_is_missing_and_not_zero() {
    let mut yard = Yard::new();
    let mut agent = agent(&mut yard, "n", "a", 3);
    let total = signals::fleet(yard.engine.fleet(), yard.now);
    assert_eq!(total.signals.errors_per_second, None);
    assert_eq!(total.signals.itl_p95_seconds, None);
    let mut row = agent.row(&[]);
    row.absent = Some(bits(&[agent.slot(Owner::Engine(0), RUNNING)]));
    assert_eq!(row.send(&mut yard, agent.session), Reply::Folded);
    assert_eq!(signals::fleet(yard.engine.fleet(), yard.now).signals.requests_running, None);
    let empty = signals::fleet(Yard::new().engine.fleet(), yard.now);
    assert_eq!((empty.signals.freshness, empty.signals.coverage), (Freshness::Missing, 0.0));
}

#[test]
fn a_silent_engine_lowers_the_coverage_and_not_the_sum_to_zero() {
    let mut yard = Yard::new();
    agent(&mut yard, "silent", "a", 3);
    yard.pass(4_000);
    let mut loud = agent(&mut yard, "loud", "a", 4);
    let total = signals::fleet(yard.engine.fleet(), yard.now);
    assert_eq!(total.signals.requests_running, Some(4.0));
    assert_eq!(total.signals.coverage, 0.5);
    assert_eq!(total.signals.freshness, Freshness::Fresh);
    assert_eq!(total.signals.age, Duration::ZERO);
    let counts = total.counts;
    assert_eq!((counts.nodes, counts.nodes_fresh, counts.gpus, counts.gpus_ok), (2, 1, 4, 2));
    assert_eq!((counts.engines, counts.engines_serving), (2, 1));
    yard.pass(4_000);
    let total = signals::fleet(yard.engine.fleet(), yard.now);
    assert_eq!((total.signals.requests_running, total.signals.freshness), (None, Freshness::Stale));
    assert_eq!(loud.send_row(&mut yard, &[]), Reply::Folded);
    let engine =
        yard.engine.fleet().engine(&NodeId::from("loud"), &EngineId::from("vllm-8000")).expect("it is there");
    assert_eq!(signals::engine(engine, yard.now).requests_running, Some(4.0));
}

#[test]
fn nothing_is_expected_of_a_node_that_left() {
    let mut yard = Yard::new();
    let leaving = agent(&mut yard, "leaving", "a", 3);
    agent(&mut yard, "staying", "a", 4);
    let goodbye = Event::Goodbye { session: leaving.session, reason: GoodbyeReason::Upgrade, detail: "" };
    assert_eq!(yard.handle(goodbye), Reply::Folded);
    let total = signals::fleet(yard.engine.fleet(), yard.now);
    assert_eq!((total.signals.requests_running, total.signals.coverage), (Some(4.0), 1.0));
    assert_eq!((total.counts.nodes, total.counts.nodes_fresh), (2, 1));
}

#[test]
fn engines_of_one_pool_on_one_gpu_count_it_once() {
    let mut yard = Yard::new();
    let mut agent = agent(&mut yard, "n", "a", 3);
    let mut twin = agent.engines[0].clone();
    twin.id = EngineId::from("vllm-8001");
    twin.state = EngineState::Loading;
    agent.engines.push(twin);
    let groups = agent.layout.groups().to_vec();
    agent.layout = std::sync::Arc::new(ostler_core::layout::Layout::new(2, 2, groups).unwrap());
    agent.seq += 1;
    assert_eq!(agent.send_snapshot(&mut yard), Reply::Folded);
    let pool = signals::pool(yard.engine.fleet(), &PoolId::from("chat"), yard.now).expect("it has engines");
    assert_eq!((pool.engines, pool.engines_serving, pool.gpus), (2, 1, 2));
    assert_eq!(pool.signals.gpu_memory_used_bytes, Some(20.0));
    assert_eq!(pool.signals.coverage, 0.75, "three of two GPUs and two engines");
}

#[test]
fn an_engine_without_a_pool_belongs_to_that_of_its_model() {
    let mut yard = Yard::new();
    let mut agent = agent(&mut yard, "n", "a", 3);
    agent.engines[0].pool = None;
    agent.engines[0].model = Box::from("Qwen/Qwen3-32B");
    agent.seq += 1;
    assert_eq!(agent.send_snapshot(&mut yard), Reply::Folded);
    let all = signals::all(yard.engine.fleet(), yard.now);
    assert_eq!(all.pools.keys().map(PoolId::as_str).collect::<Vec<_>>(), ["Qwen/Qwen3-32B"]);
}

#[test]
fn one_pass_over_all_equals_the_sums_taken_one_by_one() {
    let mut yard = Yard::new();
    for (at, zone) in ["a", "b", "c", "a", "b", "a"].into_iter().enumerate() {
        let mut agent = agent(&mut yard, &format!("n{at}"), zone, 5 + at as i64);
        agent.engines[0].pool = Some(PoolId::from(["x", "y"][at % 2]));
        agent.seq += 1;
        assert_eq!(agent.send_snapshot(&mut yard), Reply::Folded);
        yard.pass(900);
    }
    let fleet = yard.engine.fleet();
    let all = signals::all(fleet, yard.now);
    assert_eq!(all.fleet, signals::fleet(fleet, yard.now));
    assert_eq!(all.zones.len(), 3);
    for (zone, total) in &all.zones {
        assert_eq!(Some(total), signals::zone(fleet, zone, yard.now).as_ref());
    }
    assert_eq!(all.pools.len(), 2);
    for (id, pool) in &all.pools {
        assert_eq!(Some(pool), signals::pool(fleet, id, yard.now).as_ref());
    }
    assert_eq!(signals::zone(fleet, &ZoneId::from("d"), yard.now), None);
    assert_eq!(signals::pool(fleet, &PoolId::from("z"), yard.now), None);
    assert_eq!(signals::node(yard.node("n5"), yard.now).signals.requests_running, Some(10.0));
}
