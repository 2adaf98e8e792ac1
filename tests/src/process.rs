//! CPU time and memory of another process, from `/proc`.

use std::fs;
use std::io;
use std::time::Duration;

/// What a process has used so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// CPU time of all its threads that live, in user and kernel mode.
    pub cpu: Duration,
    /// Resident memory.
    pub resident_bytes: u64,
}

/// Reads the usage of the process `pid`.
pub fn usage(pid: u32) -> io::Result<Usage> {
    Ok(Usage { cpu: cpu(pid)?, resident_bytes: status_kib(pid, "VmRSS:")? * 1024 })
}

/// The children of `pid`.
pub fn children(pid: u32) -> io::Result<Vec<u32>> {
    let mut children = Vec::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(thread?.path().join("children")).unwrap_or_default();
        children.extend(text.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    }
    Ok(children)
}

/// Sum over the threads of the scheduler's own count, which is in nanoseconds (`stat` counts ticks of 10 ms).
fn cpu(pid: u32) -> io::Result<Duration> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        nanoseconds += text.split_whitespace().next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(nanoseconds))
}

fn status_kib(pid: u32, key: &str) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .ok_or_else(|| io::Error::other(format!("/proc/{pid}/status has no {key}")))
}
