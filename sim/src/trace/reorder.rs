//! Adapters over recorded requests: into order of arrival, more or fewer of them, and a part of the time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rand::RngExt;

use super::{Error, Options, Request};
use crate::random;
use crate::time::{SimTime, Span};

/// Most requests held to be brought into order, some 50 bytes each: a tick of three seconds at 300,000 a second.
const HELD_MAX: usize = 1_000_000;

/// Repeats of a scaled request come within this time after it.
const REPEAT_WITHIN: Span = Span::from_seconds(1);

/// A request and when the file says it was: never after its arrival, and never before that of the request before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raw {
    pub(super) request: Request,
    pub(super) recorded: SimTime,
}

impl Raw {
    /// One that arrives when the file says.
    pub(super) fn settled(request: Request) -> Raw {
        Raw { request, recorded: request.arrival }
    }
}

/// Requests ordered by arrival. Holds those that one still to be read may precede: what lies within one tick.
pub(super) struct ByArrival<I> {
    raw: I,
    /// With their number in the file, so that equal times keep their order.
    held: BinaryHeap<Reverse<(SimTime, u64, Request)>>,
    read: u64,
    /// Nothing that is still to be read arrives before this; none once all is read.
    settled: Option<SimTime>,
    /// Told after what was read before it.
    error: Option<Error>,
}

/// Orders them.
pub(super) fn by_arrival<I: Iterator<Item = Result<Raw, Error>>>(raw: I) -> ByArrival<I> {
    ByArrival { raw, held: BinaryHeap::new(), read: 0, settled: Some(SimTime::ZERO), error: None }
}

impl<I: Iterator<Item = Result<Raw, Error>>> ByArrival<I> {
    fn read_one(&mut self) {
        match self.raw.next() {
            Some(Ok(_)) if self.held.len() == HELD_MAX => {
                self.error = Some(Error::Crowded(HELD_MAX));
                self.settled = None;
            }
            Some(Ok(Raw { request, recorded })) => {
                self.read += 1;
                self.settled = Some(recorded);
                self.held.push(Reverse((request.arrival, self.read, request)));
            }
            Some(Err(error)) => {
                self.error = Some(error);
                self.settled = None;
            }
            None => self.settled = None,
        }
    }
}

impl<I: Iterator<Item = Result<Raw, Error>>> Iterator for ByArrival<I> {
    type Item = Result<Request, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(settled) = self.settled {
            if self.held.peek().is_some_and(|Reverse((arrival, ..))| *arrival <= settled) {
                break;
            }
            self.read_one();
        }
        match self.held.pop() {
            Some(Reverse((_, _, request))) => Some(Ok(request)),
            None => self.error.take().map(Err),
        }
    }
}

/// As many times the requests.
pub(super) fn scaled(
    requests: impl Iterator<Item = Result<Request, Error>>,
    options: Options,
) -> impl Iterator<Item = Result<Raw, Error>> {
    let mut stream = random::stream(options.seed, "rate scale", [0, 0]);
    let whole = options.rate_scale.floor();
    requests.flat_map(move |request| {
        let original = match request {
            Ok(original) => original,
            Err(error) => return vec![Err(error)],
        };
        let copies = whole as u64 + u64::from(stream.random::<f64>() < options.rate_scale - whole);
        let copy = |number| {
            let late = if number == 0 { 0.0 } else { stream.random::<f64>() * REPEAT_WITHIN.as_seconds() };
            let arrival = original.arrival + Span::clamped_from_seconds(late);
            Ok(Raw { request: Request { arrival, ..original }, recorded: original.arrival })
        };
        (0..copies).map(copy).collect()
    })
}

/// What lies in the cut, counted from its start.
pub(super) fn cut(
    requests: impl Iterator<Item = Result<Request, Error>>,
    options: Options,
) -> impl Iterator<Item = Result<Request, Error>> {
    let (from, until) = (SimTime::after(options.from), SimTime::after(options.until));
    requests
        .skip_while(move |request| request.as_ref().is_ok_and(|it| it.arrival < from))
        .take_while(move |request| request.as_ref().map_or(true, |it| it.arrival < until))
        .map(move |request| {
            request.map(|it| Request { arrival: SimTime::after(it.arrival.since(from)), ..it })
        })
}
