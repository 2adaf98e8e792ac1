//! The command as an operator runs it: exit codes, texts, output formats, against a demonstration on free ports.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

fn ostler(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ostler"));
    command.args(arguments).env_remove("OSTLER_SERVER").env_remove("NO_COLOR");
    command
}

fn run(arguments: &[&str]) -> Output {
    ostler(arguments).output().expect("the binary runs")
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

/// An address on this machine where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}", listener.local_addr().expect("its address"))
}

/// A running `ostler up --demo`; killed when dropped.
struct Demo {
    child: Child,
    server: String,
}

impl Demo {
    fn start() -> Demo {
        let arguments = [
            "up",
            "--demo",
            "--nodes-per-zone",
            "1",
            "--listen",
            "127.0.0.1:0",
            "--listen-http",
            "127.0.0.1:0",
        ];
        let mut command = ostler(&arguments);
        command.arg("--no-agent").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the binary runs");
        let mut lines =
            BufReader::new(child.stdout.take().expect("its output is piped")).lines().map_while(Result::ok);
        let named =
            |line: String| line.trim().strip_prefix("agents and API").map(|url| url.trim().to_owned());
        let server = lines.find_map(named).expect("it tells where its API is");
        std::thread::spawn(move || lines.for_each(drop));
        let demo = Demo { child, server };
        let joined =
            |demo: &Demo| demo.json(&["get", "nodes"]).as_array().is_some_and(|nodes| nodes.len() == 3);
        assert!((0..100).any(|_| joined(&demo)), "three nodes never joined");
        demo
    }

    fn run(&self, arguments: &[&str]) -> Output {
        ostler(arguments).args(["--server", &self.server]).output().expect("the binary runs")
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["-o", "json"]].concat());
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        serde_json::from_slice(&output.stdout).expect("output is JSON")
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn nobody_answering_is_exit_code_3_with_what_to_do() {
    for arguments in [&["get", "nodes"][..], &["status"], &["watch"], &["describe", "node", "x"]] {
        let output = ostler(arguments).args(["--server", &nobody()]).output().expect("the binary runs");
        assert_eq!(code(&output), 3, "{arguments:?}");
        let text = stderr(&output);
        assert!(
            text.contains("ostler up") && text.contains("--server") && text.contains("refused"),
            "{text}"
        );
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    for arguments in [
        &["get", "unicorns"][..],
        &["get"],
        &["frobnicate"],
        &["get", "nodes", "--server", "ftp://x"],
        &["up", "--for", "5 parsecs"],
        &["up", "--demo", "--nodes-per-zone", "0"],
        &["top"],
        &["watch", "decisions"],
    ] {
        assert_eq!(code(&run(arguments)), 2, "{arguments:?}");
    }
}

#[test]
fn every_shell_gets_a_completion_script() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run(&["completion", shell]);
        assert_eq!(code(&output), 0);
        assert!(stdout(&output).contains("describe"), "{shell}");
    }
}

#[test]
fn a_port_in_use_is_told_with_the_option_that_changes_it() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("its address").to_string();
    for option in ["--listen", "--listen-http", "--listen-agent"] {
        let mut arguments = vec!["up", "--for", "1s", option, &address];
        for other in ["--listen", "--listen-http", "--listen-agent"] {
            if other != option {
                arguments.extend([other, "127.0.0.1:0"]);
            }
        }
        let output = run(&arguments);
        assert_eq!(code(&output), 1, "{option}");
        let text = stderr(&output);
        assert!(text.contains(&address) && text.contains(option), "{text}");
    }
}

#[test]
fn a_demonstration_for_a_time_prints_one_json_object_and_nothing_else() {
    let arguments = [
        "up",
        "--demo",
        "--for",
        "4s",
        "-o",
        "json",
        "--listen",
        "127.0.0.1:0",
        "--listen-http",
        "127.0.0.1:0",
    ];
    let output =
        ostler(&arguments).args(["--no-agent", "--nodes-per-zone", "2"]).output().expect("the binary runs");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let summary: Value = serde_json::from_slice(&output.stdout).expect("stdout is one JSON object");
    assert_eq!(summary["simulated"], true);
    let counts = ["zones", "nodes", "gpus", "engines", "pools"].map(|name| summary[name].as_u64());
    assert_eq!(counts, [3, 6, 48, 9, 2].map(Some), "{summary}");
    assert_eq!(summary["events"]["node_joined"], 6);
    assert!(summary["reports_received"].as_u64() > Some(10), "{summary}");
    assert!(summary["requests_running_peak"].as_f64() > Some(10.0), "{summary}");
    assert!(stderr(&output).contains("SIMULATED"));
}

#[test]
fn a_running_fleet_is_read_in_every_form() {
    let demo = Demo::start();
    let table = stdout(&demo.run(&["get", "nodes"]));
    assert!(
        table.starts_with("NAME") && table.contains("sim-a-01-h100") && !table.contains('\u{1b}'),
        "{table}"
    );
    assert_eq!(demo.json(&["get", "gpus"]).as_array().map(Vec::len), Some(24));
    assert_eq!(demo.json(&["get", "zones"]).as_array().map(Vec::len), Some(3));
    assert_eq!(demo.json(&["get", "decisions"]), Value::Array(Vec::new()));
    let node = demo.json(&["get", "node", "sim-b-01-h100"]);
    assert_eq!((&node["zone"], &node["simulated"]), (&Value::from("zone-b"), &Value::Bool(true)));
    let yaml = stdout(&demo.run(&["get", "node", "sim-b-01-h100", "-o", "yaml"]));
    assert!(yaml.contains("zone: zone-b") && yaml.contains("simulated: true"), "{yaml}");
    let few = demo.json(&["get", "nodes", "--filter", "zone = \"zone-c\"", "--fields", "name,zone"]);
    assert_eq!(few, serde_json::json!([{ "name": "sim-c-01-h100", "zone": "zone-c" }]));
    let described = stdout(&demo.run(&["describe", "node", "sim-a-01-h100"]));
    for part in
        ["STATE        fresh", "Sources", "GPUs (8)", "Engines (2)", "Readings", "Events", "node_joined"]
    {
        assert!(described.contains(part), "{part} is missing in\n{described}");
    }
    let gpu = demo.json(&["get", "gpus"])[0]["name"].as_str().expect("GPUs have names").to_owned();
    assert!(!demo.json(&["describe", "gpu", &gpu])["readings"].as_array().expect("readings").is_empty());
    let status = stdout(&demo.run(&["status"]));
    assert!(status.contains("SIMULATED"), "{status}");
    assert!(status.contains("leader ") && status.contains(" term "), "{status}");
    let missing = demo.run(&["get", "node", "nobody"]);
    assert_eq!(code(&missing), 1);
    assert!(stderr(&missing).contains("`ostler get nodes` lists"), "{}", stderr(&missing));
    assert_eq!(code(&demo.run(&["get", "nodes", "--filter", "zone ="])), 2);
}

#[test]
fn a_demonstration_decides_about_its_incidents_and_does_nothing() {
    let demo = Demo::start();
    let began = std::time::Instant::now();
    let decision = loop {
        let found = demo.json(&["get", "decisions"]);
        if let Some(first) = found.as_array().and_then(|all| all.first()) {
            break first.clone();
        }
        assert!(began.elapsed().as_secs() < 60, "no decision about the first incident");
        std::thread::sleep(std::time::Duration::from_millis(500));
    };
    assert_eq!(decision["verdict"], "VERDICT_GPU_LOST", "{decision:#}");
    assert_eq!(demo.json(&["get", "actions"]), Value::Array(Vec::new()));
    let name = decision["name"].as_str().expect("decisions have names");
    let text = stdout(&demo.run(&["explain", name]));
    for part in ["What was seen", "GPU_LOST", "What was wanted", "not done"] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    let held = demo.run(&["hold", "fleet", "--reason", "a test", "--operator", "ann", "--for", "1h"]);
    assert_eq!(code(&held), 0, "{}", stderr(&held));
    assert_eq!(demo.json(&["get", "holds"]).as_array().map(Vec::len), Some(1));
    assert_eq!(code(&demo.run(&["hold", "rack/7", "--reason", "a test", "--operator", "ann"])), 2);
}

#[test]
fn a_watch_tells_everything_and_can_be_taken_up_again() {
    let demo = Demo::start();
    let mut child = ostler(&["watch", "nodes", "-o", "json", "--server", &demo.server])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let lines =
        BufReader::new(child.stdout.take().expect("its output is piped")).lines().map_while(Result::ok);
    let values = lines.map(|line| serde_json::from_str::<Value>(&line).expect("each line is JSON"));
    let seen: Vec<Value> = values.take(8).collect();
    child.kill().expect("it still runs");
    child.wait().expect("it ends");
    assert_eq!(
        seen.iter().filter(|value| value["node"]["name"].is_string()).count() + 2,
        seen.len(),
        "{seen:?}"
    );
    let last = seen.last().expect("eight lines");
    let (revision, epoch) = (last["revision"].as_str().expect("text"), last["epoch"].as_str().expect("text"));
    let resumed =
        ["watch", "nodes", "-o", "json", "--server", &demo.server, "--revision", revision, "--epoch", epoch];
    let mut child = ostler(&resumed).stdout(Stdio::piped()).spawn().expect("the binary runs");
    let mut first = String::new();
    BufReader::new(child.stdout.take().expect("its output is piped")).read_line(&mut first).expect("a line");
    child.kill().expect("it still runs");
    child.wait().expect("it ends");
    let first: Value = serde_json::from_str(&first).expect("JSON");
    assert_eq!((&first["epoch"], &first["reset"]), (&last["epoch"], &Value::Null), "{first}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let demo = Demo::start();
    let mut child = ostler(&["watch", "gpus", "--server", &demo.server])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut reader = BufReader::new(child.stdout.take().expect("its output is piped"));
    reader.read_line(&mut String::new()).expect("a line");
    drop(reader);
    let mut text = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut text).expect("text");
    assert_eq!((child.wait().expect("it ends").code(), text.as_str()), (Some(0), ""));
}
