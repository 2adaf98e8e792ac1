//! Lines and fields of a text file, plain or gzip, each with its place.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use flate2::bufread::MultiGzDecoder;

use super::Error;

/// Longest line: a Mooncake request of a million tokens has 2,000 block numbers of some 8 characters.
const LINE_BYTES_MAX: u64 = 1 << 20;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Reads line by line.
pub(crate) struct Lines {
    file: PathBuf,
    from: Box<dyn BufRead>,
    number: u64,
    /// Lines that may still come.
    left: usize,
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.number)
    }
}

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    file: PathBuf,
    number: u64,
    pub(crate) text: String,
}

impl Lines {
    pub(crate) fn open(file: &Path) -> Result<Lines, Error> {
        let opened = File::open(file).map_err(|error| Error::file(file, error))?;
        let mut plain = BufReader::new(opened);
        let start = plain.fill_buf().map_err(|error| Error::file(file, error))?;
        let from: Box<dyn BufRead> = if start.starts_with(&GZIP) {
            Box::new(BufReader::new(MultiGzDecoder::new(plain)))
        } else {
            Box::new(plain)
        };
        Ok(Lines { file: file.to_path_buf(), from, number: 0, left: usize::MAX })
    }

    /// Fails at one more than so many lines, for those who hold what they read.
    pub(crate) fn at_most(self, lines_max: usize) -> Lines {
        Lines { left: lines_max, ..self }
    }

    /// Opens a table and checks that its first line names these columns; more may follow.
    pub(crate) fn table(file: &Path, columns: &[&str]) -> Result<Lines, Error> {
        let mut lines = Lines::open(file)?;
        let Some(header) = lines.next().transpose()? else {
            let problem = format!("is empty, and should begin with {}", columns.join(","));
            return Err(Error::whole(file, problem, "give a table with its header"));
        };
        let named: Vec<&str> = header.text.split(',').map(str::trim).collect();
        match columns.iter().enumerate().find(|(at, column)| named.get(*at) != Some(*column)) {
            None => Ok(lines),
            Some((at, column)) => {
                let found = named.get(at).copied().unwrap_or_default();
                let problem = format!("is named `{found}`");
                Err(header.wrong(at, column, problem, "name the columns as the format has them"))
            }
        }
    }

    fn read(&mut self) -> Result<Option<Line>, io::Error> {
        let mut bytes = Vec::new();
        let limited = self.from.by_ref().take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut bytes)?;
        self.number += 1;
        if limited == 0 {
            return Ok(None);
        }
        if limited as u64 > LINE_BYTES_MAX {
            return Err(io::Error::other(format!("line {} is over {LINE_BYTES_MAX} bytes", self.number)));
        }
        let text = String::from_utf8(bytes)
            .map_err(|_| io::Error::other(format!("line {} is not UTF-8", self.number)))?;
        let text = text.trim_end_matches(['\n', '\r']).trim_start_matches('\u{feff}').to_owned();
        Ok(Some(Line { file: self.file.clone(), number: self.number, text }))
    }
}

impl Iterator for Lines {
    type Item = Result<Line, Error>;

    /// The next line that is not empty.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.read() {
                Ok(Some(line)) if line.text.trim().is_empty() => {}
                Ok(Some(line)) if self.left == 0 => {
                    return Some(Err(line.wrong(0, "row", "is one row too many", "give fewer rows")));
                }
                Ok(Some(line)) => {
                    self.left -= 1;
                    return Some(Ok(line));
                }
                Ok(None) => return None,
                Err(error) => return Some(Err(Error::file(&self.file, error))),
            }
        }
    }
}

impl Line {
    /// An error at a column of this line, counted from 0.
    pub(crate) fn wrong(
        &self,
        at: usize,
        name: &str,
        problem: impl Into<String>,
        remedy: &'static str,
    ) -> Error {
        Error::Place {
            file: self.file.display().to_string(),
            line: self.number,
            column: format!("column {} ({name})", at + 1),
            problem: problem.into(),
            remedy,
        }
    }

    /// The field at a column; empty when the line ends before.
    pub(crate) fn field(&self, at: usize) -> &str {
        self.text.split(',').nth(at).unwrap_or_default().trim()
    }

    /// A number at a column that is within a range.
    pub(crate) fn number<T>(
        &self,
        at: usize,
        name: &str,
        within: std::ops::RangeInclusive<T>,
    ) -> Result<T, Error>
    where
        T: FromStr + PartialOrd + fmt::Display,
    {
        let field = self.field(at);
        match field.parse::<T>() {
            Ok(number) if within.contains(&number) => Ok(number),
            Ok(number) => {
                let problem = format!("{number} is not within {} to {}", within.start(), within.end());
                Err(self.wrong(at, name, problem, "correct the value or remove the line"))
            }
            Err(_) if field.is_empty() => {
                Err(self.wrong(at, name, "is missing", "give a number or remove the line"))
            }
            Err(_) => {
                let problem = format!("`{field}` is not a number of this kind");
                Err(self.wrong(at, name, problem, "give a number or remove the line"))
            }
        }
    }
}
