//! `ostler describe`: everything about one thing.

use ostler_proto::v1::{self, Metric, query_range_request::Owner};

use crate::args::{Describe, Server};
use crate::client::Client;
use crate::error::Error;
use crate::kind::{Entry, Kind};
use crate::output::columns::{self, Cell};
use crate::output::{Output, Tone, spark, units};

/// How far back the history lines look.
const HISTORY_MS: u32 = 5 * 60_000;

/// Distance of their points.
const STEP_MS: u32 = 5_000;

/// Width of a history line: one block for each point.
const SPARK_WIDTH: usize = (HISTORY_MS / STEP_MS) as usize;

/// Newest events that are shown.
const EVENTS_SHOWN: usize = 10;

/// Asks for all that is known and prints it.
pub(crate) async fn run(server: &Server, options: Describe, output: Output) -> Result<(), Error> {
    let client = Client::connect(server).await?;
    let Describe { kind, name } = options;
    let mut entry = client.get(kind, &name, &[]).await?;
    if matches!(kind, Kind::Nodes | Kind::Gpus | Kind::Engines) {
        let readings = client.get(kind, &name, &["name".to_owned(), "readings".to_owned()]).await?;
        set_readings(&mut entry, readings);
    }
    if output.for_programs() {
        return output.value(&entry.json());
    }
    output.line(&fields(&entry, output))?;
    for line in parts(&client, &entry, output).await? {
        output.line(&line)?;
    }
    history(&client, &entry, output).await?;
    readings(&entry, output)?;
    events(&client, &entry, output).await
}

fn set_readings(entry: &mut Entry, from: Entry) {
    match (entry, from) {
        (Entry::Node(entry), Entry::Node(from)) => entry.readings = from.readings,
        (Entry::Gpu(entry), Entry::Gpu(from)) => entry.readings = from.readings,
        (Entry::Engine(entry), Entry::Engine(from)) => entry.readings = from.readings,
        _ => {}
    }
}

fn readings_of(entry: &Entry) -> &[v1::Reading] {
    match entry {
        Entry::Node(node) => &node.readings,
        Entry::Gpu(gpu) => &gpu.readings,
        Entry::Engine(engine) => &engine.readings,
        Entry::Pool(_)
        | Entry::Zone(_)
        | Entry::Event(_)
        | Entry::Decision(_)
        | Entry::Action(_)
        | Entry::Hold(_) => &[],
    }
}

/// Title and value of every column, one a line.
fn fields(entry: &Entry, output: Output) -> String {
    let titles = columns::titles(entry.kind(), true);
    let cells = columns::cells(entry, true);
    let line = |(title, cell): (&str, Cell)| format!("{title:<12} {}", output.paint(&cell.text, cell.tone));
    titles.into_iter().zip(cells).map(line).collect::<Vec<_>>().join("\n")
}

/// What belongs to it: sources, GPUs and engines of a node; nodes of a zone; engines of a pool.
async fn parts(client: &Client, entry: &Entry, output: Output) -> Result<Vec<String>, Error> {
    let mut lines = Vec::new();
    if let Entry::Node(node) = entry {
        lines.push(heading("Sources", output));
        for source in &node.sources {
            let state = units::short(source.state().as_str_name(), "SOURCE_STATE_");
            lines.push(format!(
                "  {:<8} {state:<9} {}",
                units::clean(&source.name),
                units::clean(&source.detail)
            ));
        }
    }
    let (kinds, filter): (&[Kind], _) = match entry {
        Entry::Node(node) => (&[Kind::Gpus, Kind::Engines], equals("node", &node.name)),
        Entry::Zone(zone) => (&[Kind::Nodes], equals("zone", &zone.name)),
        Entry::Pool(pool) => (&[Kind::Engines], equals("pool", &pool.name)),
        Entry::Gpu(_)
        | Entry::Engine(_)
        | Entry::Event(_)
        | Entry::Decision(_)
        | Entry::Action(_)
        | Entry::Hold(_) => (&[], String::new()),
    };
    for kind in kinds {
        let parts = client.list(*kind, &filter, &[], |_, _| {}).await?;
        lines.push(heading(&format!("{}s ({})", capitalized(kind.singular()), parts.len()), output));
        let titles = columns::titles(*kind, false).into_iter().map(str::to_owned).collect();
        let cells = parts.iter().map(|entry| columns::cells(entry, false)).collect();
        lines.push(output.grid(titles, cells));
    }
    Ok(lines)
}

async fn history(client: &Client, entry: &Entry, output: Output) -> Result<(), Error> {
    let (owner, metrics): (_, &[Metric]) = match entry {
        Entry::Node(node) => {
            (Owner::Node(node.name.clone()), &[Metric::HostCpuUsedPpm, Metric::HostMemoryUsedBytes])
        }
        Entry::Gpu(gpu) => (
            Owner::Gpu(gpu.name.clone()),
            &[Metric::GpuUtilizationPercent, Metric::GpuTemperatureCelsius, Metric::GpuPowerMilliwatts],
        ),
        Entry::Engine(engine) => (Owner::Engine(engine.name.clone()), &QUEUE_METRICS),
        Entry::Pool(pool) => (Owner::Pool(pool.name.clone()), &QUEUE_METRICS),
        Entry::Zone(zone) => {
            (Owner::Zone(zone.name.clone()), &[Metric::GpuUtilizationPercent, Metric::EngineRequestsWaiting])
        }
        Entry::Event(_) | Entry::Decision(_) | Entry::Action(_) | Entry::Hold(_) => return Ok(()),
    };
    output.line(&heading("History of 5 minutes", output))?;
    for metric in metrics {
        let request = v1::QueryRangeRequest {
            metric: (*metric).into(),
            owner: Some(owner.clone()),
            since_ms: HISTORY_MS,
            until_ms: 0,
            step_ms: STEP_MS,
        };
        let name = units::metric_name(*metric);
        let line = match client.query_range(request).await {
            Ok(answer) if answer.values.is_empty() => "nothing recorded".to_owned(),
            Ok(answer) => sparkline(*metric, &answer.values),
            Err(Error::Failed(reason) | Error::Usage(reason)) => reason,
            Err(error) => return Err(error),
        };
        output.line(&format!("  {name:<42} {line}"))?;
    }
    Ok(())
}

/// What tells most about a queue.
const QUEUE_METRICS: [Metric; 4] = [
    Metric::EngineRequestsRunning,
    Metric::EngineRequestsWaiting,
    Metric::EngineKvCacheUsagePpm,
    Metric::EngineGenerationTokensMilliPerSecond,
];

fn sparkline(metric: Metric, values: &[f64]) -> String {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = (units::metric_value(metric, low), units::metric_value(metric, high));
    format!("{}  {low} to {high}", spark::line(values, SPARK_WIDTH))
}

fn readings(entry: &Entry, output: Output) -> Result<(), Error> {
    let readings = readings_of(entry);
    if readings.is_empty() {
        return Ok(());
    }
    output.line(&heading("Readings", output))?;
    let plain = |text: String| Cell { text, tone: Tone::Plain };
    let row = |reading: &v1::Reading| {
        let known = reading.freshness() != v1::Freshness::Missing;
        let tone = if reading.freshness() == v1::Freshness::Fresh { Tone::Plain } else { Tone::Warn };
        let value = known.then(|| units::metric_value(reading.metric(), reading.value));
        vec![
            plain(units::metric_name(reading.metric())),
            plain(value.unwrap_or_else(|| units::UNKNOWN.to_owned())),
            plain(if known { units::age(reading.age_ms.into()) } else { units::UNKNOWN.to_owned() }),
            Cell { text: units::short(reading.freshness().as_str_name(), "FRESHNESS_"), tone },
        ]
    };
    let titles = ["METRIC", "VALUE", "AGE", "FRESHNESS"].map(str::to_owned).to_vec();
    output.line(&output.grid(titles, readings.iter().map(row).collect()))
}

async fn events(client: &Client, entry: &Entry, output: Output) -> Result<(), Error> {
    let filter = match entry {
        Entry::Node(node) => equals("node", &node.name),
        Entry::Gpu(gpu) => equals("gpu", &gpu.name),
        Entry::Engine(engine) => {
            let own = engine.name.rsplit('/').next().unwrap_or_default();
            let either = format!("({} OR {})", equals("engine", own), equals("engine", &engine.name));
            format!("{} AND {either}", equals("node", &engine.node))
        }
        Entry::Zone(zone) => equals("zone", &zone.name),
        Entry::Pool(_) | Entry::Event(_) | Entry::Decision(_) | Entry::Action(_) | Entry::Hold(_) => {
            return Ok(());
        }
    };
    let events = client.list(Kind::Events, &filter, &[], |_, _| {}).await?;
    let newest = &events[events.len().saturating_sub(EVENTS_SHOWN)..];
    output.line(&heading("Events", output))?;
    if newest.is_empty() {
        return output.line("  none recorded");
    }
    output.list(Kind::Events, newest, &[])
}

/// A filter that holds for one value, with the quotes and backslashes of the value escaped.
fn equals(field: &str, value: &str) -> String {
    format!("{field} = \"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

fn heading(text: &str, output: Output) -> String {
    format!("\n{}", if output.colour { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() })
}

fn capitalized(word: &str) -> String {
    if word == "gpu" {
        return "GPU".to_owned();
    }
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_holds_whatever_the_name_contains() {
        assert_eq!(equals("node", "n1"), "node = \"n1\"");
        assert_eq!(equals("node", "a\"b\\c"), "node = \"a\\\"b\\\\c\"");
    }

    #[test]
    fn a_sparkline_tells_its_range_in_the_metrics_unit() {
        let line = sparkline(Metric::GpuPowerMilliwatts, &[100_000.0, 700_000.0]);
        assert_eq!(line, "▁█  100 W to 700 W");
    }
}
