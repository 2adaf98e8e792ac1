//! The command line of `ostler-agent`: flags and subcommands, logging, signals, exit codes.
//!
//! Exit codes: 0 it worked, 1 it failed, 2 the command line or the configuration is wrong.
#![allow(clippy::print_stdout, reason = "what these commands print is what they are for")]

use std::{io::IsTerminal as _, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::{
    config::{self, Config, LogFormat, Override, Sources},
    node::NodeSource,
    probe, sys,
};

/// Reads GPUs, inference servers and the machine, and reports them to every coordinator.
#[derive(Debug, Parser)]
#[command(name = "ostler-agent", version)]
pub struct Arguments {
    /// For all subcommands.
    #[command(flatten)]
    pub options: Options,
    /// What to do; without one: run.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Default, Subcommand)]
pub enum Command {
    /// Read and report until SIGTERM or Ctrl-C (the default).
    #[default]
    Run,
    /// Print one reading of this machine and exit.
    Probe(ProbeFormat),
    /// The process that calls NVML; the agent starts it itself.
    #[command(hide = true)]
    NvmlChild,
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigAction),
}

/// Where the configuration comes from.
#[derive(Clone, Debug, Default, Args)]
pub struct Options {
    /// The configuration file [default: /etc/ostler/agent.toml, when it exists].
    #[arg(long, env = "OSTLER_AGENT_CONFIG", global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A coordinator's address; repeat it for each replica.
    #[arg(long, global = true, value_name = "URL")]
    pub coordinator: Vec<String>,
    /// Name of this node.
    #[arg(long, global = true)]
    pub node: Option<String>,
    /// Failure domain of this node.
    #[arg(long, global = true)]
    pub zone: Option<String>,
    /// Address for metrics and probes; "" for none.
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// Sets any key of the configuration, for example --set nvml.enabled=false.
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub set: Vec<(String, String)>,
}

/// How to print a reading.
#[derive(Clone, Copy, Debug, Args)]
pub struct ProbeFormat {
    /// For people or for programs.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
    /// Also say how long each NVML call took.
    #[arg(long)]
    pub timings: bool,
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// What to do with the configuration.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum ConfigAction {
    /// Read it, check it, and say whether the agent would start with it.
    Check,
    /// Print every key with its documentation and default.
    PrintDefault,
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write key=value, for example nvml.enabled=false")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

impl Options {
    /// The configuration that these options, the environment and the file make together.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn load(&self) -> Result<Config, config::Error> {
        let Self { config, coordinator, node, zone, listen, set } = self;
        let mut overrides = config::from_environment(std::env::vars());
        let mut flag = |flag: &str, key: &str, value: &str| {
            overrides.push(Override {
                origin: format!("the flag {flag}"),
                key: key.to_owned(),
                value: value.to_owned(),
            });
        };
        if !coordinator.is_empty() {
            flag("--coordinator", "coordinators", &coordinator.join(","));
        }
        for (name, key, value) in
            [("--node", "node", node), ("--zone", "zone", zone), ("--listen", "listen", listen)]
        {
            if let Some(value) = value {
                flag(name, key, value);
            }
        }
        for (key, value) in set {
            flag("--set", key, value);
        }
        Config::load(config.as_deref(), &overrides)
    }
}

/// When everything that goes on has been touched: the slow values were read and the streams are up.
const SETTLED_AFTER: Duration = Duration::from_secs(12);

/// Exit code of a wrong command line or configuration.
const USAGE: u8 = 2;

fn complain(error: &dyn std::error::Error) {
    eprintln!("ostler-agent: {}", crate::describe(error));
}

fn loaded(options: &Options) -> Result<Config, ExitCode> {
    options.load().map_err(|error| {
        complain(&error);
        ExitCode::from(USAGE)
    })
}

/// Runs the agent until SIGTERM or Ctrl-C.
pub fn run(options: &Options) -> ExitCode {
    let config = match loaded(options) {
        Ok(config) => config,
        Err(code) => return code,
    };
    log(&config.log);
    // One thread is enough for a few messages a second, and keeps the process small.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&error);
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(until_told(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

async fn until_told(config: Config) -> anyhow::Result<()> {
    let shutdown = CancellationToken::new();
    let (mut terminate, told) = (signal(SignalKind::terminate())?, shutdown.clone());
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        told.cancel();
    });
    tokio::spawn(async {
        tokio::time::sleep(SETTLED_AFTER).await;
        if let Err(error) = sys::release_startup_pages() {
            tracing::debug!(%error, "the pages of starting up stay resident");
        }
    });
    let source = NodeSource::start(config.sources.clone(), config.interval);
    crate::run(config, Box::new(source), shutdown).await
}

fn log(log: &config::Log) {
    let filter = EnvFilter::new(&log.level);
    let colours = std::io::stderr().is_terminal();
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    // A second subscriber in one process is a test's; the first stays.
    let _ = match log.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
}

/// Prints one reading of this machine.
pub fn probe(options: &Options, ProbeFormat { output, timings }: ProbeFormat) -> ExitCode {
    let config = match loaded(options) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let Sources { nvml, kmsg, engines, host, cloud: _ } = config.sources;
    let format = match output {
        Format::Table => probe::Format::Table,
        Format::Json => probe::Format::Json,
    };
    let kmsg = kmsg.map(|config| config.path);
    match probe::run(probe::Options { format, timings, node: config.node, nvml, kmsg, host, engines }) {
        Ok(code) => code,
        Err(error) => {
            complain(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

/// Looks at the configuration.
pub fn config(options: &Options, action: ConfigAction) -> ExitCode {
    match action {
        ConfigAction::PrintDefault => print!("{}", config::DEFAULT),
        ConfigAction::Check => match loaded(options) {
            Ok(config) => println!(
                "ok: node {} in zone {} would report to {} coordinators",
                config.node,
                config.zone,
                config.coordinators.len()
            ),
            Err(code) => return code,
        },
    }
    ExitCode::SUCCESS
}
