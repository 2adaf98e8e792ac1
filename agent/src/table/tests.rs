//! The rows against a folding model written from the wire's text alone, and the layout rules by example.

use std::time::Duration;

use ostler_proto::v1;
use proptest::prelude::*;

use super::{Step, Table, apply};
use crate::range;
use crate::sample::{EngineSample, GpuSample, Group, NodeSample};

/// What a reader of the wire's contract keeps: one optional value a slot, one flag a group.
#[derive(Default)]
struct Model {
    values: Vec<i64>,
    present: Vec<bool>,
    sampled: Vec<bool>,
}

fn bit(bitmap: &[u8], at: usize) -> bool {
    bitmap.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1)
}

impl Model {
    fn fold(&mut self, step: &Step) {
        match step {
            Step::Key(snapshot) => {
                self.values.clone_from(&snapshot.values);
                self.present = (0..self.values.len()).map(|slot| !bit(&snapshot.absent, slot)).collect();
                self.sampled = (0..snapshot.groups.len())
                    .map(|at| snapshot.sampled.is_empty() || bit(&snapshot.sampled, at))
                    .collect();
            }
            Step::Row(row) => {
                assert!(row.changed.last() != Some(&0), "trailing zero bytes are left off");
                let mut change = row.change.iter();
                for slot in 0..row.changed.len() * 8 {
                    if bit(&row.changed, slot) {
                        self.values[slot] += change.next().expect("one change for each bit");
                    }
                }
                assert!(change.next().is_none(), "one bit for each change");
                if row.absent_changed {
                    self.present = (0..self.values.len()).map(|slot| !bit(&row.absent, slot)).collect();
                }
                if !row.sampled.is_empty() {
                    self.sampled = (0..self.sampled.len()).map(|at| bit(&row.sampled, at)).collect();
                }
            }
        }
    }

    fn readings(&self) -> Vec<Option<i64>> {
        self.values.iter().zip(&self.present).map(|(value, present)| present.then_some(*value)).collect()
    }
}

/// A value as it reaches the wire: one that the metric cannot have counts as absent.
fn possible((metric, value): &(v1::Metric, Option<i64>)) -> Option<i64> {
    value.filter(|value| range::allowed(*metric).contains(value))
}

fn readings(sample: &NodeSample) -> (Vec<Option<i64>>, Vec<bool>) {
    let gpus = sample.gpus.iter().flat_map(|gpu| &gpu.groups);
    let engines = sample.engines.iter().flat_map(|engine| &engine.groups);
    let all: Vec<&Group> = gpus.chain(engines).chain(&sample.host).collect();
    let values = all.iter().flat_map(|group| group.values.iter().map(possible)).collect();
    (values, all.iter().map(|group| group.sampled).collect())
}

fn group() -> impl Strategy<Value = Group> {
    let value = prop_oneof![
        2 => Just(None),
        6 => (0_i64..4).prop_map(Some),
        2 => (-(1_i64 << 62)..(1_i64 << 62)).prop_map(Some),
    ];
    (any::<bool>(), prop::collection::vec(value, 1..12)).prop_map(|(sampled, values)| Group {
        period: Duration::from_secs(1),
        sampled,
        values: values.into_iter().map(|value| (v1::Metric::GpuPowerMilliwatts, value)).collect(),
    })
}

fn sample() -> impl Strategy<Value = NodeSample> {
    let gpu =
        prop::collection::vec(group(), 0..3).prop_map(|groups| GpuSample { groups, ..GpuSample::default() });
    let engine = prop::collection::vec(group(), 0..2)
        .prop_map(|groups| EngineSample { groups, ..EngineSample::default() });
    (prop::collection::vec(gpu, 0..3), prop::collection::vec(engine, 0..3), prop::option::of(group()))
        .prop_map(|(gpus, engines, host)| NodeSample { gpus, engines, host, ..NodeSample::default() })
}

/// A node that keeps its layout for some readings while values and flags vary, and then becomes another.
fn history() -> impl Strategy<Value = Vec<NodeSample>> {
    let stretch =
        (sample(), prop::collection::vec(any::<(u64, bool)>(), 1..12)).prop_map(|(first, turns)| {
            let mut all = vec![first];
            for (turn, sampled) in turns {
                let mut next = all[all.len() - 1].clone();
                let gpus = next.gpus.iter_mut().flat_map(|gpu| &mut gpu.groups);
                let engines = next.engines.iter_mut().flat_map(|engine| &mut engine.groups);
                let mut turn = turn;
                for group in gpus.chain(engines).chain(&mut next.host) {
                    group.sampled = sampled ^ (turn & 1 == 1);
                    for (_, value) in &mut group.values {
                        turn = turn.rotate_right(3);
                        match turn & 7 {
                            0 => *value = None,
                            1 => *value = Some((turn >> 3) as i64 % 1000),
                            2 => *value = Some(0),
                            _ => {}
                        }
                    }
                }
                all.push(next);
            }
            all
        });
    prop::collection::vec(stretch, 1..4).prop_map(|all| all.into_iter().flatten().collect())
}

proptest! {
    #[test]
    fn folding_the_steps_gives_back_every_reading(history in history()) {
        let mut table = Table::default();
        let mut model = Model::default();
        let mut folded = v1::Snapshot::default();
        for sample in &history {
            let step = table.fold(sample);
            model.fold(&step);
            match step {
                Step::Key(snapshot) => folded = *snapshot,
                Step::Row(row) => apply(&mut folded, &row),
            }
            let (values, sampled) = readings(sample);
            prop_assert_eq!(model.readings(), values);
            prop_assert_eq!(&model.sampled, &sampled);
            prop_assert_eq!(Some(&folded), table.state());
        }
    }
}

fn node(temperature: Option<i64>) -> NodeSample {
    NodeSample {
        gpus: vec![GpuSample {
            info: v1::GpuInfo { uuid: "GPU-1".into(), ..v1::GpuInfo::default() },
            groups: vec![Group {
                period: Duration::from_secs(1),
                sampled: true,
                values: vec![
                    (v1::Metric::GpuTemperatureCelsius, temperature),
                    (v1::Metric::GpuPowerMilliwatts, Some(70_000)),
                ],
            }],
        }],
        sources: vec![v1::SourceStatus {
            name: "nvml".into(),
            state: v1::SourceState::Ok.into(),
            detail: String::new(),
        }],
        ..NodeSample::default()
    }
}

fn row(step: Step) -> v1::Row {
    match step {
        Step::Row(row) => row,
        Step::Key(snapshot) => panic!("a row was expected, not {snapshot:?}"),
    }
}

#[test]
fn an_unchanged_reading_is_an_empty_row() {
    let mut table = Table::default();
    table.fold(&node(Some(40)));
    assert_eq!(row(table.fold(&node(Some(40)))), v1::Row::default());
}

#[test]
fn a_value_that_goes_away_falls_to_zero_and_is_marked_absent() {
    let mut table = Table::default();
    table.fold(&node(Some(40)));
    let row = row(table.fold(&node(None)));
    assert_eq!(
        (row.changed, row.change, row.absent, row.absent_changed),
        (vec![1].into(), vec![-40], vec![1].into(), true)
    );
}

#[test]
fn a_value_that_comes_back_clears_the_absent_bitmap() {
    let mut table = Table::default();
    table.fold(&node(None));
    let row = row(table.fold(&node(Some(7))));
    assert_eq!((row.change, row.absent, row.absent_changed), (vec![7], vec![].into(), true));
}

#[test]
fn a_value_that_no_sensor_can_mean_is_absent() {
    let mut table = Table::default();
    let Step::Key(snapshot) = table.fold(&node(Some(i64::MIN))) else {
        panic!("the first step is a snapshot")
    };
    assert_eq!((snapshot.values, snapshot.absent), (vec![0, 70_000], vec![1].into()));
}

#[test]
fn a_changed_state_of_a_gpu_makes_a_snapshot() {
    let mut table = Table::default();
    table.fold(&node(Some(40)));
    let mut lost = node(Some(40));
    lost.gpus[0].info.state = v1::GpuState::Lost.into();
    assert!(matches!(table.fold(&lost), Step::Key(_)));
    assert!(matches!(table.fold(&lost), Step::Row(_)));
}

#[test]
fn a_lost_group_makes_a_snapshot() {
    let mut table = Table::default();
    table.fold(&node(Some(40)));
    let mut bare = node(Some(40));
    bare.gpus[0].groups.clear();
    assert!(matches!(table.fold(&bare), Step::Key(_)));
}

#[test]
fn a_source_that_fails_rides_on_the_row_with_a_bounded_detail() {
    let mut table = Table::default();
    table.fold(&node(Some(40)));
    let mut hung = node(Some(40));
    hung.sources[0].state = v1::SourceState::Hung.into();
    hung.sources[0].detail = "ü".repeat(600);
    let row = row(table.fold(&hung));
    assert_eq!(row.sources.len(), 1);
    assert!(row.sources[0].detail.len() <= 512);
    assert_eq!(self::row(table.fold(&hung)), v1::Row::default(), "and only once");
}

#[test]
fn more_gpus_than_the_wire_allows_are_left_off() {
    let mut crowd = node(Some(40));
    crowd.gpus = vec![crowd.gpus[0].clone(); 20];
    let Step::Key(snapshot) = Table::default().fold(&crowd) else { panic!("the first step is a snapshot") };
    assert_eq!((snapshot.gpus.len(), snapshot.values.len()), (16, 32));
}
