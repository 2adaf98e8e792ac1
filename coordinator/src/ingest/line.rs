//! The way back to an agent: what other tasks want its stream to send, and the order to end.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Context;

use futures_util::task::AtomicWaker;
use ostler_core::id::{NodeKey, Session};
use ostler_proto::v1;
use tonic::Status;

/// Messages that wait for a stream to send them. Commands are rare; an agent that takes none for so long is gone.
const WAITING_MAX: usize = 16;

/// All open streams.
#[derive(Default)]
pub(super) struct Lines {
    open: Arc<AtomicUsize>,
    by_node: Mutex<BTreeMap<NodeKey, (Session, Arc<Line>)>>,
}

/// Counts one open stream until it is dropped.
pub(super) struct Permit(Arc<AtomicUsize>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Lines {
    /// Counts one more stream, unless there are `limit` already.
    pub(super) fn admit(&self, limit: usize) -> Option<Permit> {
        let more = |open| (open < limit).then_some(open + 1);
        self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Permit(Arc::clone(&self.open)))
    }

    /// Streams that are open.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Makes `line` the one of its node. A line that the node had before ends: the agent opened another because it lost
    /// that one, and a connection that died silently would stay for as long as TCP hopes.
    pub(super) fn enter(&self, session: Session, line: &Arc<Line>) {
        let mut lines = self.by_node.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, before)) = lines.insert(session.node, (session, Arc::clone(line))) {
            before.end(Ending::TakenOver);
        }
    }

    /// Ends all streams, because the server stops.
    pub(super) fn stop(&self) {
        let lines = self.by_node.lock().unwrap_or_else(PoisonError::into_inner);
        lines.values().for_each(|(_, line)| line.end(Ending::Stopping));
    }

    /// Has the stream of a node send a message; false when it has none, or takes no more.
    pub(super) fn send(&self, node: NodeKey, message: v1::CoordinatorMessage) -> bool {
        let lines = self.by_node.lock().unwrap_or_else(PoisonError::into_inner);
        lines.get(&node).is_some_and(|(_, line)| line.send(message))
    }

    /// Forgets the line of a stream that has ended.
    pub(super) fn leave(&self, session: Session) {
        let mut lines = self.by_node.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.get(&session.node).is_some_and(|(known, _)| *known == session) {
            lines.remove(&session.node);
        }
    }
}

/// What one stream is to send.
#[derive(Default)]
pub(super) struct Line {
    /// Set after something below has changed, so that a stream without news looks at one flag only.
    news: AtomicBool,
    ending: Mutex<Option<Ending>>,
    waiting: Mutex<VecDeque<v1::CoordinatorMessage>>,
    waker: AtomicWaker,
}

/// What [`Line::poll`] found.
pub(super) enum News {
    None,
    Send(Box<v1::CoordinatorMessage>),
    Ended(Ending),
}

/// Why others end a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The node opened another.
    TakenOver,
    /// The server stops.
    Stopping,
}

impl From<Ending> for Status {
    fn from(ending: Ending) -> Status {
        match ending {
            Ending::TakenOver => Status::aborted("another stream of this node took over"),
            Ending::Stopping => Status::unavailable("this replica is stopping; report to another"),
        }
    }
}

impl Line {
    /// Has the stream send a message; false when it takes no more.
    pub(super) fn send(&self, message: v1::CoordinatorMessage) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING_MAX {
            return false;
        }
        waiting.push_back(message);
        drop(waiting);
        self.tell();
        true
    }

    /// The next thing to do for the stream, which is woken when there is another.
    pub(super) fn poll(&self, context: &Context<'_>) -> News {
        self.waker.register(context.waker());
        if !self.news.load(Ordering::Acquire) {
            return News::None;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(message) = waiting.pop_front() {
            return News::Send(Box::new(message));
        }
        // Whoever ends the stream says so before it raises the flag, so that looking after lowering it misses nothing.
        self.news.store(false, Ordering::Release);
        drop(waiting);
        let ending = *self.ending.lock().unwrap_or_else(PoisonError::into_inner);
        ending.map_or(News::None, News::Ended)
    }

    fn end(&self, why: Ending) {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        self.tell();
    }

    fn tell(&self) {
        self.news.store(true, Ordering::Release);
        self.waker.wake();
    }
}
