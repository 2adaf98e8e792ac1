//! What a wish asks of the brake: whether it is wanted still, what it takes, and what stands in its way.

use super::decision::{Decision, Phase, Wish};
use super::look::{Case, Look, Standing};
use super::policy::{Executor, strictest};
use super::reaction::reverse;
use super::{Desk, node_of};
use crate::action::Class;
use crate::brake::{Ask, Mode, Take, Veto};
use crate::detect::Allowed;
use crate::time::Time;

/// Replicas that saw it, when nobody else is known to have.
const WITNESSES_ALONE: u32 = 1;

/// Replicas that saw it, when a verdict allows what only the agreement of another one makes it allow.
const WITNESSES_AGREED: u32 = 2;

/// That a wish is wanted now, as far as one can see.
pub(super) struct Due {
    pub(super) takes: Vec<Take>,
    pub(super) allowed: Allowed,
}

/// What stands in a wish's way.
pub(super) struct Way {
    pub(super) name: &'static str,
    pub(super) text: String,
}

impl Due {
    /// Whether what a wish goes by is still so; none when it is not, or when nobody knows.
    pub(super) fn of(decision: &Decision, wish: &Wish, case: Option<&Case>, look: &Look) -> Option<Due> {
        let undoes = decision.wishes.iter().any(|it| reverse(it.effect) == Some(wish.effect));
        match (decision.phase, case) {
            (Phase::Open, Some(case)) if !undoes => {
                let same = |want: &&super::Want| want.effect == wish.effect && want.target == wish.target;
                let want = case.wants.iter().find(same)?;
                Some(Due { takes: want.takes.clone(), allowed: case.allowed })
            }
            (Phase::Ending, None) if undoes => {
                let well = matches!(look.others.get(&decision.id), Some(Standing::Well(_)));
                well.then(|| Due { takes: Vec::new(), allowed: look.ceiling })
            }
            (Phase::Open | Phase::Ending | Phase::Ended, _) => None,
        }
    }
}

impl Desk {
    /// What is asked of the brake for a wish.
    pub(super) fn ask(&self, decision: &Decision, wish: &Wish, due: &Due, planned: Time) -> Ask {
        let agreed = due.allowed.allows(Class::Irreversible);
        Ask {
            class: wish.effect.class(),
            zone: decision.zone.clone(),
            node: node_of(&wish.target).cloned(),
            takes: due.takes.clone(),
            planned,
            until: planned + self.policy.valid.saturating_mul(2),
            witnesses: if agreed { WITNESSES_AGREED } else { WITNESSES_ALONE },
        }
    }

    /// What stands in the way of a wish now, if anything.
    pub(super) fn obstacle(
        &self,
        decision: &Decision,
        wish: &Wish,
        due: &Due,
        look: &Look,
        now: Time,
    ) -> Option<Way> {
        let class = wish.effect.class();
        if !due.allowed.allows(class) {
            let text = format!("{} allows {} now, and this is {class}", decision.verdict(), due.allowed);
            return Some(Way { name: "verdict", text });
        }
        let veto = self.brake.check(&self.ask(decision, wish, due, now), &look.scene, now)?;
        let rehearsed = matches!(veto, Veto::DryRun { .. }) && self.policy.executor == Executor::None;
        if rehearsed && strictest(&self.policy.brake, wish.effect, &due.takes) == Mode::Act {
            let text = "dry run: it would be done now, if there were an executor ([actions] webhook_url)";
            return Some(Way { name: "no_executor", text: text.to_owned() });
        }
        Some(Way { name: veto.name(), text: veto.to_string() })
    }
}
