//! What witnesses other than beats and probes said of a node, each with its moment.

use std::time::Duration;

use super::fact::{CanaryResult, CloudState, Fact, FenceProof, Testimony};
use super::judge::Sign;
use crate::time::Time;

/// How long a Kubernetes lease that was not renewed is not stale yet: two and a half of its renewals.
const LEASE_FRESH: Duration = Duration::from_secs(25);

/// How long what a gateway saw counts.
const DATA_FRESH: Duration = Duration::from_secs(5);

/// How long what another replica said counts: two of the slow rounds in which it is asked again.
const WITNESS_FRESH: Duration = Duration::from_secs(10);

/// Replicas whose testimony about one node is kept; more than any deployment runs.
const WITNESSES_MAX: usize = 8;

/// What witnesses said last, each with its moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Clues {
    lease_renewed: Option<Time>,
    data: Option<DataPlane>,
    pub(super) cloud: Option<CloudState>,
    fence: Option<(FenceProof, Time)>,
    pub(super) canary: Option<CanaryResult>,
    witnesses: Vec<Witness>,
}

/// What gateways saw last.
#[derive(Clone, Copy, Debug)]
struct DataPlane {
    from: Time,
    to: Time,
    succeeded: u64,
    failed: u64,
}

/// What another replica said last.
#[derive(Clone, Debug)]
struct Witness {
    replica: Box<str>,
    said: Testimony,
    at: Time,
}

impl Clues {
    /// Takes what a witness says; other facts are passed over.
    pub(super) fn note(&mut self, fact: &Fact<'_>, now: Time) {
        match *fact {
            Fact::Lease { age, .. } => self.lease_renewed = self.lease_renewed.max(Some(now - age)),
            Fact::DataPlane { span, succeeded, failed, .. } => {
                self.data = Some(DataPlane { from: now - span, to: now, succeeded, failed });
            }
            Fact::Cloud(_, state) => self.cloud = Some(state),
            Fact::Fenced(_, proof) => self.fence = Some((proof, now)),
            Fact::Canary(_, result) => self.canary = Some(result),
            Fact::Witness { replica, testimony, .. } => self.note_witness(replica, testimony, now),
            Fact::Probed(_)
            | Fact::Snapshot(_)
            | Fact::Ended(..)
            | Fact::Goodbye(..)
            | Fact::Expected(_)
            | Fact::Joined { .. }
            | Fact::Beat(_)
            | Fact::Forgotten(_)
            | Fact::Replica(_)
            | Fact::Own(_)
            | Fact::Gpu { .. }
            | Fact::Xid { .. }
            | Fact::XidTable(..)
            | Fact::Engine { .. } => {}
        }
    }

    /// Whether the machine is off, as the cloud says.
    pub(super) fn off(&self) -> bool {
        matches!(self.cloud, Some(CloudState::Stopped | CloudState::Terminated))
    }

    /// Proof that the node does nothing any more. A beat that came after it was given is proof of the contrary.
    pub(super) fn proof(&self, heard: Time) -> Option<FenceProof> {
        let fence = self.fence.filter(|(_, at)| *at >= heard).map(|(proof, _)| proof);
        fence.or(self.off().then_some(FenceProof::Cloud))
    }

    /// The Kubernetes lease: a sign of life when it was renewed after the node should have been heard.
    pub(super) fn lease(&self, outlived: Time, now: Time) -> Sign {
        match self.lease_renewed {
            Some(renewed) if now.since(renewed) > LEASE_FRESH => Sign::Bad,
            Some(renewed) if renewed >= outlived => Sign::Good,
            Some(_) | None => Sign::Unknown,
        }
    }

    /// The gateways: good when they saw answers only from after the node should have been heard.
    pub(super) fn data_plane(&self, outlived: Time, now: Time) -> Sign {
        match self.data {
            Some(data) if now.since(data.to) > DATA_FRESH => Sign::Unknown,
            Some(data) if data.failed > data.succeeded => Sign::Bad,
            Some(data) if data.succeeded > 0 && data.from >= outlived => Sign::Good,
            Some(_) | None => Sign::Unknown,
        }
    }

    /// Other replicas: one that reaches the node outweighs all that do not.
    pub(super) fn replicas(&self, outlived: Time, now: Time) -> Sign {
        let fresh = |witness: &&Witness| witness.at >= outlived && now.since(witness.at) <= WITNESS_FRESH;
        let mut sign = Sign::Unknown;
        for witness in self.witnesses.iter().filter(fresh) {
            match witness.said {
                Testimony::Alive => return Sign::Good,
                Testimony::Lost => sign = Sign::Bad,
            }
        }
        sign
    }

    fn note_witness(&mut self, replica: &str, said: Testimony, at: Time) {
        let known = self.witnesses.iter_mut().find(|known| &*known.replica == replica);
        if let Some(known) = known {
            (known.said, known.at) = (said, at);
            return;
        }
        if self.witnesses.len() == WITNESSES_MAX {
            // Names of replicas change when they are replaced.
            let oldest =
                (0..WITNESSES_MAX).min_by_key(|&place| self.witnesses[place].at).expect("there are some");
            self.witnesses.swap_remove(oldest);
        }
        self.witnesses.push(Witness { replica: Box::from(replica), said, at });
    }
}
