//! Carries out the orders of a leader: let go of NVML, ask peers whether they live.
//!
//! Every order names the term of the leader that gave it. One under a lower term than the highest seen is refused, and
//! a higher one is on disk before anything is done. Only a probe changes nothing, and every replica needs it, one that is
//! cut off from etcd and knows an old term as well. Both orders are harmless to repeat, so a repeated one is.

use std::{sync::atomic::Ordering, time::Duration};

use ostler_proto::v1::{self, agent_message::Body, command::Order};
use tracing::{debug, info, warn};

use super::peer;
use crate::{describe, hub::Hub};

/// Orders of one coordinator that may be in flight: probes take seconds, and a leader has a few doubts at a time.
pub const IN_FLIGHT_MAX: usize = 8;

/// Longest hold of NVML that the wire allows.
const HOLD_MS_MAX: u32 = 3_600_000;

/// The answer to an order that is not carried out.
#[must_use]
pub fn refusal(command: &v1::Command, detail: String) -> Body {
    Body::CommandResult(v1::CommandResult { action_id: command.action_id.clone(), ok: false, detail })
}

/// Carries an order out and answers it.
pub async fn carry_out(hub: &Hub, stream: usize, command: v1::Command, received: Duration) -> Body {
    match attempt(hub, &command, received).await {
        Ok(answer) => {
            debug!(action_id = command.action_id, term = command.term, "order carried out");
            answer
        }
        Err(detail) => {
            warn!(action_id = command.action_id, term = command.term, reason = detail, "order refused");
            hub.streams()[stream].orders_refused.fetch_add(1, Ordering::Relaxed);
            refusal(&command, detail)
        }
    }
}

async fn attempt(hub: &Hub, command: &v1::Command, received: Duration) -> Result<Body, String> {
    if !matches!(command.order, Some(Order::ProbePeers(_))) {
        hub.accept_term(command.term).await.map_err(|error| describe(&error))?;
    }
    let expires = received + Duration::from_millis(command.valid_for_ms.into());
    if hub.now() >= expires {
        return Err(format!("the order was valid for {} ms, which have passed", command.valid_for_ms));
    }
    match &command.order {
        Some(Order::ReleaseNvml(v1::ReleaseNvml { hold_ms })) => {
            if !(1..=HOLD_MS_MAX).contains(hold_ms) {
                return Err(format!("release_nvml.hold_ms is {hold_ms}; use 1 to {HOLD_MS_MAX}"));
            }
            let hold = Duration::from_millis((*hold_ms).into());
            tokio::time::timeout_at(hub.instant(expires), hub.release_nvml(hold))
                .await
                .map_err(|_| "the order became void before the sampling loop took it".to_owned())??;
            let detail = format!("NVML is let go of for {hold_ms} ms");
            info!(action_id = command.action_id, term = command.term, detail);
            Ok(Body::CommandResult(v1::CommandResult {
                action_id: command.action_id.clone(),
                ok: true,
                detail,
            }))
        }
        Some(Order::ProbePeers(probe)) => peer::probe_all(probe).await.map(Body::ProbePeerResult),
        None => Err("the order is not one that this agent's version knows; upgrade the agent".to_owned()),
    }
}
