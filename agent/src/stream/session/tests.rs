//! What a session says, and when, by example.
#![allow(clippy::wildcard_enum_match_arm)]

use std::time::Duration;

use ostler_proto::v1::{self, agent_message::Body};

use super::{Session, Turn};
use crate::{
    buffer::{Events, Journal, Limits},
    hub::Outbox,
    table::Step,
};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn key(value: i64) -> Step {
    Step::Key(Box::new(v1::Snapshot { values: vec![value], ..v1::Snapshot::default() }))
}

fn row(change: i64) -> Step {
    Step::Row(v1::Row { changed: vec![1].into(), change: vec![change], ..v1::Row::default() })
}

/// A node read once a second from second 0: 100, 101, 102, ...
fn outbox(rows: u64) -> Outbox {
    let limits = Limits::default();
    let mut outbox = Outbox { journal: Journal::new(limits, 1), events: Events::new(limits, 1) };
    outbox.journal.push(key(100), ms(0));
    for second in 1..=rows {
        outbox.journal.push(row(1), ms(second * 1000));
    }
    outbox
}

fn event(outbox: &mut Outbox, at: Duration) {
    outbox.events.push(v1::agent_event::Kind::Xid(v1::XidEvent::default()), at);
}

/// Everything the session says from `now` on, with the time of each, as long as it says something.
fn all(session: &mut Session, outbox: &Outbox, mut now: Duration) -> Vec<(Duration, Body)> {
    let mut said = Vec::new();
    loop {
        match session.turn(outbox, now) {
            Turn::Send(message) => said.push((now, message.body.expect("messages have a body"))),
            Turn::Wait(until) => {
                assert!(until > now, "a wait ends later");
                now = until;
            }
            Turn::Idle => return said,
        }
    }
}

fn shape(said: &[(Duration, Body)]) -> Vec<String> {
    said.iter()
        .map(|(_, body)| match body {
            Body::Snapshot(snapshot) => format!("snapshot {} of {}", snapshot.seq, snapshot.values[0]),
            Body::Row(row) => format!("row {}", row.seq),
            Body::Backlog(backlog) => {
                let (first, last) = (&backlog.rows[0], &backlog.rows[backlog.rows.len() - 1]);
                format!("backlog {}-{} after {} lost", first.seq, last.seq, backlog.rows_dropped)
            }
            Body::Event(event) => format!("event {}", event.id),
            other => format!("{other:?}"),
        })
        .collect()
}

#[test]
fn a_fresh_stream_says_a_snapshot_and_then_a_row_for_each_reading() {
    let mut outbox = outbox(0);
    let mut session = Session::new(0, &outbox, ms(10));
    assert_eq!(shape(&all(&mut session, &outbox, ms(10))), ["snapshot 1 of 100"]);
    outbox.journal.push(row(1), ms(1000));
    let said = all(&mut session, &outbox, ms(1004));
    assert_eq!(shape(&said), ["row 2"]);
    assert!(matches!(&said[0].1, Body::Row(row) if row.age_ms == 4));
}

#[test]
fn nothing_is_said_before_the_first_reading() {
    let limits = Limits::default();
    let outbox = Outbox { journal: Journal::new(limits, 1), events: Events::new(limits, 1) };
    assert_eq!(Session::new(0, &outbox, ms(0)).turn(&outbox, ms(0)), Turn::Idle);
}

#[test]
fn after_a_break_the_rows_since_the_last_confirmation_are_replayed() {
    let mut outbox = outbox(3);
    let mut first = Session::new(0, &outbox, ms(3000));
    all(&mut first, &outbox, ms(3000));
    first.acknowledge(3, 0, &mut outbox);
    for second in 4..=300 {
        outbox.journal.push(row(1), ms(second * 1000));
    }
    let mut second = Session::new(0, &outbox, ms(300_500));
    let said = all(&mut second, &outbox, ms(300_500));
    assert_eq!(
        shape(&said),
        [
            "snapshot 1 of 102",
            "backlog 2-121 after 0 lost",
            "backlog 122-241 after 0 lost",
            "backlog 242-299 after 0 lost"
        ]
    );
    assert!(matches!(&said[0].1, Body::Snapshot(snapshot) if snapshot.age_ms == 298_500));
}

#[test]
fn what_the_buffer_dropped_is_counted_in_the_first_backlog() {
    let mut outbox = outbox(3);
    let mut first = Session::new(0, &outbox, ms(3000));
    all(&mut first, &outbox, ms(3000));
    first.acknowledge(4, 0, &mut outbox);
    for second in 4..=1000 {
        outbox.journal.push(row(1), ms(second * 1000));
    }
    let mut second = Session::new(0, &outbox, ms(1_000_000));
    let said = shape(&all(&mut second, &outbox, ms(1_000_000)));
    // Kept are seconds 400-1000, and the state of second 399; seconds 4-398 are lost.
    assert_eq!(said[..2], ["snapshot 1 of 499", "backlog 2-121 after 395 lost"]);
    assert_eq!(second.take_sent().rows_dropped, 395);
}

#[test]
fn a_slow_other_side_gets_the_rows_it_missed_in_one_message() {
    let mut outbox = outbox(0);
    let mut session = Session::new(0, &outbox, ms(0));
    all(&mut session, &outbox, ms(0));
    for second in 1..=5 {
        outbox.journal.push(row(1), ms(second * 1000));
    }
    assert_eq!(shape(&all(&mut session, &outbox, ms(5000))), ["backlog 2-6 after 0 lost"]);
}

#[test]
fn a_change_of_inventory_is_said_in_its_place() {
    let mut outbox = outbox(2);
    outbox.journal.push(key(7), ms(3000));
    outbox.journal.push(row(1), ms(4000));
    let mut session = Session::new(0, &outbox, ms(4000));
    assert_eq!(
        shape(&all(&mut session, &outbox, ms(4000))),
        ["snapshot 1 of 100", "backlog 2-3 after 0 lost", "snapshot 4 of 7", "row 5"]
    );
    session.acknowledge(5, 0, &mut outbox);
    assert_eq!(outbox.journal.confirmed(0), 5);
}

#[test]
fn acknowledgements_are_counted_across_snapshots() {
    let mut outbox = outbox(2);
    let mut session = Session::new(0, &outbox, ms(2000));
    all(&mut session, &outbox, ms(2000));
    session.resync();
    outbox.journal.push(row(1), ms(4000));
    assert_eq!(shape(&all(&mut session, &outbox, ms(4000))), ["snapshot 4 of 102", "row 5"]);
    session.acknowledge(3, 0, &mut outbox);
    assert_eq!(outbox.journal.confirmed(0), 3);
    session.acknowledge(4, 0, &mut outbox);
    assert_eq!(outbox.journal.confirmed(0), 3, "the snapshot was of the same reading");
    session.acknowledge(u64::MAX, u64::MAX, &mut outbox);
    assert_eq!(outbox.journal.confirmed(0), 4, "no more than was sent");
}

#[test]
fn a_coordinator_that_asks_without_end_gets_one_snapshot_a_second() {
    let outbox = outbox(0);
    let mut session = Session::new(0, &outbox, ms(0));
    let mut now = ms(0);
    let mut snapshots = 0;
    while now < ms(10_000) {
        match session.turn(&outbox, now) {
            Turn::Send(_) => {
                snapshots += 1;
                session.resync();
            }
            Turn::Wait(until) => now = until,
            Turn::Idle => panic!("a snapshot is due"),
        }
    }
    assert_eq!(snapshots, 10);
}

#[test]
fn events_go_between_rows_and_are_repeated_until_confirmed() {
    let mut outbox = outbox(0);
    for _ in 0..3 {
        event(&mut outbox, ms(500));
    }
    outbox.journal.push(row(1), ms(1000));
    let mut session = Session::new(0, &outbox, ms(1000));
    let said = shape(&all(&mut session, &outbox, ms(1000)));
    assert_eq!(said, ["snapshot 1 of 100", "event 1", "row 2", "event 2", "event 3"]);
    session.acknowledge(2, 1, &mut outbox);
    let mut again = Session::new(0, &outbox, ms(2000));
    assert_eq!(shape(&all(&mut again, &outbox, ms(2000))), ["snapshot 1 of 101", "event 2", "event 3"]);
}

#[test]
fn no_second_has_more_messages_than_the_wire_allows() {
    let mut outbox = outbox(600);
    for _ in 0..200 {
        event(&mut outbox, ms(0));
    }
    let mut session = Session::new(0, &outbox, ms(600_000));
    let said = all(&mut session, &outbox, ms(600_000));
    // Hello went out at the beginning.
    let times: Vec<Duration> = [ms(600_000)].into_iter().chain(said.iter().map(|(at, _)| *at)).collect();
    for (at, time) in times.iter().enumerate() {
        let within = times[at..].iter().filter(|other| **other < *time + ms(1000)).count();
        assert!(within < 20, "{within} messages in the second from {time:?}");
    }
}

#[test]
fn replies_come_first_and_are_bounded() {
    let outbox = outbox(0);
    let mut session = Session::new(0, &outbox, ms(0));
    let reply = || Body::CommandResult(v1::CommandResult::default());
    assert!((0..32).all(|_| session.reply(reply())));
    assert!(!session.reply(reply()));
    assert!(matches!(all(&mut session, &outbox, ms(0))[0].1, Body::CommandResult(_)));
}
