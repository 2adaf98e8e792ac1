//! A run: one loop over events in order of time, and of their making where times are equal.
//!
//! ```text
//! arrival -> router -> engine -> answer        every second: sample engines    every 15 s: observe, decide, start and drain
//! ```
//!
//! The files of the folder hold the parts: `queue` the events, `fleet` replicas and nodes, `scale` their phases, `flights` the requests
//! in the system, `faults` what breaks, `watch` what the policy sees.

mod faults;
mod fleet;
mod flights;
mod queue;
mod scale;
mod watch;

use std::collections::VecDeque;
use std::time::Duration;

use self::fleet::Fleet;
use self::flights::Flights;
use self::queue::{Event, Queue};
use crate::outcome::{Outcome, Requests, Served, Tally};
use crate::replica::Finished;
use crate::router::Router;
use crate::scaler::{Scaler, Wanted};
use crate::setup::{Setup, SetupError};
use crate::telemetry::Channel;
use crate::time::SimTime;
use crate::trace;

/// Why a run did not end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not begin.
    #[error("the setup cannot run")]
    Setup(#[from] SetupError),
    /// Its requests could not be read.
    #[error("the trace cannot be read")]
    Trace(#[from] trace::Error),
    /// Its requests went back in time.
    #[error("a request at {at_s} s comes after one at {after_s} s; sort them by arrival")]
    Order {
        /// The later in the trace.
        at_s: f64,
        /// The one before.
        after_s: f64,
    },
}

/// Runs requests through a pool under a policy, and tells each answer to `sink` as it is complete.
///
/// At its end it asserts that every request that arrived finished, failed, or is still in the system.
pub fn run(
    setup: &Setup,
    requests: impl Iterator<Item = Result<trace::Request, trace::Error>>,
    scaler: &mut dyn Scaler,
    sink: &mut dyn FnMut(&Served),
) -> Result<Outcome, Error> {
    setup.check()?;
    let mut world = World::new(setup);
    world.begin();
    let mut requests = requests.fuse();
    world.expect_arrival(&mut requests)?;
    while let Some(event) = world.next_event() {
        match event {
            Event::Arrival(request) => {
                world.arrive(request);
                world.expect_arrival(&mut requests)?;
            }
            Event::Advance { member, version } => world.advance(member, version, sink),
            Event::Phase { member, version } => world.next_phase(member, version),
            Event::DrainEnds { member } => world.end_drain(member),
            Event::Noticed { member } => world.notice_death(member),
            Event::Scripted(fault) => world.strike(fault),
            Event::NodeDies { node } => world.lose_node(node),
            Event::SpotNotice { node } => world.warn_node(node),
            Event::ZoneBack { zone } => world.return_zone(zone),
            Event::Sample => world.sample(),
            Event::Decide => world.decide(scaler),
        }
    }
    Ok(world.end(scaler.name()))
}

/// Everything that changes in a run.
struct World<'a> {
    setup: &'a Setup,
    now: SimTime,
    queue: Queue,
    fleet: Fleet,
    flights: Flights,
    router: Router,
    channel: Channel,
    tally: Tally,
    wanted: Wanted,
    /// Requests that wait for any replica to serve, as of the last sample.
    gateway_seen: u64,
    /// The latest, oldest first.
    start_times: VecDeque<Duration>,
    /// Arrival of the latest request read from the trace.
    last_arrival: SimTime,
    /// Whether the trace has been read to its end.
    all_arrived: bool,
    unplaced: u64,
    /// Used by each advance, so that it is allocated once.
    finished: Vec<Finished>,
}

impl<'a> World<'a> {
    fn new(setup: &'a Setup) -> World<'a> {
        World {
            setup,
            now: SimTime::ZERO,
            queue: Queue::default(),
            fleet: Fleet::new(setup),
            flights: Flights::default(),
            router: Router::new(setup.routing),
            channel: Channel::new(setup.telemetry.clone(), setup.seed),
            tally: Tally::new(),
            wanted: setup.initial,
            gateway_seen: 0,
            start_times: VecDeque::new(),
            last_arrival: SimTime::ZERO,
            all_arrived: false,
            unplaced: 0,
            finished: Vec::new(),
        }
    }

    fn begin(&mut self) {
        self.place_initial();
        for (at, fault) in &self.setup.faults.scripted {
            self.queue.push(*at, Event::Scripted(*fault));
        }
        self.queue.push(SimTime::ZERO + self.setup.telemetry.period, Event::Sample);
        self.queue.push(SimTime::ZERO + self.setup.decide_every, Event::Decide);
    }

    /// Moves on to the next event; none when the run is over.
    fn next_event(&mut self) -> Option<Event> {
        if self.all_arrived && self.flights.is_empty() {
            return None;
        }
        let (at, event) = self.queue.pop()?;
        let end = self.last_arrival + self.setup.settle_max;
        if self.all_arrived && at > end {
            self.now = end.max(self.now);
            return None;
        }
        assert!(at >= self.now, "time never goes back");
        self.now = at;
        Some(event)
    }

    fn expect_arrival(
        &mut self,
        requests: &mut impl Iterator<Item = Result<trace::Request, trace::Error>>,
    ) -> Result<(), Error> {
        let Some(request) = requests.next().transpose()? else {
            self.all_arrived = true;
            return Ok(());
        };
        if request.arrival < self.last_arrival {
            let (at_s, after_s) = (request.arrival.as_seconds(), self.last_arrival.as_seconds());
            return Err(Error::Order { at_s, after_s });
        }
        self.last_arrival = request.arrival;
        self.queue.push(request.arrival, Event::Arrival(request));
        Ok(())
    }

    fn end(mut self, scaler: &str) -> Outcome {
        self.tally.requests.in_flight = self.flights.len();
        let Requests { arrived, finished, in_flight, aborted, .. } = self.tally.requests;
        assert_eq!(arrived, finished + in_flight + aborted.total(), "requests are conserved");
        let bill = self.fleet.close(self.now);
        let replica_hours = bill.used_seconds / 3600.0;
        let known = Outcome {
            scaler: scaler.to_owned(),
            ended: self.now,
            replica_hours,
            gpu_hours: replica_hours * f64::from(self.setup.profile.gpus),
            cost: bill.cost,
            replicas_max: bill.replicas_max,
            unplaced: self.unplaced,
            preemptions: bill.preemptions,
            ..Outcome::default()
        };
        self.tally.outcome(known)
    }
}
