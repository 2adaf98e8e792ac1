//! `ostler up`: a coordinator and an agent for this machine in one process; with `--demo` a simulated fleet beside them.
//!
//! Everything goes over real sockets: agents report to the coordinator as they would from elsewhere, and what this
//! command tells about the fleet it learns from a watch, like any client.

mod console;
mod demo;
mod local;
mod observer;
mod summary;

use std::net::SocketAddr;
use std::time::Duration;

use ostler_agent::simulated::Plan;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::args::{Server, Up};
use crate::error::Error;
use crate::output::Output;
use crate::subscribe::{Update, subscribe};
use crate::view::KINDS;
use console::Console;
use demo::Demo;
use observer::Observer;

/// How often the script of the demonstration is looked at; incidents are that punctual.
const TICK: Duration = Duration::from_millis(100);

/// Least time between two answers of the watch: what is seen is at most this much later than it could be.
const WATCH_INTERVAL_MS: u32 = 200;

/// How long the coordinator may take to end its streams and store its events.
const STOP_TIME_MAX: Duration = Duration::from_secs(3);

/// Exit code after a second Ctrl-C: 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// Runs until Ctrl-C, SIGTERM or the end of `--for`.
pub(crate) fn run(options: Up, output: Output) -> Result<(), Error> {
    log(&options);
    local::check_ports(&options)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(supervise(&options, output));
    // Whatever still runs has been told to stop and had its time.
    runtime.shutdown_timeout(Duration::from_millis(200));
    result
}

fn log(options: &Up) {
    let level = match options.verbose {
        0 if options.demo => "error",
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_env("OSTLER_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    // Fails only when another logger is installed, which then logs.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .try_init();
}

async fn supervise(options: &Up, output: Output) -> Result<(), Error> {
    let mut stop = Box::pin(interrupted()?);
    let running = local::coordinator(options).await?;
    let grpc = url(running.grpc_address);
    let shutdown = CancellationToken::new();
    let agent = local::agent(options, &grpc, &shutdown)?;
    let plan = options.demo.then_some(Plan { nodes_per_zone: options.nodes_per_zone, seed: options.seed });
    let console = Console::new(output);
    console.welcome(&grpc, &url(running.http_address), options, plan.as_ref())?;
    let demo = match plan {
        Some(plan) => Some(Demo::start(plan, &grpc)?),
        None => None,
    };
    let mut run = Run { demo, observer: Observer::new(options.demo), console, started: Instant::now() };
    let mut replica = Box::pin(running.stops());
    let ended = run.until(options, &grpc, agent.as_ref(), &mut stop, &mut replica).await;
    tokio::spawn(async {
        // Whoever asks twice does not want to wait for goodbyes.
        if let Ok(again) = interrupted() {
            again.await;
            std::process::exit(INTERRUPTED);
        }
    });
    let Run { demo, observer, mut console, started } = run;
    let seconds = started.elapsed().as_secs_f64();
    let summary = observer.summary(seconds, demo.as_ref().map(|_| options.seed), &running);
    shutdown.cancel();
    if let Some(demo) = demo {
        demo.stop().await;
    }
    if let Some(agent) = agent {
        agent.stopped().await;
    }
    running.shutdown();
    // A late end of a stream is no reason to stay.
    let _ = tokio::time::timeout(STOP_TIME_MAX, running.wait()).await;
    ended?;
    console.farewell(&summary)
}

/// What is going on.
struct Run {
    demo: Option<Demo>,
    observer: Observer,
    console: Console,
    started: Instant,
}

impl Run {
    /// Watches and plays the script until it is time to stop.
    async fn until(
        &mut self,
        options: &Up,
        grpc: &str,
        agent: Option<&local::Agent>,
        stop: &mut (impl Future<Output = ()> + Unpin),
        replica: &mut (impl Future<Output = ()> + Unpin),
    ) -> Result<(), Error> {
        let kinds = KINDS.iter().filter_map(|kind| kind.watched()).map(i32::from).collect();
        let interval_ms = WATCH_INTERVAL_MS;
        let request = ostler_proto::v1::WatchRequest { kinds, interval_ms, ..Default::default() };
        let server = Server { url: grpc.to_owned(), ..Server::default() };
        let mut updates = subscribe(server, request);
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                biased;
                () = &mut *stop => return Ok(()),
                () = &mut *replica => {
                    return Err(Error::Failed(
                        "the coordinator has stopped by itself; its log above says why (-v tells more)".to_owned(),
                    ));
                }
                Some(update) = updates.recv() => self.hear(update)?,
                _ = tick.tick() => {
                    let now = self.started.elapsed();
                    if options.duration.is_some_and(|duration| now >= duration) {
                        return Ok(());
                    }
                    self.play(now).await?;
                    self.console.tick(now, &self.observer)?;
                    if let Some(error) = agent.and_then(local::Agent::failure) {
                        return Err(error);
                    }
                }
            }
        }
    }

    fn hear(&mut self, update: Update) -> Result<(), Error> {
        let now = self.started.elapsed();
        match update {
            Update::Response(response) => {
                for news in self.observer.hear(response, now) {
                    self.console.news(now, &news)?;
                }
                Ok(())
            }
            // Our own coordinator is a moment away from answering, or is being stopped.
            Update::Lost(_) => Ok(()),
        }
    }

    /// Lets happen what the script says.
    async fn play(&mut self, now: Duration) -> Result<(), Error> {
        let Some(demo) = &mut self.demo else { return Ok(()) };
        for step in demo.due(now) {
            demo.carry_out(&step).await?;
            let told = demo.told(&step.incident);
            self.console.incident(now, &step, &told)?;
            self.observer.expect(&step, told, now);
        }
        Ok(())
    }
}

/// Ends with the first SIGINT or SIGTERM.
fn interrupted() -> Result<impl Future<Output = ()>, Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// How a client on this machine reaches what listens there.
fn url(address: SocketAddr) -> String {
    let host = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        std::net::IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
        std::net::IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
    };
    format!("http://{}", SocketAddr::new(host, address.port()))
}
