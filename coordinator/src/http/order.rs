//! Orders of operators as JSON.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use ostler_proto::v1;
use ostler_proto::v1::control_server::Control;
use serde::de::DeserializeOwned;
use tonic::Request;

use super::{Context, Error};

/// The message of a body that is said to be JSON. Browsers let the pages of others send what is not: such an order is no
/// operator's.
fn order<M: DeserializeOwned>(headers: &HeaderMap, body: &Bytes) -> Result<Request<M>, Error> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Error::content_type());
    }
    message(body)
}

/// The message that a body is the JSON form of.
fn message<M: DeserializeOwned>(body: &Bytes) -> Result<Request<M>, Error> {
    serde_json::from_slice(body).map(Request::new).map_err(|error| Error::parameter(format!("body: {error}")))
}

pub(super) async fn hold(
    State(context): State<Context>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Error> {
    let answer = context.orders.hold(order::<v1::HoldRequest>(&headers, &body)?).await?;
    Ok(Json(answer.into_inner()).into_response())
}

pub(super) async fn release(
    State(context): State<Context>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Error> {
    let answer = context.orders.release(order::<v1::ReleaseRequest>(&headers, &body)?).await?;
    Ok(Json(answer.into_inner()).into_response())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_what_is_said_to_be_json_is_an_order() {
        let body = Bytes::from_static(br#"{"scope": "fleet"}"#);
        let taken = |kind: &'static str| {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))]);
            order::<v1::ReleaseRequest>(&headers, &body).is_ok()
        };
        assert!(taken("application/json") && taken("Application/JSON; charset=utf-8"));
        assert!(!taken("text/plain") && !taken("application/x-www-form-urlencoded") && !taken(""));
        assert!(order::<v1::ReleaseRequest>(&HeaderMap::new(), &body).is_err());
    }
}
