//! `ostler backup` and `ostler restore` as an operator runs them: exit codes, texts, JSON, and a coordinator that goes on
//! with what was restored.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

fn ostler(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ostler"));
    for (name, _) in
        std::env::vars().filter(|(name, _)| name.starts_with("OSTLER_") || name.starts_with("AWS_"))
    {
        command.env_remove(name);
    }
    command.args(arguments).output().expect("the binary runs")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it exits by itself")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(arguments: &[&str]) -> Value {
    let output = ostler(&[arguments, &["-o", "json"]].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).expect("output is one JSON value")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a folder of text")
}

/// Lets a coordinator and its demonstration run for a while with this folder; gives its summary.
fn run_for_a_while(folder: &Path) -> Value {
    let free = ["--listen", "127.0.0.1:0", "--listen-http", "127.0.0.1:0", "--no-agent"];
    let demo = ["up", "--demo", "--nodes-per-zone", "1", "--for", "3s", "--data-dir", text(folder)];
    json(&[&demo[..], &free].concat())
}

struct Folders {
    folder: TempDir,
}

impl Folders {
    fn new() -> Folders {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["a", "b"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        Folders { folder }
    }

    fn path(&self, name: &str) -> String {
        text(&self.folder.path().join(name)).to_owned()
    }
}

#[test]
fn a_store_is_backed_up_to_two_folders_looked_into_and_restored_and_a_coordinator_goes_on_with_it() {
    let folders = Folders::new();
    let (data, new, a, b) = (folders.path("data"), folders.path("new"), folders.path("a"), folders.path("b"));
    assert_eq!(run_for_a_while(Path::new(&data))["events"]["node_joined"], 3);
    let report = json(&["backup", &a, "--also", &b, "--keep", "3", "--data-dir", &data]);
    let entries = report["entries"].as_u64().expect("a number");
    let events = report["kinds"]["events"]["entries"].as_u64().expect("a number");
    assert!(events >= 3 && events < entries, "the audit log is there too: {report}");
    assert_eq!(
        (&report["copies"][0]["ok"], &report["copies"][1]["ok"]),
        (&Value::Bool(true), &Value::Bool(true))
    );
    let looked = json(&["backup", "--verify", &b]);
    assert_eq!((&looked["sha256"], &looked["store"]), (&report["sha256"], &Value::from("embedded")));
    let dry = json(&["restore", &a, "--data-dir", &new, "--dry-run"]);
    assert_eq!((&dry["entries"], &dry["would"]["entries"]), (&report["entries"], &report["entries"]));
    assert_eq!((&dry["would"]["removed"], &dry["store"]), (&Value::from(0), &Value::from("embedded")));
    assert!(!Path::new(&new).exists(), "nothing is made");

    let restored = ostler(&["restore", &a, "--data-dir", &new]);
    assert_eq!(code(&restored), 0, "{}", stderr(&restored));
    let said = String::from_utf8_lossy(&restored.stdout).into_owned();
    assert!(
        said.contains(&format!("restored {entries} entries")) && said.contains("start the coordinators"),
        "{said}"
    );
    let again = ostler(&["restore", &a, "--data-dir", &new]);
    assert_eq!(code(&again), 1);
    assert!(stderr(&again).contains("--replace"), "{}", stderr(&again));
    let dry = ostler(&["restore", &a, "--data-dir", &new, "--dry-run"]);
    assert_eq!((code(&dry), stderr(&dry)), (1, stderr(&again)), "it says what would stand against it");
    let dry = ["restore", &a, "--data-dir", &new, "--replace", "--dry-run"];
    for _ in 0..2 {
        assert_eq!(json(&dry)["would"]["removed"], entries, "and removes nothing");
    }
    let said = String::from_utf8_lossy(&ostler(&dry).stdout).into_owned();
    assert!(
        said.contains(&format!("would remove {entries} entries from {new}, and put {entries}")),
        "{said}"
    );
    assert_eq!(json(&["restore", &a, "--data-dir", &new, "--replace"])["removed"], entries);

    let before = report["term"].as_u64().expect("a number");
    assert!((1..1_000_000).contains(&before), "the first store's terms are low: {before}");
    run_for_a_while(Path::new(&new));
    std::fs::remove_dir_all(&a).and_then(|()| std::fs::create_dir(&a)).expect("an empty folder");
    let later = json(&["backup", &a, "--data-dir", &new]);
    assert!(later["term"].as_u64() > Some(1_000_000_000_000_000), "{later}");
    assert!(later["entries"].as_u64() > Some(entries), "the events of before are still there: {later}");
}

#[test]
fn a_copy_that_fails_is_told_beside_one_that_does_not_and_the_exit_code_is_1() {
    let folders = Folders::new();
    let (data, a, missing) = (folders.path("data"), folders.path("a"), folders.path("unmounted"));
    run_for_a_while(Path::new(&data));
    let output = ostler(&["backup", &missing, "--also", &a, "--data-dir", &data]);
    assert_eq!(code(&output), 1);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.contains("FAILED") && said.contains("is its medium mounted?") && said.contains("ok"),
        "{said}"
    );
    assert!(stderr(&output).contains("1 of 2 copies failed"), "{}", stderr(&output));
    assert_eq!(std::fs::read_dir(&a).expect("it is there").count(), 1);
}

#[test]
fn a_copy_beside_older_ones_that_cannot_be_removed_is_told_as_made_and_the_exit_code_is_1() {
    let folders = Folders::new();
    let (data, a) = (folders.path("data"), folders.path("a"));
    run_for_a_while(Path::new(&data));
    // A folder of that name is none that can be removed as a file.
    let stuck = Path::new(&a).join("ostler-20200101T000000Z-00000000.backup");
    std::fs::create_dir(&stuck).expect("a folder");
    let older = Path::new(&a).join("ostler-20200102T000000Z-00000000.backup");
    std::fs::write(&older, "").expect("a file");
    let output = ostler(&["backup", &a, "--keep", "1", "--data-dir", &data]);
    assert_eq!(code(&output), 1);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.contains("ok ") && said.contains("could not be removed") && !said.contains("FAILED"),
        "{said}"
    );
    assert!(stderr(&output).contains("every target has its copy"), "{}", stderr(&output));
    let output = ostler(&["backup", &a, "--keep", "1", "--data-dir", &data, "-o", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("output is one JSON value");
    let copy = &report["copies"][0];
    assert!(
        copy["ok"] == true && copy["not_removed"].as_str().is_some_and(|it| it.contains("00000000")),
        "{copy}"
    );
    assert!(stuck.exists() && !older.exists(), "what can be removed is");
}

#[test]
fn wrong_command_lines_are_exit_code_2_and_stores_that_are_not_there_1() {
    for arguments in [
        &["backup"][..],
        &["backup", "ftp://host/x"],
        &["backup", "x.backup", "--keep", "3"],
        &["backup", "a", "--keep", "0"],
        &["backup", "a", "--verify", "b"],
        &["backup", "s3://b/p", "--s3-key", "alone"],
        &["restore"],
    ] {
        assert_eq!(code(&ostler(arguments)), 2, "{arguments:?}");
    }
    let folders = Folders::new();
    let (data, a) = (folders.path("data"), folders.path("a"));
    for (arguments, said) in [
        (&["backup", &a, "--data-dir", &data][..], "--data-dir"),
        (&["backup", &a, "--store", "memory"], "in memory"),
        (&["restore", &a, "--data-dir", &data], "no backup in"),
        (&["backup", "--verify", &a], "no backup in"),
        (&["backup", &a, "--store", "etcd", "--etcd-endpoints", "http://127.0.0.1:1"], "does not answer"),
    ] {
        let output = ostler(arguments);
        assert_eq!(code(&output), 1, "{arguments:?}");
        assert!(stderr(&output).contains(said), "{arguments:?}: {}", stderr(&output));
    }
}
