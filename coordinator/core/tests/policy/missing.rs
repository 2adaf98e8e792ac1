//! Missing data never scales in.

use ostler_core::policy::merge::{self, Ranked, Rule};
use ostler_core::policy::observation::{Milli, Reading};
use ostler_core::policy::panic;
use ostler_core::policy::proposal::{Evidence, Proposal};
use ostler_core::time::Time;
use proptest::prelude::*;

use crate::pools::{Policies, START, absent, after, fresh, limits, pool};

/// Readings of an idle pool, of which those with a reason are absent.
fn idle_but(absent: [Option<Reading>; 4], now: Time) -> [Reading; 4] {
    absent.map(|reading| reading.unwrap_or_else(|| fresh(Milli(0), now)))
}

/// One or more of four readings are absent.
fn some_absent() -> impl Strategy<Value = [Option<Reading>; 4]> {
    prop::array::uniform4(prop::option::of(absent()))
        .prop_filter("one is absent", |readings| readings.iter().any(Option::is_some))
}

fn merged(rule: Rule, current: u32, proposals: Vec<Proposal>) -> u32 {
    let ranked: Vec<_> = (0..).zip(proposals).map(|(rank, proposal)| Ranked { rank, proposal }).collect();
    merge::merge(rule, current, limits(), &ranked, &[]).replicas
}

proptest! {
    /// An idle pool with one reading that is absent, of whatever kind: no policy shrinks it.
    #[test]
    fn no_policy_shrinks_by_a_reading_that_is_absent(readings in some_absent(), replicas in 1_u32..50) {
        let mut policies = Policies::new(replicas);
        for (name, proposal) in policies.propose(&pool(replicas, idle_but(readings, START)), START) {
            prop_assert!(proposal.replicas.is_none_or(|wanted| wanted >= replicas), "{name}: {proposal:?}");
            prop_assert_eq!(proposal.evidence, Evidence::Lacking, "{}", name);
        }
    }

    /// Nor does any combination of them, also with one that sees the same pool idle.
    #[test]
    fn no_merge_shrinks_while_one_policy_misses_data(readings in some_absent(), replicas in 1_u32..50) {
        let mut blind = Policies::new(replicas);
        let mut seeing = Policies::new(replicas);
        let dark = blind.propose(&pool(replicas, idle_but(readings, START)), START);
        let light = seeing.propose(&pool(replicas, idle_but([None; 4], START)), START);
        for (_, dark) in &dark {
            for (_, light) in &light {
                for rule in [Rule::Max, Rule::Min, Rule::Priority] {
                    prop_assert!(merged(rule, replicas, vec![dark.clone(), light.clone()]) >= replicas);
                    prop_assert!(merged(rule, replicas, vec![light.clone(), dark.clone()]) >= replicas);
                }
            }
        }
    }
}

/// The other side of it: with all readings there, an idle pool does shrink, so that the rule above is not met by doing
/// nothing.
#[test]
fn an_idle_pool_with_all_its_data_shrinks() {
    let mut policies = Policies::new(1);
    (0..60).for_each(|second| policies.panic.1.record(Milli(0), after(second)));
    let now = after(59);
    for (name, proposal) in policies.propose(&pool(10, idle_but([None; 4], now)), now) {
        assert_eq!(proposal.evidence, Evidence::Enough, "{name}");
        assert!(proposal.replicas.is_some_and(|wanted| wanted < 10), "{name}: {proposal:?}");
    }
}

proptest! {
    /// The panic policy hears its pool second by second: whenever it falls silent, for however long, the merged count
    /// does not go below what it was.
    #[test]
    fn a_pool_that_falls_silent_keeps_its_replicas(
        load in 0_i64..2_000,
        heard in 1_u64..120,
        silent in 6_u64..400,
        replicas in 1_u32..50,
    ) {
        let config = panic::Config::concurrency();
        let mut memory = panic::Memory::new(&config, 1, START);
        for second in 0..heard {
            memory.record(Milli::from_units(load), after(second));
        }
        let quiet = pool(replicas, [Reading::Missing; 4]);
        for second in heard + 5..heard + silent {
            let proposal = panic::propose(&quiet, &config, &mut memory, after(second));
            prop_assert!(merged(Rule::Max, replicas, vec![proposal]) >= replicas, "after {second} s");
        }
    }
}
