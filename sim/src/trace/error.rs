//! What is wrong with a trace, where, and what to do about it.

use std::io;
use std::path::Path;

/// A trace that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file itself.
    #[error("{file}: cannot be read; check the path and that it is plain text or gzip")]
    File {
        /// As given.
        file: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A place in it.
    #[error("{file}:{line}: {column}: {problem}; {remedy}")]
    Place {
        /// As given.
        file: String,
        /// From 1.
        line: u64,
        /// For example `column 2 (input_tokens)`.
        column: String,
        /// What is there.
        problem: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Too many requests at once to be brought into order.
    #[error("more than {0} requests lie within one tick of the trace; cut it, or scale it down")]
    Crowded(usize),
    /// The file as a whole.
    #[error("{file}: {problem}; {remedy}")]
    Whole {
        /// As given.
        file: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: &'static str,
    },
}

impl Error {
    pub(crate) fn file(file: &Path, source: io::Error) -> Error {
        Error::File { file: file.display().to_string(), source }
    }

    pub(crate) fn whole(file: &Path, problem: impl Into<String>, remedy: &'static str) -> Error {
        Error::Whole { file: file.display().to_string(), problem: problem.into(), remedy }
    }
}
