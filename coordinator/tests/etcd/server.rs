//! A real etcd of one member, started on free ports and killed by its process id.

use std::net::{Ipv4Addr, TcpListener};
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
    pub(crate) port: u16,
}

impl Server {
    /// Starts one and waits until it answers.
    pub(crate) async fn start() -> Server {
        let folder = tempfile::tempdir().unwrap();
        let (port, peer_port) = (free_port(), free_port());
        let child = spawn(&folder, port, peer_port);
        let mut server = Server { child, folder, port };
        server.wait().await;
        server
    }

    pub(crate) fn config(&self) -> Config {
        Config::new(vec![self.endpoint()])
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn store(&self) -> Etcd {
        Etcd::open(&self.config()).unwrap()
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

    async fn wait(&mut self) {
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

fn spawn(folder: &TempDir, port: u16, peer_port: u16) -> Child {
    let (client, peer) = (format!("http://127.0.0.1:{port}"), format!("http://127.0.0.1:{peer_port}"));
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    Command::new("etcd")
        .arg("--data-dir")
        .arg(folder.path().join("data"))
        .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
        .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
        .args(["--initial-cluster", &format!("default={peer}")])
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
