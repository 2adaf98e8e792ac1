//! Options of `policy` and `replay`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum};
use ostler_core::policy::decider::Kind;

/// What to do with a policy.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Policy {
    /// Have a policy decide on given input, step by step, without a coordinator
    #[command(after_help = EVAL_EXAMPLE)]
    Eval(Eval),
}

const EVAL_EXAMPLE: &str = "\
Examples:
  printf '%s\\n' '{\"t_s\":0,\"replicas_wanted\":2,\"readings\":{\"requests_in_flight\":300}}' \\
    '{\"t_s\":2,\"readings\":{\"requests_in_flight\":900}}' | ostler policy eval panic -i -
  ostler policy eval target -i snapshots.jsonl -o json > decisions.jsonl

A first line with \"version\" holds settings, and those of target are the spec of a HorizontalPodAutoscaler:
  {\"version\":1,\"target\":{\"spec\":{\"maxReplicas\":20,\"metrics\":[...]}}}

Exit code 1 when a line could not be used or a decision is not as expected. The format: docs/guide/policy-eval.md";

/// Options of `policy eval`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Eval {
    /// The policy that decides
    #[arg(value_name = "POLICY", value_parser = kinds())]
    pub(crate) policy: Kind,
    /// File of snapshots, plain or gzip; - is standard input
    #[arg(short, long, value_name = "FILE")]
    pub(crate) input: PathBuf,
    /// What the file holds
    #[arg(long, default_value = "snapshots", value_name = "FORMAT")]
    pub(crate) format: InputFormat,
    /// File with one header, for snapshots that come without
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
}

/// What an input file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputFormat {
    /// JSON lines, each a header or a snapshot
    Snapshots,
    /// JSON lines, each a recorded case of Kubernetes' calculation; only for target
    Hpa,
}

/// Options of `replay`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Example:
  ostler policy eval target -i snapshots.jsonl -o json > decisions.jsonl
  ostler replay decisions.jsonl

Exit code 1 when a decision comes out otherwise, or a line could not be used.")]
pub(crate) struct Replay {
    /// Decisions as `ostler policy eval -o json` wrote them, plain or gzip; - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

fn kinds() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.map(Kind::name)).map(|name| {
        Kind::ALL.into_iter().find(|kind| kind.name() == name).expect("only names of kinds are possible")
    })
}
