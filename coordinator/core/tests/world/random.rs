//! Worlds by seed. A failure names the seed; `OSTLER_WORLD_SEED=n` replays it alone, `OSTLER_WORLD_SEEDS=n` runs so many.

use crate::agent::Health;
use crate::sink::Fencing;
use crate::world::World;

/// Worlds when nobody says how many.
const SEEDS: u64 = 40;

/// How long faults come, and how long the world then is left alone.
const FAULTS_MS: u64 = 240_000;
const CALM_MS: u64 = 90_000;

fn number(name: &str) -> Option<u64> {
    std::env::var_os(name)?.to_str()?.parse().ok()
}

fn live_through(seed: u64) -> World {
    let nodes = [9, 15, 24][seed as usize % 3];
    let mut world = World::new(seed, nodes, 3, Fencing::On);
    world.run(15_000);
    world.fault_every_ms = 4_000;
    world.run(FAULTS_MS);
    world.calm();
    world.run(CALM_MS);
    let live = world.replicas.iter().filter(|it| it.is_live(world.now_ms)).count();
    assert_eq!(live, 1, "somebody leads after all is quiet");
    world
}

#[test]
fn in_no_world_two_lead_an_old_term_acts_or_a_healthy_node_is_accused() {
    let seeds = match number("OSTLER_WORLD_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("OSTLER_WORLD_SEEDS").unwrap_or(SEEDS),
    };
    let (mut leads, mut permits, mut found, mut hours) = (0, 0, 0, 0.0);
    for seed in seeds.clone() {
        let world = std::panic::catch_unwind(|| live_through(seed))
            .unwrap_or_else(|_| panic!("replay with OSTLER_WORLD_SEED={seed}"));
        leads += world.record.leads.len();
        permits += world.record.permits;
        found += world.record.found;
        hours += world.now_ms as f64 / 3_600_000.0;
    }
    let worlds = seeds.end - seeds.start;
    let summary = format!(
        "{worlds} worlds, {hours:.1} simulated hours, {leads} terms, {permits} permits, {found} looks at lost nodes"
    );
    eprintln!("{summary}");
    if worlds >= SEEDS {
        assert!(leads > 3 * SEEDS as usize && permits > SEEDS && found > 100, "the faults bite: {summary}");
    }
}

/// In these worlds a replica starts again, few nodes of other zones join it, and then its zone is cut off: one way, so that
/// it still hears other replicas, and both ways. It once took those few for all there are.
#[test]
fn a_replica_that_has_just_begun_takes_the_word_of_others_for_how_many_nodes_there_are() {
    [152, 140].into_iter().for_each(|seed| drop(live_through(seed)));
}

#[test]
fn the_same_seed_makes_the_same_world() {
    let told = |seed| format!("{:?}", live_through(seed).record);
    assert_eq!(told(3), told(3));
}

/// A world in which leaders stand still between their last look and a call, and the executor knows no terms.
fn stale_effects(fencing: Fencing, seed: u64) -> Result<usize, String> {
    let told = std::panic::catch_unwind(|| {
        let mut world = World::new(seed, 15, 3, fencing);
        world.run(15_000);
        for round in 0..6 {
            world.late_ms = 40_000;
            world.set_health(round, Health::Off);
            world.run(9_000);
            let leader = world.replicas.iter().position(|it| it.is_live(world.now_ms));
            leader.into_iter().for_each(|at| world.crash_replica(at, 500));
            world.run(25_000);
        }
        world.sink.effects()
    });
    told.map_err(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default())
}

#[test]
fn without_fencing_the_check_finds_an_effect_of_an_old_term_and_with_it_none() {
    let seeds = 0..8;
    let told: Vec<String> =
        seeds.clone().filter_map(|seed| stale_effects(Fencing::Off, seed).err()).collect();
    assert!(told.iter().any(|it| it.contains("spoke")), "no violation was found: {told:?}");
    let effects = seeds.map(|seed| stale_effects(Fencing::On, seed));
    let effects: usize = effects.map(|effects| effects.expect("no violation with fencing")).sum();
    assert!(effects > 8, "{effects} effects");
}
