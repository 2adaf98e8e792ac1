use std::collections::BTreeMap;

use ostler_core::layout::Group;
use proptest::prelude::*;

use super::*;

const POWER: (Owner, Metric) = (Owner::Gpu(0), Metric::GpuPowerMilliwatts);

fn layout(gpus: u8) -> Arc<Layout> {
    let metrics =
        vec![Metric::GpuPowerMilliwatts, Metric::GpuUtilizationPercent, Metric::GpuEnergyMillijoulesTotal];
    let group =
        |gpu| Group { owner: Owner::Gpu(gpu), period: Duration::from_secs(1), metrics: metrics.clone() };
    Arc::new(Layout::new(usize::from(gpus), 0, (0..gpus).map(group).collect()).unwrap())
}

fn at(second: u64) -> Time {
    Time::from_millis(1_000_000_000 + 1000 * second)
}

const ALL: (Time, Time) = (Time::ZERO, Time::from_millis(u64::MAX));

/// A history with a snapshot at second 0 and a row each second until `seconds`; power is 1,000 at the start and goes up
/// by one a second.
fn counting(seconds: u64) -> NodeHistory {
    let mut history = NodeHistory::with_phase(Duration::ZERO);
    history.snapshot(at(0), layout(1), &[1000, 50, 7], &[]);
    for second in 1..=seconds {
        history.row(at(second), &[1], &pack(&[1]), None);
    }
    history
}

#[test]
fn a_node_that_said_nothing_has_no_history() {
    let mut history = NodeHistory::new();
    history.row(at(1), &[1], &pack(&[1]), None);
    assert_eq!(history.range(POWER.0, POWER.1, ALL.0, ALL.1), []);
    assert!(history.memory_bytes() < 1024);
}

#[test]
fn every_value_of_ten_minutes_is_kept() {
    let history = counting(3600);
    let points = history.range(POWER.0, POWER.1, at(3000), at(3600));
    let expected: Vec<_> = (3000..=3600).map(|second| (at(second), 1000 + second as i64)).collect();
    assert_eq!(points, expected);
    assert_eq!(history.range(POWER.0, POWER.1, at(3100), at(3101)).len(), 2);
    assert_eq!(history.rows_dropped(), 0);
}

#[test]
fn means_of_six_hours_are_kept_every_15_seconds() {
    let history = counting(7 * 3600);
    let end = 7 * 3600;
    let points = history.range(POWER.0, POWER.1, at(end - 6 * 3600), at(end - 730));
    assert!((1380..=1400).contains(&points.len()), "{} points", points.len());
    for pair in points.windows(2) {
        assert_eq!(pair[1].0.since(pair[0].0), COARSE_PERIOD);
    }
    for (time, value) in points {
        let second = time.since(at(0)).as_secs() as i64;
        assert!((value - (1000 + second - 7)).abs() <= 16, "{value} at {second}");
    }
    assert!(history.range(POWER.0, POWER.1, ALL.0, at(end - 6 * 3600 - 1200)).is_empty());
}

#[test]
fn a_counter_leaves_its_last_value_exactly() {
    let mut history = NodeHistory::with_phase(Duration::ZERO);
    history.snapshot(at(0), layout(1), &[0, 0, 0], &[]);
    for second in 1..=3600 {
        history.row(at(second), &[0b100], &pack(&[1_000_003]), None);
    }
    let points = history.range(Owner::Gpu(0), Metric::GpuEnergyMillijoulesTotal, ALL.0, ALL.1);
    for (time, value) in points {
        assert_eq!(value, 1_000_003 * time.since(at(0)).as_secs() as i64);
    }
}

#[test]
fn what_has_no_value_has_no_point() {
    let mut history = NodeHistory::with_phase(Duration::ZERO);
    history.snapshot(at(0), layout(1), &[5, 0, 0], &[0b10]);
    for second in 1..200 {
        let absent: Option<&[u8]> = match second {
            50 => Some(&[0b11]),
            60 => Some(&[]),
            _ => None,
        };
        history.row(at(second), &[0b11], &pack(&[1, 1]), absent);
    }
    let seconds = |metric| {
        let points = history.range(Owner::Gpu(0), metric, ALL.0, ALL.1);
        points.iter().map(|point| point.0.since(at(0)).as_secs()).collect::<Vec<_>>()
    };
    assert_eq!(seconds(Metric::GpuPowerMilliwatts), (0..50).chain(60..200).collect::<Vec<_>>());
    assert_eq!(seconds(Metric::GpuUtilizationPercent), (60..200).collect::<Vec<_>>());
    assert_eq!(history.range(POWER.0, POWER.1, at(60), at(60)), [(at(60), 65)]);
}

#[test]
fn history_survives_a_change_of_layout() {
    let mut history = counting(100);
    history.snapshot(at(101), layout(2), &[1, 2, 3, 4, 5, 6], &[]);
    history.row(at(102), &[0b1001], &pack(&[1, 1]), None);
    let points = history.range(POWER.0, POWER.1, at(99), at(200));
    assert_eq!(points, [(at(99), 1099), (at(100), 1100), (at(101), 1), (at(102), 2)]);
    let second = history.range(Owner::Gpu(1), Metric::GpuPowerMilliwatts, ALL.0, ALL.1);
    assert_eq!(second, [(at(101), 4), (at(102), 5)]);
    assert_eq!(history.range(Owner::Gpu(2), Metric::GpuPowerMilliwatts, ALL.0, ALL.1), []);
}

#[test]
fn rows_that_come_late_or_twice_are_read_by_time() {
    let mut history = counting(10);
    history.row(at(5), &[1], &pack(&[100]), None);
    history.row(at(5), &[1], &pack(&[100]), None);
    history.row(at(11), &[1], &pack(&[-199]), None);
    let points = history.range(POWER.0, POWER.1, at(4), at(6));
    assert_eq!(points, [(at(4), 1004), (at(5), 1005), (at(5), 1110), (at(5), 1210), (at(6), 1006)]);
    assert_eq!(history.range(POWER.0, POWER.1, at(10), at(11)), [(at(10), 1010), (at(11), 1011)]);
}

#[test]
fn a_backlog_of_an_hour_fills_the_means_too() {
    let mut history = counting(10);
    for second in 11..=3600 {
        history.row(at(second), &[1], &pack(&[1]), None);
    }
    history.row(at(3601), &[], &pack(&[]), None);
    assert_eq!(history.range(POWER.0, POWER.1, at(3001), at(3601)).len(), 601);
    assert!((190..210).contains(&history.range(POWER.0, POWER.1, at(0), at(2870)).len()));
}

#[test]
fn hostile_data_stays_within_the_bound_and_is_counted() {
    let layout = layout(16);
    let slots = layout.slots().len();
    let mut history = NodeHistory::new();
    history.snapshot(at(0), layout, &vec![0; slots], &[]);
    let mut noise = 1u64;
    for second in 1..20_000 {
        let change: Vec<i64> = (0..slots)
            .map(|_| {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                noise as i64
            })
            .collect();
        history.row(at(second / 20), &vec![0xff; slots / 8], &pack(&change), None);
        assert!(history.memory_bytes() <= memory_bytes_max(slots));
    }
    assert!(history.rows_dropped() > 0);
}

#[test]
fn an_agent_that_changes_its_layout_all_the_time_holds_few_layouts() {
    let layouts: Vec<_> = (1..=16).map(layout).collect();
    let mut history = NodeHistory::new();
    for second in 0..1000 {
        let layout = Arc::clone(&layouts[second as usize % 16]);
        let values = vec![1; layout.slots().len()];
        history.snapshot(at(second), layout, &values, &[]);
    }
    assert!(history.memory_bytes() < 32 * 1024, "{}", history.memory_bytes());
    assert!(history.rows_dropped() > 0);
}

/// One step of a node's life.
#[derive(Clone, Debug)]
enum Step {
    Row { wait: i64, changes: BTreeMap<usize, i64>, absent: Option<u8> },
    Snapshot { wait: i64, gpus: u8, values: [i64; 6], absent: u8 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let change = prop_oneof![4 => -9i64..9, 1 => -(1i64 << 40)..(1 << 40)];
    let wait = prop_oneof![8 => Just(1000i64), 2 => 900i64..1100, 1 => -3000i64..9000];
    let row = (
        wait.clone(),
        proptest::collection::btree_map(0usize..3, change.clone(), 0..3),
        prop::option::weighted(0.05, 0u8..8),
    )
        .prop_map(|(wait, changes, absent)| Step::Row { wait, changes, absent });
    let snapshot = (wait, 1u8..=2, prop::array::uniform6(change), 0u8..8)
        .prop_map(|(wait, gpus, values, absent)| Step::Snapshot { wait, gpus, values, absent });
    proptest::collection::vec(prop_oneof![40 => row, 1 => snapshot], 1..400)
}

#[test]
fn nodes_that_began_together_do_not_seal_together() {
    const NODES: u64 = 300;
    for began in [1_000, 1_017, 1_059] {
        let phase = |node| BLOCK_SPAN * node as u32 / NODES as u32;
        let mut nodes: Vec<NodeHistory> =
            (0..NODES).map(|node| NodeHistory::with_phase(phase(node))).collect();
        for second in began..began + 400 {
            let mut sealed = 0;
            for node in &mut nodes {
                let before = node.log.rows();
                if second == began {
                    node.snapshot(at(second), layout(1), &[1000, 50, 7], &[]);
                } else {
                    node.row(at(second), &[], &pack(&[]), None);
                }
                sealed += usize::from(node.log.rows() < before);
            }
            assert!(sealed <= 11, "{sealed} of {NODES} in second {} of {began}", second - began);
        }
    }
}

proptest! {
    #[test]
    fn range_returns_what_was_appended(steps in steps(), phase in 0u64..60_000) {
        let metrics = [Metric::GpuPowerMilliwatts, Metric::GpuUtilizationPercent, Metric::GpuEnergyMillijoulesTotal];
        let layouts = [layout(1), layout(2)];
        let mut history = NodeHistory::with_phase(Duration::from_millis(phase));
        history.snapshot(at(0), Arc::clone(&layouts[0]), &[0; 3], &[]);
        let mut now = at(0).as_millis() as i64;
        let (mut values, mut absent) = ([0i64; 3], 0u8);
        let (mut gpus, mut layout_changes) = (1, 0);
        let mut told: [Vec<(Time, i64)>; 3] = [vec![(at(0), 0)], vec![(at(0), 0)], vec![(at(0), 0)]];
        for step in steps {
            match step {
                Step::Row { wait, changes, absent: news } => {
                    now += wait;
                    let bitmap = changes.keys().fold(0u8, |bitmap, slot| bitmap | 1 << slot);
                    for (slot, change) in &changes {
                        values[*slot] += change;
                    }
                    absent = news.unwrap_or(absent);
                    let change: Vec<i64> = changes.into_values().collect();
                    history.row(Time::from_millis(now as u64), &[bitmap], &pack(&change), news.as_ref().map(std::slice::from_ref));
                }
                Step::Snapshot { wait, gpus: wanted, values: all, absent: news } => {
                    now += wait;
                    if wanted != gpus && layout_changes + 1 < LAYOUTS_MAX {
                        (gpus, layout_changes) = (wanted, layout_changes + 1);
                    }
                    values.copy_from_slice(&all[..3]);
                    absent = news;
                    let layout = Arc::clone(&layouts[usize::from(gpus) - 1]);
                    history.snapshot(Time::from_millis(now as u64), layout, &all[..3 * usize::from(gpus)], &[absent]);
                }
            }
            for slot in (0..3).filter(|slot| absent >> slot & 1 == 0) {
                told[slot].push((Time::from_millis(now as u64), values[slot]));
            }
        }
        let newest = told.iter().flatten().map(|point| point.0).max().unwrap();
        let from = newest - FINE_KEPT;
        for (slot, metric) in metrics.into_iter().enumerate() {
            let mut expected: Vec<_> = told[slot].iter().copied().filter(|point| point.0 >= from).collect();
            expected.sort_by_key(|point| point.0);
            prop_assert_eq!(history.range(Owner::Gpu(0), metric, from, newest), expected);
        }
        prop_assert_eq!(history.rows_dropped(), 0);
    }
}
