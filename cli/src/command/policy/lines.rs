//! Lines of a file that may be packed, may be endless, and may hold lines that are too long.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::error::Error;

/// Longest line: a pool of 100,000 replicas with some 160 bytes each.
pub(super) const LINE_BYTES_MAX: usize = 16 << 20;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Reads one line after the other into the same memory.
pub(super) struct Lines {
    input: Box<dyn BufRead>,
    line: Vec<u8>,
    number: u64,
}

/// A line, without its end.
pub(super) enum Line<'a> {
    /// As it stands.
    Whole(&'a [u8]),
    /// Too long, and skipped.
    TooLong,
}

impl Lines {
    /// Of a file, plain or gzip, or of standard input where the path is `-`.
    pub(super) fn open(path: &Path) -> Result<Lines, Error> {
        let input: Box<dyn Read> = if path == Path::new("-") {
            Box::new(io::stdin())
        } else {
            let file = File::open(path).map_err(|error| unreadable(path, &error))?;
            Box::new(file)
        };
        let mut input = BufReader::new(input);
        let packed = input.fill_buf().map_err(|error| unreadable(path, &error))?.starts_with(&[0x1f, 0x8b]);
        let input: Box<dyn BufRead> =
            if packed { Box::new(BufReader::new(MultiGzDecoder::new(input))) } else { Box::new(input) };
        Ok(Lines { input, line: Vec::new(), number: 0 })
    }

    /// The next line that is not blank, with its number from 1; none at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, Line<'_>)>> {
        loop {
            self.line.clear();
            let most = LINE_BYTES_MAX as u64 + 1;
            let read = self.input.by_ref().take(most).read_until(b'\n', &mut self.line)?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            if self.line.last() == Some(&b'\n') {
                self.line.pop();
            } else if self.line.len() > LINE_BYTES_MAX {
                self.input.skip_until(b'\n')?;
                return Ok(Some((self.number, Line::TooLong)));
            }
            if !text(self.number, &self.line).trim_ascii().is_empty() {
                return Ok(Some((self.number, Line::Whole(text(self.number, &self.line)))));
            }
        }
    }
}

/// Without the mark that some programs begin a file with.
fn text(number: u64, line: &[u8]) -> &[u8] {
    if number == 1 { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) } else { line }
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::Failed(format!("{} cannot be read ({error}); name another file with -i", path.display()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(bytes: &[u8]) -> Vec<(u64, String)> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let mut lines = Lines::open(file.path()).unwrap();
        let mut read = Vec::new();
        while let Some((number, line)) = lines.next().unwrap() {
            let text = match line {
                Line::Whole(text) => String::from_utf8_lossy(text).into_owned(),
                Line::TooLong => "too long".to_owned(),
            };
            read.push((number, text));
        }
        read
    }

    fn said(lines: &[(u64, &str)]) -> Vec<(u64, String)> {
        lines.iter().map(|(number, text)| (*number, (*text).to_owned())).collect()
    }

    #[test]
    fn blank_lines_count_and_are_skipped_and_the_last_needs_no_end() {
        assert_eq!(read(b"a\n\n \nb\nc"), said(&[(1, "a"), (4, "b"), (5, "c")]));
        assert_eq!(read(b""), said(&[]));
    }

    #[test]
    fn a_mark_at_the_beginning_is_no_part_of_the_first_line() {
        assert_eq!(read("\u{feff}a\nb".as_bytes()), said(&[(1, "a"), (2, "b")]));
    }

    #[test]
    fn packed_files_are_read_as_plain_ones() {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(b"a\nb\n").unwrap();
        assert_eq!(read(&packer.finish().unwrap()), said(&[(1, "a"), (2, "b")]));
    }

    #[test]
    fn a_line_that_is_too_long_costs_only_itself() {
        let mut bytes = b"a\n".to_vec();
        bytes.resize(bytes.len() + LINE_BYTES_MAX, b'x');
        let whole = [&bytes[..], b"\nb\n"].concat();
        assert_eq!(read(&whole).len(), 3, "the longest is read");
        let long = [&bytes[..], b"x\nb\n"].concat();
        assert_eq!(read(&long), said(&[(1, "a"), (2, "too long"), (3, "b")]));
    }
}
