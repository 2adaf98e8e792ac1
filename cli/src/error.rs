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
    /// The coordinator answers that it cannot do it now.
    #[error("{0}")]
    NotNow(String),
    /// An order of which it is not known whether it was carried out.
    #[error("{error}\nthe same order again, without a second effect: add --request-id {request_id}")]
    Order {
        /// What went wrong.
        error: Box<Error>,
        /// The order's name.
        request_id: String,
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
            Error::Unavailable { .. } | Error::NotNow(_) => ExitCode::from(UNAVAILABLE),
            Error::Order { error, .. } => error.exit_code(),
            Error::Failed(_) | Error::Io(_) => ExitCode::FAILURE,
        }
    }

    /// What to print on stderr, with the causes; nothing when there is nothing to say.
    pub(crate) fn explain(&self) -> Option<String> {
        match self {
            Error::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => None,
            Error::Io(error) => Some(format!("ostler: {self}: {error}")),
            Error::Usage(_)
            | Error::Unavailable { .. }
            | Error::NotNow(_)
            | Error::Order { .. }
            | Error::Failed(_) => Some(format!("ostler: {self}")),
        }
    }

    /// An error of this process, with its chain of causes in one line.
    pub(crate) fn failed(error: &anyhow::Error) -> Error {
        Error::Failed(format!("{error:#}"))
    }

    /// The coordinator's answer in an operator's words.
    pub(crate) fn from_status(status: &tonic::Status, server: &str) -> Error {
        let message = crate::output::units::clean(status.message());
        // What comes from the connection, and not from the other side, has a cause.
        let cause = std::error::Error::source(status);
        let answered = cause.is_none();
        let of_transport = [tonic::Code::Unknown, tonic::Code::Unavailable, tonic::Code::Cancelled];
        if let Some(cause) = cause.filter(|_| of_transport.contains(&status.code())) {
            return Error::Unavailable {
                server: server.to_owned(),
                reason: crate::client::reason(server, cause),
            };
        }
        match status.code() {
            tonic::Code::Unavailable if answered => {
                Error::NotNow(format!("{server} cannot do it now: {message}"))
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_not_told_as_if_there_were_none() {
        let status = tonic::Status::unavailable("it is not known");
        let error = Error::from_status(&status, "http://host:7400");
        assert_eq!(error.to_string(), "http://host:7400 cannot do it now: it is not known");
        let order = Error::Order { error: Box::new(error), request_id: "abc".to_owned() };
        assert!(order.to_string().ends_with("--request-id abc"));
        let broken = tonic::Status::from_error(Box::new(io::Error::from(io::ErrorKind::ConnectionReset)));
        assert!(std::error::Error::source(&broken).is_some());
    }
}
