//! Decisions as a table, in blocks so that an endless input needs no endless memory.

use ostler_core::policy::decider::Kind;
use ostler_core::policy::merge;
use ostler_core::policy::proposal::Reason;
use ostler_core::policy::record::{Input, InputSeen, Opinion, Record, asked};
use ostler_core::policy::target;

use super::case::{Comparison, Outcome};
use super::format::snapshot::Snapshot;
use super::tell;
use crate::error::Error;
use crate::output::columns::Cell;
use crate::output::units::{UNKNOWN, age, clean};
use crate::output::{Output, Tone};

/// Rows of a block, some 300 bytes each.
const ROWS_MAX: usize = 1_000;

/// Rows that are not printed yet, all with the same columns.
pub(super) struct Table {
    output: Output,
    /// The policy that decides, and then those that are asked beside it.
    kinds: Vec<Kind>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(super) fn new(output: Output) -> Table {
        Table { output, kinds: Vec::new(), rows: Vec::new() }
    }

    /// Begins rows with columns for these policies.
    pub(super) fn begin(&mut self, kinds: Vec<Kind>) -> Result<(), Error> {
        if self.kinds != kinds {
            self.flush()?;
            self.kinds = kinds;
        }
        Ok(())
    }

    pub(super) fn add(&mut self, line: u64, input: &Snapshot, outcome: &Outcome) -> Result<(), Error> {
        self.rows.push(row(line, input, outcome, self.output.wide()));
        if self.rows.len() == ROWS_MAX { self.flush() } else { Ok(()) }
    }

    /// Prints what is left.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let mut titles: Vec<String> =
            ["LINE", "TIME", "COUNT", "ASKED", "PROPOSED", "DECIDED"].map(str::to_owned).into();
        titles.extend(self.kinds.iter().skip(1).map(|kind| kind.name().to_uppercase()));
        if self.output.wide() {
            titles.extend(["INPUTS", "CONDITIONS"].map(str::to_owned));
        }
        titles.push("WHY".to_owned());
        self.output.line(&self.output.grid(titles, std::mem::take(&mut self.rows)))
    }
}

fn row(line: u64, input: &Snapshot, outcome: &Outcome, wide: bool) -> Vec<Cell> {
    let Outcome { record, dated: _, comparison } = outcome;
    let Record { at, replicas_wanted, opinion, decision, beside } = record;
    let plain = |text: String| Cell { text, tone: Tone::Plain };
    let count = |count: Option<u32>| plain(count.map_or(UNKNOWN.to_owned(), |count| count.to_string()));
    let when = match input.t_s {
        Some(since) => format!("{}s", since.0.as_secs_f64()),
        None => tell::time(*at),
    };
    let disagrees = comparison.as_ref().filter(|comparison| !comparison.agrees());
    let tone = match (disagrees, decision.replicas == *replicas_wanted) {
        (Some(_), _) => Tone::Bad,
        (None, true) => Tone::Plain,
        (None, false) => Tone::Good,
    };
    let asked = asked(&opinion.proposal).map_or(UNKNOWN.to_owned(), |asked| asked.to_string());
    let mut cells = vec![
        plain(line.to_string()),
        plain(when),
        plain(replicas_wanted.to_string()),
        plain(asked),
        count(opinion.proposal.replicas),
        Cell { text: decision.replicas.to_string(), tone },
    ];
    cells.extend(beside.iter().map(|opinion| count(opinion.proposal.replicas)));
    if wide {
        cells.push(plain(inputs(opinion)));
        cells.push(plain(conditions(opinion)));
    }
    let why = [disagrees.map(expected), Some(why(opinion, &decision.reasons))];
    cells.push(plain(clean(&why.into_iter().flatten().collect::<Vec<_>>().join("; "))));
    cells
}

/// What should have come out.
fn expected(comparison: &Comparison) -> String {
    let expected = comparison.expected;
    let mut parts = Vec::new();
    if let Some(replicas) = expected.replicas {
        parts.push(format!("{replicas}"));
    }
    if let Some(asked) = expected.asked {
        parts.push(format!("asked {asked}"));
    }
    if expected.opinion.is_some_and(|opinion| Some(opinion) != comparison.got.opinion) {
        parts.push("another kind of answer".to_owned());
    }
    format!("EXPECTED {}", parts.join(", "))
}

/// The policy's steps, and what held its proposal.
fn why(opinion: &Opinion, reasons: &[merge::Reason]) -> String {
    // What the metrics ask for together has its own column.
    let told = |reason: &&Reason| !matches!(reason, Reason::Target(target::Reason::Asked { .. }));
    let own = opinion.proposal.reasons.iter().filter(told).map(ToString::to_string);
    let held = reasons.iter().filter(|reason| match reason {
        merge::Reason::Chosen { .. } | merge::Reason::NoOpinion => false,
        merge::Reason::Held { .. }
        | merge::Reason::Bounded { .. }
        | merge::Reason::Limited { .. }
        | merge::Reason::Vetoed { .. } => true,
    });
    own.chain(held.map(ToString::to_string)).collect::<Vec<_>>().join("; ")
}

fn inputs(opinion: &Opinion) -> String {
    let one = |input: &Input| {
        let metric = clean(input.metric.as_str());
        match &input.seen {
            InputSeen::Pool { reading, age: Some(old) } => {
                format!(
                    "{metric} {reading} ({} old)",
                    age(u64::try_from(old.as_millis()).unwrap_or(u64::MAX))
                )
            }
            InputSeen::Pool { reading, age: None } => format!("{metric} {reading}"),
            InputSeen::Replicas { counts, .. } => {
                let without =
                    counts.stale + counts.missing + counts.failed + counts.not_finite + counts.reset;
                format!("{metric} of {} replicas, {without} without a value", counts.fresh + without)
            }
        }
    };
    opinion.inputs.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn conditions(opinion: &Opinion) -> String {
    let one = opinion
        .proposal
        .conditions
        .iter()
        .map(|it| format!("{}={} ({})", it.kind, it.holds, it.reason.name()));
    one.collect::<Vec<_>>().join(", ")
}
