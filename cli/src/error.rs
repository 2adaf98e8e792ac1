//! What can go wrong for an operator, each with an exit code and what to do next.

use std::io;
use std::process::ExitCode;

/// A failed command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The command line asks for something that makes no sense.
    #[error("{0}")]
    Usage(String),
    /// Nobody answers.
    #[error(
        "no coordinator answers at {server} ({reason}): start one with `ostler up`, or name another with --server"
    )]
    Unavailable {
        /// The address that was tried.
        server: String,
        /// What the attempt ended with.
        reason: String,
    },
    /// The coordinator refused, or something failed here.
    #[error("{0}")]
    Failed(String),
    /// Output or input failed.
    #[error("cannot write the output")]
    Io(#[from] io::Error),
}

/// Exit code of a usage error.
const USAGE: u8 = 2;

/// Exit code when no coordinator answers.
const UNAVAILABLE: u8 = 3;

impl Error {
    /// What the process ends with. A reader that has seen enough (`ostler get nodes | head`) is no failure.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Error::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Error::Usage(_) => ExitCode::from(USAGE),
            Error::Unavailable { .. } => ExitCode::from(UNAVAILABLE),
            Error::Failed(_) | Error::Io(_) => ExitCode::FAILURE,
        }
    }

    /// What to print on stderr, with the causes; nothing when there is nothing to say.
    pub(crate) fn explain(&self) -> Option<String> {
        match self {
            Error::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => None,
            Error::Io(error) => Some(format!("ostler: {self}: {error}")),
            Error::Usage(_) | Error::Unavailable { .. } | Error::Failed(_) => Some(format!("ostler: {self}")),
        }
    }

    /// An error of this process, with its chain of causes in one line.
    pub(crate) fn failed(error: &anyhow::Error) -> Error {
        Error::Failed(format!("{error:#}"))
    }

    /// The coordinator's answer in an operator's words.
    pub(crate) fn from_status(status: &tonic::Status, server: &str) -> Error {
        let message = crate::output::units::clean(status.message());
        match status.code() {
            tonic::Code::Unavailable | tonic::Code::DeadlineExceeded | tonic::Code::Cancelled => {
                Error::Unavailable { server: server.to_owned(), reason: message }
            }
            tonic::Code::InvalidArgument => Error::Usage(message),
            tonic::Code::Unimplemented => Error::Failed(format!(
                "{server} cannot do this ({message}): is it an Ostler coordinator of this version?"
            )),
            tonic::Code::Ok
            | tonic::Code::Unknown
            | tonic::Code::NotFound
            | tonic::Code::AlreadyExists
            | tonic::Code::PermissionDenied
            | tonic::Code::ResourceExhausted
            | tonic::Code::FailedPrecondition
            | tonic::Code::Aborted
            | tonic::Code::OutOfRange
            | tonic::Code::Internal
            | tonic::Code::DataLoss
            | tonic::Code::Unauthenticated => Error::Failed(message),
        }
    }
}
