//! Rows and snapshots: what is folded, what is refused, what cannot be followed.

use std::sync::Arc;
use std::time::Duration;

use ostler_core::event::{Event, Refusal, Reply, Resync};
use ostler_core::fleet::Freshness;
use ostler_core::id::GpuId;
use ostler_core::inventory::{GpuState, Source, SourceState};
use ostler_core::layout::{Layout, Owner};
use ostler_core::metric::Metric;

use crate::harness::{Row, Yard, bits, refusal};

const POWER: Metric = Metric::GpuPowerMilliwatts;
const ENERGY: Metric = Metric::GpuEnergyMillijoulesTotal;

#[test]
fn a_row_changes_its_slots_and_dates_their_owners() {
    let mut yard = Yard::new();
    let mut agent = yard.agent("n");
    let before = yard.node("n").revision();
    let power = agent.slot(Owner::Gpu(1), POWER);
    yard.pass(1000);
    assert_eq!(agent.send_row(&mut yard, &[(power, 700_000)]), Reply::Folded);
    let node = yard.node("n");
    assert_eq!(node.values(), agent.values);
    assert_eq!(node.seq(), Some(2));
    assert_eq!(node.reading(Owner::Gpu(1), POWER, yard.now).map(|it| it.value), Some(700_000));
    assert!(node.owner_revision(Owner::Gpu(1)) > before);
    assert!(node.owner_revision(Owner::Gpu(0)) <= before);
    assert_eq!(node.revision(), node.owner_revision(Owner::Gpu(1)));
    let unchanged = node.revision();
    assert_eq!(agent.send_row(&mut yard, &[]), Reply::Folded);
    assert_eq!(yard.node("n").revision(), unchanged, "a heartbeat is no change");
}

#[test]
fn a_gap_asks_for_a_snapshot_once_and_rows_are_skipped_until_it_comes() {
    let mut yard = Yard::new();
    let mut agent = yard.agent("n");
    agent.seq += 1;
    let gap = Resync::Gap { expected: 2, seq: 3 };
    assert_eq!(agent.send_row(&mut yard, &[(0, 99)]), Reply::Resync(gap));
    assert_eq!(agent.send_row(&mut yard, &[(0, 98)]), Reply::Skipped);
    assert_eq!(yard.node("n").values()[0], 10);
    assert_eq!(yard.node("n").seq(), None);
    assert_eq!(agent.send_snapshot(&mut yard), Reply::Folded);
    assert_eq!(agent.send_row(&mut yard, &[(0, 97)]), Reply::Folded);
    assert_eq!(yard.node("n").values()[0], 97);
    agent.seq -= 1;
    let twice = Resync::Gap { expected: 6, seq: 5 };
    assert_eq!(agent.send_row(&mut yard, &[]), Reply::Resync(twice), "a row that comes twice");
}

#[test]
fn a_row_before_the_first_snapshot_asks_for_it() {
    let mut yard = Yard::new();
    let session = yard.join(crate::harness::hello("n"));
    assert_eq!(Row::empty(1).send(&mut yard, session), Reply::Resync(Resync::NoSnapshot { seq: 1 }));
    assert_eq!(Row::empty(2).send(&mut yard, session), Reply::Skipped);
}

#[test]
fn a_bitmap_past_the_snapshot_asks_for_a_new_one() {
    let past = |set: fn(&mut Row, Vec<u8>), bit| {
        let mut yard = Yard::new();
        let mut agent = yard.agent("n");
        let mut row = agent.row(&[]);
        set(&mut row, bits(&[bit]));
        (row.send(&mut yard, agent.session), yard.node("n").values().to_vec() == agent.values)
    };
    let (slots, groups) = (18, 6);
    for bit in [slots, 23, 24, 10_000] {
        let bitmap = |field, length| (Reply::Resync(Resync::Bitmap { seq: 2, field, length }), true);
        assert_eq!(past(|row, it| row.changed = it, bit), bitmap("changed", slots));
        assert_eq!(past(|row, it| row.absent = Some(it), bit), bitmap("absent", slots));
        assert_eq!(past(|row, it| row.sampled = it, bit), bitmap("sampled", groups));
    }
}

#[test]
fn a_refused_row_names_what_is_wrong_and_changes_nothing() {
    let mut yard = Yard::new();
    let mut agent = yard.agent("n");
    let power = agent.slot(Owner::Gpu(0), POWER);
    let row = agent.row(&[]);
    let change = |slots: &[usize], change: &[i64]| Row {
        changed: bits(slots),
        change: change.to_vec(),
        ..row.clone()
    };
    let long = Source { name: Box::from("nvml"), state: SourceState::Ok, detail: "x".repeat(2000).into() };
    let cases = [
        (
            change(&[0, power], &[1, -11]),
            "slot 3, gpu_power_milliwatts of GPU 0, would be -1; it can be 0 to 10000000",
        ),
        (change(&[0], &[91]), "slot 0, gpu_utilization_percent of GPU 0, would be 101; it can be 0 to 100"),
        (
            change(&[0], &[i64::MAX]),
            "slot 0, gpu_utilization_percent of GPU 0, would be 9223372036854775807; it can be 0 to 100",
        ),
        (change(&[0, 1], &[1]), "`change` has 1 entries; 2 must come"),
        (change(&[], &[1]), "`change` has 1 entries; 0 must come"),
        (
            Row { age: Duration::from_millis(3_600_001), ..change(&[0], &[1]) },
            "`age_ms` is more than 3600000",
        ),
        (Row { sources: vec![long], ..change(&[0], &[1]) }, "`sources` is longer than 1024 bytes"),
    ];
    let before = yard.picture();
    for (row, text) in cases {
        assert_eq!(refusal(&row.send(&mut yard, agent.session)), text);
        assert_eq!(yard.picture(), before, "{text}");
    }
}

#[test]
fn a_refused_snapshot_changes_nothing() {
    let mut yard = Yard::new();
    let mut agent = yard.agent("n");
    agent.seq += 1;
    let before = yard.picture();
    let mut refused = |agent: &mut crate::harness::Agent| {
        let reply = agent.send_snapshot(&mut yard);
        assert_eq!(yard.picture(), before);
        refusal(&reply)
    };
    agent.values.push(0);
    assert_eq!(refused(&mut agent), "`values` has 19 entries; 18 must come");
    agent.values.pop();
    agent.values[0] = 101;
    assert_eq!(
        refused(&mut agent),
        "slot 0, gpu_utilization_percent of GPU 0, would be 101; it can be 0 to 100"
    );
    agent.values[0] = 10;
    agent.absent = bits(&[18]);
    assert_eq!(refused(&mut agent), "`absent` reaches past the slots that the groups name");
    agent.absent = Vec::new();
    let twin = agent.gpus[0].clone();
    let other = std::mem::replace(&mut agent.gpus[1], twin);
    assert_eq!(refused(&mut agent), "`gpus` names a UUID twice");
    agent.gpus[1] = other;
    agent.engines.clear();
    assert_eq!(refused(&mut agent), "`engines` has 0 entries; 1 must come");
}

#[test]
fn a_counter_that_goes_down_is_reset_until_it_is_read_again() {
    let mut yard = Yard::new();
    let mut agent = yard.agent("n");
    let energy = agent.slot(Owner::Gpu(0), ENERGY);
    let margin = agent.slot(Owner::Gpu(0), Metric::GpuTemperatureMarginCelsius);
    let freshness =
        |yard: &Yard, metric| yard.node("n").reading(Owner::Gpu(0), metric, yard.now).map(|it| it.freshness);
    let mut row = agent.row(&[(energy, 3), (margin, 2)]);
    row.sampled = bits(&[0, 1]);
    assert_eq!(row.send(&mut yard, agent.session), Reply::Folded);
    assert_eq!(freshness(&yard, ENERGY), Some(Freshness::Reset));
    assert_eq!(
        freshness(&yard, Metric::GpuTemperatureMarginCelsius),
        Some(Freshness::Fresh),
        "a gauge may fall"
    );
    let mut other_group = agent.row(&[]);
    other_group.sampled = bits(&[0]);
    assert_eq!(other_group.send(&mut yard, agent.session), Reply::Folded);
    assert_eq!(freshness(&yard, ENERGY), Some(Freshness::Reset), "its group was not read");
    let mut read = agent.row(&[]);
    read.sampled = bits(&[0, 1]);
    assert_eq!(read.send(&mut yard, agent.session), Reply::Folded);
    assert_eq!(freshness(&yard, ENERGY), Some(Freshness::Fresh));
    agent.seq += 1;
    agent.values[energy] = 1;
    assert_eq!(agent.send_snapshot(&mut yard), Reply::Folded);
    assert_eq!(freshness(&yard, ENERGY), Some(Freshness::Reset), "a snapshot tells it as well");
}

#[test]
fn a_value_that_goes_away_is_missing_and_comes_back_fresh() {
    let mut yard = Yard::new();
    let mut agent = yard.agent("n");
    let energy = agent.slot(Owner::Gpu(0), ENERGY);
    let reading = |yard: &Yard| {
        yard.node("n").reading(Owner::Gpu(0), ENERGY, yard.now).map(|it| (it.value, it.freshness))
    };
    let mut gone = agent.row(&[(energy, 0)]);
    gone.absent = Some(bits(&[energy]));
    assert_eq!(gone.send(&mut yard, agent.session), Reply::Folded);
    assert_eq!(reading(&yard), Some((0, Freshness::Missing)));
    let mut back = agent.row(&[(energy, 50)]);
    back.absent = Some(Vec::new());
    assert_eq!(back.send(&mut yard, agent.session), Reply::Folded);
    assert_eq!(reading(&yard), Some((50, Freshness::Fresh)));
    assert_eq!(yard.node("n").reading(Owner::Gpu(0), Metric::GpuXidErrorsTotal, yard.now), None);
}

#[test]
fn a_value_is_fresh_for_three_periods_of_its_group() {
    let cases = [
        (0, Freshness::Fresh, Freshness::Fresh),
        (3_000, Freshness::Fresh, Freshness::Fresh),
        (3_001, Freshness::Stale, Freshness::Fresh),
        (90_000, Freshness::Stale, Freshness::Fresh),
        (90_001, Freshness::Stale, Freshness::Stale),
    ];
    for (millis, fast, slow) in cases {
        let mut yard = Yard::new();
        yard.agent("n");
        yard.pass(millis);
        let node = yard.node("n");
        let reading = |metric| {
            node.reading(Owner::Gpu(0), metric, yard.now).map(|it| (it.age.as_millis(), it.freshness))
        };
        assert_eq!(reading(POWER), Some((u128::from(millis), fast)));
        assert_eq!(reading(ENERGY), Some((u128::from(millis), slow)));
        assert_eq!(node.freshness(Owner::Gpu(0), yard.now).1, fast, "the fast group stands for its owner");
    }
}

#[test]
fn a_row_is_as_old_as_it_says_and_reads_the_groups_of_the_row_before() {
    let mut yard = Yard::new();
    let mut agent = yard.agent("n");
    yard.pass(10_000);
    let mut row = agent.row(&[]);
    row.sampled = bits(&[0]);
    row.age = Duration::from_millis(400);
    assert_eq!(row.send(&mut yard, agent.session), Reply::Folded);
    let age = |yard: &Yard, gpu| {
        yard.node("n").reading(Owner::Gpu(gpu), POWER, yard.now).map(|it| it.age.as_millis())
    };
    assert_eq!((age(&yard, 0), age(&yard, 1)), (Some(400), Some(10_000)));
    yard.pass(1_000);
    assert_eq!(agent.send_row(&mut yard, &[]), Reply::Folded);
    assert_eq!((age(&yard, 0), age(&yard, 1)), (Some(0), Some(11_000)));
}

#[test]
fn nodes_of_one_kind_share_their_layout() {
    let mut yard = Yard::new();
    yard.agent("n1");
    yard.agent("n2");
    assert!(Arc::ptr_eq(yard.node("n1").layout(), yard.node("n2").layout()));
}

#[test]
fn a_gpu_without_a_uuid_does_not_hide_the_others() {
    let mut yard = Yard::new();
    let mut agent = yard.agent("n");
    agent.seq += 1;
    agent.gpus[1].id = GpuId::from("");
    agent.gpus[1].index = 1;
    agent.gpus[1].state = GpuState::Lost;
    assert_eq!(agent.send_snapshot(&mut yard), Reply::Folded);
    let gpu = yard.engine.fleet().gpu(&GpuId::from("n:1")).expect("it has a name");
    assert_eq!(gpu.info().state, GpuState::Lost);
}

#[test]
fn a_node_that_reports_nothing_is_still_there() {
    let mut yard = Yard::new();
    let mut agent = yard.agent("n");
    agent.layout = Arc::new(Layout::default());
    agent.gpus.clear();
    agent.engines.clear();
    agent.values.clear();
    agent.absent.clear();
    assert_eq!(agent.send_snapshot(&mut yard), Reply::Folded);
    assert_eq!(agent.send_row(&mut yard, &[]), Reply::Folded);
    assert_eq!(yard.node("n").freshness(Owner::Host, yard.now).1, Freshness::Missing);
    let unknown =
        Event::RowsDropped { session: ostler_core::id::Session { number: 99, ..agent.session }, rows: 1 };
    assert_eq!(yard.handle(unknown), Reply::Refused(Refusal::Ended));
}
