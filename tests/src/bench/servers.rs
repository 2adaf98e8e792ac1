//! The release binaries next to this one, started and stopped.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;

/// What builds everything that a bench runs.
const BUILD: &str =
    "cargo build --release -p ostler-coordinator -p ostler-agent -p ostler-fake-nvml -p ostler-tests";

/// Longest wait for a server to listen.
const START_MAX: Duration = Duration::from_secs(20);

/// A server that is stopped when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Its folder, with its log.
    folder: TempDir,
}

impl Server {
    /// Starts a command with its output in a log of its own.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let log = File::create(folder.path().join("log"))?;
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        Ok(Self { child, folder })
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal, as `kill` names it.
    pub(crate) fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let status = Command::new("kill").args(["-s", signal, &self.pid().to_string()]).status()?;
        if !status.success() {
            bail!("kill -s {signal}: {status}");
        }
        Ok(())
    }

    /// Waits until it takes connections.
    pub(crate) fn wait_for(&mut self, address: SocketAddr) -> anyhow::Result<()> {
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            if self.child.try_wait()?.is_some() || start.elapsed() > START_MAX {
                let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                bail!("the server does not listen on {address}; it said:\n{log}");
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A coordinator that serves gRPC on one thread.
#[derive(Debug)]
pub(crate) struct Coordinator {
    pub(crate) server: Server,
    pub(crate) address: SocketAddr,
}

impl Coordinator {
    /// Starts one that keeps nothing on disk.
    pub(crate) fn start() -> anyhow::Result<Self> {
        Self::named("bench", &["--store", "memory"])
    }

    /// Starts a replica of this name with more arguments.
    pub(crate) fn named(replica: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        Self::at(free_address()?, replica, arguments)
    }

    /// Starts one that listens here.
    pub(crate) fn at(address: SocketAddr, replica: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let http = free_address()?;
        let mut command = Command::new(binary("ostler-coordinator")?);
        command
            .args(["--ingest-threads", "1", "--replica", replica, "--log", "warn"])
            .args(arguments)
            .args(["--grpc-listen", &address.to_string(), "--http-listen", &http.to_string()]);
        let mut server = Server::start(&mut command)?;
        server.wait_for(address)?;
        Ok(Self { server, address })
    }

    /// Its address for gRPC clients.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// An agent that finds the fake NVML library.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) server: Server,
    fake: TempDir,
}

impl Agent {
    /// Starts one that reports to `coordinator` and reads an engine's metrics at `engine`.
    pub(crate) fn start(coordinator: &str, engine: Option<&str>, scenario: &str) -> anyhow::Result<Self> {
        let listen = free_address()?.to_string();
        Self::start_with(coordinator, engine, scenario, &[("NODE", "bench-node"), ("LISTEN", &listen)])
    }

    /// Starts one with these settings, each named as its environment variable is after `OSTLER_`.
    pub(crate) fn start_with(
        coordinator: &str,
        engine: Option<&str>,
        scenario: &str,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let fake = tempfile::tempdir()?;
        let mut command = Command::new(binary("ostler-agent")?);
        fake_nvml(&mut command, fake.path(), scenario)?;
        let engines = engine.map_or(String::new(), |url| {
            format!("[[engines.static]]\nname = \"vllm\"\nkind = \"vllm\"\nurl = \"{url}\"\n")
        });
        let config = fake.path().join("agent.toml");
        std::fs::write(&config, engines)?;
        command
            .arg("--config")
            .arg(&config)
            .env("OSTLER_COORDINATORS", coordinator)
            .env("OSTLER_STATE_DIR", fake.path())
            .env("OSTLER_CLOUD_PROVIDER", "off")
            .envs(settings.iter().map(|(name, value)| (format!("OSTLER_{name}"), value)));
        Ok(Self { server: Server::start(&mut command)?, fake })
    }

    /// Replaces the fake library's scenario at one stroke.
    pub(crate) fn set_scenario(&self, scenario: &str) -> anyhow::Result<()> {
        set_scenario(self.fake.path(), scenario)
    }

    /// All its processes.
    pub(crate) fn pids(&self) -> anyhow::Result<Vec<u32>> {
        let mut pids = vec![self.server.pid()];
        pids.extend(ostler_tests::process::children(self.server.pid())?);
        Ok(pids)
    }
}

/// Has an agent find the fake NVML library, whose scenario is in this folder.
pub(crate) fn fake_nvml(command: &mut Command, folder: &Path, scenario: &str) -> anyhow::Result<()> {
    symlink(binary("libnvidia_ml.so")?, folder.join("libnvidia-ml.so.1"))?;
    set_scenario(folder, scenario)?;
    command
        .env("LD_LIBRARY_PATH", folder)
        .env("OSTLER_FAKE_NVML", folder.join("scenario.toml"))
        .env("OSTLER_FAKE_NVML_QUIET", "1");
    Ok(())
}

fn set_scenario(folder: &Path, scenario: &str) -> anyhow::Result<()> {
    let next = folder.join("scenario.next");
    std::fs::write(&next, scenario)?;
    Ok(std::fs::rename(next, folder.join("scenario.toml"))?)
}

/// A file that the build leaves next to this program.
pub(crate) fn binary(name: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    if !path.exists() {
        bail!("{} is missing; build it with `{BUILD}`", path.display());
    }
    Ok(path)
}

/// An address of this machine on which nobody listens now.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
