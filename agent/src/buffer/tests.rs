//! The journal and the event queue by example, with time passed in.

use std::time::Duration;

use ostler_proto::v1;

use super::{BACKLOG_ROWS_MAX, Events, Journal, Limits, Next};
use crate::table::Step;

const LIMITS: Limits = Limits { age_max: Duration::from_secs(600), bytes_max: 4 << 20, events_max: 3 };

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn key(value: i64) -> Step {
    Step::Key(Box::new(v1::Snapshot { values: vec![value], ..v1::Snapshot::default() }))
}

fn row(change: i64) -> Step {
    Step::Row(v1::Row { changed: vec![1].into(), change: vec![change], ..v1::Row::default() })
}

/// A journal whose value starts at 100 and grows by one a second.
fn journal(limits: Limits, streams: usize, rows: u64) -> Journal {
    let mut journal = Journal::new(limits, streams);
    journal.push(key(100), at(0));
    for second in 1..=rows {
        journal.push(row(1), at(second));
    }
    journal
}

fn value(journal: &Journal, number: u64) -> (u64, i64) {
    let state = journal.state_at(number).expect("something was read");
    (state.number, state.snapshot.values[0])
}

#[test]
fn the_state_at_any_kept_step_is_the_one_that_was_read() {
    let journal = journal(LIMITS, 1, 10);
    assert_eq!(journal.head(), 11);
    for number in 1..=11 {
        assert_eq!(value(&journal, number), (number, 99 + number as i64));
    }
}

#[test]
fn a_new_stream_starts_at_the_oldest_state() {
    assert_eq!(value(&journal(LIMITS, 1, 10), 0), (1, 100));
}

#[test]
fn nothing_was_read_yet_so_there_is_no_state() {
    let journal = Journal::new(LIMITS, 1);
    assert_eq!((journal.state_at(0), journal.after(0), journal.head()), (None, Next::Nothing, 0));
}

#[test]
fn steps_older_than_the_limit_are_dropped_and_the_position_is_lost() {
    let journal = journal(LIMITS, 1, 700);
    let (oldest, value) = value(&journal, 0);
    assert_eq!(
        (oldest, value),
        (100, 199),
        "the state of second 99, before the 601 steps of seconds 100-700"
    );
    assert_eq!(journal.after(50), Next::Lost);
    assert!(matches!(journal.after(oldest), Next::Rows(_)));
}

#[test]
fn steps_beyond_the_size_are_dropped_but_the_present_stays() {
    let journal = journal(Limits { bytes_max: 1, ..LIMITS }, 1, 10);
    assert_eq!(value(&journal, u64::MAX - 1), (11, 110));
    assert_eq!(value(&journal, 0), (10, 109));
}

#[test]
fn what_every_stream_has_confirmed_is_let_go() {
    let mut journal = journal(LIMITS, 2, 100);
    let before = journal.bytes_used();
    journal.confirm(0, 90);
    assert_eq!(journal.bytes_used(), before, "the other stream still wants them");
    journal.confirm(1, 80);
    assert!(journal.bytes_used() < before / 4);
    assert_eq!(value(&journal, 80), (80, 179));
    assert_eq!(journal.after(79), Next::Lost);
}

#[test]
fn a_confirmation_of_what_was_never_sent_is_bounded_by_the_newest() {
    let mut journal = journal(LIMITS, 1, 3);
    journal.confirm(0, u64::MAX);
    assert_eq!((journal.confirmed(0), journal.head()), (4, 4));
    journal.confirm(0, 1);
    assert_eq!(journal.confirmed(0), 4, "and never goes back");
}

#[test]
fn a_batch_has_at_most_the_rows_of_a_backlog_and_ends_before_a_change_of_inventory() {
    let mut journal = journal(LIMITS, 1, 130);
    journal.push(key(7), at(131));
    journal.push(row(1), at(132));
    let Next::Rows(rows) = journal.after(1) else { panic!("rows follow the first snapshot") };
    assert_eq!(rows.len(), BACKLOG_ROWS_MAX);
    let Next::Rows(rows) = journal.after(121) else { panic!("more rows follow") };
    assert_eq!((rows.len(), rows[0].0), (10, at(121)));
    assert!(matches!(journal.after(131), Next::Key(taken, _) if taken == at(131)));
    assert_eq!(value(&journal, 133), (133, 8));
}

#[test]
fn a_batch_of_large_rows_stays_below_the_size_of_a_message() {
    let mut journal = Journal::new(LIMITS, 1);
    journal.push(key(0), at(0));
    for second in 1..=50 {
        let large =
            v1::Row { changed: vec![255; 1_000].into(), change: vec![1; 8_000], ..v1::Row::default() };
        journal.push(Step::Row(large), at(second));
    }
    let Next::Rows(rows) = journal.after(1) else { panic!("rows follow the first snapshot") };
    assert!((1..=2).contains(&rows.len()), "{} rows of 80 KB", rows.len());
}

fn event(message: &str) -> v1::agent_event::Kind {
    v1::agent_event::Kind::Xid(v1::XidEvent { message: message.into(), ..v1::XidEvent::default() })
}

#[test]
fn events_have_rising_ids_and_go_once_every_stream_has_confirmed_them() {
    let mut events = Events::new(LIMITS, 2);
    events.push(event("a"), at(1));
    events.push(event("b"), at(2));
    assert_eq!(events.after(0).map(|(noticed, event)| (*noticed, event.id)), Some((at(1), 1)));
    assert_eq!(events.after(1).map(|(_, event)| event.id), Some(2));
    assert_eq!(events.after(2), None);
    events.confirm(0, 2);
    assert_eq!(events.len(), 2);
    events.confirm(1, 1);
    assert_eq!((events.len(), events.after(0).map(|(_, event)| event.id)), (1, Some(2)));
    events.confirm(1, 9);
    assert!(events.is_empty());
    assert_eq!(events.confirmed(1), 2);
}

#[test]
fn the_oldest_event_is_dropped_and_counted_when_the_queue_is_full() {
    let mut events = Events::new(LIMITS, 1);
    for at in 0..5 {
        events.push(event("x"), Duration::from_secs(at));
    }
    assert_eq!((events.len(), events.dropped()), (3, 2));
    assert_eq!(events.after(0).map(|(_, event)| event.id), Some(3));
}
