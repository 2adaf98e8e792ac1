//! What a connection under TLS goes by.

use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::Status;

use super::trust::{Shown, Trust};
use crate::ingest::{Nodes, Pass};

/// Of one connection; clones are of the same one.
#[derive(Clone)]
pub(crate) struct Certified {
    nodes: Nodes,
    entered: Option<Arc<Entered>>,
}

/// Takes the connection off the list when it is gone.
struct Entered {
    shown: Arc<Shown>,
    trust: Arc<Trust>,
}

impl Certified {
    pub(super) fn new(nodes: Nodes, entered: Option<(Arc<Shown>, Arc<Trust>)>) -> Certified {
        Certified { nodes, entered: entered.map(|(shown, trust)| Arc::new(Entered { shown, trust })) }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.trust.leave(&self.shown);
    }
}

impl Pass for Certified {
    fn nodes(&self) -> &Nodes {
        &self.nodes
    }

    fn poll_lost(&self, context: &Context<'_>) -> Poll<Status> {
        let Some(entered) = &self.entered else { return Poll::Pending };
        entered.shown.waker.register(context.waker());
        let Some(reason) = entered.shown.lost.get() else { return Poll::Pending };
        let text =
            format!("the certificate of this connection counts no more ({reason}); connect with another");
        Poll::Ready(Status::unauthenticated(text))
    }
}
