//! Watches as server-sent events: each message is one `WatchResponse` as JSON, its id `EPOCH:REVISION`.
//!
//! A browser that reconnects sends the last id by itself, and the watch goes on from there.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Uri};
use ostler_proto::v1;
use ostler_proto::v1::fleet_server::Fleet;
use serde::Deserialize;
use tokio_stream::StreamExt;
use tonic::{Request, Status};

use super::read::{mask, parameters};
use super::{Context, Error};

/// How often a comment is sent while nothing changes, so that proxies keep the connection and a dead one is found.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WatchParameters {
    /// Separated by commas, for example `node,gpu`.
    #[serde(default)]
    kinds: String,
    #[serde(default)]
    filter: String,
    #[serde(default)]
    fields: String,
    #[serde(default)]
    interval_ms: u32,
    /// `EPOCH:REVISION`, as the id of the last message.
    #[serde(default)]
    resume: String,
}

pub(super) async fn watch(
    State(context): State<Context>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Error> {
    let parameters: WatchParameters = parameters(&uri)?;
    let header = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let (epoch, revision) = resume(header.unwrap_or(&parameters.resume));
    let request = v1::WatchRequest {
        kinds: kinds(&parameters.kinds)?,
        filter: parameters.filter,
        field_mask: mask(&parameters.fields),
        resume_revision: revision,
        resume_epoch: epoch,
        interval_ms: parameters.interval_ms,
    };
    let answers = context.api.watch(Request::new(request)).await?.into_inner();
    let events = answers.map(|answer| Ok::<_, Infallible>(event(answer)));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEPALIVE_INTERVAL)).into_response())
}

/// An id that cannot be read means everything again.
fn resume(id: &str) -> (String, u64) {
    let parsed =
        id.split_once(':').and_then(|(epoch, revision)| Some((epoch.to_owned(), revision.parse().ok()?)));
    parsed.unwrap_or_default()
}

fn kinds(names: &str) -> Result<Vec<i32>, Error> {
    let one = |name: &str| {
        let full = format!("KIND_{}", name.trim().to_ascii_uppercase());
        let kind = v1::Kind::from_str_name(&full).filter(|kind| *kind != v1::Kind::Unspecified);
        let name: String = name.chars().take(64).collect();
        kind.map(|kind| kind as i32).ok_or_else(|| {
            Error::parameter(format!("kinds: {name:?} is not one of zone, node, gpu, engine, pool, event"))
        })
    };
    names.split(',').filter(|name| !name.trim().is_empty()).map(one).collect()
}

fn event(answer: Result<v1::WatchResponse, Status>) -> Event {
    match answer {
        Ok(response) => {
            let event = Event::default();
            let event = match response.revision {
                0 => event,
                revision => event.id(format!("{}:{revision}", response.epoch)),
            };
            event.json_data(&response).unwrap_or_default()
        }
        Err(status) => Event::default().event("error").data(status.message()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lead_back_to_epoch_and_revision_and_others_begin_anew() {
        assert_eq!(resume("ab12:77"), ("ab12".to_owned(), 77));
        for id in ["", "77", "ab:x", "ab:-1", ":"] {
            assert_eq!(resume(id).1, 0, "{id}");
        }
    }
}
