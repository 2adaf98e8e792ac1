//! Gets a page: over HTTP, with a deadline and a limit, and with a reason when there is none.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Empty};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

/// Formats that the parser reads. Compression is not asked for: unpacking costs more than loopback.
const ACCEPT: &str =
    "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

/// Read at once. A page of 150 KB then takes about ten reads, and an idle connection keeps no more than this.
const READ_BYTES: usize = 16 * 1024;

/// How long an unused connection is kept: longer than the usual interval, shorter than servers' own patience (vLLM's
/// uvicorn gives up after 5 s).
const KEEP_ALIVE: Duration = Duration::from_secs(4);

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("no answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The process is gone, or was never there.
    #[error("{0}")]
    Unreachable(String),
    #[error("HTTP {0} at {1}")]
    Status(StatusCode, String),
    #[error("redirected to {0}; set the final address")]
    Redirect(String),
    #[error("the page is longer than {0} bytes; raise body_bytes_max if that is right")]
    TooLong(usize),
    /// It talks, but not HTTP or not to the end.
    #[error("{0}")]
    Broken(String),
    #[error("{0}")]
    Tls(String),
}

type Plain = legacy::Client<HttpConnector, Empty<Bytes>>;
type Tls = legacy::Client<HttpsConnector<HttpConnector>, Empty<Bytes>>;

/// Connections to engines, shared by all of them.
#[derive(Clone)]
pub(super) struct Client {
    plain: Plain,
    /// Made when the first `https` is asked for, because the system's certificates take a megabyte.
    tls: Arc<OnceLock<Result<Tls, String>>>,
    ca_file: Option<Arc<Path>>,
}

/// A question to an engine.
pub(super) struct Ask<'a> {
    pub(super) uri: &'a Uri,
    pub(super) timeout: Duration,
    pub(super) body_bytes_max: usize,
    /// Of the answer last time, to get memory for it at once.
    pub(super) body_bytes_expected: usize,
    pub(super) token: Option<&'a str>,
}

impl Client {
    pub(super) fn new(connect_timeout: Duration, ca_file: Option<&Path>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(connect_timeout));
        Self { plain: builder().build(connector), tls: Arc::default(), ca_file: ca_file.map(Arc::from) }
    }

    /// The body of the answer. The deadline covers everything, the connection and the last byte included.
    pub(super) async fn get(&self, ask: &Ask<'_>) -> Result<Vec<u8>, Error> {
        match tokio::time::timeout(ask.timeout, self.answer(ask)).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::Timeout(ask.timeout)),
        }
    }

    async fn answer(&self, ask: &Ask<'_>) -> Result<Vec<u8>, Error> {
        let mut request = Request::get(ask.uri).header(header::ACCEPT, ACCEPT);
        if let Some(token) = ask.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Empty::new()).map_err(|error| Error::Broken(chain(&error)))?;
        let response = if ask.uri.scheme_str() == Some("https") {
            self.tls()?.request(request).await
        } else {
            self.plain.request(request).await
        };
        let response = response.map_err(|error| failed(&error, ask.timeout))?;
        let status = response.status();
        if status.is_redirection() {
            let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            return Err(Error::Redirect(clip(location.unwrap_or("nowhere"))));
        }
        if !status.is_success() {
            return Err(Error::Status(status, ask.uri.path().to_owned()));
        }
        let expected = ask.body_bytes_expected.min(ask.body_bytes_max);
        collect(response.into_body(), expected, ask.body_bytes_max).await
    }

    fn tls(&self) -> Result<&Tls, Error> {
        let tls = self.tls.get_or_init(|| tls(self.ca_file.as_deref()));
        tls.as_ref().map_err(|error| Error::Tls(error.clone()))
    }
}

async fn collect(mut body: hyper::body::Incoming, expected: usize, max: usize) -> Result<Vec<u8>, Error> {
    let mut page = Vec::with_capacity(expected);
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|error| Error::Broken(format!("the answer broke off: {}", chain(&error))))?;
        let Ok(data) = frame.into_data() else { continue };
        if page.len() + data.len() > max {
            return Err(Error::TooLong(max));
        }
        page.extend_from_slice(&data);
    }
    Ok(page)
}

fn builder() -> legacy::Builder {
    let mut builder = legacy::Client::builder(TokioExecutor::new());
    builder
        .pool_idle_timeout(KEEP_ALIVE)
        .pool_max_idle_per_host(1)
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .http1_read_buf_exact_size(READ_BYTES);
    builder
}

fn tls(ca_file: Option<&Path>) -> Result<Tls, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let with_schemes = match ca_file {
        None => HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(provider)
            .map_err(|error| format!("the system's certificates cannot be read: {error}"))?,
        Some(path) => {
            let unreadable =
                |error: &dyn std::fmt::Display| format!("{} cannot be read: {error}", path.display());
            let mut roots = rustls::RootCertStore::empty();
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))? {
                let certificate = certificate.map_err(|error| unreadable(&error))?;
                roots.add(certificate).map_err(|error| unreadable(&error))?;
            }
            HttpsConnectorBuilder::new()
                .with_tls_config(config.with_root_certificates(roots).with_no_client_auth())
        }
    };
    Ok(builder().build(with_schemes.https_or_http().enable_http1().build()))
}

/// Tells an engine that is gone from one that answers nonsense.
fn failed(error: &legacy::Error, timeout: Duration) -> Error {
    let mut source = std::error::Error::source(error);
    // The client's own words only say that it failed.
    let text = source.map_or_else(|| chain(error), chain);
    while let Some(cause) = source {
        if is_tls(cause) {
            return Error::Tls(text);
        }
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            let is_late = io.kind() == std::io::ErrorKind::TimedOut;
            return if is_late { Error::Timeout(timeout) } else { Error::Unreachable(text) };
        }
        if let Some(http) = cause.downcast_ref::<hyper::Error>() {
            // A connection that ends before it answers is a process that is gone; anything else is not HTTP.
            if http.is_incomplete_message() || http.is_canceled() || http.is_closed() {
                return Error::Unreachable(text);
            }
            if http.is_parse() {
                return Error::Broken(format!("not HTTP: {text}"));
            }
        }
        source = cause.source();
    }
    if error.is_connect() { Error::Unreachable(text) } else { Error::Broken(text) }
}

/// Whether an error is about TLS, however deep it is wrapped as an error of input.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>() || inner.is_some_and(|inner| is_tls(inner))
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    clip(&text)
}

/// The beginning of a text that others wrote.
fn clip(text: &str) -> String {
    const LENGTH: usize = 200;
    text.chars().filter(|c| !c.is_control()).take(LENGTH).collect()
}
