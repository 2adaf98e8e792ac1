//! Prints answers: tables for people, JSON and YAML for programs.

pub(crate) mod columns;
pub(crate) mod spark;
pub(crate) mod units;

use std::env;
use std::io::{self, IsTerminal, Write};

use comfy_table::{Attribute, CellAlignment, Color, ContentArrangement, Table};
use serde_json::Value;

use crate::args::{Format, Global};
use crate::error::Error;
use crate::kind::{Entry, Kind, field};
use columns::Cell;

/// What kind of news a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Neither good nor bad.
    Plain,
    /// As it should be.
    Good,
    /// Worth a look.
    Warn,
    /// Wrong.
    Bad,
    /// Beside the point.
    Dim,
}

/// How this process prints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) format: Format,
    /// Whether colours are wanted and understood.
    pub(crate) colour: bool,
    /// Columns of the terminal; none when the output is not one, and then nothing is cut or wrapped.
    width: Option<u16>,
}

impl Output {
    /// Looks at the options, the environment and the terminal.
    pub(crate) fn new(global: &Global) -> Output {
        let terminal = io::stdout().is_terminal();
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let width =
            crossterm::terminal::size().ok().map(|(columns, _)| columns).filter(|columns| *columns > 0);
        Output {
            format: global.output,
            colour: terminal && !global.no_color && !refused && !dumb,
            width: width.filter(|_| terminal),
        }
    }

    /// Whether a program reads the output.
    pub(crate) fn for_programs(self) -> bool {
        matches!(self.format, Format::Json | Format::Yaml)
    }

    /// Whether more columns are wanted.
    pub(crate) fn wide(self) -> bool {
        self.format == Format::Wide
    }

    /// Prints a list; its table shows only `fields` when there are any.
    pub(crate) fn list(self, kind: Kind, entries: &[Entry], fields: &[String]) -> Result<(), Error> {
        match self.format {
            Format::Json | Format::Yaml => {
                self.value(&Value::Array(entries.iter().map(Entry::json).collect()))
            }
            Format::Table | Format::Wide | Format::Html if entries.is_empty() => {
                self.note(&format!("No {}s.", kind.singular()));
                Ok(())
            }
            Format::Table | Format::Wide | Format::Html => self.line(&self.table(kind, entries, fields)),
        }
    }

    /// Prints one value as JSON or YAML.
    pub(crate) fn value(self, value: &Value) -> Result<(), Error> {
        let text = if self.format == Format::Yaml {
            serde_saphyr::to_string(value).map_err(io::Error::other)?
        } else {
            serde_json::to_string_pretty(value).map_err(io::Error::other)?
        };
        self.line(text.trim_end())
    }

    /// Prints one value on a line of its own (JSON) or as one document (YAML).
    pub(crate) fn value_of_stream(self, value: &Value) -> Result<(), Error> {
        if self.format == Format::Yaml {
            self.line("---")?;
            return self.value(value);
        }
        self.line(&value.to_string())
    }

    /// Prints a line, or several.
    pub(crate) fn line(self, text: &str) -> Result<(), Error> {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}")?;
        Ok(out.flush()?)
    }

    /// Says something beside the output; a broken stderr is no reason to fail.
    pub(crate) fn note(self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// The text in the colour of its tone.
    pub(crate) fn paint(self, text: &str, tone: Tone) -> String {
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Good => "32",
            Tone::Warn => "33",
            Tone::Bad => "1;31",
            Tone::Dim => "2",
        };
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// A table of entries.
    fn table(self, kind: Kind, entries: &[Entry], fields: &[String]) -> String {
        if fields.is_empty() {
            let rows = entries.iter().map(|entry| columns::cells(entry, self.wide())).collect();
            let titles = columns::titles(kind, self.wide()).into_iter().map(str::to_owned).collect();
            return self.grid(titles, rows);
        }
        let cell =
            |json: &Value, path: &String| Cell { text: value_text(field(json, path)), tone: Tone::Plain };
        let rows = entries.iter().map(|entry| {
            let json = entry.json();
            fields.iter().map(|path| cell(&json, path)).collect()
        });
        self.grid(fields.iter().map(|path| path.to_uppercase()).collect(), rows.collect())
    }

    /// A table of cells, as wide as the terminal at most.
    pub(crate) fn grid(self, titles: Vec<String>, rows: Vec<Vec<Cell>>) -> String {
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING).force_no_tty();
        if let Some(width) = self.width {
            table.set_width(width).set_content_arrangement(ContentArrangement::Dynamic);
        }
        if self.colour {
            table.enforce_styling();
        }
        let numeric: Vec<bool> = (0..titles.len()).map(|column| is_numeric(&rows, column)).collect();
        let bold = |title: String| comfy_table::Cell::new(title).add_attribute(Attribute::Bold);
        table.set_header(titles.into_iter().map(bold).collect::<Vec<_>>());
        for row in rows {
            table.add_row(row.iter().map(styled).collect::<Vec<_>>());
        }
        for (column, numeric) in table.column_iter_mut().zip(numeric) {
            column.set_padding((0, 2));
            if numeric {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
    }
}

/// Numbers stand under each other on the right.
fn is_numeric(rows: &[Vec<Cell>], column: usize) -> bool {
    let number =
        |text: &str| text == units::UNKNOWN || text.starts_with(|letter: char| letter.is_ascii_digit());
    rows.iter().filter_map(|row| row.get(column)).all(|cell| number(&cell.text))
}

fn styled(cell: &Cell) -> comfy_table::Cell {
    let styled = comfy_table::Cell::new(&cell.text);
    match cell.tone {
        Tone::Plain => styled,
        Tone::Good => styled.fg(Color::Green),
        Tone::Warn => styled.fg(Color::Yellow),
        Tone::Bad => styled.fg(Color::Red).add_attribute(Attribute::Bold),
        Tone::Dim => styled.fg(Color::DarkGrey),
    }
}

/// A JSON value in a cell.
fn value_text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => units::UNKNOWN.to_owned(),
        Some(Value::String(text)) => units::text(text),
        Some(other) => units::text(&other.to_string()),
    }
}

#[cfg(test)]
mod tests;
