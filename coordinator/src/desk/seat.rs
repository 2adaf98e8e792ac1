//! The desk of a term with what lies beside it: the last look, orders without an answer, and what the executor is to be
//! asked.

use std::collections::{BTreeSet, VecDeque};

use ostler_core::action::ActionId;
use ostler_core::desk::{Answer, Batch, Desk, Look, OrderRefusal, Request};

use super::counter::{Refusal, Slip};
use super::load::Unread;

/// Calls and looks that are on their way to the executor at a time: a service that is down is not met with thousands.
const ERRANDS_MAX: usize = 32;

/// Orders that wait for one write: each is an entry or two of the audit log, and a transaction has room for so many.
const ORDERS_MAX: usize = 8;

/// The desk of a term.
pub(super) struct Seat {
    pub(super) desk: Desk,
    pub(super) look: Look,
    /// Orders whose write has not been answered.
    pub(super) waiting: Vec<(u64, Box<str>, Slip)>,
    /// The number of what is asked of the store.
    asked: Option<u64>,
    /// What keeps the desk from beginning.
    pub(super) unread: Option<Unread>,
    pub(super) queue: Queue,
    /// The store says that the term is over, which the election finds out in a moment.
    pub(super) over: bool,
    /// The batch that is being written, to be logged once it is.
    writing: Option<Batch>,
}

impl Seat {
    pub(super) fn new(desk: Desk) -> Seat {
        Seat {
            desk,
            look: Look::default(),
            waiting: Vec::new(),
            asked: None,
            unread: None,
            queue: Queue::default(),
            over: false,
            writing: None,
        }
    }

    /// Whether an order would be answered now: one that is repeated must not be taken as stored while its write is on its
    /// way, and a write has room for few.
    pub(super) fn takes_orders(&self) -> bool {
        self.over || self.asked.is_none() && self.waiting.len() < ORDERS_MAX
    }

    /// Steps the desk by the last look, and gives what is to be asked of the store.
    pub(super) fn step(&mut self) -> Vec<Request> {
        let mut of_store = Vec::new();
        for request in self.desk.step(&self.look, self.look.scene.at) {
            match &request {
                Request::Load { number } => self.asked = Some(*number),
                Request::Write(batch) => {
                    (self.asked, self.writing) = (Some(batch.number), Some(batch.clone()));
                }
                Request::Call(_) | Request::Look { .. } => {
                    self.queue.push(request);
                    continue;
                }
            }
            of_store.push(request);
        }
        of_store
    }

    /// Takes an answer; gives the batch that it says is stored.
    pub(super) fn hear(&mut self, answer: Answer) -> Option<Batch> {
        let mut written = None;
        match &answer {
            Answer::Written { number, .. } => {
                written = self.writing.take_if(|batch| batch.number == *number);
                self.asked.take_if(|asked| asked == number);
                self.settle(*number, Ok);
            }
            Answer::Unknown { number } | Answer::Loaded { number, .. } => {
                self.asked.take_if(|asked| asked == number);
                self.writing.take_if(|batch| batch.number == *number);
                self.settle(*number, |_| Err(Refusal::Unknown));
            }
            Answer::Told { .. } => {}
        }
        self.desk.hear(answer);
        written
    }

    /// Answers orders whose write was this one, or an earlier one.
    pub(super) fn settle(&mut self, number: u64, answer: impl Fn(Box<str>) -> Result<Box<str>, Refusal>) {
        let waiting = std::mem::take(&mut self.waiting);
        let (settled, waiting): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|(write, ..)| *write <= number);
        self.waiting = waiting;
        for (_, message, slip) in settled {
            slip.answer(answer(message));
        }
    }

    /// Takes an order, or tells what it would do.
    pub(super) fn serve(&mut self, slip: Slip) {
        let taken = if slip.dry_run {
            self.desk.rehearse(&slip.order).map(|message| (message, None))
        } else {
            let taken = self.desk.order(&slip.order, self.look.scene.at);
            taken.map(|taken| (taken.message, taken.write))
        };
        match (taken, &self.unread) {
            (Ok((message, Some(write))), _) => self.waiting.push((write, message, slip)),
            (Ok((message, None)), _) => slip.answer(Ok(message)),
            (Err(OrderRefusal::NotReady), Some(unread)) => slip.answer(Err(Refusal::Unread(unread.clone()))),
            (Err(refusal), _) => slip.answer(Err(Refusal::Order(refusal))),
        }
    }
}

/// What the executor is to be asked, oldest first.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Request>,
    /// Actions that wait in it.
    queued: BTreeSet<ActionId>,
    /// Actions that are asked about or called now.
    out: BTreeSet<ActionId>,
}

impl Queue {
    /// Puts a call or a look at the end. A look at what waits or is asked already is left out: the desk wants another soon.
    fn push(&mut self, request: Request) {
        let Some(id) = action_of(&request) else { return };
        let repeated = self.out.contains(&id) || self.queued.contains(&id);
        if !(repeated && matches!(request, Request::Look { .. })) {
            self.queued.insert(id);
            self.waiting.push_back(request);
        }
    }

    /// The next that may go out, after which [`Queue::back`] is to be called. One about an action that is out waits.
    pub(super) fn next(&mut self) -> Option<(ActionId, Request)> {
        if self.out.len() >= ERRANDS_MAX {
            return None;
        }
        let free = |it: &Request| action_of(it).is_some_and(|id| !self.out.contains(&id));
        let request = self.waiting.iter().position(free).and_then(|at| self.waiting.remove(at))?;
        let id = action_of(&request)?;
        self.queued.remove(&id);
        self.out.insert(id);
        Some((id, request))
    }

    /// What went out is answered, or never will be.
    pub(super) fn back(&mut self, id: ActionId) {
        self.out.remove(&id);
    }
}

fn action_of(request: &Request) -> Option<ActionId> {
    match request {
        Request::Call(call) => Some(call.id),
        Request::Look { id, .. } => Some(*id),
        Request::Load { .. } | Request::Write(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use ostler_core::id::Term;

    use super::*;

    fn look(number: usize) -> Request {
        Request::Look { id: id(number), term: Term(1) }
    }

    fn id(number: usize) -> ActionId {
        ActionId::from_hex(&format!("{number:064x}")).unwrap()
    }

    #[test]
    fn few_are_out_at_a_time_the_oldest_first_and_each_once() {
        let mut queue = Queue::default();
        for number in (0..100).chain(0..100) {
            queue.push(look(number));
        }
        let mut next = || queue.next().map(|(id, _)| id);
        for number in 0..ERRANDS_MAX {
            assert_eq!(next(), Some(id(number)));
        }
        assert_eq!(next(), None);
        queue.push(look(3));
        queue.back(id(3));
        assert_eq!(queue.next().map(|(id, _)| id), Some(id(ERRANDS_MAX)));
        assert_eq!(queue.waiting.len(), 100 - ERRANDS_MAX - 1);
    }
}
