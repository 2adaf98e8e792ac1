//! What a connection goes by: for whom it may speak, and for how long.

use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tonic::Status;

/// Something that bytes come and go by, and what is known of whoever is at the other end.
pub trait Socket: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// What it goes by.
    type Pass: Pass;

    /// What this connection goes by.
    fn pass(&self) -> &Self::Pass;
}

/// What a connection goes by; clones are of the same connection.
pub trait Pass: Clone + Send + Sync + 'static {
    /// The nodes that it may speak for.
    fn nodes(&self) -> &Nodes;

    /// Ready, with what to tell the client, when the connection must end. Otherwise the task is woken when it must.
    fn poll_lost(&self, context: &Context<'_>) -> Poll<Status>;
}

/// Nodes that a connection may speak for: any by default.
#[derive(Clone, Debug, Default)]
pub struct Nodes(Option<Arc<[String]>>);

impl Nodes {
    /// These and no other.
    pub fn only(names: impl Iterator<Item = String>) -> Nodes {
        Nodes(Some(names.collect()))
    }

    /// Whether some nodes are not among them.
    pub(super) fn are_some(&self) -> bool {
        self.0.is_some()
    }

    /// Refuses to hear one that is not among them.
    pub(crate) fn check(&self, node: &str) -> Result<(), Status> {
        let Some(names) = self.0.as_deref().filter(|names| names.iter().all(|name| name != node)) else {
            return Ok(());
        };
        let named = if names.is_empty() { "no node".to_owned() } else { names.join(", ") };
        let text = format!(
            "this is said to be node {node}, and its certificate names {named}; give it one with spiffe://ostler/node/{node} among its names"
        );
        Err(Status::permission_denied(text))
    }
}

/// Of whoever came without TLS.
#[derive(Clone, Copy, Debug)]
pub struct Unknown;

impl Pass for Unknown {
    fn nodes(&self) -> &Nodes {
        const { &Nodes(None) }
    }

    #[inline]
    fn poll_lost(&self, _: &Context<'_>) -> Poll<Status> {
        Poll::Pending
    }
}

impl Socket for TcpStream {
    type Pass = Unknown;

    #[inline]
    fn pass(&self) -> &Unknown {
        &Unknown
    }
}

#[cfg(test)]
impl Socket for tokio::io::DuplexStream {
    type Pass = Unknown;

    fn pass(&self) -> &Unknown {
        &Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_speaks_for_the_nodes_of_its_certificate_only() {
        let nodes = Nodes::only(["a".to_owned(), "b".to_owned()].into_iter());
        assert!(nodes.check("b").is_ok() && Nodes::default().check("c").is_ok());
        let refused = nodes.check("c").unwrap_err();
        assert_eq!(refused.code(), tonic::Code::PermissionDenied);
        assert!(refused.message().contains("names a, b"), "{}", refused.message());
        let refused = Nodes::only(std::iter::empty()).check("c").unwrap_err();
        assert!(refused.message().contains("names no node"), "{}", refused.message());
    }
}
