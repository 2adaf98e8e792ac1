//! Errors as JSON: `{"error": {"code", "message", "hint"}}`.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tonic::{Code, Status};

use crate::request_log::ErrorText;

/// An answer that says what went wrong and what to do.
#[derive(Debug)]
pub(super) struct Error {
    http: StatusCode,
    code: &'static str,
    message: String,
    hint: &'static str,
}

impl Error {
    /// A parameter that cannot be used.
    pub(super) fn parameter(message: impl Into<String>) -> Error {
        Error::from(Status::invalid_argument(message.into()))
    }

    /// A body that is not said to be JSON.
    pub(super) fn content_type() -> Error {
        let message = "content-type: must be application/json".to_owned();
        let hint = "send the header \"content-type: application/json\"";
        Error { http: StatusCode::UNSUPPORTED_MEDIA_TYPE, code: "UNSUPPORTED_MEDIA_TYPE", message, hint }
    }

    /// A method that the path does not take.
    pub(super) fn method(message: String) -> Error {
        let hint = "GET /api/v1/openapi.json describes each path and its methods";
        Error { http: StatusCode::METHOD_NOT_ALLOWED, code: "METHOD_NOT_ALLOWED", message, hint }
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Error {
        let described = "GET /api/v1/openapi.json describes each path and its parameters";
        let (http, code, hint) = match status.code() {
            Code::InvalidArgument | Code::OutOfRange => {
                (StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", described)
            }
            Code::NotFound => (StatusCode::NOT_FOUND, "NOT_FOUND", described),
            Code::ResourceExhausted => (
                StatusCode::TOO_MANY_REQUESTS,
                "RESOURCE_EXHAUSTED",
                "wait a second and try again, or ask another replica",
            ),
            Code::Unimplemented => (
                StatusCode::NOT_IMPLEMENTED,
                "UNIMPLEMENTED",
                "GET /api/v1/openapi.json describes what there is",
            ),
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => {
                (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", "try again, or ask another replica")
            }
            Code::FailedPrecondition => {
                (StatusCode::CONFLICT, "FAILED_PRECONDITION", "GET /api/v1/fleet says which replica leads")
            }
            Code::Ok
            | Code::Unknown
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::Aborted
            | Code::Internal
            | Code::DataLoss
            | Code::Unauthenticated => {
                (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "this is a bug; the replica's log says more")
            }
        };
        Error { http, code, message: status.message().to_owned(), hint }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let body =
            serde_json::json!({ "error": { "code": self.code, "message": self.message, "hint": self.hint } });
        let mut response = (self.http, Json(body)).into_response();
        response.extensions_mut().insert(ErrorText(self.message));
        response
    }
}
