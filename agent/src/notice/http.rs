//! A client for metadata services: short requests, bounded answers, no redirects, no proxies.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header::HOST};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};

/// Largest answer that is read; the largest real ones are a few KB.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("the metadata service did not answer within {0:?}")]
    Timeout(Duration),
    #[error("the metadata service cannot be reached")]
    Connect(#[source] legacy::Error),
    #[error("the answer to {path} broke off or is larger than {ANSWER_BYTES_MAX} bytes")]
    Body { path: String },
    #[error("{path} answered {status}")]
    Status { path: String, status: StatusCode },
    #[error("{path} answered something that is not a notice")]
    Format {
        path: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("{0} is not a path that can be asked for")]
    Request(String),
}

/// What a service answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

/// Asks one service.
#[derive(Clone, Debug)]
pub(super) struct Client {
    base: String,
    timeout: Duration,
    inner: legacy::Client<HttpConnector, Empty<Bytes>>,
}

impl Client {
    /// A client for the service at `base`, without a slash at the end.
    pub(super) fn new(base: String, timeout: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(timeout));
        // A request every few seconds from a path that is always near: a fresh connection each time needs no state.
        let inner = legacy::Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Self { base, timeout, inner }
    }

    pub(super) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Result<Answer, Error> {
        self.send(Method::GET, path, headers).await
    }

    pub(super) async fn put(&self, path: &str, headers: &[(&str, &str)]) -> Result<Answer, Error> {
        self.send(Method::PUT, path, headers).await
    }

    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Result<Answer, Error> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Empty::new()).map_err(|_| Error::Request(path.to_owned()))?;
        debug_assert!(!request.headers().contains_key(HOST), "the client sets it");
        let answer = async {
            let answer = self.inner.request(request).await.map_err(Error::Connect)?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|_| Error::Body { path: path.to_owned() })?.to_bytes();
            let text = String::from_utf8_lossy(&body).into_owned();
            Ok(Answer { status: head.status, headers: head.headers, text })
        };
        tokio::time::timeout(self.timeout, answer).await.map_err(|_| Error::Timeout(self.timeout))?
    }
}

impl Answer {
    /// The text when there is one; `None` when the service says that there is nothing there (404).
    pub(super) fn found(self, path: &str) -> Result<Option<String>, Error> {
        match self.status {
            StatusCode::OK => Ok(Some(self.text)),
            StatusCode::NOT_FOUND => Ok(None),
            status => Err(Error::Status { path: path.to_owned(), status }),
        }
    }
}

/// Reads JSON, naming the path it came from when it is none.
pub(super) fn json<'a, T: serde::Deserialize<'a>>(path: &str, text: &'a str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|source| Error::Format { path: path.to_owned(), source })
}
