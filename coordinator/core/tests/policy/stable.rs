//! Loads that were made to make a pool swing.

use std::time::Duration;

use ostler_core::policy::observation::{Milli, Reading};
use ostler_core::policy::{panic, target, threshold, weighted};
use ostler_core::time::Time;
use proptest::prelude::*;

use crate::pools::{Policies, START, after, fresh, limits, pool};

/// Of the first metric only; the others are between their thresholds.
fn readings(cpu: Milli, now: Time) -> [Reading; 4] {
    let calm = |units| fresh(Milli::from_units(units), now);
    [fresh(cpu, now), calm(60), calm(1000), calm(70)]
}

proptest! {
    /// Whatever the load does, and a sawtooth with the cooldown's own period does the worst: two changes are at least a
    /// cooldown apart.
    #[test]
    fn changes_are_a_cooldown_apart(
        values in prop::collection::vec(prop_oneof![Just(0), Just(100), 0_i64..=100], 10..60),
        period in 1_u64..=10,
        cooldown in 0_u64..=600,
    ) {
        let cooldown = Duration::from_secs(cooldown);
        let mut config = weighted::Config::source(limits()).immediate();
        config.terms.truncate(1);
        config.terms[0].weight_percent = 100;
        config.cooldown = cooldown;
        let mut memory = weighted::Memory::default();
        let (mut replicas, mut last) = (10, None);
        for (look, value) in (0_u64..).zip(values.iter().flat_map(|value| [*value; 5])) {
            let now = after(look * 60 / period);
            let proposal = weighted::propose(
                &pool(replicas, readings(Milli::from_units(value), now)), &config, &mut memory, now,
            );
            let wanted = proposal.replicas.unwrap_or(replicas);
            if wanted != replicas {
                prop_assert!(last.is_none_or(|last: Time| now.since(last) >= cooldown));
                (replicas, last) = (wanted, Some(now));
                memory.scaled(now);
            }
        }
    }

    /// A constant load spread over the replicas, at any size: thresholds find a count and stay there. A step down that
    /// the next look takes back would swing for ever.
    #[test]
    fn a_constant_load_comes_to_rest_at_the_cliff_of_one_replica(
        load in 0_i64..5_000_000,
        first in 1_u32..50,
        below in 1_i64..80,
    ) {
        let mut config = Policies::new(first).threshold.0;
        config.rules.truncate(1);
        config.rules[0].below = Milli::from_units(below);
        let mut memory = threshold::Memory::default();
        let mut counts = vec![first];
        for look in 0..120 {
            let replicas = counts[counts.len() - 1];
            let utilization = Milli(load / i64::from(replicas));
            let now = after(look * 60);
            let proposal =
                threshold::propose(&pool(replicas, readings(utilization, now)), &config, &mut memory, now);
            counts.push(proposal.replicas.unwrap_or(replicas));
        }
        prop_assert!(counts.is_sorted() || counts.is_sorted_by(|a, b| a >= b), "it swings: {counts:?}");
        prop_assert_eq!(counts[counts.len() - 1], counts[counts.len() - 2], "it is at rest");
    }

    /// The autoscaler of Kubernetes never shrinks below what was asked for within its window. What is asked for within the
    /// tolerance of a tenth counts as the present number.
    #[test]
    fn a_window_keeps_the_largest_count(asks in prop::collection::vec(1_u32..=50, 1..80)) {
        let mut config = Policies::new(1).target.0;
        config.metrics.truncate(1);
        config.downscale_stabilization = Duration::from_secs(300);
        let mut memory = target::Memory::beginning(1, START);
        let (mut replicas, mut counted) = (1_u32, Vec::new());
        for (look, asked) in asks.iter().enumerate() {
            let near = 10 * asked.abs_diff(replicas) <= replicas;
            counted.push(if near { replicas } else { *asked });
            let now = after(look as u64 * 15);
            let value = Milli(i64::from(*asked) * 10_000);
            let proposal = target::propose(&pool(replicas, readings(value, now)), &config, &mut memory, now);
            let wanted = proposal.replicas.unwrap_or(replicas);
            let recent = counted[look.saturating_sub(20)..=look].iter().max().copied().unwrap_or(1);
            prop_assert!(wanted >= replicas.min(recent), "{wanted} of {replicas} at {look}: {recent}");
            replicas = wanted;
        }
    }

    /// In a surge the panic policy only grows until a whole stable window has passed without a burst, however the load
    /// saws within it.
    #[test]
    fn panic_only_grows(loads in prop::collection::vec(0_i64..5_000, 10..55), ready in 2_u32..40) {
        let config = panic::Config::concurrency();
        let mut memory = panic::Memory::new(&config, ready, START);
        let mut most = ready;
        for (second, load) in (0_u64..).zip(&loads) {
            memory.record(Milli::from_units(*load), after(second));
            let quiet = pool(ready, [Reading::Missing; 4]);
            let wanted = panic::propose(&quiet, &config, &mut memory, after(second)).replicas;
            prop_assert!(wanted.is_some_and(|wanted| wanted >= most), "{wanted:?} of {most}");
            most = wanted.unwrap_or(most);
        }
    }
}
