//! The real `ostler-coordinator`, run as a process of its own, and asked by the real `ostler`.

use std::{
    net::TcpStream,
    process::{Child, Command, Stdio},
    thread,
    time::Instant,
};

use serde_json::Value;

use super::{agent::free_address, build, replica::PATIENCE};

/// A coordinator that runs until it is dropped.
pub(crate) struct Coordinator {
    process: Child,
    url: String,
}

impl Coordinator {
    /// Starts one that keeps nothing, and waits until it listens.
    pub(crate) fn start() -> Self {
        let (grpc, http) = (free_address(), free_address());
        let mut command = Command::new(build::build().join("ostler-coordinator"));
        command.args(["--replica", "coordinator-under-test", "--store", "memory", "--log", "warn"]);
        command.args(["--grpc-listen", &grpc.to_string(), "--http-listen", &http.to_string()]);
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let coordinator = Self { process, url: format!("http://{grpc}") };
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(grpc).is_err() {
            assert!(Instant::now() < end, "the coordinator does not listen on {grpc}");
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
        let mut command = Command::new(build::build().join("ostler"));
        let output = command.args(arguments).args(["--server", &self.url]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
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
