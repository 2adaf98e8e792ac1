//! `ostler simulate`: what policies would have made of a recorded load, and what it would have cost.

mod options;
mod table;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ostler_sim::contest::contender::Contender;
use ostler_sim::contest::{self, Arena, Progress, Start, Terms, html};
use ostler_sim::lifecycle::{self, Startup};
use ostler_sim::outcome::Objective;
use ostler_sim::setup::{Prices, Setup, Zone};
use ostler_sim::time::Span;
use ostler_sim::trace::{self, Options, Source};
use ostler_sim::world;

pub(crate) use self::options::Simulate;
use self::options::TraceFormat;
use crate::args::Format;
use crate::error::Error;
use crate::output::Output;

/// Runs the contest and prints what it came to.
pub(crate) fn run(options: Simulate, output: Output) -> Result<(), Error> {
    let cut = cut(&options)?;
    let source = source(&options)?;
    let mut terms = terms(&options);
    terms.check().map_err(refused)?;
    if let Some(file) = &options.load_times {
        let loads = lifecycle::read_loads(file).map_err(failed)?;
        terms.setup.startup = terms.setup.startup.with_loads(loads);
    }
    output.note("reading the trace");
    let seeds = options.seeds;
    let arena = Arena::new(terms, &source, cut, seeds).map_err(refused)?;
    let contenders = contenders(&options);
    let bar = progress();
    let mut tell = |Progress { runs, runs_max, contender }| {
        bar.set_length(u64::from(runs_max));
        bar.set_position(u64::from(runs));
        bar.set_message(contender.name());
    };
    let report = arena.run(&contenders, &mut tell).map_err(failed)?;
    bar.finish_and_clear();
    match output.format {
        Format::Table | Format::Wide => table::print(&report, output),
        Format::Json | Format::Yaml => {
            output.value(&serde_json::to_value(&report).map_err(std::io::Error::other)?)
        }
        Format::Html => output.line(html::page(&report).trim_end()),
    }
}

/// The policy first, then the others, each once.
fn contenders(options: &Simulate) -> Vec<Contender> {
    let mut contenders = vec![options.policy];
    for other in &options.against {
        if !contenders.contains(other) {
            contenders.push(*other);
        }
    }
    contenders
}

/// What the command line asks for, with loads yet to be read.
fn terms(options: &Simulate) -> Terms {
    let defaults = Setup::new(options.profile.engine());
    let startup =
        options.start_time.map_or_else(|| defaults.startup.clone(), |it| Startup::constant(span(it)));
    let gpus = f64::from(defaults.profile.gpus);
    // Only --max limits the pool: no zone has less room.
    let room = |zone: &Zone| Zone { replicas_max: zone.replicas_max.max(options.max), ..zone.clone() };
    let setup = Setup {
        startup,
        zones: defaults.zones.iter().map(room).collect(),
        replicas_min: options.min,
        replicas_max: options.max,
        prices: Prices { on_demand: options.gpu_price * gpus, spot: options.gpu_price * gpus },
        objective: Objective {
            ttft: span(options.ttft),
            prompt: options.prompt_time.into(),
            itl: span(options.itl),
        },
        seed: options.seed,
        ..defaults
    };
    let start = options.initial.map_or(Start::ByDemand, Start::Replicas);
    let name = options.trace.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Terms { trace: crate::output::units::clean(&name), setup, start, goal: options.goal }
}

/// Which part of the trace, for each seed.
fn cut(options: &Simulate) -> Result<impl Fn(u64) -> Options + use<>, Error> {
    let until = options.until.map_or(Span::MAX, span);
    let wrong = |error: trace::OptionsError| Error::Usage(error.to_string());
    let from = span(options.from);
    let scale = options.rate_scale;
    Options::all(0).cut(from, until).and_then(|it| it.scaled(scale)).map_err(wrong)?;
    Ok(move |seed| {
        let cut = Options::all(seed).cut(from, until).and_then(|it| it.scaled(scale));
        cut.expect("it was tried with another seed")
    })
}

fn source(options: &Simulate) -> Result<Source, Error> {
    let trace = options.trace.clone();
    if options.lengths.is_some() && options.format != TraceFormat::Servegen {
        return Err(Error::Usage("only --format servegen has --lengths; leave it off".to_owned()));
    }
    Ok(match options.format {
        TraceFormat::Csv => Source::Table(trace),
        TraceFormat::Azure => Source::Azure(trace),
        TraceFormat::Mooncake => Source::Mooncake(trace),
        TraceFormat::Servegen => {
            let tokens = match &options.lengths {
                Some(file) => file.clone(),
                None => lengths_beside(&trace)?,
            };
            Source::ServeGen { clients: trace, tokens }
        }
    })
}

/// `..._clients.csv.gz` has its lengths in `..._tokens.csv.gz`.
fn lengths_beside(clients: &Path) -> Result<PathBuf, Error> {
    let name = clients.file_name().and_then(|name| name.to_str()).filter(|name| name.contains("_clients."));
    let name = name.ok_or_else(|| {
        Error::Usage("name the file of lengths with --lengths, or the trace ..._clients.csv".to_owned())
    })?;
    Ok(clients.with_file_name(name.replace("_clients.", "_tokens.")))
}

fn span(time: std::time::Duration) -> Span {
    Span::clamped_from_seconds(time.as_secs_f64())
}

/// Terms that no trace could have are the command line's fault.
fn refused(error: contest::Error) -> Error {
    match error {
        contest::Error::Goal(_)
        | contest::Error::Seeds(_)
        | contest::Error::SeedsEnd { .. }
        | contest::Error::Run(world::Error::Setup(_)) => {
            Error::Usage(format!("{:#}", anyhow::Error::new(error)))
        }
        contest::Error::Run(world::Error::Trace(_) | world::Error::Order { .. })
        | contest::Error::Trace(_)
        | contest::Error::Empty
        | contest::Error::TooLong
        | contest::Error::TooMany => failed(error),
    }
}

/// With its causes.
fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::failed(&anyhow::Error::new(error))
}

/// A bar on stderr, only for a person.
fn progress() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} runs at most, {msg}, {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10)).with_style(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_lie_beside_their_clients() {
        let beside = lengths_beside(Path::new("/data/servegen_m-large_clients.csv.gz")).unwrap();
        assert_eq!(beside, Path::new("/data/servegen_m-large_tokens.csv.gz"));
        assert!(lengths_beside(Path::new("/data/clients.csv")).is_err());
    }
}
