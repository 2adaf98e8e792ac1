//! The report as a table.

use ostler_sim::contest::html::{estimate, terms};
use ostler_sim::contest::report::{Entry, Report};

use crate::error::Error;
use crate::output::columns::Cell;
use crate::output::{Output, Tone};

/// Columns that a table always has.
const TITLES: [&str; 10] = [
    "POLICY",
    "IN OBJECTIVE %",
    "GPU-HOURS",
    "COST",
    "TTFT P50 S",
    "P95",
    "P99",
    "CHANGES",
    "ABORTED",
    "COLD LATE",
];

/// What a wide one has on top.
const WIDE_TITLES: [&str; 8] =
    ["ITL P50 MS", "P95", "P99", "REPLICAS MAX", "RETRIED", "COLD", "START P95 S", "SETTING"];

/// Prints what was run, a row for each policy, and how the first one compares.
pub(crate) fn print(report: &Report, output: Output) -> Result<(), Error> {
    output.line(&terms(report))?;
    let mut titles: Vec<String> = TITLES.map(str::to_owned).into();
    if output.wide() {
        titles.extend(WIDE_TITLES.map(str::to_owned));
    }
    let rows = report.entries.iter().map(|entry| cells(entry, output)).collect();
    output.line(&output.grid(titles, rows))?;
    output.line(&verdict(report))
}

fn cells(entry: &Entry, output: Output) -> Vec<Cell> {
    let it = &entry.figures;
    let plain = |text| Cell { text, tone: Tone::Plain };
    let tone = if entry.reaches_goal { Tone::Good } else { Tone::Bad };
    let mut cells = vec![
        plain(entry.policy.to_owned()),
        Cell { text: estimate(it.in_objective, 100.0, 3), tone },
        plain(estimate(it.gpu_hours, 1.0, 2)),
        plain(estimate(it.cost, 1.0, 2)),
        plain(estimate(it.ttft_p50, 1.0, 3)),
        plain(estimate(it.ttft_p95, 1.0, 3)),
        plain(estimate(it.ttft_p99, 1.0, 3)),
        plain(estimate(it.scalings, 1.0, 0)),
        plain(estimate(it.aborted, 1.0, 0)),
        plain(estimate(it.exposed_late, 1.0, 0)),
    ];
    if output.wide() {
        cells.extend([
            plain(estimate(it.itl_p50, 1e3, 1)),
            plain(estimate(it.itl_p95, 1e3, 1)),
            plain(estimate(it.itl_p99, 1e3, 1)),
            plain(estimate(it.replicas_max, 1.0, 0)),
            plain(estimate(it.retried, 1.0, 0)),
            plain(estimate(it.exposed, 1.0, 0)),
            plain(estimate(it.start_p95, 1.0, 0)),
            plain(entry.setting.clone()),
        ]);
    }
    cells
}

/// One line for the policy in question.
fn verdict(report: &Report) -> String {
    let Some(first) = report.entries.first() else { return String::new() };
    let hours = first.figures.gpu_hours.mean;
    let mut parts = vec![format!(
        "{} {} the objective",
        first.policy,
        if first.reaches_goal { "holds" } else { "does not hold" }
    )];
    let compared = [
        (report.best_hpa_gpu_hours(), "the best HPA's GPU-hours"),
        (report.oracle_gpu_hours(), "the clairvoyant's"),
        (Some(report.floor_gpu_hours), "what engines that never rest would need"),
    ];
    for (other, name) in compared {
        if let Some(other) = other {
            parts.push(format!("{:.2} of {name}", hours / other));
        }
    }
    format!("{}.", parts.join(", "))
}
