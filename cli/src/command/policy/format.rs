//! What `ostler policy eval` reads, version 1: JSON lines, each a header or a snapshot.
//!
//! Every struct here is the format itself, so that what was read can be written down again as it was. Unknown keys are
//! errors; what a snapshot leaves out has the meaning that is written at its key and never that of zero.

pub(super) mod amount;
pub(super) mod settings;
pub(super) mod snapshot;
pub(super) mod value;

use std::fmt;

use jiff::Timestamp;
use ostler_core::policy::decider::{Kind, Policy};
use ostler_core::policy::limits::{Limits, REPLICAS_MAX};
use serde::de::{DeserializeOwned, Error, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use self::settings::panic::Panic;
use self::settings::schedule::Schedule;
use self::settings::target::Target;
use self::settings::threshold::Threshold;
use self::settings::weighted::Weighted;
use self::snapshot::Snapshot;

/// The version that is read and written.
const VERSION: u32 = 1;

/// Stands where a header says that it is of this version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version;

/// Begins a case: settings, and nothing remembered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) version: Version,
    /// When `t_s` is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) start: Option<Timestamp>,
    /// The fewest and the most replicas of the pool, on top of the limits that policies have themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) limits: Option<Range>,
    /// Settings of policies: of the one that decides, and of those that are asked beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<Target>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) panic: Option<Panic>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) weighted: Option<Weighted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) threshold: Option<Threshold>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) schedule: Option<Schedule>,
}

/// Both inclusive.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Range {
    pub(super) min: u32,
    pub(super) max: u32,
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(VERSION)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Version, D::Error> {
        match u32::deserialize(deserializer)? {
            VERSION => Ok(Version),
            other => Err(D::Error::custom(format_args!(
                "{other} is unknown: this is version {VERSION}; write {VERSION}"
            ))),
        }
    }
}

impl Header {
    /// Without any settings.
    pub(super) fn empty() -> Header {
        Header {
            version: Version,
            start: None,
            limits: None,
            target: None,
            panic: None,
            weighted: None,
            threshold: None,
            schedule: None,
        }
    }

    /// The policy of this kind; without settings it has its defaults.
    pub(super) fn policy(&self, kind: Kind) -> Result<Policy, Wrong> {
        let policy = match kind {
            Kind::Target => match &self.target {
                Some(target) => target.policy(),
                None => Err(Wrong::new("", "has no defaults: write a header with {\"spec\": {...}}")),
            },
            Kind::Panic => self.panic.clone().unwrap_or_default().policy(),
            Kind::Weighted => self.weighted.clone().unwrap_or_default().policy(),
            Kind::Threshold => match &self.threshold {
                Some(threshold) => threshold.policy(),
                None => Err(Wrong::new("", "has no defaults: write a header with {\"rules\": [...]}")),
            },
            Kind::Schedule => match &self.schedule {
                Some(schedule) => schedule.policy(),
                None => Err(Wrong::new("", "has no defaults: write a header with {\"windows\": [...]}")),
            },
        };
        policy.map_err(|wrong| wrong.within(kind.name()))
    }

    /// Policies that have settings.
    pub(super) fn kinds(&self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(|kind| match kind {
            Kind::Target => self.target.is_some(),
            Kind::Panic => self.panic.is_some(),
            Kind::Weighted => self.weighted.is_some(),
            Kind::Threshold => self.threshold.is_some(),
            Kind::Schedule => self.schedule.is_some(),
        })
    }

    /// The pool's own limits.
    pub(super) fn limits(&self) -> Result<Limits, Wrong> {
        let Range { min, max } = self.limits.unwrap_or(Range { min: 0, max: REPLICAS_MAX });
        settings::limits(min, max).map_err(|wrong| wrong.within("limits"))
    }
}

/// What is wrong with a line, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Path of the key; empty for the line as a whole.
    pub(super) key: String,
    /// What is wrong, and what would be right.
    pub(super) problem: String,
}

impl Wrong {
    pub(super) fn new(key: &str, problem: impl Into<String>) -> Wrong {
        Wrong { key: key.to_owned(), problem: problem.into() }
    }

    /// The same, of a key within another.
    pub(super) fn within(self, outer: &str) -> Wrong {
        let key = if self.key.is_empty() { outer.to_owned() } else { format!("{outer}.{}", self.key) };
        Wrong { key, ..self }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Wrong { key, problem } = self;
        if key.is_empty() { f.write_str(problem) } else { write!(f, "{key}: {problem}") }
    }
}

/// What a line is.
pub(super) enum Item {
    Header(Box<Header>),
    Snapshot(Box<Snapshot>),
}

/// Reads a line: a header has a `version`.
pub(super) fn item(line: &[u8]) -> Result<Item, Wrong> {
    #[derive(Deserialize)]
    struct Probe {
        version: Option<IgnoredAny>,
    }
    let Probe { version } = parse(line)?;
    match version {
        Some(_) => parse(line).map(|header| Item::Header(Box::new(header))),
        None => parse(line).map(|snapshot| Item::Snapshot(Box::new(snapshot))),
    }
}

/// Reads one JSON value, and tells where it is wrong.
pub(super) fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, Wrong> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        // The path of a value as a whole, and of one that ends before it has a name.
        let path = error.path().to_string();
        wrong(if path == "." || path == "?" { String::new() } else { path }, error.inner())
    })?;
    json.end().map_err(|error| wrong(String::new(), &error))?;
    Ok(value)
}

/// In the words of the parser, without its "at line 1": the line is known.
fn wrong(key: String, error: &serde_json::Error) -> Wrong {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    let column = match error.column() {
        0 => String::new(),
        column => format!(" (column {column})"),
    };
    Wrong { key, problem: format!("{text}{column}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &str) -> String {
        match item(line.as_bytes()) {
            Ok(_) => panic!("{line} is read"),
            Err(wrong) => wrong.to_string(),
        }
    }

    #[test]
    fn a_wrong_line_names_its_key_and_what_would_be_right() {
        for (line, parts) in [
            (
                r#"{"t_s":0,"replica_count":4}"#,
                &["replica_count", "expected one of", "`replicas_wanted`"][..],
            ),
            (r#"{"t_s":0,"replicas":[{"phase":"Gone","ready":true}]}"#, &["replicas[0].phase", "`Running`"]),
            (r#"{"t_s":0,"replicas":[{"phase":"Running"}]}"#, &["replicas[0]", "missing field `ready`"]),
            (r#"{"t_s":0,"readings":{"cpu":"old"}}"#, &["readings.cpu", "\"failed\""]),
            (r#"{"t_s":0,"readings":{"cpu":1,"cpu":2}}"#, &["readings", "cpu is there twice"]),
            (r#"{"t_s":0"#, &["EOF", "column 8"]),
            (r#"{"version":2}"#, &["version: 2 is unknown: this is version 1; write 1"]),
            (r#"{"version":1,"targets":{}}"#, &["targets", "expected one of", "`target`"]),
            (r#"{"version":1,"weighted":{"cooldown":5}}"#, &["weighted.cooldown", "`cooldown_s`"]),
            ("[]", &["expected"]),
            (r#"{"t_s":0} {"t_s":1}"#, &["trailing characters"]),
        ] {
            let text = refused(line);
            assert!(parts.iter().all(|part| text.contains(part)), "{line}: {text}");
        }
    }
}
