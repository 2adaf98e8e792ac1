//! A real etcd of one member, started on free ports and killed by its process id.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use ostler_coordinator::store::Store;
use ostler_coordinator::store::etcd::{Config, Etcd};
use tempfile::TempDir;

/// How long anything here may take before the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// etcd in a folder of its own.
pub(crate) struct Server {
    child: Child,
    folder: TempDir,
    config: Config,
}

impl Server {
    /// Starts one and waits until it answers.
    pub(crate) async fn start() -> Server {
        let config = Config::new(vec![format!("http://127.0.0.1:{}", free_port())]);
        Server::start_with(tempfile::tempdir().unwrap(), config, &[]).await
    }

    /// Starts one in a folder with more arguments, and waits until it answers whoever asks as `config` says.
    pub(crate) async fn start_with(folder: TempDir, config: Config, arguments: &[String]) -> Server {
        let mut server = Server::launch(folder, config, arguments);
        server.wait().await;
        server
    }

    /// Starts one that may need others to answer.
    pub(crate) fn launch(folder: TempDir, config: Config, arguments: &[String]) -> Server {
        let child = spawn(&folder, &config.endpoints[0], arguments);
        Server { child, folder, config }
    }

    /// Starts it again after it was killed, with what it has kept.
    pub(crate) fn relaunch(&mut self, arguments: &[String]) {
        self.child = spawn(&self.folder, &self.config.endpoints[0], arguments);
    }

    pub(crate) fn config(&self) -> Config {
        self.config.clone()
    }

    pub(crate) fn endpoint(&self) -> String {
        self.config.endpoints[0].clone()
    }

    pub(crate) fn store(&self) -> Etcd {
        Etcd::open(&self.config).unwrap()
    }

    /// Stops it without ending it; it keeps its connections and says nothing.
    pub(crate) fn pause(&self) {
        signal(&self.child, "-STOP");
    }

    pub(crate) fn resume(&self) {
        signal(&self.child, "-CONT");
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Tells it something that a store cannot, by its HTTP gateway.
    pub(crate) fn post(&self, path: &str, body: &str) {
        let address = self.config.endpoints[0].strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let length = body.len();
        let head = format!("POST {path} HTTP/1.0\r\nhost: {address}\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all((head + body).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.lines().next().is_some_and(|line| line.contains("200")), "{path}: {answer}");
    }

    /// Waits until it answers.
    pub(crate) async fn wait(&mut self) {
        let started = Instant::now();
        while self.store().get("ready").await.is_err() {
            assert!(self.child.try_wait().unwrap().is_none(), "etcd ended; it said:\n{}", self.log());
            assert!(started.elapsed() < PATIENCE, "etcd does not answer; it said:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(folder: &TempDir, client: &str, arguments: &[String]) -> Child {
    let peer = format!("http://127.0.0.1:{}", free_port());
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    Command::new("etcd")
        .arg("--data-dir")
        .arg(folder.path().join("data"))
        .args(["--listen-client-urls", client, "--advertise-client-urls", client])
        .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
        .args(["--initial-cluster", &format!("default={peer}")])
        .args(arguments)
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .expect("etcd is missing: install the package etcd-server, or let tests/run do it")
}

pub(crate) fn signal(child: &Child, signal: &str) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(status.success(), "kill {signal}: {status}");
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
