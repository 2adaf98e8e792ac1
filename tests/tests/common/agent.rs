//! The real `ostler-agent`, run as a process of its own.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{
    build,
    fake::FakeNvml,
    replica::{PATIENCE, Replica},
};

/// An agent that runs until it is dropped.
pub(crate) struct Agent {
    process: Child,
    /// Where it serves `/metrics` and `/healthz`.
    address: SocketAddr,
    state: TempDir,
}

impl Agent {
    /// Starts an agent that reports to a replica; `fake` is the driver it finds, `None` a machine without one.
    pub(crate) fn start(fake: Option<&FakeNvml>, replica: &Replica) -> Self {
        Self::start_with(fake, replica, &[])
    }

    /// The same with more environment variables.
    pub(crate) fn start_with(fake: Option<&FakeNvml>, replica: &Replica, variables: &[(&str, &str)]) -> Self {
        Self::start_at(&replica.url(), fake, variables)
    }

    /// The same for any coordinator.
    pub(crate) fn start_at(url: &str, fake: Option<&FakeNvml>, variables: &[(&str, &str)]) -> Self {
        let state = tempfile::tempdir().unwrap();
        let address = free_address();
        let log = fs::File::create(state.path().join("log")).unwrap();
        let mut command = command(fake);
        command
            .arg("run")
            .env("OSTLER_COORDINATORS", url)
            .env("OSTLER_LISTEN", address.to_string())
            .env("OSTLER_PROBE_ADDRESS", address.to_string())
            .env("OSTLER_STATE_DIR", state.path())
            .env("OSTLER_NODE", "node-under-test")
            .env("OSTLER_CLOUD_PROVIDER", "off")
            .env("OSTLER_KMSG_ENABLED", "false")
            .env("OSTLER_NVML_SLOW_PERIOD_MS", "1000")
            .envs(variables.iter().copied())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        Self { process: command.spawn().unwrap(), address, state }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Processes that this agent has started and that still run, with their arguments.
    pub(crate) fn children(&self) -> Vec<(u32, String)> {
        let mut children = Vec::new();
        for thread in fs::read_dir(format!("/proc/{}/task", self.pid())).unwrap() {
            let list = fs::read_to_string(thread.unwrap().path().join("children")).unwrap_or_default();
            for pid in list.split_whitespace() {
                let arguments = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                if !arguments.is_empty() {
                    children.push((pid.parse().unwrap(), arguments.replace('\0', " ")));
                }
            }
        }
        children
    }

    /// The process that calls NVML, once there is one other than `not`.
    pub(crate) fn nvml_child(&self, not: Option<u32>) -> u32 {
        let end = Instant::now() + PATIENCE;
        loop {
            let children = self.children();
            let child = children
                .iter()
                .find(|(pid, arguments)| arguments.contains("nvml-child") && Some(*pid) != not);
            if let Some((pid, _)) = child {
                return *pid;
            }
            assert!(Instant::now() < end, "no NVML child among {children:?}; the log:\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// What the agent answers to GET; fails when that takes longer than a second.
    pub(crate) fn get(&self, path: &str) -> Result<(u16, String), String> {
        let text = |error: std::io::Error| error.to_string();
        let mut stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).map_err(text)?;
        stream.set_read_timeout(Some(Duration::from_secs(1))).map_err(text)?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n").map_err(text)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(text)?;
        let code =
            answer.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| answer.clone())?;
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body).to_owned();
        Ok((code, body))
    }

    /// What the agent has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.state.path().join("log")).unwrap_or_default()
    }

    /// Asks the agent to end and waits until it does.
    pub(crate) fn terminate(&mut self) -> std::process::ExitStatus {
        signal(self.pid(), "TERM");
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "the agent does not end; its log:\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the agent's log:\n{}", self.log());
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs `ostler-agent probe` to its end.
pub(crate) fn probe(fake: Option<&FakeNvml>, format: &str) -> Output {
    let state = tempfile::tempdir().unwrap();
    let mut command = command(fake);
    command
        .args(["probe", "-o", format])
        .env("OSTLER_STATE_DIR", state.path())
        .env("OSTLER_CLOUD_PROVIDER", "off")
        .env("OSTLER_KMSG_ENABLED", "false")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.output().unwrap()
}

/// Sends a signal to a process that belongs to this test.
pub(crate) fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().unwrap();
    assert!(status.success(), "there is no process {pid}");
}

/// Changes how many files a process of this test may have open; says how many it was before.
pub(crate) fn limit_open_files(pid: u32, files: u64) -> u64 {
    let prlimit = |arguments: &[&str]| {
        let output =
            Command::new("prlimit").args(["--pid", &pid.to_string()]).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let usual = prlimit(&["--nofile", "--noheadings", "--raw", "--output", "SOFT"]).trim().parse().unwrap();
    prlimit(&[&format!("--nofile={files}:")]);
    usual
}

fn command(fake: Option<&FakeNvml>) -> Command {
    let mut command = Command::new(build::build().join("ostler-agent"));
    match fake {
        Some(fake) => fake.applied_to(&mut command),
        None => command.env_remove("LD_LIBRARY_PATH"),
    };
    command
}

/// An address that was free a moment ago.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
