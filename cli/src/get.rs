//! `ostler get`: lists, or shows one.

use std::cmp::Ordering;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;

use crate::args::{Get, Server};
use crate::client::Client;
use crate::error::Error;
use crate::kind::{Entry, field};
use crate::output::Output;
use crate::watch;

/// Lists what matches.
pub(crate) async fn run(server: &Server, options: Get, output: Output) -> Result<(), Error> {
    if options.watch {
        return watch::follow(server, &options, output).await;
    }
    let client = Client::connect(server).await?;
    // An entry needs its name wherever it goes.
    let fields = with_name(&options.fields);
    if let Some(name) = &options.name {
        let entry = client.get(options.kind, name, &fields).await?;
        if output.for_programs() {
            return output.value(&entry.json());
        }
        return output.list(options.kind, &[entry], &options.fields);
    }
    let fields = with_sort_field(fields, options.sort.as_deref());
    let bar = progress();
    let mut entries = client
        .list(options.kind, &options.filter, &fields, |done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        })
        .await?;
    bar.finish_and_clear();
    if let Some(by) = &options.sort {
        sort(&mut entries, by);
    }
    output.list(options.kind, &entries, &options.fields)
}

/// The fields to ask for, the name always among them; none means all.
pub(crate) fn with_name(fields: &[String]) -> Vec<String> {
    let mut asked: Vec<String> =
        fields.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    if !asked.is_empty() && !asked.iter().any(|name| name == "name") {
        asked.push("name".to_owned());
    }
    asked
}

fn with_sort_field(mut fields: Vec<String>, sort: Option<&str>) -> Vec<String> {
    let by = sort.map(|by| by.trim_start_matches('-'));
    match by {
        Some(by) if !fields.is_empty() && !fields.iter().any(|name| name == by) => fields.push(by.to_owned()),
        Some(_) | None => {}
    }
    fields
}

/// Orders by a field; entries without it come last either way.
fn sort(entries: &mut [Entry], by: &str) {
    let (path, reverse) = by.strip_prefix('-').map_or((by, false), |path| (path, true));
    entries.sort_by_cached_key(|entry| SortKey { value: field(&entry.json(), path).cloned(), reverse });
}

/// One value to order by.
struct SortKey {
    value: Option<Value>,
    reverse: bool,
}

impl Ord for SortKey {
    fn cmp(&self, other: &SortKey) -> Ordering {
        match (&self.value, &other.value) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(one), Some(two)) if self.reverse => compare(two, one),
            (Some(one), Some(two)) => compare(one, two),
        }
    }
}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &SortKey) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SortKey {
    fn eq(&self, other: &SortKey) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for SortKey {}

/// Numbers by size (64-bit ones are text in JSON), everything else as text.
fn compare(one: &Value, two: &Value) -> Ordering {
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    match (number(one), number(two)) {
        (Some(one), Some(two)) => one.total_cmp(&two),
        (None, _) | (_, None) => one.to_string().cmp(&two.to_string()),
    }
}

/// A bar on stderr, only for a person, and only when pages take noticeable time.
fn progress() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {pos}/{len}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10)).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(300));
    bar
}

#[cfg(test)]
mod tests {
    use ostler_proto::v1;

    use super::*;

    fn node(name: &str, utilization: Option<f64>, revision: u64) -> Entry {
        Entry::Node(v1::Node {
            name: name.to_owned(),
            gpu_utilization_percent: utilization,
            revision,
            ..v1::Node::default()
        })
    }

    fn names(by: &str) -> Vec<String> {
        let mut entries = vec![
            node("a", Some(9.0), 100),
            node("b", None, 20),
            node("c", Some(80.0), 3),
            node("d", Some(9.5), 1_000),
        ];
        sort(&mut entries, by);
        entries.iter().map(|entry| entry.name().to_owned()).collect()
    }

    #[test]
    fn numbers_are_ordered_by_size_and_the_unknown_comes_last() {
        assert_eq!(names("gpu_utilization_percent"), ["a", "d", "c", "b"]);
        assert_eq!(names("-gpu_utilization_percent"), ["c", "d", "a", "b"]);
        assert_eq!(names("revision"), ["c", "b", "a", "d"]);
        assert_eq!(names("-name"), ["d", "c", "b", "a"]);
    }

    #[test]
    fn asking_for_fields_asks_for_the_name_too() {
        assert_eq!(with_name(&[]), Vec::<String>::new());
        assert_eq!(with_name(&["zone".to_owned()]), ["zone", "name"]);
        assert_eq!(with_sort_field(with_name(&["name".to_owned()]), Some("-age_ms")), ["name", "age_ms"]);
    }
}
