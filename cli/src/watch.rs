//! `ostler watch` and `ostler get --watch`: changes as they happen.

use ostler_proto::v1;
use pbjson_types::FieldMask;
use serde_json::{Value, json};

use crate::args::{Get, Server, Watch};
use crate::error::Error;
use crate::get::with_name;
use crate::kind::{Entry, Kind};
use crate::output::{Output, Tone, columns, units};
use crate::subscribe::{Update, subscribe};

/// Longest pause between answers that a coordinator accepts.
const INTERVAL_MS_MAX: u128 = 60_000;

/// Prints changes until interrupted.
pub(crate) async fn run(server: &Server, options: Watch, output: Output) -> Result<(), Error> {
    let interval_ms = options.interval.as_millis();
    if interval_ms > INTERVAL_MS_MAX {
        return Err(Error::Usage("--interval is at most 60s".to_owned()));
    }
    let request = v1::WatchRequest {
        kinds: numbers(&options.kinds)?,
        filter: options.filter,
        field_mask: mask(&options.fields),
        resume_revision: options.revision.unwrap_or_default(),
        resume_epoch: options.epoch.unwrap_or_default(),
        interval_ms: interval_ms as u32,
    };
    changes(server, request, None, output).await
}

/// `ostler get --watch`.
pub(crate) async fn follow(server: &Server, options: &Get, output: Output) -> Result<(), Error> {
    let request = v1::WatchRequest {
        kinds: numbers(&[options.kind])?,
        filter: options.filter.clone(),
        field_mask: mask(&options.fields),
        ..v1::WatchRequest::default()
    };
    changes(server, request, options.name.as_deref(), output).await
}

fn numbers(kinds: &[Kind]) -> Result<Vec<i32>, Error> {
    let number = |kind: &Kind| {
        let refused =
            || Error::Usage(format!("{}s cannot be watched yet; `ostler get` lists them", kind.singular()));
        kind.watched().map(i32::from).ok_or_else(refused)
    };
    kinds.iter().map(number).collect()
}

fn mask(fields: &[String]) -> Option<FieldMask> {
    let paths = with_name(fields);
    (!paths.is_empty()).then_some(FieldMask { paths })
}

/// The first failed attempt ends the command; a break after the first answer is only a pause.
async fn changes(
    server: &Server,
    request: v1::WatchRequest,
    name: Option<&str>,
    output: Output,
) -> Result<(), Error> {
    let mut updates = subscribe(server.clone(), request);
    let mut begun = false;
    while let Some(update) = updates.recv().await {
        match update {
            Update::Response(response) => {
                begun = true;
                print(response, name, output)?;
            }
            Update::Lost(error) if !begun || matches!(error, Error::Usage(_)) => return Err(error),
            Update::Lost(error) => output.note(&format!("ostler: {error}; trying again")),
        }
    }
    Ok(())
}

fn print(response: v1::WatchResponse, name: Option<&str>, output: Output) -> Result<(), Error> {
    let place = json!({ "revision": response.revision.to_string(), "epoch": response.epoch });
    if response.reset && output.for_programs() {
        output.value_of_stream(&with(&place, "reset", Value::Bool(true)))?;
    }
    for change in response.changes.into_iter().filter_map(|change| change.entry) {
        let entry = Entry::from_change(change);
        let own = match &entry {
            Ok(entry) => entry.name(),
            Err(removed) => &removed.name,
        };
        if name.is_some_and(|name| name != own) {
            continue;
        }
        match (entry, output.for_programs()) {
            (Ok(entry), true) => {
                output.value_of_stream(&with(&place, entry.kind().singular(), entry.json()))?
            }
            (Err(removed), true) => {
                let removed = serde_json::to_value(&removed).unwrap_or(Value::Null);
                output.value_of_stream(&with(&place, "removed", removed))?;
            }
            (Ok(entry), false) => output.line(&line(&entry, output))?,
            (Err(removed), false) => {
                let kind = units::short(removed.kind().as_str_name(), "KIND_");
                let text = format!("{kind:<7} {} is gone", units::clean(&removed.name));
                output.line(&output.paint(&text, Tone::Warn))?;
            }
        }
    }
    if response.synced && output.for_programs() {
        output.value_of_stream(&with(&place, "synced", Value::Bool(true)))?;
    }
    Ok(())
}

fn with(place: &Value, key: &str, value: Value) -> Value {
    let mut object = place.clone();
    object[key] = value;
    object
}

/// An entry in one line: its kind, its name, and whatever its table shows that is known.
pub(crate) fn line(entry: &Entry, output: Output) -> String {
    let kind = entry.kind();
    let titles = columns::titles(kind, output.wide());
    let cells = columns::cells(entry, output.wide());
    let known =
        titles.iter().zip(&cells).filter(|(title, cell)| **title != "NAME" && cell.text != units::UNKNOWN);
    let pairs: Vec<String> = known
        .map(|(title, cell)| format!("{}={}", title.to_lowercase(), output.paint(&cell.text, cell.tone)))
        .collect();
    format!("{:<7} {} {}", kind.singular(), units::clean(entry.name()), pairs.join(" "))
}
