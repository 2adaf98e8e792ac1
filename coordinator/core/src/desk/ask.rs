//! What a wish asks of the brake: whether it is wanted still, what it takes, and what stands in its way.

use std::time::Duration;

use super::decision::{Decision, GONE, Phase, Wish};
use super::look::{Case, Look, Standing};
use super::policy::{Executor, strictest};
use super::reaction::reverse;
use super::{Desk, node_of};
use crate::action::{Class, State};
use crate::brake::{Ask, Brake, Mode, Take, Veto};
use crate::detect::Allowed;
use crate::time::Time;

/// How long an action may have an effect after its call: the hour of a long drain, and one more. A permit is given back
/// earlier, as soon as the end is told.
const LASTS_MAX: Duration = Duration::from_secs(2 * 3600);

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

impl Way {
    fn new(name: &'static str, text: &str) -> Way {
        Way { name, text: text.to_owned() }
    }
}

impl Due {
    /// Whether what a wish goes by is still so, or why it is not, or nobody knows.
    pub(super) fn of(decision: &Decision, wish: &Wish, case: Option<&Case>, look: &Look) -> Result<Due, Way> {
        let unsure = || Way::new("unsure", "what is found of it now is not what it was decided by");
        match (decision.phase, case) {
            (Phase::Open, Some(case)) if !wish.is_undoing() => {
                let same = |want: &&super::Want| want.effect == wish.effect && want.target == wish.target;
                let want = case.wants.iter().find(same).ok_or_else(unsure)?;
                Ok(Due { takes: want.takes.clone(), allowed: case.allowed })
            }
            (Phase::Ending, None) if wish.is_undoing() => match look.others.get(&decision.id) {
                Some(Standing::Well(_)) => Ok(Due { takes: wish.takes.clone(), allowed: look.ceiling }),
                Some(Standing::Gone) => {
                    let text = "it is not known any more: it is put back when it returns and is well, or a person \
                        releases its node";
                    Err(Way::new(GONE, text))
                }
                Some(Standing::Unsure) | None => Err(unsure()),
            },
            (Phase::Open | Phase::Ending | Phase::Ended, _) => Err(unsure()),
        }
    }
}

impl Desk {
    /// What is asked of the brake for a wish that was planned then.
    pub(super) fn ask(&self, decision: &Decision, wish: &Wish, due: &Due, planned: Time, now: Time) -> Ask {
        let agreed = due.allowed.allows(Class::Irreversible);
        Ask {
            class: wish.effect.class(),
            zone: decision.zone.clone(),
            node: node_of(&wish.target).cloned(),
            takes: due.takes.clone(),
            planned,
            until: now + LASTS_MAX,
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
        if let Some(way) = self.shared(decision, wish) {
            return Some(way);
        }
        let veto = self.brake.check(&self.ask(decision, wish, due, now, now), &look.scene, now)?;
        let rehearsed = matches!(veto, Veto::DryRun { .. }) && self.policy.executor == Executor::None;
        if rehearsed && strictest(&self.policy.brake, wish.effect, &due.takes) == Mode::Act {
            let text = "dry run: it would be done now, if there were an executor ([actions] webhook_url)";
            return Some(Way::new("no_executor", text));
        }
        Some(Way { name: veto.name(), text: veto.to_string() })
    }

    /// Several decisions can want the same target out of traffic, as all GPUs of an engine do: one takes it out, and it comes
    /// back when none wants it out any more.
    fn shared(&self, decision: &Decision, wish: &Wish) -> Option<Way> {
        let takers = self.takers.get(&wish.target).into_iter().flatten();
        let mut others = takers.filter(|id| **id != decision.id).filter_map(|id| self.decisions.get(id));
        if wish.is_undoing() {
            let other = others.find(|it| it.phase == Phase::Open)?;
            let text = format!("{} of {} wants it out of traffic still", other.id, other.about);
            return Some(Way { name: "still_wanted_out", text });
        }
        reverse(wish.effect)?;
        let other = others.find(|it| it.has_out(&wish.target))?;
        let text = format!("{} of {} has taken it out of traffic", other.id, other.about);
        Some(Way { name: "already_out", text })
    }

    /// The brake as it is when all that is planned has begun: what it permits then may be planned as well.
    pub(super) fn ahead(&self, look: &Look, now: Time) -> Brake {
        let mut brake = self.brake.clone();
        for record in self.journal.records().filter(|it| it.state == State::Planned) {
            let Some((decision, wish)) = self.owned(record.id()) else { continue };
            let due = Due { takes: wish.takes.clone(), allowed: look.ceiling };
            let ask = self.ask(decision, wish, &due, record.planned, now);
            // What cannot begin at this moment has its turn first all the same.
            let permit = brake.take(ask.clone(), &look.scene, now).unwrap_or_else(|_| brake.adopt(ask));
            drop(permit);
        }
        brake
    }
}
