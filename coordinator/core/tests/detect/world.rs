//! What holds over a million node-seconds of a bad network.

use ostler_core::detect::{Subject, Verdict};

use crate::harness::{CALM, Dice, Health, ROUGH, World};

#[test]
fn a_million_node_seconds_of_loss_and_jitter_condemn_nobody() {
    let mut world = World::new(1, 1000, 3, ROUGH);
    world.run(1_050_000);
    assert_eq!(world.count(Verdict::NodeUnreachable), 0);
    assert_eq!(world.count(Verdict::NodeDead), 0);
    assert_eq!(world.count(Verdict::ObserverIsolated), 0);
    assert_eq!(world.count(Verdict::GlobalFreeze) + world.count(Verdict::ZonePartition), 0);
    assert_eq!(world.count(Verdict::Flapping), 0);
    let suspects = world.count(Verdict::NodeSuspect);
    assert!(suspects < 1000, "{suspects} suspicions, more than one in a thousand seconds a node");
    let rounds = world.detector.report().rounds;
    assert!(rounds > 10_000, "{rounds} rounds of questions: the loss was felt");
}

/// Milliseconds from the moment a node falls silent to the verdict, for one node at a time.
fn silences(seed: u64, network: crate::harness::Network) -> Vec<u64> {
    let mut world = World::new(seed, 36, 3, network);
    world.run(30_000);
    let mut took = Vec::new();
    for node in (0..36).cycle().take(200) {
        let from = world.now;
        world.nodes[node as usize] = Health::Silent;
        world.run(6_000 + u64::from(node) * 37 % 1000);
        took.push(world.became(node, Verdict::NodeUnreachable, from).map_or(u64::MAX, |at| at - from));
        world.nodes[node as usize] = Health::Up;
        world.run(8_000);
    }
    took
}

#[test]
fn a_silent_node_is_found_within_three_seconds_even_on_a_bad_network() {
    for (network, p99) in [(CALM, 2_600), (ROUGH, 3_000)] {
        let mut took: Vec<u64> = (7..12).flat_map(|seed| silences(seed, network)).collect();
        took.sort_unstable();
        let at = |share: usize| took[took.len() * share / 1000 - 1];
        assert!(at(990) <= p99, "p50 {} p99 {} most {}", at(500), at(990), at(1000));
        assert!(at(1000) < u64::MAX, "all were found");
    }
}

#[test]
fn the_smallest_fleets_that_can_tell_find_a_silent_node_too() {
    for (nodes, zones) in [(2, 1), (2, 2), (3, 1), (3, 3), (4, 2), (5, 2), (9, 3)] {
        let mut world = World::new(3, nodes, zones, CALM);
        world.run(20_000);
        let from = world.now;
        world.nodes[0] = Health::Silent;
        world.run(5_000);
        let took = world.became(0, Verdict::NodeUnreachable, from).map(|at| at - from);
        assert!(took.is_some_and(|took| took <= 3_000), "{nodes} nodes in {zones} zones: {took:?}");
        world.nodes[0] = Health::Up;
        world.run(20_000);
        assert_eq!(world.detector.findings().count(), 0);
    }
}

#[test]
fn no_node_that_lives_is_condemned_whatever_else_fails_and_all_is_well_soon_after() {
    for seed in 0..12 {
        let mut world = World::new(seed, 30, 3, ROUGH);
        let mut dice = Dice(seed);
        // When each node was last silent for its own fault.
        let mut silent = vec![0; 30];
        world.run(10_000);
        for _ in 0..12 {
            let mut seen = world.transitions.len();
            let quiet = world.nodes.clone();
            trouble(&mut world, &mut dice);
            look(&world, seed, &quiet, &mut silent, &mut seen);
            let until = world.now + dice.roll(12_000);
            while world.now < until {
                let quiet = world.nodes.clone();
                world.run(50);
                look(&world, seed, &quiet, &mut silent, &mut seen);
            }
        }
        let (quiet, mut seen) = (world.nodes.clone(), world.transitions.len());
        heal(&mut world);
        look(&world, seed, &quiet, &mut silent, &mut seen);
        world.network = CALM;
        world.run(60_000);
        look(&world, seed, &world.nodes, &mut silent, &mut seen);
        let left: Vec<_> =
            world.detector.findings().filter(|(_, it)| it.verdict != Verdict::Flapping).collect();
        assert!(left.is_empty(), "seed {seed}: {left:?}");
    }
}

/// Whoever was condemned since was silent a moment ago for its own fault; `nodes` is how they were until now.
fn look(world: &World, seed: u64, nodes: &[Health], silent: &mut [u64], seen: &mut usize) {
    let quiet = |(_, health): &(&mut u64, &Health)| **health == Health::Silent;
    silent.iter_mut().zip(nodes).filter(quiet).for_each(|(at, _)| *at = world.now);
    for (at, moved) in &world.transitions[*seen..] {
        let Subject::Node(node) = moved.subject else { continue };
        let condemned = moved.finding.verdict == Verdict::NodeUnreachable;
        let since = at.saturating_sub(silent[node.0 as usize]);
        assert!(!condemned || since < 2_500, "seed {seed}: {node:?} {}", moved.finding.evidence);
    }
    *seen = world.transitions.len();
}

/// Something fails, or all is mended.
fn trouble(world: &mut World, dice: &mut Dice) {
    let node = dice.roll(30);
    match dice.roll(8) {
        0 => world.crash(u32::try_from(node).expect("a small number")),
        1 => world.nodes[node as usize] = Health::NoStream,
        2 | 3 => world.nodes[node as usize] = Health::Silent,
        4 => drop(world.cut_off.insert(node as usize % 3)),
        5 => world.clogged = true,
        6 => {
            world.paused = true;
            world.run(dice.roll(10_000));
            world.resume(dice.roll(2) == 0);
        }
        _ => heal(world),
    }
}

fn heal(world: &mut World) {
    world.cut_off.clear();
    if world.clogged {
        world.resume(true);
    }
    world.nodes.fill(Health::Up);
    for node in std::mem::take(&mut world.crashed) {
        world.join(node, world.now);
    }
}
