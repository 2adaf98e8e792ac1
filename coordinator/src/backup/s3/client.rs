//! HTTP as S3 needs it: a file or nothing goes up, a stream comes down, and every wait has a limit.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use tokio::io::AsyncReadExt as _;

use super::Error;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an answer may take to begin, beside the time that the body takes.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// How long the next part of an answer may take.
const PART_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes a second that a body goes up with at least.
const UPLOAD_RATE_MIN: u64 = 64 * 1024;

/// Bytes of a file that are read at once.
const PART_BYTES: usize = 64 * 1024;

/// Bytes of an error's text that are read.
const TEXT_BYTES_MAX: usize = 4 * 1024;

/// What goes up.
pub(super) struct Body {
    stream: UnsyncBoxBody<Bytes, io::Error>,
    bytes: u64,
    over: Over,
}

/// What a body that goes up may take the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// Whatever is there.
    Anything,
    /// Nothing: the server refuses with 412 when there is something.
    Nothing,
}

impl Body {
    pub(super) fn none() -> Body {
        Body {
            stream: Empty::new().map_err(|never| match never {}).boxed_unsync(),
            bytes: 0,
            over: Over::Anything,
        }
    }

    /// A file of a known length.
    pub(super) async fn file(path: &Path, bytes: u64, over: Over) -> io::Result<Body> {
        let file = tokio::fs::File::open(path).await?;
        let parts = stream::try_unfold(file, |mut file| async move {
            let mut part = BytesMut::with_capacity(PART_BYTES);
            let read = file.read_buf(&mut part).await?;
            Ok((read > 0).then(|| (Frame::data(part.freeze()), file)))
        });
        Ok(Body { stream: StreamBody::new(parts).boxed_unsync(), bytes, over })
    }
}

/// Whose certificates are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Nobody's: the server is asked without TLS.
    Nobody,
    /// Those that the system trusts.
    System,
    /// Those that authorities in this file signed (PEM).
    File(PathBuf),
}

/// Sends requests.
pub(super) struct Client {
    inner: legacy::Client<HttpsConnector<HttpConnector>, UnsyncBoxBody<Bytes, io::Error>>,
}

impl Client {
    pub(super) fn new(trust: &Trust) -> Result<Client, Error> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let builder = HttpsConnectorBuilder::new().with_tls_config(tls(trust)?);
        let https = builder.https_or_http().enable_http1().wrap_connector(connector);
        Ok(Client { inner: legacy::Client::builder(TokioExecutor::new()).build(https) })
    }

    /// Asks, and gives an answer that is none of an error.
    pub(super) async fn ask(&self, method: Method, signed: &str, body: Body) -> Result<Answer, Error> {
        // The signature is nobody's business.
        let url = signed.split('?').next().unwrap_or_default().to_owned();
        let unreachable = |problem: String, source| Error::Unreachable { url: url.clone(), problem, source };
        let limit = ANSWER_TIMEOUT + Duration::from_secs(body.bytes / UPLOAD_RATE_MIN);
        let length = HeaderValue::from(body.bytes);
        let mut request = Request::builder().method(&method).uri(signed);
        if method == Method::PUT {
            request = request.header(header::CONTENT_LENGTH, length);
        }
        if body.over == Over::Nothing {
            request = request.header(header::IF_NONE_MATCH, "*");
        }
        let request = request
            .body(body.stream)
            .map_err(|error| unreachable("it cannot be asked for".to_owned(), Some(Box::from(error))))?;
        let response = match tokio::time::timeout(limit, self.inner.request(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                return Err(unreachable("the request failed".to_owned(), Some(Box::from(error))));
            }
            Err(_) => return Err(unreachable(format!("no answer within {} s", limit.as_secs()), None)),
        };
        let answer = Answer { url, response };
        if answer.response.status().is_success() { Ok(answer) } else { Err(answer.refusal().await) }
    }
}

/// What came down.
pub(super) struct Answer {
    url: String,
    response: Response<Incoming>,
}

impl Answer {
    /// Copies the body.
    pub(super) async fn copy_to(mut self, sink: &mut (dyn Write + Send)) -> Result<(), Error> {
        while let Some(part) = self.part().await? {
            sink.write_all(&part).map_err(Error::Sink)?;
        }
        Ok(())
    }

    /// The body, if it is no longer than this.
    pub(super) async fn read(mut self, bytes_max: usize) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        while let Some(part) = self.part().await? {
            if body.len() + part.len() > bytes_max {
                return Err(self.broken(format!("the answer is longer than {bytes_max} bytes"), None));
            }
            body.extend_from_slice(&part);
        }
        Ok(body)
    }

    async fn part(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let frame = tokio::time::timeout(PART_TIMEOUT, self.response.body_mut().frame()).await;
            match frame {
                Err(_) => {
                    let problem = format!("the answer stopped for {} s", PART_TIMEOUT.as_secs());
                    return Err(self.broken(problem, None));
                }
                Ok(None) => return Ok(None),
                Ok(Some(Err(error))) => {
                    return Err(self.broken("the answer broke off".to_owned(), Some(Box::from(error))));
                }
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    fn broken(&self, problem: String, source: Option<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::Unreachable { url: self.url.clone(), problem, source }
    }

    /// What the server says against it.
    async fn refusal(self) -> Error {
        let (url, status) = (self.url.clone(), self.response.status());
        let text = self.read(TEXT_BYTES_MAX).await.unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let element = |name: &str| {
            let (_, rest) = text.split_once(&format!("<{name}>"))?;
            rest.split_once('<')
                .map(|(inner, _)| inner.chars().filter(|it| !it.is_control()).collect::<String>())
        };
        let said: Vec<String> = ["Code", "Message"].into_iter().filter_map(element).collect();
        let said = if said.is_empty() { String::new() } else { format!(" {}", said.join(": ")) };
        Error::Refused { url, status, said, advice: advice(status) }
    }
}

fn advice(status: StatusCode) -> &'static str {
    match status {
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => {
            "look at the access key, what it may do (list, get, put, delete), the region, and this machine's clock"
        }
        StatusCode::NOT_FOUND => "look at the names of the bucket and of the backup",
        _ if status.is_redirection() => "look at the region and the endpoint: the bucket lives elsewhere",
        _ if status.is_server_error() => "the server has a problem; try again later",
        _ => "look at the endpoint, the region and the style of addresses",
    }
}

fn tls(trust: &Trust) -> Result<rustls::ClientConfig, Error> {
    let wrong = |problem: String| Error::Settings { problem };
    let builder =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(format!("TLS cannot be set up: {error}")))?;
    let mut roots = rustls::RootCertStore::empty();
    match trust {
        Trust::Nobody => {}
        Trust::System => {
            let system = builder.with_native_roots();
            let unreadable = |error| wrong(format!("the system's certificates cannot be read: {error}"));
            return Ok(system.map_err(unreadable)?.with_no_client_auth());
        }
        Trust::File(path) => {
            let unreadable = |error: &dyn std::fmt::Display| {
                wrong(format!("{} cannot be read as certificates: {error}", path.display()))
            };
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))? {
                let certificate = certificate.map_err(|error| unreadable(&error))?;
                roots.add(certificate).map_err(|error| unreadable(&error))?;
            }
        }
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
