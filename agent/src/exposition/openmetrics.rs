//! The strict reader: a whole document is OpenMetrics 1.0, or it is not.
//!
//! Families are judged while they pass, with one family's state at a time: what a family needs to know of those before it
//! is only their names.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::line::{self, Body, Cursor, Grammar};
use super::{Item, Kind, Label, Limits, Metadata, Reason, Rejected, Rejections, View};

mod family;
mod histogram;

use self::family::Family;

/// Goes through a document and shows what it finds up to the first fault, which is the only rejection there can be.
pub(super) fn check<'t>(text: &'t [u8], limits: &Limits, visit: impl FnMut(Item<'t, '_>)) -> Rejections {
    let mut checker = Checker {
        limits,
        visit,
        family: None,
        names: BTreeSet::new(),
        labels: Vec::new(),
        samples: 0,
        line: 0,
        eof: false,
    };
    let mut rejections = Rejections::default();
    if let Err((line, at, reason)) = checker.document(text) {
        let column = u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1);
        rejections.add(Rejected { line, column, reason }, limits);
    }
    rejections
}

/// Byte where it shows, and what is wrong.
type Fault = (usize, Reason);

struct Checker<'t, 'l, F> {
    limits: &'l Limits,
    visit: F,
    /// The one that lines are added to.
    family: Option<Family<'t>>,
    /// Of families and their samples, so that none comes back later in the document.
    names: BTreeSet<String>,
    labels: Vec<Label<'t>>,
    samples: usize,
    line: u32,
    eof: bool,
}

impl<'t, F: FnMut(Item<'t, '_>)> Checker<'t, '_, F> {
    fn document(&mut self, text: &'t [u8]) -> Result<(), (u32, usize, Reason)> {
        let text =
            std::str::from_utf8(text).map_err(|error| (1, error.valid_up_to(), Reason::InvalidUtf8))?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        for line in text.split('\n') {
            self.line = self.line.saturating_add(1);
            self.line(line).map_err(|(at, reason)| (self.line, at, reason))?;
        }
        self.close().map_err(|reason| (self.line, 0, reason))?;
        if self.eof { Ok(()) } else { Err((self.line, 0, Reason::Rule("'# EOF' is missing at the end"))) }
    }

    fn line(&mut self, line: &'t str) -> Result<(), Fault> {
        if self.eof {
            return Err((0, Reason::Rule("a line after '# EOF'")));
        }
        if line.is_empty() {
            return Err((0, Reason::Rule("a blank line")));
        }
        if line.len() > self.limits.line_bytes {
            return Err((self.limits.line_bytes, Reason::LineTooLong));
        }
        if line == "# EOF" {
            self.eof = true;
            Ok(())
        } else if line.starts_with('#') {
            self.metadata(line)
        } else {
            self.sample(line)
        }
    }

    fn metadata(&mut self, line: &'t str) -> Result<(), Fault> {
        let (name, keyword, rest) = descriptor(line)?;
        if self.family.as_ref().is_none_or(|family| family.name != name) {
            self.close().map_err(|reason| (0, reason))?;
            self.family = Some(Family::new(name.clone()));
        }
        let Some(family) = self.family.as_mut() else { return Ok(()) };
        let metadata = match keyword {
            "HELP" => Metadata::Help(rest),
            "UNIT" => Metadata::Unit(rest),
            _ => match line::kind(rest) {
                Some(kind) if rest != "untyped" => Metadata::Type(kind),
                Some(_) | None => return Err((line.len() - rest.len(), Reason::InvalidType)),
            },
        };
        family.describe(&metadata).map_err(|reason| (0, reason))?;
        (self.visit)(Item::Metadata(&name, metadata));
        Ok(())
    }

    fn sample(&mut self, line: &'t str) -> Result<(), Fault> {
        if self.samples >= self.limits.samples {
            return Err((0, Reason::TooManySamples));
        }
        let body = line::sample(line, Grammar::Strict, self.limits, &mut self.labels)
            .map_err(|fault| (fault.at, fault.reason))?;
        self.samples += 1;
        if self.family.as_ref().is_none_or(|family| !family.allows(&body.name)) {
            self.close().map_err(|reason| (0, reason))?;
            self.family = Some(Family::untyped(body.name.clone()));
        }
        if let Some(family) = self.family.as_mut() {
            exemplar_length(&body).map_err(|reason| (0, reason))?;
            family.add(&body, &self.labels).map_err(|reason| (0, reason))?;
        }
        (self.visit)(Item::Sample(View {
            name: &body.name,
            labels: &self.labels,
            value: body.value,
            timestamp: body.timestamp,
            exemplar: body.exemplar.as_ref(),
            line: self.line,
        }));
        Ok(())
    }

    /// Ends the family at hand: what can only be judged when all of it is known.
    fn close(&mut self) -> Result<(), Reason> {
        let Some(family) = self.family.take() else { return Ok(()) };
        family.finish()?;
        for suffix in suffixes(family.kind()).iter().chain(&[""]).collect::<BTreeSet<_>>() {
            if !self.names.insert(format!("{}{suffix}", family.name)) {
                return Err(Reason::Rule("a family's name is used by another family"));
            }
        }
        Ok(())
    }
}

/// Name, keyword and the rest of `# KEYWORD name rest`, with exactly one space between each two.
fn descriptor(line: &str) -> Result<(Cow<'_, str>, &str, &str), Fault> {
    let mut cursor = Cursor { line, at: 0, grammar: Grammar::Strict };
    cursor.eat(b'#');
    let malformed = |at| (at, Reason::Rule("a comment that is none of HELP, TYPE, UNIT and EOF"));
    let keyword = cursor
        .rest()
        .strip_prefix(' ')
        .and_then(|rest| ["HELP", "TYPE", "UNIT"].into_iter().find(|word| rest.starts_with(word)))
        .ok_or(malformed(cursor.at))?;
    cursor.at += 1 + keyword.len();
    cursor.one_space().map_err(|fault| (fault.at, fault.reason))?;
    let name = if cursor.peek() == Some(b'"') {
        cursor.quoted().map_err(|fault| (fault.at, fault.reason))?
    } else {
        Cow::Borrowed(cursor.metric_name().ok_or((cursor.at, Reason::InvalidName))?)
    };
    cursor.one_space().map_err(|fault| (fault.at, fault.reason))?;
    Ok((name, keyword, cursor.rest()))
}

fn exemplar_length(body: &Body<'_>) -> Result<(), Reason> {
    let characters: usize = body.exemplar.as_ref().map_or(0, |exemplar| {
        exemplar.labels.iter().map(|label| label.name.chars().count() + label.value.chars().count()).sum()
    });
    if characters > 128 {
        return Err(Reason::Rule("an exemplar's labels have more than 128 characters"));
    }
    Ok(())
}

/// What a sample's name may add to that of its family.
fn suffixes(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Counter => &["_total", "_created"],
        Kind::Summary => &["", "_count", "_sum", "_created"],
        Kind::Histogram => &["_count", "_sum", "_bucket", "_created"],
        Kind::GaugeHistogram => &["_gcount", "_gsum", "_bucket"],
        Kind::Info => &["_info"],
        Kind::Gauge | Kind::StateSet | Kind::Unknown => &[""],
    }
}
