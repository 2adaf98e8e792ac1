//! Puts the file, the environment and the command line on top of each other, and keeps track of who said what.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use super::{Error, raw::Raw};

/// The documented defaults; also the list of all keys.
pub(super) const DEFAULT: &str = include_str!("default.toml");

/// One key's value from the environment or the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Who said it, for error messages: "the environment variable OSTLER_ZONE", "--set".
    pub origin: String,
    /// The key with dots: "nvml.library".
    pub key: String,
    /// What it is set to, as text.
    pub value: String,
}

/// The overrides that these environment variables make. Other `OSTLER_*` variables belong to other programs.
pub fn from_environment(variables: impl Iterator<Item = (String, String)>) -> Vec<Override> {
    let keys = keys();
    let named = |name: &str| keys.iter().find(|key| variable(key) == name);
    variables
        .filter_map(|(name, value)| {
            let key = named(&name)?.clone();
            Some(Override { origin: format!("the environment variable {name}"), key, value })
        })
        .collect()
}

fn variable(key: &str) -> String {
    format!("OSTLER_{}", key.to_uppercase().replace('.', "_"))
}

/// Every key of the configuration, with dots.
fn keys() -> Vec<String> {
    let table: Table = DEFAULT.parse().expect("the defaults are TOML: a test reads them");
    let of_section = |section: &str, value: &Value| match value.as_table() {
        Some(table) => table.keys().map(|key| format!("{section}.{key}")).collect(),
        None => vec![section.to_owned()],
    };
    table.iter().flat_map(|(key, value)| of_section(key, value)).collect()
}

/// The text of a file with the overrides on top, later ones winning.
pub(super) fn combine(file: Option<(&Path, &str)>, overrides: &[Override]) -> Result<Raw, Error> {
    let text = file.map_or("", |(_, text)| text);
    let path = || file.map_or_else(PathBuf::new, |(path, _)| path.to_owned());
    // Read with its types first: the error then shows the line.
    let mut raw: Raw =
        toml::from_str(text).map_err(|source| Error::Parse { path: path(), source: Box::new(source) })?;
    let mut table: Table =
        text.parse().map_err(|source| Error::Parse { path: path(), source: Box::new(source) })?;
    for change in overrides {
        (table, raw) = applied(&table, change)?;
    }
    Ok(raw)
}

/// Tries what the text may mean: the text itself, a TOML value, a list separated by commas.
fn applied(table: &Table, change: &Override) -> Result<(Table, Raw), Error> {
    let mut meanings = vec![Value::String(change.value.clone())];
    if let Ok(mut parsed) = format!("v = {}", change.value).parse::<Table>() {
        meanings.extend(parsed.remove("v"));
    }
    let parts = change.value.split(',').map(str::trim).filter(|part| !part.is_empty());
    meanings.push(Value::Array(parts.map(|part| Value::String(part.to_owned())).collect()));
    let mut failure = None;
    for meaning in meanings {
        let next = with(table.clone(), &change.key, meaning);
        match Raw::deserialize(Value::Table(next.clone())) {
            Ok(raw) => return Ok((next, raw)),
            // The first says it in the words of the text as it was given.
            Err(error) if failure.is_none() => failure = Some(error),
            Err(_) => {}
        }
    }
    let Override { origin, key, value } = change.clone();
    let source = Box::new(failure.expect("there is at least one meaning and none was accepted"));
    Err(Error::Override { origin, key, value, source })
}

fn with(mut table: Table, key: &str, value: Value) -> Table {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
        }
        Some((section, key)) => {
            let inner = match table.remove(section) {
                Some(Value::Table(inner)) => inner,
                _ => Table::new(),
            };
            table.insert(section.to_owned(), Value::Table(with(inner, key, value)));
        }
    }
    table
}
