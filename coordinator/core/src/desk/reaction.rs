//! What follows from which verdict: the table of reactions.
//!
//! A verdict says up to which class of action one may go; this table says what is then intended. A zone that is gone is only
//! recorded, and so is one that we are cut off from: where its traffic goes is not decided here.

use crate::action::Effect;
use crate::detect::Verdict;

/// What is intended when something is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// When this is found,
    pub to: Verdict,
    /// these are intended, in this order. None means that it is only recorded.
    pub effects: &'static [Effect],
}

/// The reactions when nothing else is said.
pub const REACTIONS: &[Reaction] = &[
    Reaction { to: Verdict::NodeUnreachable, effects: &[Effect::RemoveEndpoint] },
    Reaction { to: Verdict::NodeDead, effects: &[Effect::RemoveEndpoint, Effect::Drain] },
    Reaction { to: Verdict::GpuLost, effects: &[Effect::RemoveEndpoint] },
    Reaction { to: Verdict::GpuHung, effects: &[Effect::RemoveEndpoint] },
    Reaction { to: Verdict::EngineStalled, effects: &[Effect::RestartEngine] },
    Reaction { to: Verdict::ZoneDown, effects: &[] },
    Reaction { to: Verdict::ZonePartition, effects: &[] },
];

impl Reaction {
    /// The one that a table has to a verdict.
    pub fn to(table: &'static [Reaction], verdict: Verdict) -> Option<&'static Reaction> {
        table.iter().find(|reaction| reaction.to == verdict)
    }
}

/// What undoes an effect once its cause has ended; none for what ends by itself or cannot be undone.
pub const fn reverse(effect: Effect) -> Option<Effect> {
    match effect {
        Effect::RemoveEndpoint => Some(Effect::RestoreEndpoint),
        Effect::SetWeight { .. }
        | Effect::RestoreEndpoint
        | Effect::ScaleOut { .. }
        | Effect::Preload
        | Effect::Uncordon
        | Effect::ScaleIn { .. }
        | Effect::Cordon
        | Effect::Drain
        | Effect::Evict
        | Effect::Migrate
        | Effect::RestartEngine
        | Effect::Reboot
        | Effect::ForceDelete
        | Effect::Terminate => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_reaction_goes_beyond_what_its_verdict_allows() {
        for reaction in REACTIONS {
            for effect in reaction.effects {
                assert!(reaction.to.allowed().allows(effect.class()), "{}: {effect}", reaction.to);
            }
        }
    }

    #[test]
    fn what_undoes_an_effect_takes_nothing_away() {
        for effect in REACTIONS.iter().flat_map(|it| it.effects) {
            assert!(reverse(*effect).is_none_or(|it| it == Effect::RestoreEndpoint));
        }
    }
}
