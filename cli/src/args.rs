//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::backup::args::{Backup, Restore};
use crate::certs::args::Certs;
use crate::command::policy::args::{Policy, Replay};
use crate::kind::Kind;
use crate::simulate::Simulate;

/// Knows the state of every GPU node in the yard.
#[derive(Debug, Parser)]
#[command(name = "ostler", version, max_term_width = 110, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command understands.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    #[command(flatten)]
    pub(crate) server: Server,
    /// Form of the output; json and yaml carry the fields of the wire under the same names
    #[arg(short, long, global = true, default_value = "table", value_name = "FORMAT")]
    pub(crate) output: Format,
    /// No colours, even on a terminal (so does the environment variable NO_COLOR)
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
}

/// The coordinator to ask, and how it is reached.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Server {
    /// Coordinator to ask, as http://HOST:PORT or https://HOST:PORT
    #[arg(
        id = "server",
        long = "server",
        global = true,
        env = "OSTLER_SERVER",
        default_value = "http://127.0.0.1:7400",
        value_name = "URL"
    )]
    pub(crate) url: String,
    /// Authorities that may have signed its certificate (PEM), for https://
    #[arg(long, global = true, env = "OSTLER_CA", value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Certificate to show to it (PEM), for https://
    #[arg(long, global = true, env = "OSTLER_CERT", value_name = "FILE")]
    pub(crate) cert: Option<PathBuf>,
    /// Key of that certificate (PEM)
    #[arg(long, global = true, env = "OSTLER_KEY", value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
}

/// Form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for a person
    Table,
    /// More columns
    Wide,
    /// JSON
    Json,
    /// YAML
    Yaml,
    /// A page with plots; only of simulate
    Html,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a coordinator and an agent for this machine in one process
    Up(Up),
    /// The whole fleet in one screen
    #[command(visible_alias = "fleet")]
    Status,
    /// List things, or show one
    Get(Get),
    /// Everything about one thing: readings with their ages, history, events
    Describe(Describe),
    /// Why something was or was not done: what was seen, what was wanted, what stood in the way
    Explain(Explain),
    /// Have nothing done on the fleet, a zone, a pool or a node
    Hold(Hold),
    /// End holds, and close latches, of the fleet, a zone, a pool or a node
    Release(Release),
    /// Live view of zones, nodes, GPUs and queues
    Top(Top),
    /// Print changes as they happen
    Watch(Watch),
    /// Back the store up to folders and S3-compatible buckets, whether or not coordinators run
    Backup(Box<Backup>),
    /// Fill the store from a backup, while no coordinator runs
    Restore(Box<Restore>),
    /// Make an authority and certificates, for who has none
    Certs(Certs),
    /// Replay a recorded load against a simulated pool, under one policy and others beside it
    Simulate(Box<Simulate>),
    /// Try scaling policies on given input
    #[command(subcommand)]
    Policy(Policy),
    /// Decide again what `ostler policy eval -o json` wrote, and tell what comes out otherwise
    Replay(Replay),
    /// Print a completion script for a shell
    Completion {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// The agent's NVML child process; started by the agent, never by a person
    #[command(hide = true)]
    NvmlChild,
}

/// Options of `up`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Up {
    /// Add a simulated fleet of three zones under a bursty load, with scripted incidents
    #[arg(long)]
    pub(crate) demo: bool,
    /// Stop after this long and print a summary, for example 30s or 2m
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration)]
    pub(crate) duration: Option<Duration>,
    /// Simulated nodes in each zone
    #[arg(long, requires = "demo", default_value_t = 4, value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..=i64::from(ostler_agent::simulated::plan::NODES_PER_ZONE_MAX)))]
    pub(crate) nodes_per_zone: u16,
    /// Seed of the simulation: the same one gives the same fleet, load and incidents
    #[arg(long, requires = "demo", default_value_t = 7)]
    pub(crate) seed: u64,
    /// Address for agents and the API (gRPC); 0.0.0.0:7400 lets other machines report; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:7400", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// Address for the dashboard and the HTTP API; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:7480", value_name = "ADDRESS")]
    pub(crate) listen_http: SocketAddr,
    /// Address of this machine's own agent (/metrics, health); port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:7410", value_name = "ADDRESS")]
    pub(crate) listen_agent: SocketAddr,
    /// Run no agent for this machine
    #[arg(long)]
    pub(crate) no_agent: bool,
    /// Folder of the embedded store; a temporary one, removed at the end, unless given
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Say more on stderr; twice for still more
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// Options of `get`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Get {
    /// What to list
    pub(crate) kind: Kind,
    /// Only the one with this name
    pub(crate) name: Option<String>,
    /// For example: zone = "eu-1a" AND (state != OK OR utilization_percent > 90)
    #[arg(short, long, default_value = "", value_name = "EXPRESSION", conflicts_with = "name")]
    pub(crate) filter: String,
    /// Only these fields, for example name,zone,state
    #[arg(long, value_delimiter = ',', value_name = "FIELDS")]
    pub(crate) fields: Vec<String>,
    /// Order by this field, for example utilization_percent; a leading - turns the order round
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
    pub(crate) sort: Option<String>,
    /// Then go on with what changes
    #[arg(short, long)]
    pub(crate) watch: bool,
}

/// Options of `describe`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Describe {
    /// Kind of thing
    pub(crate) kind: Kind,
    /// Its name
    pub(crate) name: String,
}

/// Options of `explain`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Explain {
    /// Name of a decision, or of a node or zone: then its newest decisions are explained
    pub(crate) name: String,
}

/// Who orders something, and why.
#[derive(Clone, Debug, Args)]
pub(crate) struct Order {
    /// Why; it is kept and shown
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Who says so
    #[arg(long, env = "USER", default_value = "operator", value_name = "NAME")]
    pub(crate) operator: String,
    /// Tell what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Name of this order: given again, it has no second effect [default: a random one]
    #[arg(long, value_name = "ID")]
    pub(crate) request_id: Option<String>,
}

/// Options of `hold`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Hold {
    /// fleet, zone/NAME, pool/NAME or node/NAME
    pub(crate) scope: String,
    /// End by itself after this long, for example 1h; until it is released unless given
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration)]
    pub(crate) lasts: Option<Duration>,
    #[command(flatten)]
    pub(crate) order: Order,
}

/// Options of `release`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Release {
    /// fleet, zone/NAME, pool/NAME or node/NAME, as it was held or is latched
    pub(crate) scope: String,
    #[command(flatten)]
    pub(crate) order: Order,
}

/// Options of `top`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Top {
    /// Least time between two updates, for example 500ms
    #[arg(long, default_value = "1s", value_name = "TIME", value_parser = parse_duration)]
    pub(crate) interval: Duration,
    /// Show only what contains this text
    #[arg(short, long, default_value = "", value_name = "TEXT")]
    pub(crate) filter: String,
}

/// Options of `watch`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Watch {
    /// What to watch; zones, pools and nodes unless given
    pub(crate) kinds: Vec<Kind>,
    /// See `ostler get --help`
    #[arg(short, long, default_value = "", value_name = "EXPRESSION")]
    pub(crate) filter: String,
    /// Only these fields, for example name,zone,state
    #[arg(long, value_delimiter = ',', value_name = "FIELDS")]
    pub(crate) fields: Vec<String>,
    /// Least time between two answers; 0s means as soon as something changes
    #[arg(long, default_value = "0s", value_name = "TIME", value_parser = parse_duration)]
    pub(crate) interval: Duration,
    /// Go on after this revision of --epoch, as an earlier watch printed them
    #[arg(long, value_name = "REVISION", requires = "epoch")]
    pub(crate) revision: Option<u64>,
    /// See --revision
    #[arg(long, value_name = "EPOCH", requires = "revision")]
    pub(crate) epoch: Option<String>,
}

/// Longest time that an option may name: a year.
const DURATION_MAX: Duration = Duration::from_secs(365 * 86_400);

/// A number with a unit: 500ms, 30s, 2m, 1h; seconds without one.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let seconds_each = match &text[digits.len()..] {
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        unit => return Err(format!("unknown unit {unit:?}: write ms, s, m or h")),
    };
    let number: f64 = digits.parse().map_err(|_| "write a number and a unit, for example 30s".to_owned())?;
    Duration::try_from_secs_f64(number * seconds_each)
        .ok()
        .filter(|duration| *duration <= DURATION_MAX)
        .ok_or_else(|| "write a time between 0s and a year".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_are_a_number_and_a_unit() {
        let seconds = |text: &str| parse_duration(text).map(|duration| duration.as_secs_f64());
        assert_eq!(seconds("30s"), Ok(30.0));
        assert_eq!(seconds("1.5m"), Ok(90.0));
        assert_eq!(seconds("250ms"), Ok(0.25));
        assert_eq!(seconds("12"), Ok(12.0));
        for wrong in ["", "s", "-3s", "5 parsecs", "1d", "NaNs", "1e300h", "inf"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn kinds_are_known_in_singular_and_plural() {
        for word in ["node", "nodes"] {
            let cli = Cli::try_parse_from(["ostler", "get", word]).unwrap();
            assert!(matches!(cli.command, Command::Get(Get { kind: Kind::Nodes, .. })));
        }
    }

    #[test]
    fn commands_that_do_not_exist_yet_are_not_offered() {
        let names: Vec<String> =
            Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
        assert!(
            !names.iter().any(|name| ["drain", "failover", "scale"].contains(&name.as_str())),
            "{names:?}"
        );
        let help = Cli::command().render_help().to_string();
        assert!(!help.contains("nvml-child"), "{help}");
    }
}
