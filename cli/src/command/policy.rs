//! `ostler policy eval` and `ostler replay`: policies decide on input that is given to them, without a coordinator.
//!
//! What is decided is a function of the input alone: the time is that of the snapshots, and what a policy remembers comes
//! from the snapshots before. So what `eval` wrote, `replay` decides again, bit for bit.

pub(crate) mod args;
mod case;
mod format;
mod hpa;
mod lines;
mod replay;
mod table;
mod tell;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use ostler_core::policy::decider::Kind;
use serde_json::json;

pub(crate) use self::replay::run as replay;

use self::args::{Eval, InputFormat, Policy};
use self::case::{Case, Step};
use self::format::snapshot::Snapshot;
use self::format::{Header, Item, Wrong};
use self::lines::{LINE_BYTES_MAX, Line, Lines};
use self::table::Table;
use self::tell::Decided;
use crate::error::Error;
use crate::output::{Output, units};

/// Wrong lines that are told on stderr; further ones are counted.
const TOLD_MAX: u64 = 100;

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
    let mut lines = Lines::open(input)?;
    let mut session = Session::new(*policy, output);
    if let Some(header) = settings {
        let case = Case::new(&header, *policy);
        let case = case.map_err(|wrong| Error::Failed(format!("--settings: {wrong}")))?;
        session.begin(0, &header, case)?;
    }
    while let Some((number, line)) = lines.next().map_err(|error| lines::unreadable(input, &error))? {
        match (line, format) {
            (Line::TooLong, _) => {
                let problem = format!("is longer than {LINE_BYTES_MAX} bytes; split it into several");
                session.bad(number, &Wrong::new("", problem))?;
            }
            (Line::Whole(text), InputFormat::Snapshots) => session.item(number, text)?,
            (Line::Whole(text), InputFormat::Hpa) => session.hpa_case(number, text)?,
        }
    }
    session.end()
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
}

/// Where a session stands.
enum Standing {
    /// Before the first line.
    Fresh,
    /// In a case.
    In(Box<Case>),
    /// After a header that could not be used, on this line: without it nothing can be decided.
    Lost(u64),
}

/// What a session came to.
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

impl Session {
    fn new(policy: Kind, output: Output) -> Session {
        Session {
            policy,
            output,
            table: Table::new(output),
            standing: Standing::Fresh,
            tally: Tally::default(),
        }
    }

    /// A line of snapshots.
    fn item(&mut self, number: u64, line: &[u8]) -> Result<(), Error> {
        match format::item(line) {
            Ok(Item::Header(header)) => self.header(number, &header),
            Ok(Item::Snapshot(snapshot)) => {
                if let Standing::Fresh = self.standing {
                    self.header(number, &Header::empty())?;
                }
                self.snapshot(number, &snapshot)
            }
            Err(wrong) => {
                if let Standing::Fresh = self.standing {
                    self.standing = Standing::Lost(number);
                }
                self.bad(number, &wrong)
            }
        }
    }

    /// A line of cases.
    fn hpa_case(&mut self, number: u64, line: &[u8]) -> Result<(), Error> {
        match hpa::case(line) {
            Ok((header, snapshots)) => {
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

    fn header(&mut self, number: u64, header: &Header) -> Result<(), Error> {
        match Case::new(header, self.policy) {
            Ok(case) => self.begin(number, header, case),
            Err(wrong) => {
                self.standing = Standing::Lost(number);
                self.bad(number, &wrong)
            }
        }
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
                let problem = format!("is not decided: line {header}, which says how, could not be used");
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
        self.tally.decisions += 1;
        if let Some(comparison) = &outcome.comparison {
            self.tally.compared += 1;
            self.tally.agreed += u64::from(comparison.agrees());
        }
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
        if self.tally.bad <= TOLD_MAX {
            self.output.note(&format!("line {number}: {}", units::clean(&wrong.to_string())));
        } else if self.tally.bad == TOLD_MAX + 1 {
            self.output.note("further lines that cannot be used are only counted");
        }
        if self.output.for_programs() {
            return self.output.value_of_stream(&tell::bad(number, wrong));
        }
        Ok(())
    }

    fn end(mut self) -> Result<(), Error> {
        self.table.flush()?;
        let Tally { decisions, bad, compared, agreed } = self.tally;
        if self.output.for_programs() {
            self.output.value_of_stream(&json!({
                "record": "summary",
                "decisions": decisions,
                "bad_lines": bad,
                "compared": compared,
                "agreed": agreed,
            }))?;
        } else if compared > 0 {
            self.output.line(&format!("{agreed} of {compared} decisions are as expected"))?;
        }
        let mut failures = Vec::new();
        if bad > 0 {
            failures.push(format!(
                "{bad} lines could not be used: correct them as told above (docs/guide/policy-eval.md has the format)"
            ));
        }
        if agreed < compared {
            failures.push(format!("{} of {compared} decisions are not as expected", compared - agreed));
        }
        if decisions == 0 && bad == 0 {
            failures.push("there is nothing to decide: write a header and snapshots, one a line".to_owned());
        }
        if failures.is_empty() { Ok(()) } else { Err(Error::Failed(failures.join("; "))) }
    }
}
