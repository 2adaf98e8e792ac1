//! `ostler simulate` as an operator runs it, over a small table of requests.

use std::fmt::Write;
use std::process::{Command, Output};

use serde_json::Value;

/// Five minutes of a request a second.
fn trace() -> tempfile::NamedTempFile {
    let mut text = "arrival_s,input_tokens,output_tokens\n".to_owned();
    (0..300).for_each(|at| writeln!(text, "{at},1000,50").expect("a string takes all"));
    let file = tempfile::Builder::new().suffix(".csv").tempfile().expect("a temporary file");
    std::fs::write(file.path(), text).expect("it can be written");
    file
}

fn simulate(trace: &std::path::Path, more: &[&str]) -> Output {
    let options = ["simulate", "--format", "csv", "--max", "4", "--trace"];
    ostler().args(options).arg(trace).args(more).output().expect("the binary runs")
}

fn ostler() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ostler"));
    command.env_remove("OSTLER_SERVER");
    command
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("output is text")
}

#[test]
fn a_load_that_one_replica_serves_needs_one_and_every_form_says_so() {
    let trace = trace();
    let options = ["--policy", "static-peak", "--against", "weighted", "--seeds", "2"];
    let json = stdout(&simulate(trace.path(), &[&options[..], &["-o", "json"]].concat()));
    let report: Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!(report["version"], 1);
    assert_eq!(report["requests"], 300);
    let entry = &report["entries"][0];
    assert_eq!((&entry["policy"], &entry["setting"]), (&"static-peak".into(), &"1 replicas".into()));
    assert_eq!(entry["figures"]["in_objective"]["mean"], 1.0);
    assert_eq!(entry["figures"]["in_objective"]["half"], 0.0, "two seeds give an interval");
    assert_eq!(report["entries"][1]["policy"], "weighted");

    let table = stdout(&simulate(trace.path(), &options));
    assert!(table.contains("static-peak") && table.contains("IN OBJECTIVE"), "{table}");
    assert!(table.contains("first token within 2 s plus the time its prompt takes"), "{table}");

    let page = stdout(&simulate(trace.path(), &[&options[..], &["-o", "html"]].concat()));
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
}

#[test]
fn what_cannot_be_simulated_is_refused_with_a_way_out() {
    // Nothing is read before the options are known to make sense.
    let missing = std::path::Path::new("/nowhere.csv");
    for (options, code, part) in [
        (&["--policy", "guess"][..], 2, "hpa-queue"),
        (&["--policy", "kpa", "--goal", "2"], 2, "0.999 lets one request in a thousand miss"),
        (&["--policy", "kpa", "--goal", "0", "--load-times", "/nowhere.csv"], 2, "0.999 lets one"),
        (&["--policy", "kpa", "--min", "5"], 2, "at least 5 and at most 4 replicas is no range"),
        (&["--policy", "kpa", "--initial", "5"], 2, "5 replicas at the start do not fit"),
        (&["--policy", "kpa", "--gpu-price=-1"], 2, "give a number from 0 up"),
        (&["--policy", "kpa", "--seed", "18446744073709551615", "--seeds", "2"], 2, "begin with a lower one"),
        (&["--policy", "kpa", "--from", "10s", "--until", "5s"], 2, "give a later end"),
        (&["--policy", "kpa", "--lengths", "x"], 2, "leave it off"),
        (&["--policy", "kpa"], 1, "/nowhere.csv"),
        (&["--policy", "kpa", "--seed", "18446744073709551615"], 1, "/nowhere.csv"),
    ] {
        let output = simulate(missing, options);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.contains(part), "{options:?}: {text}");
    }
}

#[test]
fn zones_have_room_for_as_many_replicas_as_the_pool_may_have() {
    let file = tempfile::Builder::new().suffix(".csv").tempfile().expect("a temporary file");
    std::fs::write(file.path(), "arrival_s,input_tokens,output_tokens\n0,100,5\n1,100,5\n")
        .expect("it is written");
    let options = ["--policy", "static-peak", "--max", "4000", "--initial", "3500", "-o", "json"];
    let output =
        ostler().args(["simulate", "--format", "csv", "--trace"]).arg(file.path()).args(options).output();
    let report: Value = serde_json::from_str(&stdout(&output.expect("the binary runs"))).expect("it is JSON");
    assert_eq!(report["initial_replicas"], 3500);
    assert_eq!(report["entries"][0]["setting"], "1 replicas");
}

#[test]
fn a_page_is_made_of_simulations_only() {
    let output = Command::new(env!("CARGO_BIN_EXE_ostler")).args(["get", "nodes", "-o", "html"]).output();
    let output = output.expect("the binary runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("only `ostler simulate`"));
}
