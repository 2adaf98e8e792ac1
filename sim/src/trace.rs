//! Requests from recorded traces, in order of arrival, one at a time.
//!
//! Four formats, plain or gzip: the Azure LLM inference trace, Mooncake's, ServeGen's fitted clients (from which requests are
//! drawn), and a table of our own:
//!
//! ```text
//! arrival_s,input_tokens,output_tokens,class,prefix      the last two columns may be absent, a field of `prefix` empty
//! 0.25,1200,340,0,17
//! ```
//!
//! `arrival_s` is seconds since any start, not before the line above; tokens are 1 to 16,777,215; `class` and `prefix` are
//! whole numbers that policies and routers may go by. Recorded files are streamed; memory holds what lies within a tick.
//! Nothing is skipped: what cannot be read is an [`Error`] with its place and what to do.

mod error;
mod lines;
mod mooncake;
mod reorder;
mod rows;
pub mod servegen;

use std::path::PathBuf;

pub use self::error::Error;
pub(crate) use self::lines::Lines;
use crate::time::{SimTime, Span};

/// Most tokens of a prompt or an answer: 2^24 - 1, over any model's context, and small enough for its square.
pub const TOKENS_MAX: u32 = (1 << 24) - 1;

/// One request of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// When it arrives.
    pub arrival: SimTime,
    /// Tokens of its prompt, at least 1.
    pub input_tokens: u32,
    /// Tokens of its answer, at least 1.
    pub output_tokens: u32,
    /// Which kind of request, or which client, where the trace tells; else 0.
    pub class: u32,
    /// Requests with the same start of their prompts have the same; none where the trace does not tell.
    pub prefix: Option<u64>,
}

/// Requests in order of arrival.
pub type Requests = Box<dyn Iterator<Item = Result<Request, Error>>>;

/// Where requests come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Our own table.
    Table(PathBuf),
    /// `TIMESTAMP,ContextTokens,GeneratedTokens`.
    Azure(PathBuf),
    /// JSON lines with `timestamp` in ms, `input_length`, `output_length` and `hash_ids`.
    Mooncake(PathBuf),
    /// Clients' fitted arrival processes and their lengths.
    ServeGen {
        /// `client,window_start_s,rate_rps,cv,dist,p1,p2`.
        clients: PathBuf,
        /// `client,window_start_s,in_mean,in_p50,...`.
        tokens: PathBuf,
    },
}

/// Which part of a trace, and how much of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    from: Span,
    until: Span,
    rate_scale: f64,
    seed: u64,
}

/// Why options cannot be.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum OptionsError {
    /// An empty cut.
    #[error("the cut ends at {until_s} s, not after its start at {from_s} s; give a later end")]
    EmptyCut {
        /// Start.
        from_s: f64,
        /// End.
        until_s: f64,
    },
    /// Not a scale.
    #[error("a rate scale of {0} is not over 0 and at most {SCALE_MAX}; 1 leaves the trace as it is")]
    Scale(f64),
}

/// The largest rate scale.
pub const SCALE_MAX: f64 = 1000.0;

impl Options {
    /// The whole trace as it is.
    pub fn all(seed: u64) -> Options {
        Options { from: Span::ZERO, until: Span::MAX, rate_scale: 1.0, seed }
    }

    /// What lies from `from` until before `until` after the start of the trace, with arrivals counted from the cut.
    pub fn cut(self, from: Span, until: Span) -> Result<Options, OptionsError> {
        if until <= from {
            return Err(OptionsError::EmptyCut { from_s: from.as_seconds(), until_s: until.as_seconds() });
        }
        Ok(Options { from, until, ..self })
    }

    /// As many times the requests. ServeGen's clients get their rate times the scale. A recorded request is kept with that
    /// probability or repeated that often on average; repeats come within a second after it, so that they do not
    /// arrive as one, and the shape of the trace in time stays as it is.
    pub fn scaled(self, rate_scale: f64) -> Result<Options, OptionsError> {
        if rate_scale > 0.0 && rate_scale <= SCALE_MAX {
            Ok(Options { rate_scale, ..self })
        } else {
            Err(OptionsError::Scale(rate_scale))
        }
    }
}

impl Source {
    /// Whether another seed draws other requests, or other moments for them.
    pub fn depends_on_seed(&self, options: &Options) -> bool {
        match self {
            Source::Table(_) | Source::Azure(_) => options.rate_scale != 1.0,
            Source::Mooncake(_) | Source::ServeGen { .. } => true,
        }
    }

    /// Opens it. Reading goes on while requests are taken, and so do errors.
    pub fn requests(&self, options: &Options) -> Result<Requests, Error> {
        let recorded: Requests = match self {
            Source::Table(file) => Box::new(reorder::by_arrival(rows::table(file)?)),
            Source::Azure(file) => Box::new(reorder::by_arrival(rows::azure(file)?)),
            Source::Mooncake(file) => Box::new(reorder::by_arrival(mooncake::read(file, options.seed)?)),
            Source::ServeGen { clients, tokens } => {
                return Ok(Box::new(servegen::Plan::read(clients, tokens)?.requests(options)));
            }
        };
        Ok(if options.rate_scale == 1.0 {
            Box::new(reorder::cut(recorded, *options))
        } else {
            Box::new(reorder::cut(reorder::by_arrival(reorder::scaled(recorded, *options)), *options))
        })
    }
}
