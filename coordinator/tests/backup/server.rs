//! A small server that speaks as much of S3 as backups need, checks every signature, and fails when it is told to.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use ostler_coordinator::backup::s3::{Login, Settings};
use tokio::net::TcpListener;

use crate::signature::{Account, Asked, check, encode, parameters};

pub(crate) const BUCKET: &str = "off-site";
const KEY: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const REGION: &str = "eu-north-9";

/// What someone else stores.
pub(crate) const OTHERS: &[u8] = b"of someone else";

/// Objects that one page of a list names.
const PAGE: usize = 2;

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is answered with this and not carried out.
    Status(u16),
    /// It is carried out and answered with this.
    Lost(u16),
    /// A bit of what is stored is flipped, and it is answered with this.
    RotLost(u16),
    /// Someone else puts an object of that name right before it.
    Race,
    /// A bit of what is stored is flipped.
    Rot,
}

/// What the server makes of `If-None-Match`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Condition {
    #[default]
    Honoured,
    Ignored,
    /// It says that it does not know it, and does nothing.
    Unknown,
}

#[derive(Default)]
struct State {
    /// By their keys.
    objects: BTreeMap<String, Vec<u8>>,
    /// Method and path of each request, faults included.
    requests: Vec<String>,
    condition: Condition,
    /// For the next requests with these methods, one each.
    faults: VecDeque<(&'static str, Fault)>,
}

/// The server. It ends with the runtime of its test.
pub(crate) struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub(crate) async fn start() -> Server {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    let service = service_fn(move |request| serve(Arc::clone(&state), request));
                    // A client that goes away is none of its business.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Server { address, state }
    }

    /// How the owner of the bucket reaches it.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            endpoint: Some(format!("http://{}", self.address)),
            region: REGION.to_owned(),
            login: Some(Login { key: KEY.to_owned(), secret: SECRET.to_owned(), token: None }),
            retry_after: Duration::ZERO,
            ..Settings::default()
        }
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.state.lock().unwrap().objects.keys().cloned().collect()
    }

    pub(crate) fn put(&self, key: &str) {
        self.state.lock().unwrap().objects.insert(key.to_owned(), OTHERS.to_vec());
    }

    pub(crate) fn set_condition(&self, condition: Condition) {
        self.state.lock().unwrap().condition = condition;
    }

    /// What is stored under a key.
    pub(crate) fn get(&self, key: &str) -> Vec<u8> {
        self.state.lock().unwrap().objects[key].clone()
    }

    /// Lets the next request with this method fail, after those that were told before.
    pub(crate) fn fail(&self, method: &'static str, fault: Fault) {
        self.state.lock().unwrap().faults.push_back((method, fault));
    }

    /// Methods of all requests so far, in their order.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.state.lock().unwrap().requests.clone()
    }
}

async fn serve(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let mut state = state.lock().unwrap();
    state.requests.push(head.method.to_string());
    let (status, answer) = state.answer(&head, &body);
    Ok(Response::builder().status(status).body(Full::from(answer)).unwrap())
}

impl State {
    fn answer(&mut self, head: &http::request::Parts, body: &Bytes) -> (StatusCode, Vec<u8>) {
        let query = head.uri.query().unwrap_or_default();
        let host = head.headers[header::HOST].to_str().unwrap();
        let asked = Asked { method: head.method.as_str(), host, path: head.uri.path(), query };
        let account = Account { key: KEY, secret: SECRET, region: REGION };
        if let Err(problem) = check(&asked, &account, Timestamp::now()) {
            return refuse(StatusCode::FORBIDDEN, "SignatureDoesNotMatch", &problem);
        }
        let fault = self.faults.front().filter(|(method, _)| *method == head.method).map(|(_, fault)| *fault);
        if fault.is_some() {
            self.faults.pop_front();
        }
        if let Some(Fault::Status(status)) = fault {
            return slow_down(status);
        }
        let key = crate::signature::decode(head.uri.path());
        let Some(key) = key.strip_prefix(&format!("/{BUCKET}/")) else {
            return refuse(StatusCode::NOT_FOUND, "NoSuchBucket", "The bucket does not exist.");
        };
        match head.method.as_str() {
            "PUT" if !head.headers.contains_key(header::CONTENT_LENGTH) => {
                refuse(StatusCode::LENGTH_REQUIRED, "MissingContentLength", "Say how long it is.")
            }
            "PUT" => {
                if fault == Some(Fault::Race) {
                    self.objects.insert(key.to_owned(), OTHERS.to_vec());
                }
                let only_new = head.headers.get(header::IF_NONE_MATCH).is_some_and(|it| it == "*");
                match self.condition {
                    Condition::Honoured if only_new && self.objects.contains_key(key) => {
                        return refuse(StatusCode::PRECONDITION_FAILED, "PreconditionFailed", "It is there.");
                    }
                    Condition::Unknown if only_new => {
                        return refuse(StatusCode::NOT_IMPLEMENTED, "NotImplemented", "If-None-Match");
                    }
                    Condition::Honoured | Condition::Ignored | Condition::Unknown => {}
                }
                let mut object = body.to_vec();
                if matches!(fault, Some(Fault::Rot | Fault::RotLost(_))) {
                    let at = object.len() / 2;
                    object[at] ^= 4;
                }
                self.objects.insert(key.to_owned(), object);
                if let Some(Fault::Lost(status) | Fault::RotLost(status)) = fault {
                    slow_down(status)
                } else {
                    (StatusCode::OK, Vec::new())
                }
            }
            "GET" if key.is_empty() => (StatusCode::OK, self.list(query)),
            "GET" | "HEAD" => match self.objects.get(key) {
                Some(object) => (StatusCode::OK, object.clone()),
                None => refuse(StatusCode::NOT_FOUND, "NoSuchKey", "The key does not exist."),
            },
            "DELETE" => {
                self.objects.remove(key);
                (StatusCode::NO_CONTENT, Vec::new())
            }
            _ => refuse(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "No."),
        }
    }

    /// A page of objects right under the prefix.
    fn list(&self, query: &str) -> Vec<u8> {
        let parameters = parameters(query);
        let of = |name: &str| parameters.get(name).cloned().unwrap_or_default();
        let (prefix, after) = (of("prefix"), of("continuation-token"));
        let rest = |key: &str| key.strip_prefix(&prefix).map(str::to_owned);
        let right_under = |key: &&String| rest(key).is_some_and(|rest| !rest.contains('/'));
        let mut keys: Vec<_> = self.objects.keys().filter(right_under).filter(|key| **key > after).collect();
        let more = keys.len() > PAGE;
        keys.truncate(PAGE);
        let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
                       <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            .to_owned();
        for key in &keys {
            xml += &format!("<Contents><Key>{}</Key><Size>1</Size></Contents>", encode(key, "/"));
        }
        xml += &format!("<IsTruncated>{more}</IsTruncated><EncodingType>url</EncodingType>");
        if let (true, Some(last)) = (more, keys.last()) {
            xml += &format!("<NextContinuationToken>{last}</NextContinuationToken>");
        }
        (xml + "</ListBucketResult>").into_bytes()
    }
}

fn slow_down(status: u16) -> (StatusCode, Vec<u8>) {
    refuse(StatusCode::from_u16(status).unwrap(), "SlowDown", "Please reduce your request rate.")
}

fn refuse(status: StatusCode, code: &str, message: &str) -> (StatusCode, Vec<u8>) {
    let text =
        format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>");
    (status, text.into_bytes())
}
