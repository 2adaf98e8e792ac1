//! `ostler-faultproxy LISTEN=TARGET ...`: proxies that are told by lines on stdin what befalls their connections.
//!
//! A line is a proxy's number, from 0 in the order of the arguments, and an order; each is answered by one line on stdout.
//! It ends when stdin does, so that it never outlives who started it.

use std::io::{BufRead, Write};
use std::net::SocketAddr;

use anyhow::{Context, ensure};
use clap::Parser;
use ostler_tests::faultproxy::{Order, Proxy};

/// A TCP proxy whose way can be broken while it runs, by lines on stdin such as `0 hold up`.
#[derive(Debug, Parser)]
#[command(name = "ostler-faultproxy", version)]
struct Arguments {
    /// Where to listen, and where that leads: 127.0.0.1:7001=10.0.0.2:2379.
    #[arg(required = true, value_name = "LISTEN=TARGET")]
    ways: Vec<String>,
}

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let _inside = runtime.enter();
    let proxies = Arguments::parse().ways.iter().map(|way| start(way)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut answers = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match obey(&proxies, &line) {
            Ok(()) => writeln!(answers, "ok {line}")?,
            Err(error) => writeln!(answers, "error {error:#}")?,
        }
        answers.flush()?;
    }
    Ok(())
}

fn start(way: &str) -> anyhow::Result<Proxy> {
    let (listen, target) = way.split_once('=').context("a way is LISTEN=TARGET")?;
    let listen: SocketAddr = listen.parse().with_context(|| format!("{listen} is no address with a port"))?;
    let target: SocketAddr = target.parse().with_context(|| format!("{target} is no address with a port"))?;
    Proxy::start(listen, target).with_context(|| format!("cannot listen on {listen}"))
}

fn obey(proxies: &[Proxy], line: &str) -> anyhow::Result<()> {
    let (number, order) = line.trim().split_once(' ').context("a line is NUMBER ORDER")?;
    let number: usize = number.parse().with_context(|| format!("{number} is no number"))?;
    ensure!(number < proxies.len(), "there are only {} proxies", proxies.len());
    proxies[number].obey(order.parse::<Order>()?);
    Ok(())
}
