//! What holds over a million node-seconds of a bad network.

use ostler_core::detect::Verdict;

use crate::harness::{CALM, Health, ROUGH, World};

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
    let mut world = World::new(seed, 90, 3, network);
    world.run(30_000);
    let mut took = Vec::new();
    for node in (0..90).cycle().take(300) {
        let from = world.now;
        world.nodes[node as usize] = Health::Silent;
        world.run(6_000 + u64::from(node) * 37 % 1000);
        took.push(world.became(node, Verdict::NodeUnreachable, from).map_or(u64::MAX, |at| at - from));
        world.nodes[node as usize] = Health::Up;
        world.run(8_000);
    }
    took.sort_unstable();
    took
}

#[test]
fn a_silent_node_is_found_within_three_seconds_even_on_a_bad_network() {
    for (network, p99) in [(CALM, 2_600), (ROUGH, 3_000)] {
        let took = silences(7, network);
        let at = |share: usize| took[took.len() * share / 1000 - 1];
        assert!(at(990) <= p99, "p50 {} p99 {} most {}", at(500), at(990), at(1000));
        assert!(at(1000) < u64::MAX, "all were found");
    }
}
