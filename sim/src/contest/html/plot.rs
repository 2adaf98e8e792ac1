//! The shapes of the report: bars, dots on a logarithmic scale, and what happened over time.

use std::fmt::{self, Write};

use super::Escaped;
use crate::contest::report::{Entry, Report};
use crate::contest::statistics::Estimate;

/// Units across; a browser scales them to the column.
const WIDTH: f64 = 940.0;

/// Where names end and plots begin.
const LEFT: f64 = 110.0;

/// Room for labels on the right.
const RIGHT: f64 = 150.0;

/// Height of a row.
const ROW: f64 = 26.0;

/// Across the plot itself.
const ACROSS: f64 = WIDTH - LEFT - RIGHT;

/// A value with its interval.
pub(super) struct Bar<'a> {
    pub(super) entry: &'a Entry,
    pub(super) value: Estimate,
    pub(super) text: String,
}

/// Bars from zero, each with its text.
pub(super) fn bars(out: &mut String, bars: &[Bar]) -> fmt::Result {
    let ends = bars.iter().map(|bar| bar.value.mean + bar.value.half.unwrap_or(0.0));
    let longest = ends.fold(f64::MIN_POSITIVE, f64::max);
    begin(out, ROW * bars.len() as f64 + 4.0)?;
    for (bar, row) in bars.iter().zip(0..) {
        let top = ROW * f64::from(row) + 3.0;
        let wide = |value: f64| value / longest * ACROSS;
        name(out, bar.entry.policy, top + 14.0)?;
        let class = colour(bar.entry);
        let width = wide(bar.value.mean);
        write!(
            out,
            "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{top}\" width=\"{width:.1}\" height=\"18\" rx=\"2\"/>"
        )?;
        let mut end = LEFT + width;
        if let Some(half) = bar.value.half.filter(|half| *half > 0.0) {
            let (from, to) = (end - wide(half), end + wide(half));
            line(out, "whisker", (from, top + 9.0), (to, top + 9.0))?;
            end = to;
        }
        writeln!(out, "<text x=\"{:.1}\" y=\"{}\">{}</text>", end + 6.0, top + 14.0, Escaped(&bar.text))?;
    }
    writeln!(out, "</svg>")
}

/// A logarithmic scale.
pub(super) struct Scale {
    pub(super) from: f64,
    pub(super) to: f64,
}

impl Scale {
    /// 0 to 1; what is beyond an end lies on it.
    pub(super) fn at(&self, value: f64) -> f64 {
        let value = value.clamp(self.from, self.to);
        (value / self.from).ln() / (self.to / self.from).ln()
    }

    /// Powers of ten from end to end.
    fn marks(&self) -> impl Iterator<Item = f64> {
        let (first, last) = (self.from.log10().round() as i32, self.to.log10().round() as i32);
        (first..=last).map(|power| 10_f64.powi(power))
    }
}

/// Values by row on one scale, with a line that they should not pass.
pub(super) struct Dots<'a> {
    /// Whose, and the values in rising order.
    pub(super) rows: Vec<(&'a Entry, Vec<f64>)>,
    pub(super) scale: Scale,
    pub(super) line: f64,
    pub(super) label: fn(f64) -> String,
}

/// One dot a row, or several that are joined; the last is labelled.
pub(super) fn dots(out: &mut String, dots: &Dots) -> fmt::Result {
    let Dots { rows, scale, line: limit, label } = dots;
    let height = ROW * rows.len() as f64;
    begin(out, height + 22.0)?;
    let x = |value: f64| LEFT + scale.at(value) * ACROSS;
    for mark in scale.marks() {
        line(out, "grid", (x(mark), 0.0), (x(mark), height))?;
        writeln!(
            out,
            "<text class=\"soft mid\" x=\"{:.1}\" y=\"{}\">{}</text>",
            x(mark),
            height + 15.0,
            label(mark)
        )?;
    }
    line(out, "goal", (x(*limit), 0.0), (x(*limit), height))?;
    for ((entry, values), row) in rows.iter().zip(0..) {
        let middle = ROW * f64::from(row) + ROW / 2.0;
        name(out, entry.policy, middle + 4.0)?;
        let (Some(first), Some(last)) = (values.first(), values.last()) else { continue };
        line(out, "range", (x(*first), middle), (x(*last), middle))?;
        let class = colour(entry);
        for value in values {
            write!(out, "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{middle}\" r=\"5\"/>", x(*value))?;
        }
        writeln!(out, "<text x=\"{:.1}\" y=\"{}\">{}</text>", x(*last) + 9.0, middle + 4.0, label(*last))?;
    }
    writeln!(out, "</svg>")
}

/// Height of a panel over time, and of the gap below it.
const PANEL: f64 = 64.0;
const GAP: f64 = 14.0;

/// The load, and below it each contender's replicas on one scale.
pub(super) fn timelines(out: &mut String, report: &Report) -> fmt::Result {
    let Some(first) = report.entries.first() else { return Ok(()) };
    let panels = report.entries.len() as f64 + 1.0;
    begin(out, panels * (PANEL + GAP) + 16.0)?;
    let load = &first.timeline.requests_per_second;
    let load_max = most(load);
    area(out, "load", load, load_max, 0.0)?;
    panel(out, "requests/s", load_max, 0.0)?;
    let replicas = report.entries.iter().flat_map(|it| [most(&it.timeline.ready), most(&it.timeline.wanted)]);
    let replicas_max = replicas.fold(1.0, f64::max);
    for (entry, row) in report.entries.iter().zip(1..) {
        let top = f64::from(row) * (PANEL + GAP);
        contender(out, entry, load, replicas_max, top)?;
    }
    hours(out, first.timeline.slice_seconds * load.len() as f64, panels * (PANEL + GAP))?;
    writeln!(out, "</svg>")
}

fn contender(out: &mut String, entry: &Entry, load: &[f64], replicas_max: f64, top: f64) -> fmt::Result {
    let timeline = &entry.timeline;
    area(out, "area", &timeline.ready, replicas_max, top)?;
    let points = points(&timeline.wanted, replicas_max, top);
    writeln!(out, "<polyline class=\"want\" points=\"{points}\"/>")?;
    let bottom = top + PANEL;
    for (slice, missed) in timeline.missed.iter().enumerate().filter(|(_, missed)| **missed > 0) {
        let arrived = (load[slice] * timeline.slice_seconds).max(1.0);
        let height = (f64::from(*missed) / arrived).clamp(0.04, 1.0) * PANEL;
        let x = across(slice, load.len());
        line(out, "miss", (x, bottom), (x, bottom - height))?;
    }
    panel(out, entry.policy, replicas_max, top)
}

/// Name, base line and scale of a panel.
fn panel(out: &mut String, title: &str, most: f64, top: f64) -> fmt::Result {
    name(out, title, top + PANEL / 2.0)?;
    line(out, "grid", (LEFT, top + PANEL), (WIDTH, top + PANEL))?;
    writeln!(out, "<text class=\"soft end\" x=\"{}\" y=\"{}\">{most:.0}</text>", LEFT - 10.0, top + 10.0)
}

fn area(out: &mut String, class: &str, values: &[f64], most: f64, top: f64) -> fmt::Result {
    let bottom = top + PANEL;
    let points = points(values, most, top);
    writeln!(out, "<polygon class=\"{class}\" points=\"{LEFT},{bottom} {points}{WIDTH},{bottom}\"/>")
}

fn points(values: &[f64], most: f64, top: f64) -> String {
    let mut points = String::with_capacity(values.len() * 12);
    for (slice, value) in values.iter().enumerate() {
        let y = top + PANEL - value / most * (PANEL - 4.0);
        write!(points, "{:.1},{y:.1} ", across(slice, values.len())).expect("a string takes all");
    }
    points
}

/// Timelines have no labels on the right and take its room.
fn across(slice: usize, slices: usize) -> f64 {
    LEFT + (slice as f64 + 0.5) / slices as f64 * (WIDTH - LEFT)
}

fn hours(out: &mut String, seconds: f64, y: f64) -> fmt::Result {
    let (each, unit) = if seconds > 2.0 * 86_400.0 {
        (86_400.0, "d")
    } else if seconds > 7_200.0 {
        (3_600.0, "h")
    } else {
        (60.0, "min")
    };
    let count = seconds / each;
    let step = (count / 8.0).ceil().max(1.0);
    for mark in (0..).map(|mark| f64::from(mark) * step).take_while(|mark| *mark < count) {
        let x = LEFT + mark / count * (WIDTH - LEFT);
        writeln!(out, "<text class=\"soft mid\" x=\"{x:.1}\" y=\"{y}\">{mark} {unit}</text>")?;
    }
    Ok(())
}

fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::MIN_POSITIVE, f64::max)
}

/// Strong for those that hold the objective.
fn colour(entry: &Entry) -> &'static str {
    if entry.reaches_goal { "good" } else { "pale" }
}

fn begin(out: &mut String, height: f64) -> fmt::Result {
    writeln!(out, "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">")
}

fn name(out: &mut String, name: &str, y: f64) -> fmt::Result {
    writeln!(out, "<text class=\"end\" x=\"{}\" y=\"{y:.1}\">{}</text>", LEFT - 10.0, Escaped(name))
}

fn line(out: &mut String, class: &str, from: (f64, f64), to: (f64, f64)) -> fmt::Result {
    let ((x1, y1), (x2, y2)) = (from, to);
    writeln!(out, "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>")
}
