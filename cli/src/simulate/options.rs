//! Options of `simulate`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use ostler_sim::contest::contender::Contender;
use ostler_sim::outcome::PromptTime;
use ostler_sim::profile;

use crate::args::parse_duration;

/// What to simulate.
#[derive(Clone, Debug, Args)]
pub(crate) struct Simulate {
    /// File of recorded requests, plain or gzip
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: PathBuf,
    /// What the file is
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: TraceFormat,
    /// File of lengths that belongs to a servegen file; beside it unless given
    #[arg(long, value_name = "FILE")]
    pub(crate) lengths: Option<PathBuf>,
    /// The policy in question
    #[arg(long, value_name = "POLICY", value_parser = policies())]
    pub(crate) policy: Contender,
    /// Others to compare it with, each at the best setting that a bounded search finds on the same trace
    #[arg(long, value_name = "POLICIES", value_delimiter = ',', value_parser = policies())]
    pub(crate) against: Vec<Contender>,
    /// Latest first token
    #[arg(long, default_value = "2s", value_name = "TIME", value_parser = parse_duration)]
    pub(crate) ttft: Duration,
    /// Whether the time that a prompt takes on an idle engine is within --ttft or comes on top of it
    #[arg(long, default_value = "on-top", value_name = "WHERE")]
    pub(crate) prompt_time: PromptTimeOption,
    /// Longest mean time between tokens
    #[arg(long, default_value = "100ms", value_name = "TIME", value_parser = parse_duration)]
    pub(crate) itl: Duration,
    /// Share of requests for which this is to hold
    #[arg(long, default_value_t = 0.999, value_name = "SHARE")]
    pub(crate) goal: f64,
    /// Engine and GPUs of a replica
    #[arg(long, default_value = "8b-1xh100")]
    pub(crate) profile: ProfileOption,
    /// Fewest replicas
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) min: u32,
    /// Most replicas
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) max: u32,
    /// Replicas at the start, where a setting names no number; as many as the first ten minutes need unless given
    #[arg(long, value_name = "N")]
    pub(crate) initial: Option<u32>,
    /// Time from asking for a replica until it serves, always the same; by published figures and chance unless given
    #[arg(long, value_name = "TIME", value_parser = parse_duration, conflicts_with = "load_times")]
    pub(crate) start_time: Option<Duration>,
    /// Measured loads of models to draw from: timestamp_anon,value (ms),container_ip
    #[arg(long, value_name = "FILE")]
    pub(crate) load_times: Option<PathBuf>,
    /// Price of a GPU for an hour
    #[arg(long, default_value_t = 1.0, value_name = "PRICE")]
    pub(crate) gpu_price: f64,
    /// Begin so long after the trace's start
    #[arg(long, default_value = "0s", value_name = "TIME", value_parser = parse_duration)]
    pub(crate) from: Duration,
    /// End so long after the trace's start
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) until: Option<Duration>,
    /// As many times the requests
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR")]
    pub(crate) rate_scale: f64,
    /// Runs with other luck, for confidence intervals
    #[arg(long, default_value_t = 1, value_name = "N",
          value_parser = clap::value_parser!(u64).range(1..=ostler_sim::contest::SEEDS_MAX))]
    pub(crate) seeds: u64,
    /// The first seed; the same one gives the same figures
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// What a trace file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TraceFormat {
    /// TIMESTAMP,ContextTokens,GeneratedTokens
    Azure,
    /// JSON lines with timestamp, `input_length`, `output_length`
    Mooncake,
    /// Clients' fitted arrivals, and a second file with their lengths
    Servegen,
    /// `arrival_s,input_tokens,output_tokens`
    Csv,
}

/// Where a prompt's own time goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PromptTimeOption {
    /// Part of the time to the first token: some prompts are too long for any engine
    Within,
    /// Beside it: the objective is about waiting
    OnTop,
}

impl From<PromptTimeOption> for PromptTime {
    fn from(option: PromptTimeOption) -> PromptTime {
        match option {
            PromptTimeOption::Within => PromptTime::Within,
            PromptTimeOption::OnTop => PromptTime::OnTop,
        }
    }
}

/// Engines that are known, by the names of their profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileOption {
    /// Llama-3.1-8B on one H100
    #[value(name = "8b-1xh100")]
    Llama8b,
    /// Llama-3.1-70B on eight H100
    #[value(name = "70b-8xh100")]
    Llama70b,
    /// A mixture of experts of 671B on eight H200
    #[value(name = "moe-671b-8xh200")]
    Moe671b,
}

impl ProfileOption {
    pub(crate) fn engine(self) -> profile::Profile {
        match self {
            ProfileOption::Llama8b => profile::Profile::llama_8b_h100(),
            ProfileOption::Llama70b => profile::Profile::llama_70b_8xh100(),
            ProfileOption::Moe671b => profile::Profile::moe_671b_8xh200(),
        }
    }
}

fn policies() -> impl TypedValueParser<Value = Contender> {
    PossibleValuesParser::new(Contender::ALL.map(Contender::name))
        .map(|name| Contender::named(&name).expect("only names of contenders are possible"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_called_what_they_call_themselves() {
        for option in ProfileOption::value_variants() {
            let name = option.to_possible_value().unwrap();
            assert_eq!(name.get_name(), option.engine().name);
        }
    }
}
