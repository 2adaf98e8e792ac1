//! The real `ostler-coordinator`, run as a process of its own, and asked by the real `ostler`.

use std::{
    fs,
    net::TcpStream,
    process::{Child, Command, Output},
    thread,
    time::Instant,
};

use serde_json::Value;
use tempfile::NamedTempFile;

use super::{agent::free_address, build, replica::PATIENCE};

/// A coordinator that runs until it is dropped.
pub(crate) struct Coordinator {
    process: Child,
    url: String,
    /// What `ostler` is told besides the address.
    flags: Vec<String>,
    log: NamedTempFile,
}

impl Coordinator {
    /// Starts one that keeps nothing, and waits until it listens.
    pub(crate) fn start() -> Self {
        Self::start_with("http", &[], &[])
    }

    /// The same with more arguments; `flags` are what `ostler` needs to reach it by this scheme.
    pub(crate) fn start_with(scheme: &str, arguments: &[&str], flags: &[&str]) -> Self {
        let (grpc, http) = (free_address(), free_address());
        let log = NamedTempFile::new().unwrap();
        let mut command = Command::new(build::build().join("ostler-coordinator"));
        command.args(["--replica", "coordinator-under-test", "--store", "memory", "--log", "info"]);
        command.args(arguments);
        command.args(["--grpc-listen", &grpc.to_string(), "--http-listen", &http.to_string()]);
        let told = log.reopen().unwrap();
        let process = command.stdout(told.try_clone().unwrap()).stderr(told).spawn().unwrap();
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let coordinator = Self { process, url: format!("{scheme}://{grpc}"), flags, log };
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(grpc).is_err() {
            assert!(Instant::now() < end, "the coordinator does not listen on {grpc}: {}", coordinator.log());
            thread::sleep(std::time::Duration::from_millis(20));
        }
        coordinator
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What `ostler get` lists.
    pub(crate) fn get(&self, what: &str) -> Vec<Value> {
        serde_json::from_str(&self.run(&["get", what, "-o", "json"])).unwrap()
    }

    /// What `ostler` prints.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.ask(&self.url, arguments, &self.flags);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What becomes of `ostler` with these flags.
    pub(crate) fn ask(&self, url: &str, arguments: &[&str], flags: &[String]) -> Output {
        let mut command = Command::new(build::build().join("ostler"));
        command.args(arguments).args(["--server", url]).args(flags).output().unwrap()
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap()
    }

    /// Waits until an entry that is listed fulfils a condition; fails with the whole list when it takes too long.
    pub(crate) fn wait(&self, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let entries = self.get(what);
            if let Some(entry) = entries.iter().find(|entry| condition(entry)) {
                return entry.clone();
            }
            assert!(Instant::now() < end, "never among the {what}: {entries:#?}");
            thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}

impl Drop for Coordinator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
