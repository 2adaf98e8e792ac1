//! Orders of operators as JSON.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use ostler_proto::v1;
use ostler_proto::v1::control_server::Control;
use serde::de::DeserializeOwned;
use tonic::Request;

use super::{Context, Error};

/// The message that a body is the JSON form of.
fn message<M: DeserializeOwned>(body: &Bytes) -> Result<Request<M>, Error> {
    serde_json::from_slice(body).map(Request::new).map_err(|error| Error::parameter(format!("body: {error}")))
}

pub(super) async fn hold(State(context): State<Context>, body: Bytes) -> Result<Response, Error> {
    let answer = context.orders.hold(message::<v1::HoldRequest>(&body)?).await?;
    Ok(Json(answer.into_inner()).into_response())
}

pub(super) async fn release(State(context): State<Context>, body: Bytes) -> Result<Response, Error> {
    let answer = context.orders.release(message::<v1::ReleaseRequest>(&body)?).await?;
    Ok(Json(answer.into_inner()).into_response())
}
