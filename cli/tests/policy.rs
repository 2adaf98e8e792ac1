//! `ostler policy eval` and `ostler replay` as an operator runs them, and on decisions that Kubernetes itself made.
//!
//! The recorded decisions lie outside the repository; a test that needs them fails with their path when they are not there.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{env, fs};

use serde_json::Value;

const CASES: &str = "hpa/kubernetes-1.36-pods-metric.jsonl.gz";

fn ostler(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ostler"));
    command.args(arguments).env_remove("OSTLER_SERVER");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    let mut stdin = child.stdin.take().expect("its input is piped");
    let input = input.to_owned();
    // Beside the reading of its output, so that neither waits for the other; it may end before it has read all.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    let _ = writer.join().expect("the writer ends");
    output
}

fn eval(policy: &str, input: &str, more: &[&str]) -> Output {
    ostler(&[&["policy", "eval", policy, "-i", "-"], more].concat(), input)
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it exits by itself")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("output is text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn records(output: &Output) -> Vec<Value> {
    let lines = stdout(output);
    lines.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

/// The records of decisions, which all lines must have led to.
fn decisions(policy: &str, input: &str) -> Vec<Value> {
    let output = eval(policy, input, &["-o", "json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    records(&output).into_iter().filter(|record| record["record"] == "decision").collect()
}

fn counts(decisions: &[Value]) -> Vec<u64> {
    decisions.iter().filter_map(|it| it["decision"]["replicas"].as_u64()).collect()
}

fn recorded() -> PathBuf {
    let folder = match env::var_os("OSTLER_SHARED_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
    };
    let file = folder.join(CASES);
    assert!(
        file.exists(),
        "{} is not there; OSTLER_SHARED_DATA can name another data folder",
        file.display()
    );
    file
}

fn external(spec: &str) -> String {
    let metric = r#"{"type":"External","external":{"metric":{"name":"queue"},"target":{"type":"AverageValue","averageValue":10}}}"#;
    format!(r#"{{"version":1,"target":{{"spec":{{"maxReplicas":20,"metrics":[{metric}]{spec}}}}}}}"#)
}

#[test]
fn every_recorded_decision_of_kubernetes_is_decided_the_same() {
    let file = recorded();
    let arguments =
        ["policy", "eval", "target", "--format", "hpa", "-i", file.to_str().expect("a path of text")];
    let output = ostler(&[&arguments[..], &["-o", "json"]].concat(), "");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let records = records(&output);
    let summary = records.last().expect("there is a summary");
    assert_eq!(summary["record"], "summary");
    assert_eq!((&summary["decisions"], &summary["agreed"]), (&2_400.into(), &2_400.into()), "{summary}");

    let table = ostler(&arguments, "");
    assert!(stdout(&table).ends_with("2400 of 2400 decisions are as expected\n"));

    // The same cases in the other format: what was translated is read again, and decided again.
    let lines = records.iter().filter_map(|record| match record["record"].as_str() {
        Some("header") => Some(record["header"].to_string()),
        Some("decision") => Some(record["input"].to_string()),
        _ => None,
    });
    let translated: String = lines.map(|line| line + "\n").collect();
    let again = eval("target", &translated, &[]);
    assert_eq!(code(&again), 0, "{}", stderr(&again));
    assert!(stdout(&again).ends_with("2400 of 2400 decisions are as expected\n"));

    let replayed = ostler(&["replay", "-"], &stdout(&output));
    assert_eq!(stdout(&replayed), "2400 of 2400 decisions come out the same, bit for bit\n");
}

#[test]
fn a_decision_that_is_not_as_expected_is_told_and_fails() {
    let file = recorded();
    let packed = fs::read(&file).expect("it can be read");
    let mut text = String::new();
    let mut unpacked = flate2::read::GzDecoder::new(packed.as_slice());
    std::io::Read::read_to_string(&mut unpacked, &mut text).expect("it is packed text");
    let first = text.lines().next().expect("there is a case");
    let wrong = first.replacen("\"desired\":5", "\"desired\":9", 1);
    assert_ne!(first, wrong);
    let output = eval("target", &wrong, &["--format", "hpa"]);
    assert_eq!(code(&output), 1);
    assert!(stdout(&output).contains("EXPECTED 9") && stdout(&output).contains("39 of 40 decisions"));
    assert!(stderr(&output).contains("1 of 40 decisions are not as expected"), "{}", stderr(&output));

    let unknown = first.replacen("\"Min\":", "\"Minimum\":", 1);
    let output = eval("target", &format!("{unknown}\n{first}\n"), &["--format", "hpa"]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("line 1: Minimum: unknown field"), "{}", stderr(&output));
    assert!(stdout(&output).contains("40 of 40 decisions are as expected"), "the other case is decided");
}

#[test]
fn one_bad_line_does_not_lose_the_others() {
    let lines = [
        &external(""),
        r#"{"t_s":0,"replicas_wanted":4,"readings":{"queue":40}}"#,
        r#"{"t_s":15,"readings":{"queue":"many"}}"#,
        r#"{"t_s":15,"reading":{"queue":1}}"#,
        r#"{"t_s":5"#,
        r#"{"t_s":15,"replicas_wanted":200000,"readings":{"queue":40}}"#,
        r#"{"readings":{"queue":40}}"#,
        r#"{"t_s":30,"readings":{"queue":80}}"#,
        r#"{"t_s":29,"readings":{"queue":80}}"#,
    ];
    let output = eval("target", &lines.join("\n"), &["-o", "json"]);
    assert_eq!(code(&output), 1);
    let told = stderr(&output);
    for part in [
        "line 3: readings.queue: \"many\" says nothing: write a number",
        "line 4: reading: unknown field `reading`, expected one of",
        "line 5: EOF while parsing an object",
        "line 6: replicas_wanted: a pool has at most 100000 replicas",
        "line 7: must have t_s, in seconds, or time",
        "line 9: is earlier than the snapshot before",
        "6 lines could not be used",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let records = records(&output);
    let kinds: Vec<&str> = records.iter().filter_map(|record| record["record"].as_str()).collect();
    assert_eq!(
        kinds,
        ["header", "decision", "error", "error", "error", "error", "error", "decision", "error", "summary"]
    );
    assert_eq!(records[7]["decision"]["replicas"], 8);
}

#[test]
fn without_a_header_that_can_be_used_nothing_is_guessed() {
    let snapshot = r#"{"t_s":0,"replicas_wanted":4,"readings":{"queue":40}}"#;
    for (header, part) in [
        (
            r#"{"version":1,"target":{"spec":{"maxReplicas":0,"metrics":[]}}}"#,
            "target.spec: 1 to 0 is no range",
        ),
        (
            r#"{"version":1,"target":{"spec":{"maxReplicas":3,"metrics":[]}}}"#,
            "target.spec.metrics: must have 1 to 32",
        ),
        (r#"{"version":3}"#, "version: 3 is unknown: this is version 1; write 1"),
        (r#"{"version":1,"panic":{"target_value":0}}"#, "target: has no defaults"),
        ("nonsense", "expected"),
    ] {
        let output = eval("target", &format!("{header}\n{snapshot}\n"), &[]);
        assert_eq!((code(&output), stdout(&output).as_str()), (1, ""));
        let told = stderr(&output);
        assert!(told.contains(&format!("line 1: {part}")), "{told}");
        assert!(told.contains("line 2: is not decided: line 1"), "{told}");
    }
    let output = eval("weighted", "", &[]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("nothing to decide"));
}

#[test]
fn each_kind_of_absence_holds_the_pool_and_is_told_apart() {
    let kinds = [
        ("null", "missing"),
        ("\"failed\"", "failed"),
        ("\"NaN\"", "not_finite"),
        ("\"reset\"", "reset"),
        (r#"{"value":1,"age_s":90,"stale":true}"#, "stale"),
    ];
    for (written, state) in kinds {
        let snapshot = format!(r#"{{"t_s":0,"replicas_wanted":4,"readings":{{"queue":{written}}}}}"#);
        let header = external("").replacen(r#""target":{"#, r#""target":{"beginning":"nothing","#, 1);
        let decision = &decisions("target", &format!("{header}\n{snapshot}\n"))[0];
        assert_eq!(decision["inputs"][0]["state"], state);
        assert_eq!(decision["proposal"]["evidence"], "lacking");
        assert_eq!(
            (&decision["proposal"]["replicas"], &decision["decision"]["replicas"]),
            (&Value::Null, &4.into())
        );
        let zero = snapshot.replace(written, "0");
        let decision = &decisions("target", &format!("{header}\n{zero}\n"))[0];
        assert_eq!(decision["decision"]["replicas"], 1, "zero is a number");
    }
}

#[test]
fn memory_is_carried_from_line_to_line() {
    let behavior = r#","behavior":{"scaleDown":{"stabilizationWindowSeconds":60}}"#;
    let queue = |t_s: u64, queue: u64| format!("{{\"t_s\":{t_s},\"readings\":{{\"queue\":{queue}}}}}\n");
    let mut input =
        external(behavior) + "\n" + r#"{"t_s":0,"replicas_wanted":8,"readings":{"queue":80}}"# + "\n";
    input.extend([15, 30, 45, 60, 75].map(|t_s| queue(t_s, 20)));
    assert_eq!(counts(&decisions("target", &input)), [8, 8, 8, 8, 2, 2], "the window holds for a minute");

    let mut burst = r#"{"t_s":0,"replicas_wanted":1,"readings":{"requests_in_flight":70}}"#.to_owned() + "\n";
    let load =
        |t_s: u64, load: u64| format!("{{\"t_s\":{t_s},\"readings\":{{\"requests_in_flight\":{load}}}}}\n");
    burst.extend((2..=8).step_by(2).map(|t_s| load(t_s, 700)));
    burst.extend((10..=140).step_by(2).map(|t_s| load(t_s, 70)));
    let decided = counts(&decisions("panic", &burst));
    let most = decided.iter().copied().max().expect("there are decisions");
    assert!(most >= 9, "panic follows the burst: {decided:?}");
    assert_eq!(decided[20], most, "and does not shrink within a window");
    assert_eq!(decided.last(), Some(&1));
}

#[test]
fn others_are_asked_beside_and_a_case_begins_anew_with_its_header() {
    let header = r#"{"version":1,"limits":{"min":1,"max":9},"weighted":{"immediate":true},"threshold":{"rules":[{"metric":"cpu_percent","above_lasting_s":0}]}}"#;
    let busy = r#"{"t_s":0,"replicas_wanted":8,"readings":{"cpu_percent":100,"memory_percent":95,"response_ms":6000,"queue_requests":300}}"#;
    let input = format!("{header}\n{busy}\n{header}\n{busy}\n");
    let decisions = decisions("weighted", &input);
    assert_eq!(counts(&decisions), [9, 9], "the limits of the pool hold");
    for decision in &decisions {
        assert_eq!(decision["proposal"]["replicas"], 11);
        assert_eq!(decision["decision"]["action"], "scale_out");
        assert_eq!(decision["beside"][0]["policy"], "threshold");
        assert_eq!(decision["beside"][0]["proposal"]["replicas"], 10);
        assert_eq!(decision["beside"][0]["proposal"]["clipped_by"].as_array().map(Vec::len), Some(0));
        assert!(decision["proposal"]["reasons"].to_string().contains("\"confidence\":"));
    }
}

#[test]
fn a_schedule_goes_by_the_wall_clock() {
    let header = r#"{"version":1,"schedule":{"utc_offset_s":28800,"windows":[{"from":"Mon 08:00","until":"Fri 18:00","at_least":6},{"from":"Fri 18:00","until":"Mon 08:00","at_most":2}]}}"#;
    let at = |time: &str| format!("{{\"time\":\"{time}\",\"replicas_wanted\":4}}\n");
    // 2024-01-01 was a Monday; eight in Beijing is midnight in Greenwich.
    let input = format!("{header}\n{}{}", at("2023-12-31T23:59:59Z"), at("2024-01-01T00:00:00Z"));
    let decisions = decisions("schedule", &input);
    assert_eq!(counts(&decisions), [2, 6]);
    assert_eq!(
        (&decisions[0]["proposal"]["at_most"], &decisions[1]["proposal"]["at_least"]),
        (&2.into(), &6.into())
    );
    let output = eval("schedule", &format!("{header}\n{{\"t_s\":0,\"replicas_wanted\":4}}\n"), &[]);
    assert!(stderr(&output).contains("line 2: t_s: a schedule goes by the wall clock"));
}

#[test]
fn what_was_stored_decides_again_and_what_was_changed_is_named() {
    let mut input = r#"{"t_s":0,"replicas_wanted":3,"readings":{"cpu_percent":71.3,"response_ms":2345.6}}"#
        .to_owned()
        + "\n";
    for t_s in (60..1200).step_by(60) {
        let cpu = 40.0 + f64::from(t_s % 420) / 7.0;
        input += &format!(
            "{{\"t_s\":{t_s},\"readings\":{{\"cpu_percent\":{cpu},\"response_ms\":3000.123}},\"decide\":{}}}\n",
            t_s % 180 != 0
        );
    }
    let stored = stdout(&eval("weighted", &input, &["-o", "json"]));
    let replayed = ostler(&["replay", "-"], &stored);
    assert_eq!(code(&replayed), 0, "{}", stderr(&replayed));
    assert_eq!(stdout(&replayed), "14 of 14 decisions come out the same, bit for bit\n");

    let changed = stored.replacen("\"cpu_percent\":71.3", "\"cpu_percent\":99.3", 1);
    let replayed = ostler(&["replay", "-"], &changed);
    assert_eq!(code(&replayed), 1);
    assert!(
        stdout(&replayed).contains("inputs[0].value: 71.3 was stored, 99.3 comes out"),
        "{}",
        stdout(&replayed)
    );
    let other = stored.replacen("\"evidence\":\"lacking\"", "\"evidence\":\"enough\"", 1);
    let replayed = ostler(&["replay", "-", "-o", "json"], &other);
    assert_eq!(records(&replayed)[0]["key"], "proposal.evidence");
}

#[test]
fn what_makes_no_sense_is_refused_with_a_way_out() {
    for (arguments, expected, part) in [
        (&["policy", "eval", "guess", "-i", "-"][..], 2, "weighted"),
        (&["policy", "eval", "panic", "--format", "hpa", "-i", "-"], 2, "ostler policy eval target"),
        (&["policy", "eval", "target", "-i", "/nowhere.jsonl"], 1, "name another file with -i"),
        (&["policy", "eval", "target", "-i", "-", "-o", "html"], 2, "use -o table, json or yaml"),
        (&["replay", "-"], 1, "replay what `ostler policy eval -o json` wrote"),
    ] {
        let output = ostler(arguments, "");
        assert_eq!(code(&output), expected, "{arguments:?}");
        assert!(stderr(&output).contains(part), "{arguments:?}: {}", stderr(&output));
    }
}

/// The guide shows an input, a command, and what it prints; all three belong together.
#[test]
fn the_example_of_the_guide_prints_what_the_guide_says() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/policy-eval.md");
    let guide = fs::read_to_string(guide).expect("the guide can be read");
    let block = |after: &str, fence: &str| {
        let rest = guide.split_once(after).unwrap_or_else(|| panic!("the guide says {after:?}")).1;
        let rest = rest.split_once(&format!("```{fence}\n")).expect("a block begins").1;
        rest.split_once("```").expect("and ends").0.to_owned()
    };
    let input = block("<!-- example -->", "json");
    let output = eval("target", &input, &[]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(stdout(&output), block("<!-- printed -->", "text"));
    let described = block("<!-- settings -->", "json");
    for line in described.lines() {
        let kind =
            ["panic", "weighted", "threshold", "schedule"].into_iter().find(|kind| line.contains(kind));
        let look = r#"{"time":"2026-01-05T08:00:00Z","replicas_wanted":4}"#;
        let output = eval(kind.expect("a policy"), &format!("{line}\n{look}\n"), &[]);
        assert_eq!(code(&output), 0, "{line}: {}", stderr(&output));
    }
}
