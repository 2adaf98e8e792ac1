//! The process begins again with settings of its allocator, once, and only when nobody else set them.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const VARIABLE: &str = "GLIBC_TUNABLES";

/// What the process leaves for itself when it begins again.
const MARK: &str = "_OSTLER_BEGAN_AGAIN";

/// A coordinator that runs until it is dropped.
struct Running(Child);

impl Running {
    fn start(variables: &[(&str, &str)]) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ostler-coordinator"));
        command
            .args(["--store", "memory", "--grpc-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .env_remove(VARIABLE)
            .env_remove(MARK)
            .envs(variables.iter().copied());
        Running(command.spawn().expect("the coordinator starts"))
    }

    /// The value that the program in this process was begun with.
    fn tunables(&self) -> Option<String> {
        let environment = std::fs::read(format!("/proc/{}/environ", self.0.id())).ok()?;
        // glibc ends its copy of the value after the first setting.
        let mut variables = environment.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        variables.find_map(|it| it.strip_prefix(&format!("{VARIABLE}=")).map(str::to_owned))
    }

    /// Whether it is past its beginning: it has threads that serve.
    fn serves(&self) -> bool {
        std::fs::read_dir(format!("/proc/{}/task", self.0.id())).is_ok_and(|tasks| tasks.count() > 3)
    }

    fn until_it_serves(&self) {
        let begin = Instant::now();
        while !self.serves() {
            assert!(begin.elapsed() < Duration::from_secs(60), "the coordinator does not come up");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_process_begins_again_with_the_settings_and_then_serves() {
    let running = Running::start(&[]);
    running.until_it_serves();
    let Some(tunables) = running.tunables() else {
        let modes = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled");
        assert!(modes.map_or(true, |modes| modes.contains("[never]")), "there are such pages to be had");
        return;
    };
    assert!(tunables.starts_with("glibc.malloc.hugetlb=1"), "{tunables}");
}

#[test]
fn it_does_not_begin_a_third_time_where_the_variable_is_taken_away() {
    let running = Running::start(&[(MARK, "1")]);
    running.until_it_serves();
    assert_eq!(running.tunables(), None);
}

#[test]
fn whoever_sets_the_variable_decides() {
    let running = Running::start(&[(VARIABLE, "")]);
    running.until_it_serves();
    assert_eq!(running.tunables().as_deref(), Some(""));
}
