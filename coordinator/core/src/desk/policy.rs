//! What the desk goes by.

use std::time::Duration;

use super::reaction::{REACTIONS, Reaction};
use crate::action::{Class, Effect};
use crate::brake::{self, Mode, Modes, Take};

/// What the desk goes by.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Limits and modes, as an operator set them.
    pub brake: brake::Policy,
    /// What follows from what.
    pub reactions: &'static [Reaction],
    /// Who carries actions out.
    pub executor: Executor,
    /// How long an action may be begun after it was decided.
    pub valid: Duration,
    /// Endpoints of a pool in a zone that must serve in any case, where there are so many.
    pub floor: u32,
}

/// Who carries actions out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Executor {
    /// Nobody: nothing is done, whatever is switched on.
    None,
    /// Somebody, whom the shell knows.
    There,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            brake: brake::Policy::default(),
            reactions: REACTIONS,
            executor: Executor::None,
            valid: Duration::from_secs(60),
            floor: 1,
        }
    }
}

impl Policy {
    /// What the brake goes by: without an executor nothing is more than a rehearsal.
    pub(super) fn braked(&self) -> brake::Policy {
        let mut policy = self.brake.clone();
        if self.executor == Executor::None {
            policy.modes = rehearsed(policy.modes);
            policy.pools.values_mut().for_each(|modes| *modes = rehearsed(*modes));
        }
        policy
    }
}

/// What is done about such an effect: of the pools that it concerns the strictest decides.
pub(super) fn strictest(policy: &brake::Policy, effect: Effect, takes: &[Take]) -> Mode {
    let class = effect.class();
    let modes = takes.iter().map(|take| policy.mode(class, &take.pool));
    modes.min().unwrap_or(policy.modes.of(class))
}

fn rehearsed(modes: Modes) -> Modes {
    let most = |class: Class| modes.of(class).min(Mode::DryRun);
    Modes {
        traffic: most(Class::Traffic),
        additive: most(Class::Additive),
        disruptive: most(Class::Disruptive),
        irreversible: most(Class::Irreversible),
    }
}
