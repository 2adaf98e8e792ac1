//! `ostler replay`: decides again what `ostler policy eval -o json` wrote, and tells what comes out otherwise.

use ostler_core::policy::decider::Kind;
use serde::Deserialize;
use serde_json::{Value, json};

use super::args::Replay;
use super::case::{Case, Step};
use super::format::snapshot::Snapshot;
use super::format::{self, Header, Wrong};
use super::lines::{self, LINE_BYTES_MAX, Line, Lines};
use super::tell::{self, Decided};
use crate::error::Error;
use crate::output::{Output, units};

/// Fields of one decision that are told when they differ.
const FIELDS_MAX: usize = 20;

/// Where an `Error` and the end of a file are no decisions.
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
    let mut lines = Lines::open(&options.file)?;
    let mut session = Session { output, case: None, decisions: 0, different: 0, bad: 0 };
    while let Some((number, line)) = lines.next().map_err(|error| lines::unreadable(&options.file, &error))? {
        let read = match line {
            Line::Whole(text) => session.line(number, text)?,
            Line::TooLong => Err(Wrong::new("", format!("is longer than {LINE_BYTES_MAX} bytes"))),
        };
        if let Err(wrong) = read {
            session.bad += 1;
            output.note(&format!("line {number}: {}", units::clean(&wrong.to_string())));
        }
    }
    session.end()
}

/// What was decided again so far.
struct Session {
    output: Output,
    /// None before the first header, and after one that could not be used.
    case: Option<Case>,
    decisions: u64,
    /// Those that came out otherwise.
    different: u64,
    /// Lines that could not be used.
    bad: u64,
}

/// Fields that differ: path, what was stored, what came out.
type Differences = Vec<(String, Value, Value)>;

impl Session {
    /// The inner result is of the line, the outer of printing.
    fn line(&mut self, number: u64, text: &[u8]) -> Result<Result<(), Wrong>, Error> {
        match self.again(text) {
            Ok(differences) if differences.is_empty() => Ok(Ok(())),
            Ok(differences) => {
                self.different += 1;
                self.tell(number, &differences).map(Ok)
            }
            Err(wrong) => Ok(Err(wrong)),
        }
    }

    fn again(&mut self, text: &[u8]) -> Result<Differences, Wrong> {
        let stored: Value = format::parse(text)?;
        match format::parse(text)? {
            Stored::Header { policy, header } => {
                self.case = None;
                let kind = Kind::ALL.into_iter().find(|kind| kind.name() == policy);
                let kind = kind.ok_or_else(|| Wrong::new("policy", "no policy is called so"))?;
                self.case = Some(Case::new(&header, kind)?);
                Ok(Vec::new())
            }
            Stored::Look { input } => {
                self.case()?.step(&input)?;
                Ok(Vec::new())
            }
            Stored::Decision { line, input } => {
                let case = self.case()?;
                let Step::Decided(outcome) = case.step(&input)? else {
                    return Err(Wrong::new("input.decide", "must not be false in a decision"));
                };
                let kinds = case.kinds();
                let again = tell::decision(&Decided { line, kinds, input: &input, outcome: &outcome });
                self.decisions += 1;
                let mut differences = Vec::new();
                compare("", &stored, &again, &mut differences);
                Ok(differences)
            }
            Stored::Error {} | Stored::Summary {} => Ok(Vec::new()),
        }
    }

    fn case(&mut self) -> Result<&mut Case, Wrong> {
        self.case.as_mut().ok_or_else(|| {
            Wrong::new(
                "",
                "no header that can be used comes before it; replay what `ostler policy eval -o json` wrote",
            )
        })
    }

    fn tell(&self, number: u64, differences: &Differences) -> Result<(), Error> {
        let more = differences.len().saturating_sub(FIELDS_MAX);
        for (key, stored, again) in differences.iter().take(FIELDS_MAX) {
            if self.output.for_programs() {
                self.output.value_of_stream(&json!({
                    "record": "difference", "line": number, "key": key, "stored": stored, "again": again,
                }))?;
            } else {
                let text = format!("line {number}: {key}: {stored} was stored, {again} comes out");
                self.output.line(&units::clean(&text))?;
            }
        }
        if more > 0 {
            self.output.note(&format!("line {number}: {more} more fields differ"));
        }
        Ok(())
    }

    fn end(self) -> Result<(), Error> {
        let Session { output, case: _, decisions, different, bad } = self;
        let same = decisions - different;
        if output.for_programs() {
            let summary =
                json!({ "record": "summary", "decisions": decisions, "same": same, "bad_lines": bad });
            output.value_of_stream(&summary)?;
        } else {
            output.line(&format!("{same} of {decisions} decisions come out the same, bit for bit"))?;
        }
        let mut failures = Vec::new();
        if bad > 0 {
            failures.push(format!("{bad} lines could not be used, as told above"));
        }
        if different > 0 {
            failures.push(format!("{different} of {decisions} decisions come out otherwise"));
        }
        if decisions == 0 && bad == 0 {
            failures.push("there is no decision; replay what `ostler policy eval -o json` wrote".to_owned());
        }
        if failures.is_empty() { Ok(()) } else { Err(Error::Failed(failures.join("; "))) }
    }
}

/// Collects the innermost fields that differ.
fn compare(path: &str, stored: &Value, again: &Value, differences: &mut Differences) {
    let absent = Value::Null;
    let within = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (stored, again) {
        (Value::Object(left), Value::Object(right)) => {
            for (key, value) in left {
                compare(&within(key), value, right.get(key).unwrap_or(&absent), differences);
            }
            for (key, value) in right.iter().filter(|(key, _)| !left.contains_key(*key)) {
                differences.push((within(key), Value::Null, value.clone()));
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            for index in 0..left.len().max(right.len()) {
                let (left, right) = (left.get(index), right.get(index));
                let path = format!("{path}[{index}]");
                compare(&path, left.unwrap_or(&absent), right.unwrap_or(&absent), differences);
            }
        }
        (left, right) if left == right => {}
        (left, right) => differences.push((path.to_owned(), left.clone(), right.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differing(stored: Value, again: Value) -> Vec<String> {
        let mut differences = Vec::new();
        compare("", &stored, &again, &mut differences);
        differences.into_iter().map(|(key, _, _)| key).collect()
    }

    #[test]
    fn the_innermost_field_is_named() {
        let stored = json!({ "a": { "b": [1, 2.5, 3] }, "gone": 1, "same": null });
        let again = json!({ "a": { "b": [1, 2.25, 3, 4] }, "new": 1, "same": null });
        assert_eq!(differing(stored, again), ["a.b[1]", "a.b[3]", "gone", "new"]);
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
