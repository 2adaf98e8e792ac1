//! The monitor against children that misbehave in ways that the real one cannot be made to.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use ostler_proto::v1::{SourceState, SourceStatus};

use crate::nvml::{Config, Monitor};

/// Far beyond any deadline of the monitor.
const PATIENCE: Duration = Duration::from_secs(20);

/// A monitor whose child is that shell script.
fn monitor(script: &str) -> (Monitor, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("child");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let config =
        Config { executable: Some(path), call_deadline: Duration::from_millis(200), ..Config::default() };
    (Monitor::start(config), folder)
}

/// The first status that satisfies `wanted`; looking at it must never take long.
fn wait_for(monitor: &mut Monitor, wanted: impl Fn(&SourceStatus) -> bool) -> SourceStatus {
    let started = Instant::now();
    loop {
        let look = Instant::now();
        let status = monitor.latest().status;
        assert!(look.elapsed() < Duration::from_secs(1), "a look took {:?}", look.elapsed());
        if wanted(&status) {
            return status;
        }
        assert!(started.elapsed() < PATIENCE, "the status is still {status:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_child_that_exits_is_reported_with_its_code() {
    let (mut monitor, _folder) = monitor("exit 3");
    let status = wait_for(&mut monitor, |status| status.detail.contains("exited with code 3"));
    assert_eq!(status.state(), SourceState::Failed);
}

#[test]
fn a_child_that_is_killed_is_reported_with_its_signal() {
    let (mut monitor, _folder) = monitor("kill -SEGV $$");
    let status = wait_for(&mut monitor, |status| status.detail.contains("signal 11"));
    assert_eq!(status.state(), SourceState::Failed);
}

#[test]
fn a_child_that_sends_nonsense_is_given_up() {
    let (mut monitor, _folder) = monitor("exec cat /dev/zero");
    wait_for(&mut monitor, |status| status.detail.contains("nonsense"));
}

#[test]
fn a_child_that_neither_calls_nor_answers_counts_as_hung() {
    let (mut monitor, _folder) = monitor("exec sleep 15");
    let status = wait_for(&mut monitor, |status| status.state() == SourceState::Hung);
    assert!(status.detail.contains("no progress"), "{}", status.detail);
}

#[test]
fn a_child_that_says_why_it_cannot_work_is_believed_and_tried_again() {
    // Fault 1 (no library) with the text "x".
    let (mut monitor, folder) = monitor(
        "echo >> $0.runs; printf '\\012\\000\\000\\000F\\001\\000\\000\\000\\000\\001\\000\\000\\000x'",
    );
    let status = wait_for(&mut monitor, |status| status.state() == SourceState::Absent);
    assert!(status.detail.contains("libnvidia-ml.so.1 cannot be loaded (x)"), "{}", status.detail);
    let runs = folder.path().join("child.runs");
    wait_for(&mut monitor, |_| fs::read(&runs).unwrap_or_default().len() >= 2);
}

#[test]
fn a_release_ends_the_child_and_a_resume_starts_another() {
    let (mut monitor, folder) = monitor("echo >> $0.runs; exec cat > /dev/null");
    let runs = folder.path().join("child.runs");
    let count = || fs::read(&runs).unwrap_or_default().len();
    wait_for(&mut monitor, |_| count() >= 1);
    monitor.release(Duration::from_secs(3600));
    // This child does not understand "stop" and has to be ended.
    wait_for(&mut monitor, |status| status.state() == SourceState::Released);
    let before = count();
    monitor.resume();
    wait_for(&mut monitor, |status| status.state() != SourceState::Released);
    wait_for(&mut monitor, |_| count() > before);
}
