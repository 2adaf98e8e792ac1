//! Three replicas under random faults, by seed. A failure prints the seed that made it.

use std::time::Duration;

use super::world::{Tally, World};

/// Worlds of each kind; each is two minutes long.
const SEEDS: u64 = 100;

/// Length of the time with faults, in milliseconds.
const FAULTS_MS: u64 = 90_000;

fn live_through(seed: u64, ttl: Duration) -> Tally {
    let mut world = World::new(seed, ttl);
    world.run(FAULTS_MS, true);
    world.heal();
    world.run(FAULTS_MS + 30_000, false);
    world.tally
}

/// The lease, an election timeout that a new leader of etcd added, the scan, a look at the queue that was just missed or
/// lost (a third of the lease and a second), the rest after a lost session, and the handful of messages.
fn bound(ttl: Duration) -> Duration {
    ttl + ttl / 3 + Duration::from_millis(1_000 + 500 + 1_000 + 500 + 500)
}

#[test]
fn at_most_one_token_is_live_terms_increase_and_a_leader_is_found_soon_after_faults_stop() {
    for ttl in [Duration::from_secs(5), Duration::from_secs(3)] {
        let mut total = Tally::default();
        for seed in 0..SEEDS {
            let tally = std::panic::catch_unwind(|| live_through(seed, ttl))
                .unwrap_or_else(|_| panic!("the world of seed {seed} and ttl {ttl:?}"));
            let gap = Duration::from_millis(tally.calm_gap_ms);
            assert!(gap <= bound(ttl), "seed {seed}: no leader for {gap:?} after faults stopped");
            total.terms += tally.terms;
            total.writes += tally.writes;
            total.writes_refused += tally.writes_refused;
            total.aborts += tally.aborts;
        }
        // That the faults bite: leaders change often, zombies try to write, and some cling to their token.
        assert!(total.terms > SEEDS * 3 && total.writes > SEEDS * 100, "{total:?}");
        assert!(total.writes_refused > SEEDS / 4 && total.aborts > 0, "{total:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_world() {
    let ttl = Duration::from_secs(5);
    assert_eq!(format!("{:?}", live_through(7, ttl)), format!("{:?}", live_through(7, ttl)));
}
