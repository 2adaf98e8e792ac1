//! The brake: each rule, what it remembers, and what no sequence of asks may do.

mod holds;
mod latch;
mod properties;
mod rules;

use super::{Ask, Brake, Memory, Mode, Modes, Permit, Policy, PoolLevel, Scene, Take, Veto, ZoneLevel};
use crate::action::Class;
use crate::id::{NodeId, PoolId, ZoneId};
use crate::time::Time;

/// A moment, in seconds.
fn at(seconds: u64) -> Time {
    Time::from_millis(seconds * 1_000)
}

fn zone(name: &str) -> ZoneId {
    ZoneId::from(name)
}

/// A brake that acts.
fn brake() -> Brake {
    Brake::new(Policy { modes: Modes::all(Mode::Act), ..Policy::default() }, Memory::default())
}

/// Zones "a" and "b" of 100 nodes, and pool "p" with 20 replicas in each, of which 10 must serve and 12 are needed.
fn scene(seconds: u64) -> Scene {
    let level = PoolLevel { endpoints: 20, removed: 0, ready: 20, floor: 10, needed: 12 };
    let zone_level = ZoneLevel { nodes: 100, ..ZoneLevel::default() };
    Scene {
        at: at(seconds),
        freeze: None,
        zones: ["a", "b"].map(|name| (zone(name), zone_level)).into(),
        pools: ["a", "b"].map(|name| ((PoolId::from("p"), zone(name)), level)).into(),
    }
}

/// The same scene with another level of zone "a".
fn zone_a(mut scene: Scene, change: fn(&mut ZoneLevel)) -> Scene {
    change(scene.zones.get_mut(&zone("a")).expect("zone a"));
    scene
}

/// The same scene with another level of pool "p" in zone "a".
fn pool_a(mut scene: Scene, change: fn(&mut PoolLevel)) -> Scene {
    change(scene.pools.get_mut(&(PoolId::from("p"), zone("a"))).expect("pool p in zone a"));
    scene
}

/// Takes these many serving replicas of "p" in zone "a" away; decided now, ended in an hour at the latest.
fn ask(class: Class, replicas: u32, now: Time) -> Ask {
    Ask {
        class,
        zone: zone("a"),
        node: Some(NodeId::from("n")),
        takes: vec![Take { pool: PoolId::from("p"), endpoints: replicas, ready: replicas }],
        planned: now,
        until: now + std::time::Duration::from_secs(3_600),
        witnesses: 2,
    }
}

/// Takes a permit for a disruptive action on one replica, with a fresh look at a healthy fleet.
fn disrupt(brake: &mut Brake, seconds: u64) -> Result<Permit, Veto> {
    brake.take(ask(Class::Disruptive, 1, at(seconds)), &scene(seconds), at(seconds))
}

fn name(veto: Option<&Veto>) -> &'static str {
    veto.map_or("permitted", Veto::name)
}
