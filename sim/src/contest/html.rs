//! The report as one HTML file that needs nothing else: what it came to on top, plots, and every figure in a table.
//!
//! Plots are SVG that is written here ([`plot`]): a handful of shapes, text that can be searched, and the reader's own light
//! or dark colours. There is no script.

mod plot;

use std::fmt::{self, Display, Write};

use self::plot::Scale;
use super::report::{Entry, Promise, Report};
use super::statistics::Estimate;

/// Looks: one column, colours by meaning, those of Okabe and Ito, which colour-blind people tell apart.
const STYLE: &str = include_str!("html/style.css");

/// The whole page.
pub fn page(report: &Report) -> String {
    let mut out = String::with_capacity(1 << 18);
    write_page(&mut out, report).expect("writing to a string does not fail");
    out
}

fn write_page(out: &mut String, report: &Report) -> fmt::Result {
    let trace = Escaped(&report.trace);
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>Ostler: {trace}</title><style>{STYLE}</style></head><body>"
    )?;
    writeln!(out, "<h1>Autoscaling on {trace}</h1><p>{}</p>", Escaped(&terms(report)))?;
    if let Some(first) = report.entries.first() {
        cards(out, report, first)?;
    }
    section(
        out,
        "GPU-hours",
        "Bars in colour hold the objective for the goal's share of requests; pale ones do not.",
    )?;
    plot::bars(out, &by_hours(report))?;
    section(
        out,
        "Requests outside the objective",
        "The line is the goal. The scale is logarithmic: each step is ten times.",
    )?;
    plot::dots(out, &by_misses(report))?;
    section(out, "Time to the first token", ttft_note(report))?;
    plot::dots(out, &by_ttft(report))?;
    section(
        out,
        "Over time",
        "Replicas that serve (area) and that are wanted (line), on one scale; red where requests missed the objective.",
    )?;
    plot::timelines(out, report)?;
    section(out, "All figures", "Means over the seeds, with half of the 95 % confidence interval.")?;
    table(out, report)?;
    writeln!(out, "</body></html>")
}

/// What the line among the times to the first token is.
fn ttft_note(report: &Report) -> &'static str {
    if report.objective.plus_idle_prompt_time {
        "Half of the requests, 95 % and 99 % of them; the line is the objective without the time that each request's prompt \
         takes on an idle engine, which comes on top."
    } else {
        "Half of the requests, 95 % and 99 % of them; the line is the objective."
    }
}

fn section(out: &mut String, title: &str, text: &str) -> fmt::Result {
    writeln!(out, "<h2>{title}</h2><p class=\"note\">{text}</p>")
}

/// What was run, in words.
pub fn terms(report: &Report) -> String {
    let Report { requests, trace_seconds, seeds, profile, initial_replicas, start_seconds, .. } = report;
    format!(
        "{requests} requests over {:.1} h on replicas of {profile}, which serve {start_seconds:.0} s after their node is there; \
         {initial_replicas} at the start; {seeds} seed{}. Objective: {}.",
        trace_seconds / 3600.0,
        if *seeds == 1 { "" } else { "s" },
        promise(&report.objective)
    )
}

/// The objective in words.
pub fn promise(promise: &Promise) -> String {
    let Promise { ttft_seconds, plus_idle_prompt_time, itl_seconds, goal } = promise;
    let plus = if *plus_idle_prompt_time { " plus the time its prompt takes on an idle engine" } else { "" };
    format!(
        "first token within {ttft_seconds} s{plus}, {:.0} ms between tokens on average, for {:.2} % of requests",
        itl_seconds * 1e3,
        goal * 100.0
    )
}

/// What the first contender came to, in four numbers.
fn cards(out: &mut String, report: &Report, entry: &Entry) -> fmt::Result {
    let hours = entry.figures.gpu_hours.mean;
    let over = |other: Option<f64>| other.map_or("–".to_owned(), |other| format!("{:.2}", hours / other));
    let verdict = if entry.reaches_goal { "good" } else { "bad" };
    writeln!(out, "<div class=\"cards\">")?;
    let share = format!("{:.3} %", entry.figures.in_objective.mean * 100.0);
    for (class, value, text) in [
        (verdict, share, format!("of requests in the objective with {}", entry.policy)),
        ("", format!("{hours:.1}"), "GPU-hours".to_owned()),
        ("", over(report.best_hpa_gpu_hours()), "of the best HPA's GPU-hours".to_owned()),
        ("", over(report.oracle_gpu_hours()), "of the clairvoyant's GPU-hours".to_owned()),
    ] {
        writeln!(out, "<div class=\"card {class}\"><b>{value}</b><span>{}</span></div>", Escaped(&text))?;
    }
    writeln!(out, "</div>")
}

fn by_hours(report: &Report) -> Vec<plot::Bar<'_>> {
    let text = |entry: &Entry| {
        let figures = &entry.figures;
        format!("{:.1} h, {:.3} %", figures.gpu_hours.mean, figures.in_objective.mean * 100.0)
    };
    let entries = report.entries.iter();
    let bar = |entry| plot::Bar { entry, value: entry.figures.gpu_hours, text: text(entry) };
    entries.map(bar).collect()
}

fn by_misses(report: &Report) -> plot::Dots<'_> {
    let misses = |entry: &Entry| vec![1.0 - entry.figures.in_objective.mean];
    plot::Dots {
        rows: report.entries.iter().map(|entry| (entry, misses(entry))).collect(),
        scale: Scale { from: 1e-5, to: 1.0 },
        line: 1.0 - report.objective.goal,
        label: |value| format!("{:.3} %", value * 100.0),
    }
}

fn by_ttft(report: &Report) -> plot::Dots<'_> {
    let times = |entry: &Entry| {
        let figures = &entry.figures;
        vec![figures.ttft_p50.mean, figures.ttft_p95.mean, figures.ttft_p99.mean]
    };
    plot::Dots {
        rows: report.entries.iter().map(|entry| (entry, times(entry))).collect(),
        scale: Scale { from: 0.01, to: 1000.0 },
        line: report.objective.ttft_seconds,
        label: |value| format!("{value:.2} s"),
    }
}

fn table(out: &mut String, report: &Report) -> fmt::Result {
    let titles = [
        "policy",
        "in objective %",
        "GPU-hours",
        "cost",
        "TTFT p50 s",
        "p95",
        "p99",
        "ITL p50 ms",
        "p95",
        "p99",
        "replicas at most",
        "changes",
        "aborted",
        "retried",
        "arrived during starts",
        "of them late",
        "start p95 s",
        "setting",
    ];
    write!(out, "<div class=\"wide\"><table><thead><tr>")?;
    titles.iter().try_for_each(|title| write!(out, "<th>{title}</th>"))?;
    write!(out, "</tr></thead><tbody>")?;
    for entry in &report.entries {
        let it = &entry.figures;
        write!(out, "<tr><th>{}</th>", entry.policy)?;
        for (value, scale, digits) in [
            (it.in_objective, 100.0, 3),
            (it.gpu_hours, 1.0, 2),
            (it.cost, 1.0, 2),
            (it.ttft_p50, 1.0, 3),
            (it.ttft_p95, 1.0, 3),
            (it.ttft_p99, 1.0, 3),
            (it.itl_p50, 1e3, 1),
            (it.itl_p95, 1e3, 1),
            (it.itl_p99, 1e3, 1),
            (it.replicas_max, 1.0, 0),
            (it.scalings, 1.0, 0),
            (it.aborted, 1.0, 0),
            (it.retried, 1.0, 0),
            (it.exposed, 1.0, 0),
            (it.exposed_late, 1.0, 0),
            (it.start_p95, 1.0, 0),
        ] {
            write!(out, "<td>{}</td>", estimate(value, scale, digits))?;
        }
        writeln!(out, "<td class=\"text\">{}</td></tr>", Escaped(&entry.setting))?;
    }
    writeln!(out, "</tbody></table></div>")?;
    writeln!(
        out,
        "<p class=\"note\">Nobody who answers every request that fits an engine can go below {:.1} GPU-hours: all engines \
         always at work with full batches.</p>",
        report.floor_gpu_hours
    )
}

/// A mean with so many digits, and its interval when there is one.
pub fn estimate(estimate: Estimate, scale: f64, digits: usize) -> String {
    let mean = format!("{:.digits$}", estimate.mean * scale);
    match estimate.half {
        Some(half) => format!("{mean} ± {:.digits$}", half * scale),
        None => mean,
    }
}

/// Text that cannot end an element or an attribute.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|letter| match letter {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            letter => f.write_char(letter),
        })
    }
}

#[cfg(test)]
mod tests;
