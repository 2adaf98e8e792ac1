//! Memory in pages of 2 MiB instead of 4 KiB.
//!
//! Ten thousand nodes are a gigabyte of which each second touches all, so that each report waits not only for its memory
//! but also for the tables that say where it is. With large pages there are fewer of them. The C library's allocator
//! asks the kernel for them only when its settings say so, and it reads its settings when a process begins. So the process
//! begins again with them: the same program with the same number and arguments. See `docs/decisions/0013-huge-pages.md`.

use std::env;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Where glibc's allocator has its settings. Whoever sets it, even to nothing, decides instead of us.
const VARIABLE: &str = "GLIBC_TUNABLES";

/// Set when the process began again: in secure mode (a file capability, setuid) the C library takes away the other one.
const MARK: &str = "_OSTLER_BEGAN_AGAIN";

/// Where the kernel says whether it gives such pages to those who ask.
const KERNEL: &str = "/sys/kernel/mm/transparent_hugepage/enabled";

/// Pages as the kernel recommends, and one arena for all threads: others do not get such pages.
const SETTINGS: &str = "glibc.malloc.hugetlb=1:glibc.malloc.arena_max=1";

/// Returns when the process runs with the settings, or cannot.
pub(crate) fn begin_again_with() {
    let decided = env::var_os(VARIABLE).is_some() || env::var_os(MARK).is_some();
    if cfg!(not(all(target_os = "linux", target_env = "gnu"))) || decided || !given(Path::new(KERNEL)) {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut arguments = env::args_os();
    let mut command = Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    // It returns only when it could not be done, and then we go on as we are.
    let _ = command.args(arguments).env(VARIABLE, SETTINGS).env(MARK, "1").exec();
}

/// Whether there are such pages to be had; where there are none, one arena for all threads would only cost.
fn given(kernel: &Path) -> bool {
    std::fs::read_to_string(kernel).is_ok_and(|modes| !modes.contains("[never]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_arena_is_not_paid_for_where_there_are_no_large_pages() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("enabled");
        assert!(!given(&file), "a kernel without them");
        for (modes, expected) in [
            ("always madvise [never]", false),
            ("always [madvise] never", true),
            ("[always] madvise never", true),
        ] {
            std::fs::write(&file, modes).unwrap();
            assert_eq!(given(&file), expected, "{modes}");
        }
    }
}
