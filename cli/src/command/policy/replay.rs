//! `ostler replay`: decides again what `ostler policy eval -o json` wrote, and tells what comes out otherwise.

use std::fmt;

use ostler_core::policy::decider::Kind;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Tally;
use super::args::Replay;
use super::case::{Case, Step};
use super::format::snapshot::Snapshot;
use super::format::{self, Header, Wrong};
use super::lines::{self, Line, Lines};
use super::notes::Notes;
use super::tell::{self, Decided};
use crate::error::Error;
use crate::output::{Output, units};

/// Fields of one decision that are told when they differ.
const FIELDS_MAX: usize = 20;

/// Where an `Error` is no decision.
#[derive(Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
enum Stored {
    Header { policy: String, header: Box<Header> },
    Look { input: Box<Snapshot> },
    Decision { line: u64, input: Box<Snapshot> },
    Error {},
    Summary {},
}

/// Decides everything in a file again.
pub(crate) fn run(options: &Replay, output: Output) -> Result<(), Error> {
    let file = &options.file;
    let mut lines = Lines::open(file)
        .map_err(|error| Error::Failed(format!("{}; name another file", lines::unreadable(file, &error))))?;
    let mut session = Session::new(output);
    let cut = loop {
        match lines.next() {
            Ok(Some((number, line))) => session.line(number, &line)?,
            Ok(None) => break None,
            Err(error) => break Some(lines::unreadable(file, &error)),
        }
    };
    session.end(cut)
}

/// What was decided again so far.
struct Session {
    output: Output,
    notes: Notes,
    /// None before the first header, and after one that could not be used or a line that may have been one.
    case: Option<Case>,
    /// What the next summary must say; none where no record came since the last.
    since_summary: Option<Tally>,
    decisions: u64,
    /// Those that came out otherwise.
    different: u64,
    /// Summaries that say otherwise.
    miscounted: u64,
    /// Lines that could not be used.
    bad: u64,
}

/// A field that differs. What is none is not there.
#[derive(Debug)]
struct Difference {
    path: String,
    stored: Option<Value>,
    again: Option<Value>,
}

impl Session {
    fn new(output: Output) -> Session {
        Session {
            output,
            notes: Notes::new(output),
            case: None,
            since_summary: None,
            decisions: 0,
            different: 0,
            miscounted: 0,
            bad: 0,
        }
    }

    fn line(&mut self, number: u64, line: &Line<'_>) -> Result<(), Error> {
        let read = match line {
            Line::Whole(text) => self.again(text),
            Line::TooLong(_) => {
                self.case = None;
                Err(lines::too_long())
            }
        };
        match read {
            Ok(differences) => self.tell(number, &differences),
            Err(wrong) => {
                self.bad += 1;
                self.notes.tell(&format!("line {number}: {wrong}"));
                Ok(())
            }
        }
    }

    fn again(&mut self, text: &[u8]) -> Result<Vec<Difference>, Wrong> {
        let stored: Value = format::parse(text).inspect_err(|_| self.case = None)?;
        if !matches!(stored["record"].as_str(), Some("look" | "decision" | "error" | "summary")) {
            self.case = None;
        }
        let record = format::parse(text)?;
        if let Stored::Summary {} = record {
            return Ok(self.summary(&stored));
        }
        let tally = self.since_summary.get_or_insert_default();
        let absent = || {
            let problem =
                "no header that can be used comes before it; replay what `ostler policy eval -o json` wrote";
            Wrong::new("", problem)
        };
        match record {
            Stored::Header { policy, header } => self.case = Some(Case::new(&header, kind(&policy)?)?),
            Stored::Look { input } => {
                self.case.as_mut().ok_or_else(absent)?.step(&input)?;
            }
            Stored::Decision { line, input } => {
                let case = self.case.as_mut().ok_or_else(absent)?;
                let Step::Decided(outcome) = case.step(&input)? else {
                    return Err(Wrong::new("input.decide", "must not be false in a decision"));
                };
                let kinds = case.kinds();
                let again = tell::decision(&Decided { line, kinds, input: &input, outcome: &outcome });
                tally.add(&outcome);
                self.decisions += 1;
                let differences = differences(&stored, &again);
                self.different += u64::from(!differences.is_empty());
                return Ok(differences);
            }
            Stored::Error {} => tally.bad += 1,
            Stored::Summary {} => unreachable!("it was compared above"),
        }
        Ok(Vec::new())
    }

    /// Ends what one command wrote: its summary must count what was there. Another may follow in the same file.
    fn summary(&mut self, stored: &Value) -> Vec<Difference> {
        self.case = None;
        let differences = differences(stored, &self.since_summary.take().unwrap_or_default().summary());
        self.miscounted += u64::from(!differences.is_empty());
        differences
    }

    fn tell(&mut self, number: u64, differences: &[Difference]) -> Result<(), Error> {
        let more = differences.len().saturating_sub(FIELDS_MAX);
        for difference in differences.iter().take(FIELDS_MAX) {
            if self.output.for_programs() {
                self.output.value_of_stream(&difference.record(number))?;
            } else {
                self.output.line(&units::clean(&format!("line {number}: {difference}")))?;
            }
        }
        if more > 0 {
            self.notes.tell(&format!("line {number}: {more} more fields differ"));
        }
        Ok(())
    }

    /// Says what came of it; `cut` is why the file could not be read to its end.
    fn end(self, cut: Option<String>) -> Result<(), Error> {
        let Session { output, notes: _, case: _, since_summary, decisions, different, miscounted, bad } =
            self;
        let same = decisions - different;
        if output.for_programs() {
            let summary =
                json!({ "record": "summary", "decisions": decisions, "same": same, "bad_lines": bad });
            output.value_of_stream(&summary)?;
        } else {
            output.line(&format!("{same} of {decisions} decisions come out the same, bit for bit"))?;
        }
        let mut failures: Vec<String> = cut.into_iter().collect();
        if bad > 0 {
            failures.push(format!("{bad} lines could not be used, as told above"));
        }
        if different > 0 {
            failures.push(format!("{different} of {decisions} decisions come out otherwise"));
        }
        if miscounted > 0 {
            failures.push(format!(
                "{miscounted} summaries say otherwise: records are gone or were added, or a summary was changed"
            ));
        }
        if since_summary.is_some() {
            failures
                .push("there is no summary at the end: the file was cut short, write it again".to_owned());
        }
        if decisions == 0 && failures.is_empty() {
            failures.push("there is no decision; replay what `ostler policy eval -o json` wrote".to_owned());
        }
        if failures.is_empty() { Ok(()) } else { Err(Error::Failed(failures.join("; "))) }
    }
}

impl Difference {
    fn record(&self, line: u64) -> Value {
        let Difference { path, stored, again } = self;
        let mut record = json!({ "record": "difference", "line": line, "key": path });
        for (key, value) in [("stored", stored), ("again", again)] {
            if let Some(value) = value {
                record[key] = value.clone();
            }
        }
        record
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { path, stored, again } = self;
        let text = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), Value::to_string);
        write!(f, "{path}: {} was stored, {} comes out", text(stored), text(again))
    }
}

fn kind(name: &str) -> Result<Kind, Wrong> {
    Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
        let known = Kind::ALL.map(Kind::name).join(", ");
        Wrong::new("policy", format!("no policy is called {name:?}; this version knows {known}"))
    })
}

/// The innermost fields that differ.
fn differences(stored: &Value, again: &Value) -> Vec<Difference> {
    let mut differences = Vec::new();
    compare("", Some(stored), Some(again), &mut differences);
    differences
}

fn compare(path: &str, stored: Option<&Value>, again: Option<&Value>, differences: &mut Vec<Difference>) {
    let within = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (stored, again) {
        (Some(Value::Object(left)), Some(Value::Object(right))) => {
            let added = right.keys().filter(|key| !left.contains_key(*key));
            for key in left.keys().chain(added) {
                compare(&within(key), left.get(key), right.get(key), differences);
            }
        }
        (Some(Value::Array(left)), Some(Value::Array(right))) => {
            for index in 0..left.len().max(right.len()) {
                compare(&format!("{path}[{index}]"), left.get(index), right.get(index), differences);
            }
        }
        (left, right) if left == right => {}
        (left, right) => {
            let (stored, again) = (left.cloned(), right.cloned());
            differences.push(Difference { path: path.to_owned(), stored, again });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differing(stored: Value, again: Value) -> Vec<String> {
        differences(&stored, &again).into_iter().map(|difference| difference.path).collect()
    }

    #[test]
    fn the_innermost_field_is_named() {
        let stored = json!({ "a": { "b": [1, 2.5, 3] }, "gone": 1, "same": null });
        let again = json!({ "a": { "b": [1, 2.25, 3, 4] }, "new": 1, "same": null });
        assert_eq!(differing(stored, again), ["a.b[1]", "a.b[3]", "gone", "new"]);
    }

    #[test]
    fn what_is_not_there_is_not_null() {
        let told = differences(&json!({ "a": null }), &json!({ "b": null }));
        let told: Vec<String> = told.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["a: null was stored, nothing comes out", "b: nothing was stored, null comes out"]);
    }

    #[test]
    fn floats_are_compared_to_the_last_bit() {
        let value = 0.1 + 0.2;
        let text = serde_json::to_string(&json!(value)).unwrap();
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(differing(read.clone(), json!(value)), Vec::<String>::new());
        assert_eq!(differing(read, json!(0.3)), [""]);
    }
}
