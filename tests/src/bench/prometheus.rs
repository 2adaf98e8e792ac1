//! Debian's Prometheus, scraping the same values from as many targets.
//!
//! Each target has an address of its own in 127/8, so that Prometheus holds a connection to each as it would to real
//! nodes. It cannot be filled faster than it scrapes, so a full run lets it scrape for the ten minutes that the coordinator
//! keeps before anything is measured; a quick one compares less.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use anyhow::{Context, ensure};
use ostler_tests::load::Trace;
use ostler_tests::process;

use crate::servers::{Server, free_address};
use crate::targets::{self, NodePages};
use crate::{runtime, say};

/// How often the resident memory is read; a garbage collector makes it go up and down.
const MEMORY_SAMPLES: u32 = 10;

/// What was measured of it.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) version: String,
    pub(crate) cpu_us_per_report: f64,
    pub(crate) bytes_per_node: f64,
    pub(crate) scrapes: u64,
}

/// Runs it for `settle` seconds, and measures it for `seconds` more.
pub(crate) fn measure(
    targets: usize,
    settle: usize,
    seconds: usize,
    traces: &[Arc<Trace>],
) -> anyhow::Result<Measured> {
    let program = find()?;
    let version = version(&program)?;
    let runtime = runtime()?;
    let pages = Arc::new(NodePages::new(traces));
    let port = free_address()?.port();
    let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    let page = move |address: SocketAddr| pages.page(number(address.ip()));
    let served = runtime.block_on(targets::serve(any, Arc::new(page)))?;

    let folder = tempfile::tempdir()?;
    let config = folder.path().join("prometheus.yml");
    std::fs::write(&config, configuration(targets, port))?;
    let listen = free_address()?;
    let mut command = Command::new(&program);
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
        .arg(format!("--web.listen-address={listen}"))
        .arg("--log.level=warn");
    let mut server = Server::start(&mut command)?;
    server.wait_for(listen)?;

    say(format_args!("{version}: {targets} targets, settling for {settle} s, then measuring {seconds} s"));
    thread::sleep(Duration::from_secs(settle as u64));
    let (before, scrapes_before) = (process::usage(server.pid())?, served.load(Ordering::Relaxed));
    let mut resident_bytes = 0;
    for _ in 0..MEMORY_SAMPLES {
        thread::sleep(Duration::from_secs(seconds as u64) / MEMORY_SAMPLES);
        resident_bytes += process::usage(server.pid())?.resident_bytes;
    }
    let (after, scrapes_after) = (process::usage(server.pid())?, served.load(Ordering::Relaxed));
    let scrapes = scrapes_after - scrapes_before;
    ensure!(
        scrapes as f64 >= 0.9 * (targets * seconds) as f64,
        "Prometheus made {scrapes} of {} scrapes: this machine is too small for so many targets",
        targets * seconds
    );
    let cpu = after.cpu.saturating_sub(before.cpu);
    Ok(Measured {
        version,
        cpu_us_per_report: cpu.as_secs_f64() * 1e6 / scrapes as f64,
        bytes_per_node: resident_bytes as f64 / f64::from(MEMORY_SAMPLES) / targets as f64,
        scrapes,
    })
}

fn find() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join("prometheus"))
        .find(|program| program.is_file())
        .context(
            "there is no `prometheus` on PATH; install Debian's package `prometheus`, or leave --peer off",
        )
}

/// For example "prometheus 2.42.0".
fn version(program: &std::path::Path) -> anyhow::Result<String> {
    let output = Command::new(program).arg("--version").output()?;
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let number = text.split("version ").nth(1).and_then(|rest| rest.split([' ', '+', ',']).next());
    Ok(format!("prometheus {}", number.unwrap_or("of unknown version")))
}

/// The address of target `number`: 127.1.0.1 and on.
fn address(number: usize) -> Ipv4Addr {
    let [_, _, high, low] = u32::try_from(number + 1).unwrap_or_default().to_be_bytes();
    Ipv4Addr::new(127, 1, high, low)
}

/// The number of the target at this address.
fn number(address: IpAddr) -> usize {
    match address {
        IpAddr::V4(address) => {
            let [_, _, high, low] = address.octets();
            (usize::from(high) << 8 | usize::from(low)).saturating_sub(1)
        }
        IpAddr::V6(_) => 0,
    }
}

fn configuration(targets: usize, port: u16) -> String {
    let mut out = String::from(
        "global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\nscrape_configs:\n  - job_name: nodes\n    static_configs:\n      - targets:\n",
    );
    for target in 0..targets {
        let _ = writeln!(out, "          - \"{}:{port}\"", address(target));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_an_address_of_its_own() {
        for target in [0, 1, 254, 255, 256, 9_999] {
            assert_eq!(number(IpAddr::V4(address(target))), target);
        }
    }
}
