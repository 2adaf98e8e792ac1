//! A replica: the engine, the election and a leader's desk in one process, on a machine with clocks.

use std::collections::BTreeMap;
use std::time::Duration;

use ostler_core::detect::ZoneReach;
use ostler_core::engine::{Engine, Policy};
use ostler_core::id::{Session, Term, ZoneId};
use ostler_core::lead::{Boot, Config, Election, LeaderToken, WatchId};
use ostler_core::time::Time;

use crate::desk::Seat;
use crate::net::{Side, Spot};
use crate::world::Happens;

/// Length of a lease.
pub(crate) const TTL: Duration = Duration::from_secs(5);

/// What is watched: since which revision.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    pub(crate) watch: WatchId,
    pub(crate) keys: Vec<Box<str>>,
    pub(crate) after_revision: u64,
}

/// A process and its machine.
pub(crate) struct Replica {
    pub(crate) at: usize,
    pub(crate) zone: usize,
    /// Counts its processes.
    pub(crate) life: u64,
    pub(crate) engine: Engine,
    pub(crate) election: Election,
    pub(crate) token: Option<LeaderToken>,
    /// When the token is given back, once it must be.
    pub(crate) returns_ms: Option<u64>,
    pub(crate) watch: Option<Watched>,
    pub(crate) watch_stalled_until_ms: u64,
    /// The last term under which it led.
    pub(crate) last_term: Term,
    /// When it last heard from etcd who leads.
    pub(crate) standing_ms: u64,
    pub(crate) seat: Option<Seat>,
    /// Streams by number.
    pub(crate) seats: BTreeMap<u64, Session>,
    /// What each other replica reaches, and when it said so.
    pub(crate) others: BTreeMap<usize, (u64, Vec<(ZoneId, ZoneReach)>)>,
    /// Times at which a verdict moved, with the zone's number.
    pub(crate) changes: Vec<(u64, usize)>,
    /// When the next step is due, and when the last was.
    pub(crate) step_ms: u64,
    pub(crate) stepped_ms: u64,
    /// When the election wants to be looked at.
    pub(crate) elect_ms: u64,
    /// Not running until then.
    pub(crate) down_until_ms: u64,
    /// Standing still until then.
    pub(crate) paused_until_ms: u64,
    /// What comes meanwhile, in order.
    pub(crate) held: Vec<Happens>,
    /// What its boot clock showed at the beginning, and how far it goes in a million milliseconds.
    clock_base_ms: u64,
    clock_rate: u64,
    /// What its machine's wall clock is off by.
    pub(crate) skew_ms: i64,
    /// The same when the process started: a process does not follow steps of the wall clock.
    started_skew_ms: i64,
}

/// True time at the start of a world, on the wall clock.
pub(crate) const WALL_MS: u64 = 1_800_000_000_000;

impl Replica {
    pub(crate) fn new(at: usize, zone: usize, clock_base_ms: u64, clock_rate: u64) -> Replica {
        Replica {
            at,
            zone,
            life: 0,
            engine: Engine::new(Policy::default(), &name(at)),
            election: Election::new(config(at), Boot::from_millis(clock_base_ms)),
            token: None,
            returns_ms: None,
            watch: None,
            watch_stalled_until_ms: 0,
            last_term: Term(0),
            standing_ms: 0,
            seat: None,
            seats: BTreeMap::new(),
            others: BTreeMap::new(),
            changes: Vec::new(),
            step_ms: 0,
            stepped_ms: 0,
            elect_ms: 0,
            down_until_ms: 0,
            paused_until_ms: 0,
            held: Vec::new(),
            clock_base_ms,
            clock_rate,
            skew_ms: 0,
            started_skew_ms: 0,
        }
    }

    /// Another process on the same machine.
    pub(crate) fn restart(&mut self, now_ms: u64) {
        let old =
            std::mem::replace(self, Replica::new(self.at, self.zone, self.clock_base_ms, self.clock_rate));
        self.life = old.life + 1;
        self.election = Election::new(config(self.at), old.boot(now_ms));
        (self.skew_ms, self.started_skew_ms) = (old.skew_ms, old.skew_ms);
        self.down_until_ms = old.down_until_ms;
    }

    pub(crate) fn spot(&self) -> Spot {
        Spot { side: Side::Replica(self.at), zone: Some(self.zone) }
    }

    /// The clock of the election.
    pub(crate) fn boot(&self, true_ms: u64) -> Boot {
        Boot::from_millis(self.clock_base_ms + true_ms * self.clock_rate / 1_000_000)
    }

    /// The first true moment at which the clock of the election shows this.
    pub(crate) fn true_ms(&self, boot: Boot) -> u64 {
        boot.as_millis()
            .saturating_sub(self.clock_base_ms)
            .saturating_mul(1_000_000)
            .div_ceil(self.clock_rate)
    }

    /// The clock of the engine: the wall clock at the start of the process, carried on.
    pub(crate) fn time(&self, true_ms: u64) -> Time {
        Time::from_millis((WALL_MS + true_ms).saturating_add_signed(self.started_skew_ms))
    }

    pub(crate) fn is_down(&self, now_ms: u64) -> bool {
        self.down_until_ms > now_ms
    }

    pub(crate) fn runs(&self, now_ms: u64) -> bool {
        !self.is_down(now_ms) && self.paused_until_ms <= now_ms
    }

    /// Whether it may act at this moment.
    pub(crate) fn is_live(&self, now_ms: u64) -> bool {
        self.token.as_ref().is_some_and(|token| token.is_live(self.boot(now_ms)))
    }

    pub(crate) fn term(&self) -> Term {
        self.token.as_ref().map_or(Term(0), LeaderToken::term)
    }
}

pub(crate) fn config(at: usize) -> Config {
    Config::try_new(&name(at), "lead/", TTL).expect("a valid election")
}

pub(crate) fn name(at: usize) -> String {
    format!("replica-{at}")
}
