//! Grammar of one line, shared by the lenient and the strict reader.

use std::borrow::Cow;

use super::{Exemplar, Kind, Label, Limits, Metadata, Reason};

/// How exact the spaces must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grammar {
    /// Any blanks between tokens, a comma may end the labels.
    Lenient,
    /// Exactly one space between tokens and none elsewhere.
    Strict,
}

/// What is wrong with a line, and the byte where it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) reason: Reason,
}

/// A sample without its labels, which the caller's buffer holds.
#[derive(Debug)]
pub(super) struct Body<'t> {
    pub(super) name: Cow<'t, str>,
    pub(super) value: f64,
    pub(super) timestamp: Option<f64>,
    pub(super) exemplar: Option<Exemplar<'t>>,
}

/// Reads a sample line. Its labels replace those in `labels`.
pub(super) fn sample<'t>(
    line: &'t str,
    grammar: Grammar,
    limits: &Limits,
    labels: &mut Vec<Label<'t>>,
) -> Result<Body<'t>, Fault> {
    labels.clear();
    let mut cursor = Cursor { line, at: 0, grammar };
    cursor.blanks();
    let mut name = cursor.metric_name().map(Cow::Borrowed);
    let name_end = cursor.at;
    if name.is_some() {
        cursor.blanks();
    }
    let labelled = cursor.eat(b'{');
    if labelled {
        cursor.labels(limits, labels, Some(&mut name))?;
    }
    let Some(name) = name else {
        let reason = if labelled || cursor.done() { Reason::MissingName } else { Reason::InvalidName };
        return Err(cursor.fault(reason));
    };
    if cursor.done() {
        return Err(cursor.fault(Reason::MissingValue));
    }
    // `}1` is legal in Prometheus' own readers; a name and its value need a blank between them.
    let separated = cursor.at > name_end && (labelled || grammar == Grammar::Lenient);
    if grammar == Grammar::Strict {
        cursor.one_space()?;
    } else if !separated {
        return Err(cursor.fault(Reason::InvalidName));
    }
    cursor.tail(name, limits)
}

/// A comment that says something about a family; `None` for any other comment.
pub(super) fn metadata(line: &str) -> Result<Option<(Cow<'_, str>, Metadata<'_>)>, Fault> {
    let mut cursor = Cursor { line, at: 0, grammar: Grammar::Lenient };
    cursor.blanks();
    cursor.eat(b'#');
    cursor.blanks();
    let keyword = cursor.token();
    if !matches!(keyword, "HELP" | "TYPE" | "UNIT") {
        return Ok(None);
    }
    cursor.blanks();
    let name = if cursor.peek() == Some(b'"') {
        cursor.quoted()?
    } else {
        let Some(name) = cursor.metric_name() else { return Ok(None) };
        Cow::Borrowed(name)
    };
    if !cursor.done() && !cursor.at_blank() {
        return Err(cursor.fault(Reason::InvalidName));
    }
    cursor.blanks();
    let rest = cursor.rest();
    let metadata = match keyword {
        "HELP" => Metadata::Help(rest),
        "UNIT" => Metadata::Unit(rest.trim_end()),
        _ if rest.is_empty() => return Ok(None),
        _ => Metadata::Type(kind(rest.trim_end()).ok_or_else(|| cursor.fault(Reason::InvalidType))?),
    };
    Ok(Some((name, metadata)))
}

/// The type that a word names, in either format.
pub(super) fn kind(word: &str) -> Option<Kind> {
    Some(match word {
        "counter" => Kind::Counter,
        "gauge" => Kind::Gauge,
        "histogram" => Kind::Histogram,
        "gaugehistogram" => Kind::GaugeHistogram,
        "summary" => Kind::Summary,
        "info" => Kind::Info,
        "stateset" => Kind::StateSet,
        "unknown" | "untyped" => Kind::Unknown,
        _ => return None,
    })
}

/// A number as both formats write it: decimal, or NaN and infinity by name. Neither hexadecimal nor underscores.
pub(super) fn number(token: &str) -> Option<f64> {
    token.parse().ok()
}

/// Which bytes a name may have after its first: a table, because this is asked for every byte of a page.
static NAME_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':';
        byte += 1;
    }
    table
};

fn name_byte(byte: u8) -> bool {
    NAME_BYTES[usize::from(byte)]
}

fn blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// A place in a line.
pub(super) struct Cursor<'t> {
    pub(super) line: &'t str,
    pub(super) at: usize,
    pub(super) grammar: Grammar,
}

impl<'t> Cursor<'t> {
    pub(super) fn fault(&self, reason: Reason) -> Fault {
        Fault { at: self.at, reason }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.line.as_bytes().get(self.at).copied()
    }

    pub(super) fn done(&self) -> bool {
        self.at >= self.line.len()
    }

    /// Moves to the next byte that is not so, or to the end.
    #[inline]
    fn skip(&mut self, so: impl Fn(u8) -> bool) {
        let rest = self.line.as_bytes().get(self.at..).unwrap_or(&[]);
        self.at += rest.iter().position(|byte| !so(*byte)).unwrap_or(rest.len());
    }

    fn at_blank(&self) -> bool {
        self.peek().is_some_and(blank)
    }

    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(super) fn rest(&self) -> &'t str {
        self.line.get(self.at..).unwrap_or("")
    }

    /// Skips blanks where the lenient grammar allows them; strictly there are none to skip.
    fn blanks(&mut self) {
        if self.grammar == Grammar::Lenient && self.at_blank() {
            self.skip(blank);
        }
    }

    pub(super) fn one_space(&mut self) -> Result<(), Fault> {
        if self.eat(b' ') { Ok(()) } else { Err(self.fault(Reason::InvalidSpacing)) }
    }

    /// Everything up to the next blank or the end.
    fn token(&mut self) -> &'t str {
        let start = self.at;
        self.skip(|byte| !blank(byte));
        self.line.get(start..self.at).unwrap_or("")
    }

    pub(super) fn metric_name(&mut self) -> Option<&'t str> {
        let start = self.at;
        if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return None;
        }
        self.skip(name_byte);
        self.line.get(start..self.at).filter(|name| !name.is_empty())
    }

    /// Text in double quotes, unescaped. An escape that means nothing stands for itself.
    pub(super) fn quoted(&mut self) -> Result<Cow<'t, str>, Fault> {
        let opening = self.at;
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.skip(|byte| byte != b'"' && byte != b'\\');
            match self.peek() {
                None => return Err(Fault { at: opening, reason: Reason::UnterminatedValue }),
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                Some(_) => break,
            }
        }
        let text = self.line.get(start..self.at).unwrap_or("");
        self.at += 1;
        Ok(if escaped { Cow::Owned(unescape(text)) } else { Cow::Borrowed(text) })
    }

    fn label_name(&mut self) -> Result<(Cow<'t, str>, bool), Fault> {
        let start = self.at;
        if self.peek() == Some(b'"') {
            let name = self.quoted()?;
            if name.is_empty() {
                return Err(Fault { at: start, reason: Reason::InvalidLabelName });
            }
            return Ok((name, true));
        }
        match self.metric_name() {
            Some(name) if !name.contains(':') => Ok((Cow::Borrowed(name), false)),
            Some(_) => Err(Fault { at: start, reason: Reason::InvalidLabelName }),
            None if self.done() => Err(self.fault(Reason::UnterminatedLabels)),
            None => Err(self.fault(Reason::InvalidLabelName)),
        }
    }

    /// Reads what stands between braces, the opening one being eaten. A quoted name without a value is the metric's.
    fn labels(
        &mut self,
        limits: &Limits,
        labels: &mut Vec<Label<'t>>,
        mut metric: Option<&mut Option<Cow<'t, str>>>,
    ) -> Result<(), Fault> {
        let mut after_comma = false;
        loop {
            self.blanks();
            if !(after_comma && self.grammar == Grammar::Strict) && self.eat(b'}') {
                return Ok(());
            }
            let start = self.at;
            let (name, is_quoted) = self.label_name()?;
            self.blanks();
            if self.eat(b'=') {
                self.blanks();
                if self.peek() != Some(b'"') {
                    return Err(self.fault(Reason::UnquotedValue));
                }
                let value = self.quoted()?;
                add_label(labels, Label { name, value }, limits)
                    .map_err(|reason| Fault { at: start, reason })?;
            } else if let (true, Some(b',' | b'}'), Some(metric)) = (is_quoted, self.peek(), metric.as_mut())
            {
                if metric.replace(name).is_some() {
                    return Err(Fault { at: start, reason: Reason::NameTwice });
                }
            } else {
                return Err(self.fault(Reason::MissingEquals));
            }
            self.blanks();
            after_comma = self.eat(b',');
            match self.peek() {
                _ if after_comma => {}
                Some(b'}') => {}
                None => return Err(self.fault(Reason::UnterminatedLabels)),
                Some(_) => return Err(self.fault(Reason::MissingComma)),
            }
        }
    }

    /// Value, timestamp and exemplar.
    fn tail(&mut self, name: Cow<'t, str>, limits: &Limits) -> Result<Body<'t>, Fault> {
        self.blanks();
        if self.done() {
            return Err(self.fault(Reason::MissingValue));
        }
        let start = self.at;
        let value = number(self.token()).ok_or(Fault { at: start, reason: Reason::InvalidValue })?;
        let mut body = Body { name, value, timestamp: None, exemplar: None };
        if !self.next_token()? {
            return Ok(body);
        }
        if self.peek() != Some(b'#') {
            body.timestamp = Some(self.timestamp()?);
            if !self.next_token()? {
                return Ok(body);
            }
        }
        if self.eat(b'#') {
            body.exemplar = Some(self.exemplar(limits)?);
        }
        if self.done() { Ok(body) } else { Err(self.fault(Reason::TrailingText)) }
    }

    /// Moves to the token after this one; false when the line ends here.
    fn next_token(&mut self) -> Result<bool, Fault> {
        if self.done() {
            return Ok(false);
        }
        if self.grammar == Grammar::Lenient {
            self.blanks();
            return Ok(!self.done());
        }
        self.one_space()?;
        if self.done() { Err(self.fault(Reason::InvalidSpacing)) } else { Ok(true) }
    }

    fn timestamp(&mut self) -> Result<f64, Fault> {
        let start = self.at;
        let time = number(self.token()).filter(|time| time.is_finite());
        time.ok_or(Fault { at: start, reason: Reason::InvalidTimestamp })
    }

    fn exemplar(&mut self, limits: &Limits) -> Result<Exemplar<'t>, Fault> {
        if !self.next_token()? || !self.eat(b'{') {
            return Err(self.fault(Reason::InvalidExemplar));
        }
        let mut labels = Vec::new();
        self.labels(limits, &mut labels, None)?;
        if !self.next_token()? {
            return Err(self.fault(Reason::InvalidExemplar));
        }
        let start = self.at;
        let value = number(self.token()).ok_or(Fault { at: start, reason: Reason::InvalidExemplar })?;
        let timestamp = if self.next_token()? { Some(self.timestamp()?) } else { None };
        self.blanks();
        Ok(Exemplar { labels, value, timestamp })
    }
}

fn add_label<'t>(labels: &mut Vec<Label<'t>>, label: Label<'t>, limits: &Limits) -> Result<(), Reason> {
    if labels.iter().any(|known| known.name == label.name) {
        return Err(Reason::DuplicateLabel);
    }
    if labels.len() >= limits.labels {
        return Err(Reason::TooManyLabels);
    }
    labels.push(label);
    Ok(())
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match (c, c == '\\') {
            (_, false) => out.push(c),
            (_, true) => match rest.next() {
                Some('n') => out.push('\n'),
                Some(escaped @ ('"' | '\\')) => out.push(escaped),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
        }
    }
    out
}
