//! Orders of operators: to hold still, and to release what is held or latched.

use std::fmt;
use std::time::Duration;

use super::exchange::Key;
use super::{DecisionId, Desk};
use crate::action::audit::{Deed, Verb};
use crate::brake::{HOLDS_MAX, HoldId, HoldRefusal, NewHold, Scope};
use crate::time::Time;

/// Orders that are remembered, so that one that is repeated is not carried out twice. They are stored as one value.
pub const ORDERS_KEPT: usize = 128;

/// Longest reason, in bytes.
const REASON_MAX: usize = 256;

/// Longest caller's name for an order.
const REQUEST_MAX: usize = 128;

/// Longest name of a person.
const NAME_MAX: usize = 64;

/// Longest name of a zone, a pool or a node, which is that of a DNS name.
const PLACE_MAX: usize = 253;

/// Decisions that one order ends.
const GONE_MAX: usize = 8;

/// Largest hold as it is stored: each byte may be escaped by another one, and field names and numbers take 160.
const HOLD_BYTES_MAX: usize = 2 * (REASON_MAX + NAME_MAX + PLACE_MAX) + 160;

/// Largest order as it is stored: its name, what was ordered and what was answered, each of which tells the place.
const GIVEN_BYTES_MAX: usize = 2 * (REQUEST_MAX + 2 * (PLACE_MAX + 80)) + 80;

// Holds and zones are one value of the store, which takes 1 MiB, and a transaction of both that and the orders takes 1.4 MB,
// of which 300 kB are left for everything else.
const _: () = assert!(HOLDS_MAX * HOLD_BYTES_MAX < 700_000);
const _: () = assert!(HOLDS_MAX * HOLD_BYTES_MAX + ORDERS_KEPT * GIVEN_BYTES_MAX < 1_100_000);

/// What an operator says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Chosen by the caller; the same one has no second effect.
    pub request_id: Box<str>,
    /// Who says so.
    pub by: Box<str>,
    /// Why.
    pub reason: Box<str>,
    /// What.
    pub wanted: Wanted,
}

/// What is ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// That nothing is done in a scope.
    Hold {
        /// Where.
        scope: Scope,
        /// For how long; none until it is released.
        lasts: Option<Duration>,
    },
    /// That holds of exactly this scope end, that latches of a zone, or of the fleet, close, and that nobody waits any more
    /// for a node that is gone.
    Release(Scope),
}

/// An order that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The caller's name for it.
    pub request_id: Box<str>,
    /// When.
    pub at: Time,
    /// What was ordered, in words.
    pub what: Box<str>,
    /// What was answered.
    pub message: Box<str>,
}

/// An order that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// What to answer.
    pub message: Box<str>,
    /// The write that stores it, and that must be carried out before it is answered; none when the store has it.
    pub write: Option<u64>,
}

/// Why an order is not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderRefusal {
    /// The desk does not know yet what was ordered before.
    #[error("the leader is still reading what earlier leaders left; try again in a second")]
    NotReady,
    /// More orders wait to be stored than one write takes.
    #[error("too many orders were given at once; try again in a second")]
    Busy,
    /// A part is missing or too long.
    #[error("{field}: {problem}")]
    Wrong {
        /// Which.
        field: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
    /// The caller's name for it was given to another order.
    #[error("request_id: was given to another order ({what}); choose another one")]
    Reused {
        /// The other one.
        what: Box<str>,
    },
    /// The hold cannot be placed.
    #[error(transparent)]
    Hold(#[from] HoldRefusal),
}

impl Desk {
    /// Carries an order out. It counts only once the write that is named holds.
    pub fn order(&mut self, order: &Order, now: Time) -> Result<Taken, OrderRefusal> {
        let what = order.what();
        if let Some(taken) = self.known(order, &what)? {
            return Ok(taken);
        }
        if !self.store.has_room_for_order() {
            return Err(OrderRefusal::Busy);
        }
        let message: Box<str> = match &order.wanted {
            Wanted::Hold { scope, lasts } => self.hold(order, scope, *lasts, now)?,
            Wanted::Release(scope) => self.release(order, scope, now),
        };
        if self.given.len() == ORDERS_KEPT {
            self.given.pop_front();
        }
        let given = Given {
            request_id: order.request_id.clone(),
            at: now,
            what: what.into(),
            message: message.clone(),
        };
        self.given.push_back(given);
        self.store.mark(Key::Orders);
        let write = self.store.next();
        self.unstored.insert(order.request_id.clone(), write);
        Ok(Taken { message, write: Some(write) })
    }

    /// What an order would do, without doing it.
    pub fn rehearse(&self, order: &Order) -> Result<Box<str>, OrderRefusal> {
        let what = order.what();
        if let Some(taken) = self.known(order, &what)? {
            return Ok(taken.message);
        }
        Ok(match &order.wanted {
            Wanted::Hold { .. } => format!("it would {what}").into(),
            Wanted::Release(scope) => {
                let found = self.found(scope);
                format!("it would {what}: {found}").into()
            }
        })
    }

    /// The answer to an order that was carried out before.
    fn known(&self, order: &Order, what: &str) -> Result<Option<Taken>, OrderRefusal> {
        if !self.is_loaded() {
            return Err(OrderRefusal::NotReady);
        }
        order.check()?;
        match self.given.iter().find(|given| given.request_id == order.request_id) {
            None => Ok(None),
            Some(given) if *given.what == *what => {
                let write = self.unstored.get(&given.request_id).copied();
                Ok(Some(Taken { message: given.message.clone(), write }))
            }
            Some(given) => Err(OrderRefusal::Reused { what: given.what.clone() }),
        }
    }

    fn hold(
        &mut self,
        order: &Order,
        scope: &Scope,
        lasts: Option<Duration>,
        now: Time,
    ) -> Result<Box<str>, OrderRefusal> {
        let (scope, until) = (scope.clone(), lasts.map(|lasts| now + lasts));
        let (by, reason) = (order.by.clone(), order.reason.clone());
        let subject = scope.to_string();
        let HoldId(id) = self.brake.hold(NewHold { scope, until, by, reason }, now)?;
        self.tell_order(Verb::HoldPlaced, order, &subject, now);
        Ok(format!("hold {id} on {subject}{}", for_time(lasts)).into())
    }

    fn release(&mut self, order: &Order, scope: &Scope, now: Time) -> Box<str> {
        let found = self.found(scope);
        for id in &found.holds {
            self.brake.release(*id);
        }
        for id in &found.gone {
            self.close(*id, now);
            self.tell_order(Verb::OrderGiven, order, &id.to_string(), now);
        }
        match scope {
            Scope::Fleet => self.brake.release_fleet(now),
            Scope::Zone(zone) => self.brake.release_zone(zone, now),
            Scope::Pool(_) | Scope::Node(_) => {}
        }
        self.note_latches();
        let subject = scope.to_string();
        if !found.holds.is_empty() {
            self.tell_order(Verb::HoldReleased, order, &subject, now);
        }
        if found.latches > 0 {
            self.tell_order(Verb::LatchReleased, order, &subject, now);
        }
        if found.holds.is_empty() && found.latches == 0 && found.gone.is_empty() {
            return format!("nothing is held or latched on {subject}").into();
        }
        format!("released {subject}: {found}").into()
    }

    /// What a release of a scope would end.
    fn found(&self, scope: &Scope) -> Found {
        let memory = self.brake.memory();
        let holds = memory.holds.iter().filter(|(_, hold)| hold.what.scope == *scope);
        let latched = |zone: &crate::brake::ZoneMemory| usize::from(zone.latch.is_some());
        let latches = match scope {
            Scope::Fleet => {
                let zones: usize = memory.zones.values().map(latched).sum();
                zones + usize::from(memory.irreversible_latched.is_some())
            }
            Scope::Zone(zone) => memory.zones.get(zone).map_or(0, latched),
            Scope::Pool(_) | Scope::Node(_) => 0,
        };
        let of_node = |id: &DecisionId| {
            let decision = self.decisions.get(id).filter(|it| it.is_gone());
            matches!((decision.and_then(|it| it.node()), scope), (Some(of), Scope::Node(node)) if of == node)
        };
        let gone = self.about.values().copied().filter(of_node).take(GONE_MAX).collect();
        Found { holds: holds.map(|(id, _)| *id).collect(), latches, gone }
    }

    fn tell_order(&mut self, verb: Verb, order: &Order, subject: &str, now: Time) {
        let deed = Deed { verb, actor: &order.by, subject, detail: &order.reason };
        self.store.audit(deed, self.term, now);
    }
}

/// What a scope has that can be released.
struct Found {
    holds: Vec<HoldId>,
    latches: usize,
    /// Decisions that wait for what is gone, at most [`GONE_MAX`].
    gone: Vec<DecisionId>,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} holds, {} latches", self.holds.len(), self.latches)?;
        match self.gone.len() {
            0 => Ok(()),
            gone => write!(f, ", {gone} decisions about what is gone"),
        }
    }
}

impl Order {
    /// For example "hold zone a for 3600 s".
    fn what(&self) -> String {
        match &self.wanted {
            Wanted::Hold { scope, lasts } => format!("hold {scope}{}", for_time(*lasts)),
            Wanted::Release(scope) => format!("release {scope}"),
        }
    }

    fn check(&self) -> Result<(), OrderRefusal> {
        let place = match &self.wanted {
            Wanted::Hold { scope, .. } | Wanted::Release(scope) => match scope {
                Scope::Fleet => "fleet",
                Scope::Zone(zone) => zone.as_str(),
                Scope::Pool(pool) => pool.as_str(),
                Scope::Node(node) => node.as_str(),
            },
        };
        let texts = [
            ("request_id", &*self.request_id, REQUEST_MAX, "is longer than 128 bytes"),
            ("operator", &*self.by, NAME_MAX, "is longer than 64 bytes"),
            ("reason", &*self.reason, REASON_MAX, "is longer than 256 bytes"),
            ("scope", place, PLACE_MAX, "is longer than 253 bytes"),
        ];
        let wrong = |field, problem| Err(OrderRefusal::Wrong { field, problem });
        for (field, text, bytes_max, too_long) in texts {
            if text.trim().is_empty() {
                return wrong(field, "is empty, and must be given");
            }
            if text.len() > bytes_max {
                return wrong(field, too_long);
            }
            // A line break would forge a line where it is shown.
            if text.chars().any(char::is_control) {
                return wrong(field, "has a line break or another control character");
            }
        }
        Ok(())
    }
}

fn for_time(lasts: Option<Duration>) -> String {
    lasts.map_or_else(String::new, |lasts| format!(", for {} s", lasts.as_secs()))
}
