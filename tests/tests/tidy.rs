//! The rules that hold the architecture together, as tests: who may depend on whom, which file may name which crate,
//! how long files may be, and what must never be in the tree.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Longest file in lines; a longer one wants a reason in [`LONG_FILES`] or a split where its second idea begins.
const FILE_LINES_MAX: usize = 500;

/// Longer files, each with its reason.
const LONG_FILES: &[(&str, &str)] = &[];

/// Longest function in lines, the threshold of clippy's `too_many_lines` in every `clippy.toml`.
const FUNCTION_LINES_MAX: usize = 70;

/// Files that may hold unsafe code.
const UNSAFE_FILES: &[&str] = &[
    "agent/src/nvml/",
    "agent/src/sys.rs",
    "coordinator/src/sys.rs",
    "tests/fake-nvml/",
    "tests/tests/fake_nvml_raw.rs",
];

/// Which files may name which crate. A trailing slash means the folder.
const NAMED_ONLY_IN: &[(&str, &[&str])] = &[
    ("nvml_wrapper", &["agent/src/nvml/", "tests/fake-nvml/", "tests/tests/fake_nvml"]),
    ("nvml_wrapper_sys", &["agent/src/nvml/", "tests/fake-nvml/", "tests/tests/fake_nvml"]),
    ("redb", &["coordinator/src/store/"]),
    ("etcd_client", &["coordinator/src/store/etcd.rs", "coordinator/src/store/etcd/"]),
    ("rusty_s3", &["coordinator/src/backup/s3.rs", "coordinator/src/backup/s3/"]),
    ("kube", &[]),
    ("tokio_rustls", &["coordinator/src/server/"]),
    ("x509_parser", &["coordinator/src/tls/", "cli/src/certs"]),
    ("rcgen", &["cli/src/certs", "coordinator/src/tls/", "coordinator/tests/", "tests/tests/"]),
];

/// Files where the wire meets the core: what comes in, what goes out, what is asked, and what is kept. All others know one
/// of the two.
const WIRE_MEETS_CORE: &[&str] = &[
    "coordinator/src/convert.rs",
    "coordinator/src/convert/",
    "coordinator/src/ingest.rs",
    "coordinator/src/ingest/",
    "coordinator/src/api/",
    "coordinator/src/journal.rs",
    "coordinator/src/peers.rs",
    "coordinator/src/peers/",
    "coordinator/src/probe.rs",
    "coordinator/src/probe/",
    "coordinator/src/summary.rs",
    "coordinator/tests/",
    "tests/",
];

/// Modules of the core, lowest first: each may name only those before it.
const CORE_ORDER: &[&str] = &[
    "time",
    "id",
    "class",
    "metric",
    "layout",
    "inventory",
    "event",
    "window",
    "journal",
    "fleet",
    "signals",
    "detect",
    "policy",
    "lead",
    "action",
    "brake",
    "desk",
    "engine",
];

#[test]
fn the_core_depends_on_nothing_that_does_io() {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--package",
            "ostler-core",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--offline",
            "--locked",
        ])
        .current_dir(root())
        .output()
        .expect("cargo tree runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let allowed = [
        "ostler-core",
        // Errors.
        "thiserror",
        "thiserror-impl",
        "proc-macro2",
        "quote",
        "syn",
        "unicode-ident",
        // SHA-256, for ids of actions and the audit chain.
        "sha2",
        "digest",
        "block-buffer",
        "crypto-common",
        "hybrid-array",
        "typenum",
        "cfg-if",
        "cpufeatures",
    ];
    for line in String::from_utf8_lossy(&tree.stdout).lines() {
        let name = line.split_whitespace().next().unwrap_or_default();
        assert!(
            name.is_empty() || allowed.contains(&name),
            "ostler-core depends on {name}: the core has no IO and no wire"
        );
    }
}

#[test]
fn agent_and_coordinator_meet_only_on_the_wire() {
    let forbidden: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("proto", &["ostler-agent", "ostler-core", "ostler-coordinator", "ostler"][..]),
        ("coordinator/core", &["ostler-proto", "ostler-agent", "ostler-coordinator", "ostler"][..]),
        ("agent", &["ostler-core", "ostler-coordinator", "ostler"][..]),
        ("coordinator", &["ostler-agent", "ostler-sim", "ostler"][..]),
        ("sim", &["ostler-proto", "ostler-agent", "ostler-coordinator", "ostler"][..]),
    ]);
    for (package, names) in forbidden {
        let manifest = read(&root().join(package).join("Cargo.toml"));
        let dependencies = manifest.split("[dependencies]").nth(1).expect("a [dependencies] table");
        let dependencies = dependencies.split("[dev-dependencies]").next().expect("text");
        for line in dependencies.lines() {
            let name = line.split(['=', '.']).next().unwrap_or_default().trim();
            assert!(!names.contains(&name), "{package} must not depend on {name}");
        }
    }
}

#[test]
fn crates_are_named_only_in_the_files_that_own_them() {
    let mut offences = Vec::new();
    for file in rust_files() {
        let text = code_of(&file.text);
        for (name, owners) in NAMED_ONLY_IN {
            if names_crate(&text, name) && !file.is_in(owners) {
                offences.push(format!("{}: names {name}, which only {owners:?} may", file.path));
            }
        }
        let both = names_crate(&text, "ostler_proto") && names_crate(&text, "ostler_core");
        if both && !file.is_in(WIRE_MEETS_CORE) {
            offences
                .push(format!("{}: names both ostler_proto and ostler_core: convert at the edge", file.path));
        }
        let calls_engine = text.contains("engine::Engine") && file.path.starts_with("coordinator/src/");
        if calls_engine && file.path != "coordinator/src/driver.rs" {
            offences.push(format!("{}: names the engine, which only driver.rs may call", file.path));
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn modules_of_the_core_use_only_lower_ones() {
    let mut offences = Vec::new();
    for file in rust_files() {
        let Some(inner) = file.path.strip_prefix("coordinator/core/src/") else { continue };
        let module = inner.split(['/', '.']).next().unwrap_or_default();
        let Some(level) = CORE_ORDER.iter().position(|name| *name == module) else {
            assert!(module == "lib", "name the core's module {module} in CORE_ORDER, at its level");
            continue;
        };
        // Tests at the end of a file may look at anything.
        let text = code_of(file.text.split("#[cfg(test)]").next().unwrap_or_default());
        for (above, name) in CORE_ORDER.iter().enumerate().filter(|(above, _)| *above > level) {
            if text.contains(&format!("crate::{name}::")) {
                offences.push(format!(
                    "{}: uses {name}, which is above it (level {above} over {level})",
                    file.path
                ));
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn files_are_short_or_have_a_reason() {
    let mut offences = Vec::new();
    for file in rust_files() {
        let lines = file.text.lines().count();
        let listed = LONG_FILES.iter().any(|(path, reason)| *path == file.path && !reason.is_empty());
        if lines > FILE_LINES_MAX && !listed {
            offences.push(format!("{}: {lines} lines, over {FILE_LINES_MAX}", file.path));
        }
        if file.path.ends_with("src/main.rs") && !file.path.contains("/bench/") && lines > 40 {
            offences.push(format!("{}: {lines} lines; a main parses, builds, runs, in under 40", file.path));
        }
    }
    for (path, _) in LONG_FILES {
        assert!(root().join(path).exists(), "LONG_FILES names {path}, which is gone");
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn lints_are_lifted_only_with_a_reason_and_in_their_places() {
    let mut offences = Vec::new();
    for file in rust_files() {
        for (number, line) in file.text.lines().enumerate() {
            let place = || format!("{}:{}", file.path, number + 1);
            if line.contains(&["allow(", "unsafe_code"].concat()) && !file.is_in(UNSAFE_FILES) {
                offences.push(format!("{}: unsafe code has its own files: {UNSAFE_FILES:?}", place()));
            }
            if line.contains(&["allow(", "clippy::too_many_lines"].concat()) && !line.contains("reason = ") {
                offences
                    .push(format!("{}: a function over {FUNCTION_LINES_MAX} lines wants a reason", place()));
            }
            if line.contains(&["allow(", "clippy::print_stdout"].concat())
                && !line.contains("reason = ")
                && !file.path.starts_with("cli/")
            {
                offences.push(format!("{}: printing wants a reason", place()));
            }
        }
    }
    for manifest in [
        "",
        "agent/",
        "coordinator/",
        "coordinator/core/",
        "sim/",
        "cli/",
        "proto/",
        "tests/",
        "tests/fake-nvml/",
    ] {
        let config = read(&root().join(manifest).join("clippy.toml"));
        let threshold = format!("too-many-lines-threshold = {FUNCTION_LINES_MAX}");
        assert!(config.contains(&threshold), "{manifest}clippy.toml: {threshold} (files do not merge)");
        assert!(
            config.contains("unbounded_channel"),
            "{manifest}clippy.toml repeats the ban on unbounded channels"
        );
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn every_source_file_is_part_of_a_crate() {
    let files = rust_files();
    let declared: BTreeSet<String> = files.iter().flat_map(declarations).collect();
    for file in &files {
        if is_crate_root(&file.path) || file.text.contains("// The code generator, included by") {
            continue;
        }
        assert!(declared.contains(&file.path), "{}: no `mod` declares it, so it never compiles", file.path);
    }
}

#[test]
fn nothing_unfinished_or_machine_bound_is_in_the_tree() {
    // Spelled in parts, so that this file does not accuse itself.
    let words = [
        ["#[", "ignore"].concat(),
        ["FIX", "ME"].concat(),
        ["XX", "X"].concat(),
        ["todo", "!("].concat(),
        ["unimplemented", "!("].concat(),
        ["dbg", "!("].concat(),
        ["/wo", "rk/"].concat(),
        ["/ro", "ot/"].concat(),
        ["crates", ".io"].concat(),
        ["registry.npm", "js"].concat(),
        ["pypi", ".org"].concat(),
        ["proxy.golang", ".org"].concat(),
        ["deb.debian", ".org"].concat(),
    ];
    let mut offences = Vec::new();
    for path in tracked_files() {
        if path == "Cargo.lock" || path.contains("/gen/") {
            continue;
        }
        let Ok(text) = fs::read_to_string(root().join(&path)) else { continue };
        for word in &words {
            if let Some(line) = text.lines().position(|line| line.contains(word.as_str())) {
                offences.push(format!("{path}:{}: holds {word}", line + 1));
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn the_documents_a_newcomer_needs_are_there() {
    for path in [
        "README.md",
        "ARCHITECTURE.md",
        "STYLE.md",
        "CHANGELOG.md",
        "LICENSE",
        "deny.toml",
        "docs/benchmarks.md",
    ] {
        assert!(!read(&root().join(path)).trim().is_empty(), "{path} is empty");
    }
    let readme = read(&root().join("README.md"));
    for command in ["cargo run --release --bin ostler -- up --demo", "tests/run"] {
        assert!(readme.contains(command), "README.md shows `{command}`");
    }
    for entry in fs::read_dir(root().join("docs/decisions")).expect("docs/decisions can be listed") {
        let path = entry.expect("an entry").path();
        let text = read(&path);
        for heading in ["## Context", "## Choice", "## Consequence"] {
            assert!(text.contains(heading), "{}: a decision has `{heading}`", path.display());
        }
    }
}

/// A Rust file of ours, generated code left out.
struct SourceFile {
    /// Relative to the root, with `/`.
    path: String,
    text: String,
}

impl SourceFile {
    fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| self.path == *place || self.path.starts_with(place))
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests crate lies in the workspace")
        .to_path_buf()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
}

/// Every file that git tracks or would track.
fn tracked_files() -> Vec<String> {
    let list = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git runs");
    assert!(list.status.success(), "{}", String::from_utf8_lossy(&list.stderr));
    let mut files: Vec<String> = String::from_utf8_lossy(&list.stdout).lines().map(str::to_owned).collect();
    files.retain(|path| root().join(path).is_file());
    assert!(files.len() > 20, "git lists the project's files");
    files
}

fn rust_files() -> Vec<SourceFile> {
    tracked_files()
        .into_iter()
        .filter(|path| path.ends_with(".rs") && !path.contains("/gen/"))
        .map(|path| SourceFile { text: read(&root().join(&path)), path })
        .collect()
}

/// The text without comments, so that prose may name what code may not.
fn code_of(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn names_crate(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = &text[at + name.len()..];
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
            && (after.starts_with("::") || after.starts_with(';'))
    })
}

/// Files that cargo compiles by itself.
fn is_crate_root(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let [.., folder, file] = parts.as_slice() else { return false };
    ["lib.rs", "main.rs", "build.rs"].contains(file)
        || ["tests", "examples", "benches"].contains(folder) && !path.contains("/src/")
}

/// The files that the `mod` lines of a file lead to.
fn declarations(file: &SourceFile) -> Vec<String> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let stem = file.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
    let base = if is_crate_root(&file.path) || stem == "mod" {
        folder.to_owned()
    } else {
        format!("{folder}/{stem}")
    };
    let mut found = Vec::new();
    let mut path_attribute: Option<String> = None;
    for line in file.text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("#[path = \"") {
            path_attribute = rest.strip_suffix("\"]").map(str::to_owned);
            continue;
        }
        let line = line
            .trim_start_matches("pub(crate) ")
            .trim_start_matches("pub(super) ")
            .trim_start_matches("pub ");
        if let Some(name) = line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
            match path_attribute.take() {
                Some(path) => found.push(normalized(&format!("{folder}/{path}"))),
                None => {
                    found.push(format!("{base}/{name}.rs"));
                    found.push(format!("{base}/{name}/mod.rs"));
                }
            }
        }
    }
    found
}

fn normalized(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
