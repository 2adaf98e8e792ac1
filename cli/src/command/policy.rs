//! `ostler policy eval` and `ostler replay`: policies decide on input that is given to them, without a coordinator.
//!
//! What is decided is a function of the input alone: the time is that of the snapshots, and what a policy remembers comes
//! from the snapshots before. So what `eval` wrote, `replay` decides again, bit for bit.

pub(crate) mod args;
mod case;
mod format;
mod hpa;
mod lines;
mod notes;
mod replay;
mod table;
mod tell;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use ostler_core::policy::decider::Kind;
use serde_json::{Value, json};

pub(crate) use self::replay::run as replay;

use self::args::{Eval, InputFormat, Policy};
use self::case::{Case, Outcome, Step};
use self::format::snapshot::Snapshot;
use self::format::{Header, Item, Wrong};
use self::hpa::Translated;
use self::lines::{LINE_BYTES_MAX, Line, Lines};
use self::notes::{Notes, TOLD_MAX};
use self::table::Table;
use self::tell::Decided;
use crate::error::Error;
use crate::output::Output;

/// Carries out a command about policies.
pub(crate) fn run(command: Policy, output: Output) -> Result<(), Error> {
    match command {
        Policy::Eval(options) => eval(&options, output),
    }
}

fn eval(options: &Eval, output: Output) -> Result<(), Error> {
    let Eval { policy, input, format, settings } = options;
    if *format == InputFormat::Hpa && *policy != Kind::Target {
        return Err(Error::Usage(format!(
            "cases of Kubernetes are decided by target, not by {}; write `ostler policy eval target`",
            policy.name()
        )));
    }
    if *format == InputFormat::Hpa && settings.is_some() {
        return Err(Error::Usage("cases of Kubernetes hold their settings; leave --settings off".to_owned()));
    }
    let settings = settings.as_deref().map(read_header).transpose()?;
    let mut lines = Lines::open(input).map_err(|error| {
        Error::Failed(format!("{}; name another file with -i", lines::unreadable(input, &error)))
    })?;
    let mut session = Session::new(*policy, output);
    if let Some(header) = settings {
        let case = Case::new(&header, *policy);
        let case = case.map_err(|wrong| Error::Failed(format!("--settings: {wrong}")))?;
        session.begin(0, &header, case)?;
    }
    let cut = loop {
        match lines.next() {
            Ok(Some((number, line))) => session.line(number, &line, *format)?,
            Ok(None) => break None,
            Err(error) => break Some(lines::unreadable(input, &error)),
        }
    };
    session.end(cut)
}

/// One header, on as many lines as it likes.
fn read_header(path: &Path) -> Result<Header, Error> {
    let told = |problem: &str| Error::Failed(format!("--settings {}: {problem}", path.display()));
    let mut text = Vec::new();
    let most = LINE_BYTES_MAX as u64;
    let read = File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut text));
    let bytes = read.map_err(|error| told(&format!("cannot be read ({error})")))?;
    if bytes as u64 > most {
        return Err(told(&format!("is longer than {most} bytes; write one header")));
    }
    format::parse(&text).map_err(|wrong| told(&wrong.to_string()))
}

/// What was read so far, and what is printed of it.
struct Session {
    policy: Kind,
    output: Output,
    table: Table,
    standing: Standing,
    tally: Tally,
    notes: Notes,
    /// Keys of which it was said that they are not used, [`TOLD_MAX`] at most.
    unused: BTreeSet<String>,
}

/// Where a session stands.
enum Standing {
    /// Before the first line.
    Fresh,
    /// In a case.
    In(Box<Case>),
    /// After a header that could not be used, or a line that may have been one, on this line: without it nothing can be
    /// decided.
    Lost(u64),
}

/// What a session came to, as its summary tells it.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    decisions: u64,
    /// Lines that could not be used.
    bad: u64,
    /// Decisions of which it was said what should come out.
    compared: u64,
    /// Those that came out so.
    agreed: u64,
}

impl Tally {
    /// Counts a decision.
    fn add(&mut self, outcome: &Outcome) {
        self.decisions += 1;
        if let Some(comparison) = &outcome.comparison {
            self.compared += 1;
            self.agreed += u64::from(comparison.agrees());
        }
    }

    fn summary(self) -> Value {
        let Tally { decisions, bad, compared, agreed } = self;
        json!({
            "record": "summary",
            "decisions": decisions,
            "bad_lines": bad,
            "compared": compared,
            "agreed": agreed,
        })
    }
}

impl Session {
    fn new(policy: Kind, output: Output) -> Session {
        Session {
            policy,
            output,
            table: Table::new(output),
            standing: Standing::Fresh,
            tally: Tally::default(),
            notes: Notes::new(output),
            unused: BTreeSet::new(),
        }
    }

    fn line(&mut self, number: u64, line: &Line<'_>, format: InputFormat) -> Result<(), Error> {
        match (line, format) {
            (Line::Whole(text), InputFormat::Snapshots) => self.item(number, text),
            (Line::Whole(text), InputFormat::Hpa) => self.hpa_case(number, text),
            (Line::TooLong(beginning), InputFormat::Snapshots) if format::may_be_header(beginning) => {
                self.lost(number, &lines::too_long())
            }
            (Line::TooLong(_), InputFormat::Snapshots | InputFormat::Hpa) => {
                self.bad(number, &lines::too_long())
            }
        }
    }

    /// A line of snapshots.
    fn item(&mut self, number: u64, line: &[u8]) -> Result<(), Error> {
        match format::item(line) {
            Item::Header(header) => self.header(number, &header),
            Item::Snapshot(snapshot) => {
                if let Standing::Fresh = self.standing {
                    self.header(number, &Header::empty())?;
                    if let Standing::Lost(_) = self.standing {
                        return Ok(());
                    }
                }
                self.snapshot(number, &snapshot)
            }
            Item::BadSnapshot(wrong) => self.bad(number, &wrong),
            Item::BadHeader(wrong) => self.lost(number, &wrong),
        }
    }

    /// A line of cases.
    fn hpa_case(&mut self, number: u64, line: &[u8]) -> Result<(), Error> {
        match hpa::case(line) {
            Ok(Translated { header, snapshots, unused }) => {
                self.tell_unused(number, unused);
                self.header(number, &header)?;
                if let Standing::In(_) = self.standing {
                    for snapshot in &snapshots {
                        self.snapshot(number, snapshot)?;
                    }
                }
                Ok(())
            }
            Err(wrong) => self.bad(number, &wrong),
        }
    }

    /// Says once of each key that it is not used.
    fn tell_unused(&mut self, number: u64, keys: BTreeSet<String>) {
        for key in keys {
            if (self.unused.len() as u64) < TOLD_MAX && self.unused.insert(key.clone()) {
                self.notes.tell(&format!("line {number}: {key} is not used, here and further on"));
            }
        }
    }

    fn header(&mut self, number: u64, header: &Header) -> Result<(), Error> {
        match Case::new(header, self.policy) {
            Ok(case) => self.begin(number, header, case),
            Err(wrong) => self.lost(number, &wrong),
        }
    }

    /// A line that says, or may have said, how to decide, and could not be used.
    fn lost(&mut self, number: u64, wrong: &Wrong) -> Result<(), Error> {
        self.standing = Standing::Lost(number);
        self.bad(number, wrong)
    }

    fn begin(&mut self, number: u64, header: &Header, case: Case) -> Result<(), Error> {
        let kinds = case.kinds();
        self.standing = Standing::In(Box::new(case));
        if self.output.for_programs() {
            return self.output.value_of_stream(&tell::header(number, self.policy, header));
        }
        self.table.begin(kinds)
    }

    fn snapshot(&mut self, number: u64, snapshot: &Snapshot) -> Result<(), Error> {
        let case = match &mut self.standing {
            Standing::In(case) => case,
            Standing::Fresh => unreachable!("a header comes before the first snapshot"),
            Standing::Lost(header) => {
                let problem =
                    format!("is not decided: line {header} could not be used, and it may have said how");
                return self.bad(number, &Wrong::new("", problem));
            }
        };
        let outcome = match case.step(snapshot) {
            Ok(Step::Decided(outcome)) => outcome,
            Ok(Step::Looked) if self.output.for_programs() => {
                return self.output.value_of_stream(&tell::look(number, snapshot));
            }
            Ok(Step::Looked) => return Ok(()),
            Err(wrong) => return self.bad(number, &wrong),
        };
        self.tally.add(&outcome);
        if self.output.for_programs() {
            let kinds = case.kinds();
            let told = tell::decision(&Decided { line: number, kinds, input: snapshot, outcome: &outcome });
            return self.output.value_of_stream(&told);
        }
        self.table.add(number, snapshot, &outcome)
    }

    /// A line that could not be used; those after it are read all the same.
    fn bad(&mut self, number: u64, wrong: &Wrong) -> Result<(), Error> {
        self.tally.bad += 1;
        self.notes.tell(&format!("line {number}: {wrong}"));
        if self.output.for_programs() {
            return self.output.value_of_stream(&tell::bad(number, wrong));
        }
        Ok(())
    }

    /// Prints what is left, and says what went wrong; `cut` is why the input ended before its end.
    fn end(mut self, cut: Option<String>) -> Result<(), Error> {
        self.table.flush()?;
        let Tally { decisions, bad, compared, agreed } = self.tally;
        if self.output.for_programs() {
            self.output.value_of_stream(&self.tally.summary())?;
        } else if compared > 0 {
            self.output.line(&format!("{agreed} of {compared} decisions are as expected"))?;
        }
        let mut failures: Vec<String> = cut.into_iter().collect();
        if bad > 0 {
            failures.push(format!(
                "{bad} lines could not be used: correct them as told above (docs/guide/policy-eval.md has the format)"
            ));
        }
        if agreed < compared {
            failures.push(format!("{} of {compared} decisions are not as expected", compared - agreed));
        }
        if decisions == 0 && failures.is_empty() {
            failures.push("there is nothing to decide: write a header and snapshots, one a line".to_owned());
        }
        if failures.is_empty() { Ok(()) } else { Err(Error::Failed(failures.join("; "))) }
    }
}
