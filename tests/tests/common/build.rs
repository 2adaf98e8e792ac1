//! Builds the programs of the workspace for tests that run them as separate processes.
//!
//! Cargo offers a test the programs of its own package only. Asking Cargo again, with the same folder, profile and choice
//! of packages, works on a fresh clone, costs a fraction of a second when nothing changed, and never tests a stale program.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// Builds everything once in this process and returns the folder that the results are in.
pub(crate) fn build() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build_now).clone()
}

fn build_now() -> PathBuf {
    let folder = profile_folder();
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // What Cargo told this test of its own package would count as a change to build scripts that look at it (ring's does).
    let told = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.filter(|name| told(name)).for_each(|name| _ = command.env_remove(name));
    // All targets of all packages, because fewer would give the dependencies other features and build them anew.
    let status = command
        .args(["build", "--quiet", "--workspace", "--all-targets", "--profile", profile, "--target-dir"])
        .arg(folder.parent().unwrap())
        .current_dir(workspace())
        .status()
        .unwrap();
    assert!(status.success(), "cargo could not build the workspace");
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
