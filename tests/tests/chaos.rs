//! A short run of `ostler-bench chaos`: real etcd, replicas and agents, which are killed, stopped and cut off.

mod common;

use std::process::Command;

use serde_json::Value;

#[test]
fn nothing_that_must_never_be_happens_while_things_break() {
    let bench = common::build::build().join("ostler-bench");
    let output = Command::new(bench).args(["chaos", "--quick", "-o", "json"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(outcome["figures"]["chaos.violations"], 0.0, "{told}");
    assert_eq!(outcome["figures"]["troubles"], 4.0);
}
