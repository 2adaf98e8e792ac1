//! The fake NVML library where a program under test finds it, and a scenario that can be changed under it.

use std::{
    env, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::build;

/// Set in the child that runs a test's body, to the test's name.
const CHILD: &str = "OSTLER_TEST_CHILD";

/// How long a test's child may take. Wide: only a hang fails it.
const CHILD_TIME: Duration = Duration::from_secs(60);

/// A folder with `libnvidia-ml.so.1` in it, and a scenario.
pub(crate) struct FakeNvml {
    folder: TempDir,
}

impl FakeNvml {
    /// Builds the library if need be and starts with a scenario.
    pub(crate) fn new(scenario: &str) -> Self {
        let library = build::build().join("libnvidia_ml.so");
        let fake = Self { folder: tempfile::tempdir().unwrap() };
        symlink(library, fake.library()).unwrap();
        fake.set(scenario);
        fake
    }

    /// The folder for `LD_LIBRARY_PATH`.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The library under the name that programs load.
    pub(crate) fn library(&self) -> PathBuf {
        self.folder().join("libnvidia-ml.so.1")
    }

    /// The scenario file.
    pub(crate) fn scenario(&self) -> PathBuf {
        self.folder().join("scenario.toml")
    }

    /// Replaces the scenario at one stroke; programs that run take it up at their next call.
    pub(crate) fn set(&self, scenario: &str) {
        let next = self.folder().join("scenario.next");
        fs::write(&next, scenario).unwrap();
        fs::rename(next, self.scenario()).unwrap();
    }

    /// Makes a command's program load this library in the ordinary way.
    pub(crate) fn applied_to<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("LD_LIBRARY_PATH", self.folder()).env("OSTLER_FAKE_NVML", self.scenario())
    }
}

/// Runs the body of the test `name` in a process of its own, in which `libnvidia-ml.so.1` is the fake library, and passes
/// when that process does.
///
/// A library is loaded, and reads its environment, once in a process; a test that shares its process with others could
/// neither choose a scenario nor hang or crash.
pub(crate) fn with_nvml(name: &str, scenario: &str, body: impl FnOnce(&Inside)) {
    if env::var(CHILD).is_ok_and(|child| child == name) {
        return body(&Inside);
    }
    let output = run_child(name, &FakeNvml::new(scenario));
    assert!(output.status.success(), "{}", text(&output));
}

/// As [`with_nvml`], for a body that must not return: gives what became of the process, `None` when it still ran after
/// `patience` and was killed.
pub(crate) fn with_doomed_nvml(
    name: &str,
    scenario: &str,
    patience: Duration,
    body: impl FnOnce(&Inside),
) -> Option<Output> {
    if env::var(CHILD).is_ok_and(|child| child == name) {
        body(&Inside);
        panic!("the body returned");
    }
    let fake = FakeNvml::new(scenario);
    let mut command = child_command(name, &fake);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let end = Instant::now() + patience;
    while Instant::now() < end {
        if child.try_wait().unwrap().is_some() {
            return Some(child.wait_with_output().unwrap());
        }
        thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(!text(&output).contains("panicked"), "{}", text(&output));
    None
}

/// The test's body, running in its own process.
pub(crate) struct Inside;

impl Inside {
    /// Changes the scenario that this process plays.
    pub(crate) fn set(&self, scenario: &str) {
        let file = PathBuf::from(env::var_os("OSTLER_FAKE_NVML").unwrap());
        let next = file.with_extension("next");
        fs::write(&next, scenario).unwrap();
        fs::rename(next, file).unwrap();
        // The library looks at its file this often at most.
        thread::sleep(Duration::from_millis(30));
    }
}

fn child_command(name: &str, fake: &FakeNvml) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    fake.applied_to(&mut command);
    command.args([name, "--exact", "--nocapture", "--test-threads=1"]).env(CHILD, name);
    command
}

fn run_child(name: &str, fake: &FakeNvml) -> Output {
    let mut command = child_command(name, fake);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = child.id();
    let waiter = thread::spawn(move || child.wait_with_output().unwrap());
    let end = Instant::now() + CHILD_TIME;
    while !waiter.is_finished() {
        if Instant::now() > end {
            let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
        }
        thread::sleep(Duration::from_millis(5));
    }
    let output = waiter.join().unwrap();
    // A name that matches no test would pass without running anything.
    assert!(text(&output).contains("1 passed") || !output.status.success(), "there is no test {name}");
    output
}

/// All that a process wrote.
pub(crate) fn text(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
