//! A server that answers what a test wants, byte for byte.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ostler_proto::v1::EngineState;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::engine::{Config, Monitor, Reading, config::Target};
use crate::sample::EngineSample;

/// What to answer at a path.
#[derive(Clone)]
pub(super) enum Answer {
    Page(String),
    /// In pieces, as servers do that do not know the length.
    Chunked(String),
    Status(u16),
    Redirect(&'static str),
    /// These bytes, whatever they are, and then the end.
    Raw(&'static [u8]),
    /// A length that is not reached.
    Cut(String),
    Silence,
    Reset,
}

/// A server that lives as long as this.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    answers: Arc<Mutex<BTreeMap<String, Answer>>>,
    /// Paths and headers that were asked for.
    pub(super) asked: Arc<Mutex<Vec<String>>>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Server {
    pub(super) async fn start(answers: impl IntoIterator<Item = (&str, Answer)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answers = answers.into_iter().map(|(path, answer)| (path.to_owned(), answer)).collect();
        let answers = Arc::new(Mutex::new(answers));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (shared, log) = (Arc::clone(&answers), Arc::clone(&asked));
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&shared), Arc::clone(&log)));
            }
        });
        Self { address, answers, asked, accepting }
    }

    pub(super) fn set(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn target(&self, path: &str) -> Target {
        toml::from_str(&format!("url = \"{}\"", self.url(path))).unwrap()
    }
}

async fn serve(
    mut stream: TcpStream,
    answers: Arc<Mutex<BTreeMap<String, Answer>>>,
    log: Arc<Mutex<Vec<String>>>,
) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        request.extend_from_slice(&buffer[..length]);
        if !request.ends_with(b"\r\n\r\n") {
            continue;
        }
        let text = String::from_utf8(std::mem::take(&mut request)).unwrap();
        let path = text.split(' ').nth(1).unwrap_or("").to_owned();
        log.lock().unwrap().push(text);
        let answer = answers.lock().unwrap().get(&path).cloned().unwrap_or(Answer::Status(404));
        if !send(&mut stream, answer).await {
            return;
        }
    }
}

/// Sends an answer; false when nothing may follow it.
async fn send(stream: &mut TcpStream, answer: Answer) -> bool {
    let (bytes, more) = match answer {
        Answer::Page(page) => {
            (format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{page}", page.len()), true)
        }
        Answer::Chunked(page) => {
            let mut text = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
            for piece in page.as_bytes().chunks(7) {
                text.push_str(&format!("{:x}\r\n{}\r\n", piece.len(), String::from_utf8_lossy(piece)));
            }
            (format!("{text}0\r\n\r\n"), true)
        }
        Answer::Status(status) => (format!("HTTP/1.1 {status} Status\r\ncontent-length: 0\r\n\r\n"), true),
        Answer::Redirect(to) => {
            (format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"), true)
        }
        Answer::Raw(bytes) => {
            stream.write_all(bytes).await.ok();
            return false;
        }
        Answer::Cut(page) => {
            (format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{page}", page.len() + 100), false)
        }
        Answer::Silence => {
            std::future::pending::<()>().await;
            return false;
        }
        Answer::Reset => {
            stream.set_zero_linger().ok();
            return false;
        }
    };
    stream.write_all(bytes.as_bytes()).await.is_ok() && more
}

/// A configuration that reads only these, often, and with patience for a busy machine.
pub(super) fn config(targets: Vec<Target>) -> Config {
    Config {
        interval_ms: 100,
        timeout_ms: 2_000,
        discovery_interval_ms: 100,
        probe_ports: Vec::new(),
        targets,
        ..Config::default()
    }
}

/// Reads until the reading is as wanted.
pub(super) async fn until(monitor: &mut Monitor, mut wanted: impl FnMut(&Reading) -> bool) -> Reading {
    let mut reading = monitor.latest();
    for _ in 0..1_000 {
        if wanted(&reading) {
            return reading;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        reading = monitor.latest();
    }
    panic!("ten seconds did not give the reading that was waited for, but {reading:#?}");
}

pub(super) fn state(engine: &EngineSample) -> EngineState {
    EngineState::try_from(engine.info.state).unwrap()
}
