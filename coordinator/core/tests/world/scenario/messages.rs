//! Streams that say nothing, too much, or something twice.

use ostler_core::detect::Verdict;
use ostler_core::event::Event;

use crate::agent::{self, Health, Piece};
use crate::dice::Dice;
use crate::script::quiet;
use crate::world::{Happens, Letter, World};

/// Hands a piece to a replica that the network kept, made up or had handed over before.
fn hand(world: &mut World, replica: usize, stream: u64, agent: usize, piece: Piece) {
    let life = world.replicas[replica].life;
    world.happen(Happens::Comes { replica, life, letter: Letter::Piece { stream, agent, piece } });
}

/// The stream of a node to a replica: its number and that of its newest piece.
fn stream(world: &World, agent: usize, replica: usize) -> (u64, u64) {
    let stream = &world.agents[agent].streams[&replica];
    (stream.number, stream.seq)
}

#[test]
fn f5_a_stream_on_which_nothing_comes_any_more_is_broken_within_four_seconds_and_its_node_is_well() {
    let mut world = quiet(12);
    let (from_ms, until_ms) = (world.now_ms, world.now_ms + 20_000);
    for stream in world.agents[5].streams.values_mut() {
        stream.arrives_ms = until_ms;
    }
    world.run(4_000);
    assert!((0..3).all(|replica| world.verdict(replica, 5) == Verdict::StreamBroken));
    world.run(40_000);
    assert_eq!((world.accusations(from_ms), world.record.permits), (0, 0));
    assert!((0..3).all(|replica| world.healthy_nodes(replica) == 12), "all that was held up came at once");
}

#[test]
fn f5_a_machine_that_starts_again_within_a_second_leaves_half_a_stream_behind_and_is_not_accused() {
    let mut world = quiet(12);
    let from_ms = world.now_ms;
    let old = stream(&world, 5, 0);
    world.set_health(5, Health::Off);
    world.run(800);
    world.set_health(5, Health::Well);
    world.run(5_000);
    hand(&mut world, 0, old.0, 5, Piece::Closed);
    world.run(5_000);
    assert_eq!((world.accusations(from_ms), world.record.permits), (0, 0));
    assert!(
        (0..3).all(|replica| world.healthy_nodes(replica) == 12),
        "the end of the old stream ends nothing"
    );
}

#[test]
fn f32_rows_twice_late_and_missing_are_asked_for_anew_and_nobody_is_accused() {
    let mut world = quiet(12);
    let (from_ms, mut dice) = (world.now_ms, Dice(32));
    let before: Vec<u64> = world.replicas.iter().map(|it| it.engine.report().replies.resync).collect();
    for _ in 0..120 {
        world.run(500);
        let (replica, agent) = (dice.index(3), dice.index(12));
        let (number, seq) = stream(&world, agent, replica);
        let at_ms = world.now_ms;
        match dice.below(3) {
            0 => hand(&mut world, replica, number, agent, Piece::Row { seq, at_ms }),
            1 => hand(&mut world, replica, number, agent, Piece::Row { seq: seq - 3, at_ms: at_ms - 3_000 }),
            _ => world.agents[agent].streams.get_mut(&replica).expect("it is connected").seq += 5,
        }
    }
    world.run(10_000);
    assert_eq!((world.accusations(from_ms), world.record.permits), (0, 0));
    for (replica, before) in before.into_iter().enumerate() {
        assert_eq!(world.healthy_nodes(replica), 12);
        assert!(world.replicas[replica].engine.report().replies.resync > before, "snapshots were asked for");
        let rows = |at| world.replicas[replica].engine.fleet().node(&agent::name(at)).map(|it| it.heard());
        let oldest = (0..12).filter_map(rows).min().expect("there are nodes");
        let now = world.replicas[replica].time(world.now_ms);
        assert!(now.since(oldest).as_millis() < 2_000, "all are followed again");
    }
}

#[test]
fn f32_what_an_ended_stream_said_is_no_sign_of_life_when_it_comes_again() {
    let mut world = quiet(12);
    world.crash_agent(5);
    let old = stream(&world, 4, 0);
    world.set_health(4, Health::Off);
    world.run(800);
    world.set_health(4, Health::Well);
    world.run(20_000);
    let from_ms = world.now_ms;
    world.set_health(4, Health::Off);
    for _ in 0..10 {
        world.run(500);
        let (at_ms, gpu) = (world.now_ms, world.agents[4].gpu);
        hand(&mut world, 0, old.0, 4, Piece::Row { seq: old.1 + 1, at_ms });
        hand(&mut world, 0, old.0, 4, Piece::Snapshot { seq: 1, at_ms, gpu });
    }
    assert!(world.found_after(0, 4, from_ms).is_some_and(|ms| ms <= 4_000), "{:?}", world.verdict(0, 4));
}

#[test]
fn f32_an_older_start_of_an_agent_does_not_take_its_place_back() {
    let mut world = quiet(12);
    world.set_health(5, Health::Crashed);
    world.run(1_000);
    world.set_health(5, Health::Well);
    world.run(10_000);
    let from_ms = world.now_ms;
    let now = world.replicas[0].time(world.now_ms);
    let zone = world.agents[5].zone;
    let replayed = Event::Joined(agent::hello(5, zone, 1, 1));
    let reply = world.replicas[0].engine.handle(replayed, now);
    assert!(matches!(reply, ostler_core::event::Reply::Refused(_)), "{reply:?}");
    world.run(10_000);
    assert_eq!((world.healthy_nodes(0), world.accusations(from_ms)), (12, 0));
}
