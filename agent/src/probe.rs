//! One reading of this machine, for a person or a program: `ostler-agent probe`.
//!
//! It goes the same way as the agent's own readings (the child process, the deadlines, the adapters), so what it shows
//! is what a coordinator would be told, and why something is missing. Without a GPU it is still a reading.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use ostler_proto::v1::{SourceState, agent_event};

use crate::{engine, host, kmsg, nvml, sample::NodeSample, xid};

mod report;
mod table;

use report::Report;

/// NVML may need this long when no persistence daemon keeps the GPUs awake.
const PATIENCE: Duration = Duration::from_secs(35);
/// A reading takes at least this long: rates of the host and of engines need two looks.
const TIME_MIN: Duration = Duration::from_millis(500);
/// Engines need two scrapes for a rate.
const TIME_MIN_ENGINES: Duration = Duration::from_millis(2500);
/// How often to look whether the reading is complete.
const TICK: Duration = Duration::from_millis(25);

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object; every key is described at the fields of [`report::Report`].
    Json,
    /// Lines for a person.
    Table,
}

/// What to read and how to print it; a source that is `None` is left out.
#[derive(Clone, Debug)]
pub struct Options {
    /// How to print.
    pub format: Format,
    /// Whether to say how long each NVML call took.
    pub timings: bool,
    /// Name of the node.
    pub node: String,
    /// GPUs.
    pub nvml: Option<nvml::Config>,
    /// The kernel log.
    pub kmsg: Option<PathBuf>,
    /// The machine.
    pub host: Option<host::Config>,
    /// Inference servers.
    pub engines: Option<engine::Config>,
}

/// Reads once, prints, and says whether that worked.
///
/// # Errors
/// When the reading cannot be printed, or no runtime can be started for the engines.
pub fn run(options: Options) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime that reads engines cannot be started")?;
    let (format, report) = (options.format, runtime.block_on(read(options)));
    let text = match format {
        Format::Json => {
            serde_json::to_string_pretty(&report).context("the reading cannot be written as JSON")?
        }
        Format::Table => table::render(&report),
    };
    let mut output = io::stdout().lock();
    match writeln!(output, "{}", text.trim_end()).and_then(|()| output.flush()) {
        // Whoever reads has seen enough (`probe | head`).
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error).context("the reading cannot be printed"),
        Ok(()) => Ok(ExitCode::SUCCESS),
    }
}

async fn read(options: Options) -> Report {
    let started = Instant::now();
    let Options { format: _, timings, node, nvml, kmsg, host, engines } = options;
    let mut nvml = nvml.map(|config| {
        let interval = Duration::from_millis(250);
        nvml::Monitor::start(nvml::Config { interval, all_at_once: true, timings, ..config })
    });
    let kmsg = kmsg.map(|path| kmsg::Monitor::start(kmsg::Config { path, ..kmsg::Config::default() }));
    let mut host = host.map(|config| host::Sampler::start(config, TIME_MIN));
    if let Some(host) = &mut host {
        host.read();
    }
    let time_min = if engines.is_some() { TIME_MIN_ENGINES } else { TIME_MIN };
    let mut engines = engines.map(engine::Monitor::start);
    while started.elapsed() < PATIENCE {
        let complete = nvml.as_ref().is_none_or(is_complete);
        if complete && started.elapsed() >= time_min {
            break;
        }
        tokio::time::sleep(TICK).await;
    }
    let mut sample = NodeSample::default();
    let mut call_times = Vec::new();
    if let Some(nvml) = &mut nvml {
        let nvml::Reading { gpus, status, events } = nvml.latest();
        (sample.gpus, sample.events) = (gpus, events);
        sample.sources.push(status);
        call_times = nvml.timings();
    }
    if let Some(kmsg) = &kmsg {
        let (mut events, status) = kmsg.latest();
        xid::name_gpus(&mut events, &sample.gpus);
        sample.events.extend(events.into_iter().map(agent_event::Kind::Xid));
        sample.sources.push(status);
    }
    if let Some(host) = &mut host {
        let (group, status) = host.read();
        sample.host = Some(group);
        sample.sources.push(status);
    }
    if let Some(engines) = &mut engines {
        let engine::Reading { engines, status, events } = engines.latest();
        sample.engines = engines;
        sample.events.extend(events);
        sample.sources.push(status);
    }
    Report::new(node, &sample, &call_times, started.elapsed())
}

/// Whether NVML has given all that it will give.
fn is_complete(nvml: &nvml::Monitor) -> bool {
    match nvml.status().state() {
        SourceState::Absent | SourceState::Failed | SourceState::Released => true,
        SourceState::Unspecified | SourceState::Ok | SourceState::Degraded | SourceState::Hung => {
            nvml.readings() > 0
        }
    }
}
