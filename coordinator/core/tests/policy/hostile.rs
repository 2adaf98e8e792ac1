//! Values that no honest source sends.

use ostler_core::policy::limits::REPLICAS_MAX;
use ostler_core::policy::merge::{self, Ranked, Rule};
use ostler_core::policy::observation::{Milli, Reading};
use ostler_core::policy::schedule;
use proptest::prelude::*;

use crate::pools::{Policies, absent, after, fresh, limits, pool};

fn value() -> impl Strategy<Value = Milli> {
    prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(-1), Just(0), any::<i64>(), 0..200_000_i64]
        .prop_map(Milli)
}

/// A step of a pool: its replicas, its readings, what it records, and the seconds until the next one.
type Step = (u32, [Option<Milli>; 4], Milli, u64);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let readings = prop::array::uniform4(prop::option::of(value()));
    prop::collection::vec((0_u32..200, readings, value(), 0_u64..500), 1..30)
}

proptest! {
    /// No value makes a policy panic, two runs decide the same, and the merged count is within the limits.
    #[test]
    fn every_policy_survives_and_repeats_itself(steps in steps(), kind in absent()) {
        let mut runs = [Policies::new(5), Policies::new(5)];
        let mut seconds = 0;
        for (replicas, values, recorded, pause) in steps {
            seconds += pause;
            let now = after(seconds);
            let reading = |value: Option<Milli>| value.map_or(kind, |value| fresh(value, now));
            let pool = pool(replicas, values.map(reading));
            let [first, second] = runs.each_mut().map(|policies| {
                policies.panic.1.record(recorded, now);
                policies.propose(&pool, now)
            });
            prop_assert_eq!(&first, &second);
            for (name, proposal) in &first {
                for reason in &proposal.reasons {
                    prop_assert!(!reason.to_string().is_empty(), "{}", name);
                }
            }
            let ranked = first.map(|(_, proposal)| Ranked { rank: 0, proposal });
            for rule in [Rule::Max, Rule::Min, Rule::Priority] {
                let merged = merge::merge(rule, replicas, limits(), &ranked, &[]).replicas;
                prop_assert!((limits().min()..=limits().max()).contains(&merged));
            }
        }
    }

    /// A schedule's ranges never leave what a pool can have, at any moment of any time zone.
    #[test]
    fn a_schedule_is_one_week_long(
        edges in prop::collection::vec((0_u32..604_800, 0_u32..604_800, 0_u32..100), 0..20),
        offset_seconds in -86_400_i32..86_400,
        now in 0_u64..10_000_000_000,
    ) {
        let second = |seconds| schedule::WeekSecond::new(seconds).expect("within the week");
        let windows = edges.iter().map(|(from, until, count)| schedule::Window {
            from: second(*from),
            until: second(*until),
            rule: if count % 2 == 0 { schedule::Rule::AtLeast(*count) } else { schedule::Rule::AtMost(*count) },
        });
        let config = schedule::Config { offset_seconds, windows: windows.collect() };
        let week = 604_800;
        let today = schedule::propose(&config, after(now));
        prop_assert_eq!(&today, &schedule::propose(&config, after(now + week)));
        prop_assert!(today.bounds.floor <= 100 && today.bounds.ceiling <= REPLICAS_MAX);
    }
}

/// What is left of the values that cannot be: a pool whose own count is absurd is brought back, and not trusted.
#[test]
fn an_absurd_count_is_brought_back_to_the_limits() {
    let mut policies = Policies::new(1);
    let absurd = ostler_core::policy::observation::Pool {
        replicas_wanted: u32::MAX,
        ..pool(0, [Reading::Missing; 4])
    };
    for (name, proposal) in policies.propose(&absurd, after(0)) {
        let ranked = [Ranked { rank: 0, proposal }];
        let merged = merge::merge(Rule::Max, u32::MAX, limits(), &ranked, &[]).replicas;
        assert_eq!(merged, limits().max(), "{name}");
    }
}
