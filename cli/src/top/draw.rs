//! Paints the screen of `top`: a headline, zones and pools, one long table, a line of help.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear, Paragraph, Row, Sparkline, Table, Tabs, Wrap};

use super::app::{App, Link, TABS};
use crate::kind::{Entry, Kind};
use crate::output::columns::{self, Cell};
use crate::output::{Tone, units};

/// Width from which zones and pools stand beside each other without being cut: their tables take about 75 and 115.
const WIDE_COLUMNS: u16 = 195;

/// Rows of zones or pools that are shown at most; the rest is a line of the table's own commands away.
const PANEL_ROWS_MAX: u16 = 6;

/// Height under which only the long table is shown.
const LOW_ROWS: u16 = 16;

/// Paints everything.
pub(super) fn draw(frame: &mut Frame<'_>, app: &mut App, now: Duration) {
    let zones = panel_height(app.view().zones.len());
    let pools = panel_height(app.view().pools.len());
    let area = frame.area();
    let panels = match area {
        area if area.height < LOW_ROWS => 0,
        area if area.width >= WIDE_COLUMNS => zones.max(pools),
        _ => zones + pools,
    };
    let queue = if area.height < 2 * LOW_ROWS { 0 } else { 4 };
    let rows = [
        Constraint::Length(1),
        Constraint::Length(panels),
        Constraint::Length(queue),
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(1),
    ];
    let [top, middle, sparkline, tabs, table, bottom] = Layout::vertical(rows).areas(area);
    frame.render_widget(headline(app), top);
    if panels > 0 {
        draw_panels(frame, app, middle, zones, pools);
    }
    if queue > 0 {
        draw_queue(frame, app, sparkline);
    }
    draw_tabs(frame, app, tabs);
    draw_table(frame, app, table, now);
    frame.render_widget(footer(app), bottom);
    if app.help {
        draw_help(frame, area);
    }
}

/// Border, titles and rows.
fn panel_height(rows: usize) -> u16 {
    u16::try_from(rows).unwrap_or(PANEL_ROWS_MAX).clamp(1, PANEL_ROWS_MAX) + 2
}

fn style(app: &App, tone: Tone) -> Style {
    let plain = Style::new();
    match tone {
        Tone::Plain => plain,
        Tone::Dim => plain.add_modifier(Modifier::DIM),
        Tone::Bad if !app.colour => plain.add_modifier(Modifier::BOLD | Modifier::REVERSED),
        Tone::Warn if !app.colour => plain.add_modifier(Modifier::BOLD),
        Tone::Good if !app.colour => plain,
        Tone::Good => plain.fg(Color::Green),
        Tone::Warn => plain.fg(Color::Yellow),
        Tone::Bad => plain.fg(Color::Red).add_modifier(Modifier::BOLD),
    }
}

fn headline(app: &App) -> Line<'_> {
    let view = app.view();
    let (word, tone) = match &app.link {
        Link::Connecting => ("connecting", Tone::Warn),
        Link::Live if app.paused() => ("paused", Tone::Warn),
        Link::Live => ("live", Tone::Good),
        Link::Lost(_) => ("disconnected, retrying", Tone::Bad),
    };
    let mut spans = vec![
        Span::styled("ostler ", Style::new().add_modifier(Modifier::BOLD)),
        Span::raw(format!("{}  ", units::clean(&app.server))),
        Span::styled(format!("● {word}  "), style(app, tone)),
    ];
    let counts = view.counts();
    let all = counts.nodes_fresh == counts.nodes && counts.gpus_ok == counts.gpus;
    let text =
        format!("nodes {}/{}  GPUs {}/{}  ", counts.nodes_fresh, counts.nodes, counts.gpus_ok, counts.gpus);
    spans.push(Span::styled(text, style(app, if all { Tone::Plain } else { Tone::Warn })));
    if view.simulated() {
        spans.push(Span::styled("SIMULATED", style(app, Tone::Warn).add_modifier(Modifier::REVERSED)));
    }
    Line::from(spans)
}

fn draw_panels(frame: &mut Frame<'_>, app: &App, area: Rect, zones: u16, pools: u16) {
    let layout = if area.width >= WIDE_COLUMNS {
        Layout::horizontal([Constraint::Percentage(40), Constraint::Percentage(60)])
    } else {
        Layout::vertical([Constraint::Length(zones), Constraint::Length(pools)])
    };
    let [left, right] = layout.areas(area);
    let view = app.view();
    let zones: Vec<Vec<Cell>> =
        view.zones.values().map(|zone| columns::cells(&Entry::Zone(zone.clone()), false)).collect();
    let pools: Vec<Vec<Cell>> =
        view.pools.values().map(|pool| columns::cells(&Entry::Pool(pool.clone()), false)).collect();
    frame.render_widget(grid(app, Kind::Zones, &zones, None).block(titled("zones")), left);
    frame.render_widget(grid(app, Kind::Pools, &pools, None).block(titled("pools")), right);
}

fn titled(title: &str) -> Block<'_> {
    Block::new().borders(Borders::TOP).title(title).border_style(Style::new().add_modifier(Modifier::DIM))
}

fn draw_queue(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let shown = app.waiting.iter().skip(app.waiting.len().saturating_sub(usize::from(area.width)));
    let values: Vec<u64> = shown.map(|value| value.max(0.0) as u64).collect();
    let title = format!("requests waiting: {}", values.last().copied().unwrap_or_default());
    let bars = Sparkline::default().data(&values).style(style(app, Tone::Warn));
    frame.render_widget(bars.block(titled(&title)), area);
}

fn draw_tabs(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let names = TABS.iter().enumerate().map(|(place, kind)| format!("{} {}s", place + 1, kind.singular()));
    let chosen = Style::new().add_modifier(Modifier::REVERSED);
    frame.render_widget(Tabs::new(names).select(app.tab).highlight_style(chosen), area);
}

fn draw_table(frame: &mut Frame<'_>, app: &mut App, area: Rect, now: Duration) {
    let rows = app.rows(now);
    if rows.is_empty() {
        frame.render_widget(Paragraph::new(nothing(app)).wrap(Wrap { trim: true }), area);
        return;
    }
    let space = usize::from(area.height.saturating_sub(1)).max(1);
    app.offset = app.offset.min(rows.len().saturating_sub(space));
    let end = rows.len().min(app.offset + space);
    let table = grid(app, app.kind(), &rows[app.offset..end], Some(app.order().column));
    frame.render_widget(table, area);
}

/// Why the table is empty, and what to do.
fn nothing(app: &App) -> String {
    match &app.link {
        Link::Connecting => format!("Waiting for the coordinator at {} ...", units::clean(&app.server)),
        Link::Lost(reason) => units::clean(reason),
        Link::Live if !app.filter.is_empty() => format!("Nothing contains {:?}; Esc clears the filter.", app.filter),
        Link::Live if app.kind() == Kind::Events => "Nothing has happened yet.".to_owned(),
        Link::Live if app.view().nodes.is_empty() => {
            "No node has reported yet. On each GPU node run ostler-agent with the address of this coordinator.".to_owned()
        }
        Link::Live => "Nothing of this kind is known.".to_owned(),
    }
}

/// A table whose columns are as wide as what they show.
fn grid<'a>(app: &App, kind: Kind, rows: &[Vec<Cell>], ordered: Option<usize>) -> Table<'a> {
    let titles = columns::titles(kind, false);
    let width = |(place, title): (usize, &&str)| {
        let cells = rows.iter().filter_map(|row| row.get(place)).map(|cell| cell.text.chars().count());
        let widest =
            cells.chain([title.len() + usize::from(ordered == Some(place))]).max().unwrap_or_default();
        Constraint::Length(u16::try_from(widest).unwrap_or(u16::MAX))
    };
    let widths: Vec<Constraint> = titles.iter().enumerate().map(width).collect();
    let arrow = if app.order().descending { "▼" } else { "▲" };
    let title = |(place, title): (usize, &&str)| {
        if ordered == Some(place) { format!("{title}{arrow}") } else { (*title).to_owned() }
    };
    let header =
        Row::new(titles.iter().enumerate().map(title)).style(Style::new().add_modifier(Modifier::BOLD));
    let cell = |cell: &Cell| Span::styled(cell.text.clone(), style(app, cell.tone));
    let rows = rows.iter().map(|row| Row::new(row.iter().map(cell).map(Line::from)));
    Table::new(rows.collect::<Vec<_>>(), widths).header(header).column_spacing(2)
}

fn footer(app: &App) -> Line<'_> {
    if app.typing {
        return Line::from(format!("/{}█  Enter keeps the filter, Esc clears it", app.filter));
    }
    let mut text =
        "q quit  Tab view  s/S sort  r reverse  / filter  space pause  ↑↓ scroll  ? help".to_owned();
    if !app.filter.is_empty() {
        text = format!("[filter: {}]  {text}", app.filter);
    }
    Line::styled(text, Style::new().add_modifier(Modifier::DIM))
}

const HELP: &str = "\
1-4, Tab, ← →   nodes, GPUs, engines, events
s, S            order by the next or previous column
r               turn the order round
/               filter: type, Enter keeps, Esc clears
space, p        stop and go on
↑ ↓ PgUp PgDn   scroll
q, Ctrl-C       quit

Any key closes this help.";

fn draw_help(frame: &mut Frame<'_>, area: Rect) {
    let (width, height) = (52.min(area.width), 11.min(area.height));
    let place = Rect::new((area.width - width) / 2, (area.height - height) / 2, width, height);
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(HELP).block(Block::bordered().title("keys")), place);
}
