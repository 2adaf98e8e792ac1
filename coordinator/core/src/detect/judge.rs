//! The verdict on a node whose stream is lost: a pure function of the signs, first match wins.
//!
//! Three readings carry it. A Kubernetes lease or a request counts as a sign of life only when it came after the silence
//! began: a lease renewed ten seconds ago says nothing about a node that died one second ago. A refusal is the host's own
//! answer, so it needs no second witness, only the absence of one against it. Where nobody is left to be asked, another
//! replica must agree.

use super::fact::FenceProof;
use super::probe::Tally;
use super::verdict::Verdict;

/// Rounds without a sign of life before a node is unreachable whose zone falls with it. Its neighbours cannot tell then,
/// and two lost answers of other zones must not; there is no haste, because such a node is not acted on alone.
const CROWD_ROUNDS: u32 = 4;

/// Which side a witness takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sign {
    /// It says nothing, or nothing of late.
    #[default]
    Unknown,
    /// The node lives.
    Good,
    /// It does not.
    Bad,
}

/// Everything that speaks for or against a node whose stream is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// The silence outlasts a round of probes, and nothing came from its host.
    pub waited: bool,
    /// The silence is too long for a beat that was only lost.
    pub long: bool,
    /// So much of its zone fell with it, or all of its neighbours that were asked, that fewer can tell.
    pub crowd: bool,
    /// Rounds of probes since the last sign of life.
    pub mute: u32,
    /// Our own probes, in the last two rounds.
    pub own: Tally,
    /// Those of nodes in its zone.
    pub in_zone: Tally,
    /// Those of nodes in other zones.
    pub out_of_zone: Tally,
    /// Its Kubernetes lease.
    pub lease: Sign,
    /// What gateways see of it.
    pub data_plane: Sign,
    /// What other replicas say.
    pub replicas: Sign,
    /// Proof that it does nothing any more.
    pub fence: Option<FenceProof>,
}

/// The verdict; none when the signs do not suffice for another one than `current`.
pub fn judge(signs: &Signs, current: Verdict) -> Option<Verdict> {
    let Signs { waited, long, own, in_zone, out_of_zone, lease, data_plane, replicas, fence, .. } = *signs;
    let answered = own.ok + in_zone.ok + out_of_zone.ok > 0;
    let refused = own.refused + in_zone.refused + out_of_zone.refused > 0;
    let serves = data_plane == Sign::Good;
    if refused && !answered {
        let nothing_lives = !serves && (data_plane == Sign::Bad || lease == Sign::Bad);
        return Some(if nothing_lives { Verdict::NodeSuspect } else { Verdict::AgentDown });
    }
    if answered || serves || replicas == Sign::Good {
        return (long || fell(current)).then_some(Verdict::StreamBroken);
    }
    if unreachable(signs) {
        return Some(if fence.is_some() { Verdict::NodeDead } else { Verdict::NodeUnreachable });
    }
    (waited && !fell(current)).then_some(Verdict::NodeSuspect)
}

/// Nobody reaches it: our own probes of two rounds timed out, so did two thirds of those in the zone and half of those
/// outside it, and no other witness speaks for it. Where its zone falls with it, four rounds must have found nothing.
pub fn unreachable(signs: &Signs) -> bool {
    let enough = |tally: Tally, most: u32, share: (u32, u32)| {
        let needed = (tally.asked.min(most) * share.0).div_ceil(share.1);
        tally.timed_out >= needed
    };
    let nobody = signs.in_zone.timed_out + signs.out_of_zone.timed_out == 0;
    signs.own.timed_out >= 2
        && signs.mute >= if signs.crowd { CROWD_ROUNDS } else { 2 }
        && enough(signs.in_zone, 3, (2, 3))
        && enough(signs.out_of_zone, 2, (1, 2))
        && (!nobody || signs.replicas == Sign::Bad)
        && signs.lease != Sign::Good
}

/// Whether a verdict already holds the silence against the node.
pub(super) fn fell(verdict: Verdict) -> bool {
    match verdict {
        Verdict::NodeSuspect | Verdict::NodeUnreachable | Verdict::NodeDead | Verdict::StreamBroken => true,
        Verdict::Healthy
        | Verdict::Left
        | Verdict::ObserverIsolated
        | Verdict::GlobalFreeze
        | Verdict::ZonePartition
        | Verdict::ZoneDown
        | Verdict::AgentDown
        | Verdict::Flapping
        | Verdict::GpuLost
        | Verdict::GpuHung
        | Verdict::GpuDegraded
        | Verdict::EngineStalled => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(asked: u32, ok: u32, refused: u32, timed_out: u32) -> Tally {
        Tally { asked, ok, refused, timed_out }
    }

    /// Everybody who was asked timed out.
    fn silent() -> Signs {
        Signs {
            waited: true,
            mute: 2,
            own: tally(2, 0, 0, 2),
            in_zone: tally(6, 0, 0, 3),
            out_of_zone: tally(4, 0, 0, 2),
            ..Signs::default()
        }
    }

    fn healthy(signs: Signs) -> Option<Verdict> {
        judge(&signs, Verdict::Healthy)
    }

    #[test]
    fn a_node_that_nobody_reaches_is_unreachable_and_with_a_proof_it_is_dead() {
        assert_eq!(healthy(silent()), Some(Verdict::NodeUnreachable));
        assert_eq!(healthy(Signs { lease: Sign::Bad, ..silent() }), Some(Verdict::NodeUnreachable));
        assert_eq!(healthy(Signs { fence: Some(FenceProof::Cloud), ..silent() }), Some(Verdict::NodeDead));
        let proof_only = Signs { fence: Some(FenceProof::Cloud), waited: true, ..Signs::default() };
        assert_eq!(healthy(proof_only), Some(Verdict::NodeSuspect), "a proof is no answer");
    }

    #[test]
    fn any_witness_for_the_node_keeps_it_from_being_unreachable() {
        let long = Signs { long: true, ..silent() };
        for signs in [
            Signs { own: tally(2, 1, 0, 1), ..long },
            Signs { in_zone: tally(3, 1, 0, 2), ..long },
            Signs { out_of_zone: tally(2, 1, 0, 1), ..long },
            Signs { data_plane: Sign::Good, ..long },
            Signs { replicas: Sign::Good, ..long },
        ] {
            assert_eq!(healthy(signs), Some(Verdict::StreamBroken), "{signs:?}");
            let short = Signs { long: false, ..signs };
            assert_eq!(healthy(short), None, "one lost beat is no broken stream: {signs:?}");
            assert_eq!(judge(&short, Verdict::NodeUnreachable), Some(Verdict::StreamBroken));
        }
        let renewed = Signs { lease: Sign::Good, ..long };
        assert_eq!(healthy(renewed), Some(Verdict::NodeSuspect));
    }

    #[test]
    fn a_quorum_of_probers_is_needed() {
        for (own, in_zone, out_of_zone, replicas, verdict) in [
            (1, (3, 3), (2, 2), Sign::Unknown, Verdict::NodeSuspect),
            (2, (3, 1), (2, 2), Sign::Unknown, Verdict::NodeSuspect),
            (2, (3, 2), (2, 0), Sign::Unknown, Verdict::NodeSuspect),
            (2, (3, 2), (2, 1), Sign::Unknown, Verdict::NodeUnreachable),
            (2, (6, 2), (4, 1), Sign::Unknown, Verdict::NodeUnreachable),
            (2, (0, 0), (2, 1), Sign::Unknown, Verdict::NodeUnreachable),
            (2, (1, 1), (0, 0), Sign::Unknown, Verdict::NodeUnreachable),
            (2, (0, 0), (0, 0), Sign::Unknown, Verdict::NodeSuspect),
            (2, (0, 0), (0, 0), Sign::Bad, Verdict::NodeUnreachable),
        ] {
            let signs = Signs {
                own: tally(2, 0, 0, own),
                in_zone: tally(in_zone.0, 0, 0, in_zone.1),
                out_of_zone: tally(out_of_zone.0, 0, 0, out_of_zone.1),
                replicas,
                ..silent()
            };
            assert_eq!(healthy(signs), Some(verdict), "{signs:?}");
        }
    }

    #[test]
    fn where_the_zone_falls_with_it_more_rounds_are_needed() {
        for (crowd, mute, verdict) in [
            (false, 1, Verdict::NodeSuspect),
            (false, 2, Verdict::NodeUnreachable),
            (true, 3, Verdict::NodeSuspect),
            (true, 4, Verdict::NodeUnreachable),
        ] {
            assert_eq!(healthy(Signs { crowd, mute, ..silent() }), Some(verdict));
        }
    }

    #[test]
    fn a_refusal_means_the_agent_unless_everything_else_is_gone_as_well() {
        let refused = Signs { own: tally(1, 0, 1, 0), ..Signs::default() };
        for (lease, data_plane, verdict) in [
            (Sign::Unknown, Sign::Unknown, Verdict::AgentDown),
            (Sign::Good, Sign::Unknown, Verdict::AgentDown),
            (Sign::Bad, Sign::Good, Verdict::AgentDown),
            (Sign::Bad, Sign::Unknown, Verdict::NodeSuspect),
            (Sign::Good, Sign::Bad, Verdict::NodeSuspect),
        ] {
            assert_eq!(healthy(Signs { lease, data_plane, ..refused }), Some(verdict));
        }
        let both = Signs { in_zone: tally(1, 1, 0, 0), long: true, ..refused };
        assert_eq!(healthy(both), Some(Verdict::StreamBroken), "somebody reaches the agent");
    }

    #[test]
    fn without_an_answer_there_is_suspicion_after_a_round_and_nothing_before() {
        let waiting = Signs { own: tally(1, 0, 0, 0), ..Signs::default() };
        assert_eq!(healthy(waiting), None);
        assert_eq!(healthy(Signs { waited: true, ..waiting }), Some(Verdict::NodeSuspect));
        let waited = Signs { waited: true, ..waiting };
        assert_eq!(judge(&waited, Verdict::NodeUnreachable), None, "it stays what it was");
        assert_eq!(
            judge(&waited, Verdict::AgentDown),
            Some(Verdict::NodeSuspect),
            "now the host is silent too"
        );
    }
}
