//! What happened when, for plots: load, replicas and misses in equal slices of the trace.

use serde::Serialize;

use crate::scaler::{Observation, Scaler, Wanted};
use crate::time::{SimTime, Span};
use crate::trace::Request;

/// Slices of a timeline: more than a plot has room for.
pub const SLICES: usize = 480;

/// A run in slices.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Timeline {
    /// Seconds of each slice.
    pub slice_seconds: f64,
    /// Requests that arrived, a second.
    pub requests_per_second: Vec<f64>,
    /// Requests that were not answered within the objective, by when they arrived; those that failed or had no answer when
    /// the run ended are among them.
    pub missed: Vec<u32>,
    /// Replicas that served, on average.
    pub ready: Vec<f64>,
    /// Replicas that were wanted, on average.
    pub wanted: Vec<f64>,
}

impl Timeline {
    /// With the arrivals of a trace, which is in order. All of them count as missed until they are met.
    pub(crate) fn of(requests: &[Request]) -> Timeline {
        let slice_seconds = (last(requests).as_seconds() / SLICES as f64).max(0.001);
        let mut timeline = Timeline {
            slice_seconds,
            requests_per_second: vec![0.0; SLICES],
            missed: vec![0; SLICES],
            ready: Vec::new(),
            wanted: Vec::new(),
        };
        for request in requests {
            let slice = timeline.slice(request.arrival);
            timeline.requests_per_second[slice] += 1.0 / slice_seconds;
            timeline.missed[slice] += 1;
        }
        timeline
    }

    /// Counts an answer within the objective.
    pub(crate) fn meet(&mut self, arrival: SimTime) {
        let slice = self.slice(arrival);
        self.missed[slice] -= 1;
    }

    /// Takes in what a recorder saw; what comes after the last arrival is left out.
    pub(crate) fn pool(&mut self, recorder: &Recorder, requests: &[Request]) {
        let initial = recorder.looks.first().copied().unwrap_or_default();
        let mut sums = vec![(0.0, 0.0, 0.0); SLICES];
        for look in recorder.looks.iter().filter(|look| look.at <= last(requests)) {
            let slice = self.slice(look.at);
            let (count, ready, wanted) = &mut sums[slice];
            *count += 1.0;
            *ready += f64::from(look.ready);
            *wanted += f64::from(look.wanted);
        }
        let mut last = (f64::from(initial.ready), f64::from(initial.wanted));
        for (count, ready, wanted) in sums {
            if count > 0.0 {
                last = (ready / count, wanted / count);
            }
            self.ready.push(last.0);
            self.wanted.push(last.1);
        }
    }

    fn slice(&self, at: SimTime) -> usize {
        ((at.as_seconds() / self.slice_seconds) as usize).min(SLICES - 1)
    }
}

/// The last arrival.
fn last(requests: &[Request]) -> SimTime {
    requests.last().map_or(SimTime::ZERO, |request| request.arrival)
}

/// What a scaler saw and wanted at one look.
#[derive(Clone, Copy, Debug, Default)]
struct Look {
    at: SimTime,
    ready: u32,
    wanted: u32,
}

/// Looks that are kept: one every 2 s for 14 days make 604,800 of 16 bytes.
const LOOKS_MAX: usize = 1_000_000;

/// A scaler that is watched.
pub(crate) struct Recorder {
    scaler: Box<dyn Scaler>,
    looks: Vec<Look>,
}

impl Recorder {
    pub(crate) fn new(scaler: Box<dyn Scaler>) -> Recorder {
        Recorder { scaler, looks: Vec::new() }
    }
}

impl Scaler for Recorder {
    fn name(&self) -> &str {
        self.scaler.name()
    }

    fn decide(&mut self, seen: &Observation) -> Wanted {
        let wanted = self.scaler.decide(seen);
        if self.looks.len() < LOOKS_MAX {
            let at = SimTime::after(Span::from_millis(seen.now.as_millis()));
            self.looks.push(Look { at, ready: seen.counts.ready, wanted: wanted.total() });
        }
        wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaler::Static;

    #[test]
    fn what_the_pool_did_after_the_last_arrival_is_left_out() {
        let at = |seconds| SimTime::after(Span::from_seconds(seconds));
        let arrives = |seconds| Request {
            arrival: at(seconds),
            input_tokens: 1,
            output_tokens: 1,
            class: 0,
            prefix: None,
        };
        let requests = [arrives(0), arrives(480)];
        let mut recorder = Recorder::new(Box::new(Static(Wanted::on_demand(2))));
        let look = |(seconds, ready)| Look { at: at(seconds), ready, wanted: ready };
        recorder.looks = [(10, 2), (475, 4), (700, 9)].map(look).to_vec();
        let mut timeline = Timeline::of(&requests);
        timeline.pool(&recorder, &requests);
        assert_eq!((timeline.ready[0], timeline.ready[474], timeline.ready[479]), (2.0, 2.0, 4.0));
        assert_eq!(timeline.wanted[479], 4.0);
    }
}
