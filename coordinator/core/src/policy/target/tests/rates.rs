//! Windows and rates.

use super::*;

/// Rules of at most two policies; a value of 0 leaves one out, and no policy at all leaves Kubernetes' defaults.
fn rules(default: Rules, pods: (u32, u64), percent: (u32, u64)) -> Rules {
    let mut policies = Vec::new();
    if pods.0 > 0 {
        policies.push(RatePolicy::Replicas { value: pods.0, period: Duration::from_secs(pods.1) });
    }
    if percent.0 > 0 {
        policies.push(RatePolicy::Percent { value: percent.0, period: Duration::from_secs(percent.1) });
    }
    if policies.is_empty() { default } else { Rules { policies, ..default } }
}

fn up(pods: (u32, u64), percent: (u32, u64)) -> Rules {
    rules(Rules::scale_up_default(), pods, percent)
}

fn down(pods: (u32, u64), percent: (u32, u64)) -> Rules {
    rules(Rules::scale_down_default(Duration::ZERO), pods, percent)
}

const DEFAULT: (u32, u64) = (0, 0);

/// A pool whose metric asks for so many.
fn asked_for(current: u32, asked: u32) -> Pool {
    pool_at(current, Vec::new(), i64::from(asked) * 1000)
}

fn shared(min: u32, max: u32, behavior: Option<Behavior>) -> Config {
    let exact = Tolerance::new(0.0).unwrap();
    let source = Source::External(PoolTarget::AverageValue(Milli(1000)));
    Config {
        behavior,
        tolerances: Tolerances { scale_down: exact, scale_up: exact },
        downscale_stabilization: Duration::ZERO,
        ..config(min, max, source)
    }
}

/// Changes that were made in the middle of equal parts of the last two minutes, oldest first.
fn changes(memory: &mut Memory, config: &Config, added: bool, sizes: &[u32]) {
    for (position, size) in (1_u64..).zip(sizes) {
        let part = 120 / sizes.len() as u64;
        let at = ago(120 - part * position + part / 2);
        let (from, to) = if added { (0, *size) } else { (*size, 0) };
        memory.scaled(config, from, to, at);
    }
}

/// One row of Kubernetes' `TestScalingWithRules`.
struct Row {
    changed: [&'static [u32]; 2],
    limits: (u32, u32),
    up: Rules,
    down: Rules,
    from: u32,
    asked: u32,
    expected: (u32, ConditionReason),
}

fn check(row: Row) {
    let behavior = Behavior { scale_up: row.up, scale_down: row.down };
    let config = shared(row.limits.0, row.limits.1, Some(behavior));
    let mut memory = Memory::empty();
    changes(&mut memory, &config, true, row.changed[0]);
    changes(&mut memory, &config, false, row.changed[1]);
    let proposal = propose(&asked_for(row.from, row.asked), &config, &mut memory, NOW);
    let (_, reason) = condition(&proposal, ConditionKind::ScalingLimited).unwrap();
    let what = format!("{} to {} of {:?}, {:?}", row.from, row.asked, config.behavior, row.changed);
    assert_eq!((proposal.replicas, reason), (Some(row.expected.0), row.expected.1), "{what}");
}

const NONE: [&[u32]; 2] = [&[], &[]];

#[test]
fn growth_is_held_to_its_rates() {
    use ConditionReason::{DesiredWithinRange, ScaleUpLimit, TooManyReplicas};
    let events: [&[u32]; 2] = [&[1, 5, 9], &[]];
    for (changed, limits, pods, percent, from, asked, expected) in [
        (NONE, (3, 8), DEFAULT, DEFAULT, 5, 7, (7, DesiredWithinRange)),
        (NONE, (100, 150), DEFAULT, DEFAULT, 100, 1000, (150, TooManyReplicas)),
        (NONE, (1, 2000), DEFAULT, (1, 60), 3, 1000, (4, ScaleUpLimit)),
        (NONE, (1, 1000), DEFAULT, DEFAULT, 10, 50, (20, ScaleUpLimit)),
        (NONE, (1, 1000), (100, 60), (100, 60), 10, 500, (110, ScaleUpLimit)),
        (NONE, (1, 1000), (2, 60), (100, 60), 10, 500, (20, ScaleUpLimit)),
        (NONE, (1, 1000), (100, 60), DEFAULT, 10, 50, (50, DesiredWithinRange)),
        (NONE, (1, 1000), (30, 60), DEFAULT, 10, 50, (40, ScaleUpLimit)),
        (NONE, (1, 1000), DEFAULT, (200, 60), 10, 50, (30, ScaleUpLimit)),
        (events, (1, 200), (300, 60), DEFAULT, 100, 500, (200, TooManyReplicas)),
        (events, (1, 200), DEFAULT, (10_000, 60), 100, 500, (200, TooManyReplicas)),
        (events, (1, 1000), (5, 120), DEFAULT, 100, 500, (100, ScaleUpLimit)),
        (events, (1, 1000), (150, 120), DEFAULT, 100, 500, (235, ScaleUpLimit)),
        (events, (1, 1000), DEFAULT, (200, 120), 100, 500, (255, ScaleUpLimit)),
        ([&[4], &[2]], (1, 1000), DEFAULT, (300, 300), 6, 24, (16, ScaleUpLimit)),
        ([&[8, 12, 9, 11], &[]], (1, 1000), (1000, 120), (100, 60), 100, 200, (200, DesiredWithinRange)),
    ] {
        // Long periods of shrinking keep the changes of that direction in memory.
        let down = down((1, 300), DEFAULT);
        check(Row { changed, limits, up: up(pods, percent), down, from, asked, expected });
    }
}

#[test]
fn shrinking_is_held_to_its_rates() {
    use ConditionReason::{DesiredWithinRange, ScaleDownLimit, TooFewReplicas};
    let events: [&[u32]; 2] = [&[], &[1, 5, 9]];
    for (changed, limits, pods, percent, from, asked, expected) in [
        (NONE, (2, 8), DEFAULT, DEFAULT, 3, 1, (2, TooFewReplicas)),
        (NONE, (0, 10), DEFAULT, DEFAULT, 1, 0, (0, DesiredWithinRange)),
        (NONE, (3, 2000), (20, 60), DEFAULT, 1000, 3, (980, ScaleDownLimit)),
        (NONE, (1, 1000), (20, 60), (1, 60), 100, 2, (80, ScaleDownLimit)),
        (NONE, (1, 1000), (2, 60), (1, 60), 100, 2, (98, ScaleDownLimit)),
        (NONE, (1, 1000), (100, 60), DEFAULT, 10, 0, (1, TooFewReplicas)),
        (NONE, (5, 1000), DEFAULT, (100, 60), 10, 2, (5, TooFewReplicas)),
        (NONE, (1, 1000), (5, 60), DEFAULT, 10, 2, (5, ScaleDownLimit)),
        (NONE, (1, 1000), DEFAULT, (50, 60), 10, 5, (5, DesiredWithinRange)),
        (events, (1, 1000), DEFAULT, DEFAULT, 10, 5, (5, DesiredWithinRange)),
        (events, (1, 1000), (115, 120), DEFAULT, 100, 0, (1, TooFewReplicas)),
        (events, (5, 1000), (130, 120), DEFAULT, 100, 0, (5, TooFewReplicas)),
        (events, (5, 1000), DEFAULT, (100, 120), 100, 2, (5, TooFewReplicas)),
        (events, (1, 1000), (5, 120), DEFAULT, 100, 2, (100, ScaleDownLimit)),
        ([&[], &[2, 4, 6]], (1, 1000), DEFAULT, (50, 120), 100, 0, (56, ScaleDownLimit)),
        ([&[2], &[4]], (1, 1000), DEFAULT, (50, 180), 10, 1, (6, ScaleDownLimit)),
        ([&[], &[10, 10, 10]], (1, 1000), DEFAULT, (10, 120), 100, 0, (100, ScaleDownLimit)),
        ([&[], &[10, 10, 10]], (1, 1000), DEFAULT, (1000, 120), 10, 5, (5, DesiredWithinRange)),
    ] {
        let up = up((4, 300), DEFAULT);
        check(Row { changed, limits, up, down: down(pods, percent), from, asked, expected });
    }
}

#[test]
fn the_smallest_rate_can_be_chosen_and_a_direction_closed() {
    let rules = |select| Rules { select, ..up((2, 60), (50, 60)) };
    let behavior = |select| Behavior { scale_up: rules(select), scale_down: rules(select) };
    let to = |select, from, asked| {
        let config = shared(1, 100, Some(behavior(select)));
        propose(&asked_for(from, asked), &config, &mut Memory::empty(), NOW).replicas
    };
    assert_eq!(to(Select::Min, 1, 50), Some(2), "50 % of 1, rounded up");
    assert_eq!(to(Select::Min, 5, 1), Some(3), "2 of 5, not half of it");
    assert_eq!(to(Select::Max, 5, 1), Some(2), "half of 5, cut off");
    assert_eq!([to(Select::Disabled, 5, 1), to(Select::Disabled, 5, 9)], [Some(5), Some(5)]);
}

/// What the windows make of a count, after earlier ones at these ages in seconds.
fn smoothed(behavior: Option<(u64, u64)>, past: &[(i32, u64)], from: u32, asked: u32) -> (u32, usize) {
    let wide = (100_000, 15);
    let behavior = behavior.map(|(up_window, down_window)| Behavior {
        scale_up: Rules { stabilization: Duration::from_secs(up_window), ..up(wide, DEFAULT) },
        scale_down: Rules { stabilization: Duration::from_secs(down_window), ..down(wide, DEFAULT) },
    });
    let config = Config { downscale_stabilization: Duration::from_secs(300), ..shared(1, 1000, behavior) };
    let mut memory = Memory::empty();
    past.iter().for_each(|(replicas, age)| memory.recommend(*replicas, None, ago(*age)));
    let proposal = propose(&asked_for(from, asked), &config, &mut memory, NOW);
    (proposal.replicas.unwrap(), memory.recommendations.len())
}

#[test]
fn without_a_behavior_the_largest_count_of_the_window_holds() {
    assert_eq!(smoothed(None, &[], 5, 5), (5, 1));
    assert_eq!(smoothed(None, &[(4, 120), (5, 60)], 5, 3), (5, 3));
    assert_eq!(smoothed(None, &[(1, 120), (2, 60)], 5, 3), (3, 3));
    assert_eq!(smoothed(None, &[(10, 600), (9, 540)], 5, 3), (3, 2), "an old count is written over");
    assert_eq!(smoothed(None, &[(10, 600), (4, 60), (5, 120), (9, 540)], 5, 3), (5, 4));
    assert_eq!(smoothed(None, &[(5, 300)], 5, 3), (5, 2), "the window is inclusive");
    assert_eq!(smoothed(None, &[], 3, 100), (6, 1), "at most twice as many");
    assert_eq!(smoothed(None, &[], 1, 100), (4, 1), "or 4");
}

#[test]
fn with_a_behavior_each_direction_has_its_window() {
    let past = [(4, 120), (5, 60)];
    assert_eq!(smoothed(Some((0, 0)), &[], 100, 5), (5, 1));
    assert_eq!(smoothed(Some((0, 180)), &past, 100, 3), (5, 3));
    assert_eq!(smoothed(Some((300, 0)), &past, 1, 7), (4, 3));
    assert_eq!(smoothed(Some((300, 0)), &[(1, 120), (2, 60)], 100, 3), (3, 3));
    assert_eq!(smoothed(Some((0, 300)), &[(8, 120), (9, 60)], 1, 7), (7, 3));
    assert_eq!(smoothed(Some((0, 60)), &[(9, 60)], 9, 3), (3, 2), "the window is exclusive");
    assert_eq!(smoothed(Some((30, 60)), &[(9, 61), (9, 62)], 9, 3), (3, 2), "an old count is written over");
}

#[test]
fn memory_is_bounded_even_for_a_decision_a_millisecond() {
    let long = Rules { stabilization: Duration::from_secs(3600), ..up((4, 1800), DEFAULT) };
    let behavior = Behavior { scale_up: long.clone(), scale_down: long };
    let config = shared(1, 1000, Some(behavior));
    let mut memory = Memory::beginning(5, NOW);
    for millis in 0..3_650 {
        let now = NOW + Duration::from_millis(millis);
        propose(&asked_for(5, 6), &config, &mut memory, now);
        memory.scaled(&config, 5, 6, now);
        memory.scaled(&config, 6, 5, now);
    }
    assert_eq!(memory.recommendations.len(), 3_601);
    assert_eq!((memory.added.len(), memory.removed.len()), (1_801, 1_801));
}
