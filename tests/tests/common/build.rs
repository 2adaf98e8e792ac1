//! Builds other packages of the workspace for tests that run them as separate programs.
//!
//! Cargo offers a test the programs of its own package only. Asking Cargo again, with the same folder and profile, works
//! on a fresh clone, costs a fraction of a second when nothing changed, and never tests a stale program.

use std::{
    collections::BTreeSet,
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

/// Packages that were built in this process.
static BUILT: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());

/// Builds a package once in this process and returns the folder that its results are in.
pub(crate) fn build(package: &'static str) -> PathBuf {
    let folder = profile_folder();
    let mut built = BUILT.lock().unwrap();
    if built.insert(package) {
        let profile = match folder.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(name) => name,
        };
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args(["build", "--quiet", "--package", package, "--profile", profile, "--target-dir"])
            .arg(folder.parent().unwrap())
            .current_dir(workspace())
            .status()
            .unwrap();
        assert!(status.success(), "cargo could not build {package}");
    }
    folder
}

/// Root of the workspace.
pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The folder that this test itself was built into, for example `target/debug`.
fn profile_folder() -> PathBuf {
    let test = env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().to_owned()
}
