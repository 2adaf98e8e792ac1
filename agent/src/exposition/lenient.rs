//! The lenient reader: each line for itself.

use std::borrow::Cow;

use super::line::{self, Fault, Grammar};
use super::{Item, Label, Limits, Reason, Rejected, Rejections, View};

/// Goes through a page and shows what it finds, line by line. What cannot be read is counted and left out.
pub fn scan<'t>(text: &'t [u8], limits: &Limits, visit: impl FnMut(Item<'t, '_>)) -> Rejections {
    let mut scanner =
        Scanner { limits, visit, labels: Vec::new(), samples: 0, line: 0, rejections: Rejections::default() };
    match std::str::from_utf8(text) {
        Ok(text) => {
            for line in text.trim_start_matches('\u{feff}').split('\n') {
                scanner.line(line);
            }
        }
        // One bad byte must not cost the page, so the lines are told apart before they are decoded.
        Err(_) => {
            for bytes in text.split(|byte| *byte == b'\n') {
                match std::str::from_utf8(bytes) {
                    Ok(line) => scanner.line(line),
                    Err(error) => scanner.undecodable(error.valid_up_to()),
                }
            }
        }
    }
    scanner.rejections
}

struct Scanner<'t, 'l, F> {
    limits: &'l Limits,
    visit: F,
    /// Reused for every line, so that a page costs one allocation and not one a sample.
    labels: Vec<Label<'t>>,
    samples: usize,
    line: u32,
    rejections: Rejections,
}

impl<'t, F: FnMut(Item<'t, '_>)> Scanner<'t, '_, F> {
    fn line(&mut self, line: &'t str) {
        self.line = self.line.saturating_add(1);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let content = line.trim_start_matches([' ', '\t']);
        if content.is_empty() {
            return;
        }
        let outcome = if line.len() > self.limits.line_bytes {
            Err(Fault { at: self.limits.line_bytes, reason: Reason::LineTooLong })
        } else if content.starts_with('#') {
            self.comment(line)
        } else {
            self.sample(line)
        };
        if let Err(fault) = outcome {
            self.reject(fault);
        }
    }

    fn comment(&mut self, line: &'t str) -> Result<(), Fault> {
        if let Some((name, metadata)) = line::metadata(line)? {
            let name: Cow<'t, str> = name;
            (self.visit)(Item::Metadata(&name, metadata));
        }
        Ok(())
    }

    fn sample(&mut self, line: &'t str) -> Result<(), Fault> {
        if self.samples >= self.limits.samples {
            return Err(Fault { at: 0, reason: Reason::TooManySamples });
        }
        let body = line::sample(line, Grammar::Lenient, self.limits, &mut self.labels)?;
        self.samples += 1;
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

    fn undecodable(&mut self, at: usize) {
        self.line = self.line.saturating_add(1);
        self.reject(Fault { at, reason: Reason::InvalidUtf8 });
    }

    fn reject(&mut self, fault: Fault) {
        let column = u32::try_from(fault.at).unwrap_or(u32::MAX).saturating_add(1);
        self.rejections.add(Rejected { line: self.line, column, reason: fault.reason }, self.limits);
    }
}
