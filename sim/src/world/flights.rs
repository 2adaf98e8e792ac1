//! Requests in the system: routed, answered, lost and sent again.

use std::collections::VecDeque;

use super::World;
use super::queue::Event;
use crate::lifecycle::Phase;
use crate::outcome::Served;
use crate::replica::{Finished, Job, Refused, RequestId};
use crate::router::{Candidate, Routing};
use crate::setup::Setup;
use crate::time::Span;
use crate::trace::Request;

/// A request that has arrived and has no complete answer.
#[derive(Clone, Copy, Debug)]
struct Flight {
    request: Request,
    /// What the router counted for it.
    work: Span,
    /// Times it was lost with a replica.
    retries: u32,
    /// Whether it arrived while a replica that was wanted did not serve yet.
    exposed: bool,
}

/// All of them, by number, with numbers used again.
#[derive(Debug, Default)]
pub(super) struct Flights {
    flights: Vec<Option<Flight>>,
    free: Vec<u32>,
    /// Those that wait before any engine because none serves.
    gateway: VecDeque<RequestId>,
}

/// Why requests were lost with their replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    Death,
    DrainTooLong,
}

impl Flights {
    pub(super) fn len(&self) -> u64 {
        (self.flights.len() - self.free.len()) as u64
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn at_gateway(&self) -> u64 {
        self.gateway.len() as u64
    }

    fn add(&mut self, flight: Flight) -> RequestId {
        if let Some(free) = self.free.pop() {
            self.flights[free as usize] = Some(flight);
            return RequestId(free);
        }
        self.flights.push(Some(flight));
        RequestId(u32::try_from(self.flights.len() - 1).expect("the setup bounds them by 32 bits"))
    }

    fn get(&mut self, id: RequestId) -> &mut Flight {
        self.flights[id.0 as usize].as_mut().expect("a request in the system is known")
    }

    fn take(&mut self, id: RequestId) -> Flight {
        self.free.push(id.0);
        self.flights[id.0 as usize].take().expect("a request in the system is known")
    }
}

impl World<'_> {
    pub(super) fn arrive(&mut self, request: Request) {
        self.tally.requests.arrived += 1;
        let Setup { profile, objective, .. } = self.setup;
        let alone = profile.ttft_alone(u64::from(request.input_tokens));
        self.tally.requests.hopeless += u64::from(alone > objective.ttft_max(&request, profile));
        if self.flights.len() >= u64::from(self.setup.in_flight_max) {
            self.tally.requests.aborted.rejected += 1;
            return;
        }
        let exposed = self.fleet.is_starting();
        let id = self.flights.add(Flight { request, work: Span::ZERO, retries: 0, exposed });
        self.route(id);
    }

    /// Sends a request to a replica, or lets it wait until one serves.
    fn route(&mut self, id: RequestId) {
        let now = self.now;
        let ready = self.fleet.members.iter_mut().filter(|(_, member)| member.phase == Phase::Ready);
        let by_kv = self.setup.routing == Routing::LeastKv;
        let candidates = ready.map(|(number, member)| {
            let engine = member.engine.as_mut().filter(|_| by_kv);
            let kv_blocks = engine.map_or(0, |engine| {
                engine.catch_up(now);
                engine.kv_blocks_wanted()
            });
            Candidate { member: *number, work: member.work, kv_blocks }
        });
        match self.router.choose(candidates) {
            Some(member) => self.submit(id, member),
            None => self.flights.gateway.push_back(id),
        }
    }

    fn submit(&mut self, id: RequestId, number: u64) {
        let answer_tokens = self.router.answer_tokens();
        let flight = self.flights.get(id);
        let Request { input_tokens, output_tokens, .. } = flight.request;
        flight.work = self.setup.profile.work(u64::from(input_tokens), answer_tokens);
        let member = self.fleet.members.get_mut(&number).expect("the router chose it");
        let engine = member.engine.as_mut().expect("what is ready has an engine");
        let job = Job { id, prompt_tokens: input_tokens, output_tokens };
        match engine.submit(job, self.now) {
            Ok(()) => {
                member.in_flight += 1;
                member.work += flight.work;
                self.expect_advance(number);
            }
            Err(Refused::TooLong) => {
                self.tally.requests.aborted.too_long += 1;
                self.flights.take(id);
            }
        }
    }

    /// Tells the queue when an engine is due, if that has changed.
    fn expect_advance(&mut self, number: u64) {
        let Some(member) = self.fleet.members.get_mut(&number) else { return };
        let due = member.engine.as_ref().and_then(|engine| engine.due());
        if due == member.due {
            return;
        }
        member.due = due;
        member.version = member.version.wrapping_add(1);
        if let Some(due) = due {
            self.queue.push(due, Event::Advance { member: number, version: member.version });
        }
    }

    pub(super) fn advance(&mut self, number: u64, version: u32, sink: &mut dyn FnMut(&Served)) {
        let Some(member) = self.fleet.members.get_mut(&number).filter(|it| it.version == version) else {
            return;
        };
        let Some(engine) = member.engine.as_mut() else { return };
        let mut finished = std::mem::take(&mut self.finished);
        member.due = None;
        engine.advance(self.now, &mut finished);
        for answer in finished.drain(..) {
            self.finish(number, &answer, sink);
        }
        self.finished = finished;
        self.expect_advance(number);
        let drained = |phase, in_flight| phase == Phase::Draining && in_flight == 0;
        if self.fleet.members.get(&number).is_some_and(|it| drained(it.phase, it.in_flight)) {
            self.dismiss(number);
        }
    }

    fn finish(&mut self, number: u64, answer: &Finished, sink: &mut dyn FnMut(&Served)) {
        let flight = self.flights.take(answer.id);
        let member = self.fleet.members.get_mut(&number).expect("it has just answered");
        member.in_flight -= 1;
        member.work = Span::from_picos(member.work.as_picos() - flight.work.as_picos());
        let request = flight.request;
        self.router.answered(request.output_tokens);
        let gaps = u64::from(request.output_tokens - 1).max(1);
        let decoding = answer.last_token.since(answer.first_token);
        let served = Served {
            request,
            ttft: answer.first_token.since(request.arrival),
            itl_mean: Span::from_picos(decoding.as_picos() / gaps),
            itl_max: answer.gap_max,
            total: answer.last_token.since(request.arrival),
            retries: flight.retries,
            exposed: flight.exposed,
        };
        self.tally.served(&served, &self.setup.objective, &self.setup.profile);
        sink(&served);
    }

    /// Sends what waits at the gateway to a replica that has just begun to serve.
    pub(super) fn flush_gateway(&mut self) {
        for id in std::mem::take(&mut self.flights.gateway) {
            self.route(id);
        }
    }

    /// Takes the requests of a replica away, and sends them elsewhere if they may begin anew.
    pub(super) fn interrupt(&mut self, number: u64, loss: Loss) {
        let Some(member) = self.fleet.members.get_mut(&number) else { return };
        let Some(engine) = member.engine.as_mut() else { return };
        let lost = engine.abort();
        member.version = member.version.wrapping_add(1);
        member.due = None;
        member.in_flight = 0;
        member.work = Span::ZERO;
        self.tally.interrupted += lost.len() as u64;
        for id in lost {
            self.retry(id, loss, self.setup);
        }
    }

    fn retry(&mut self, id: RequestId, loss: Loss, setup: &Setup) {
        let flight = self.flights.get(id);
        if flight.retries < setup.retries_max {
            flight.retries += 1;
            self.tally.requests.retried += 1;
            self.route(id);
            return;
        }
        self.flights.take(id);
        let aborted = &mut self.tally.requests.aborted;
        match loss {
            Loss::Death => aborted.lost += 1,
            Loss::DrainTooLong => aborted.drained += 1,
        }
    }
}
