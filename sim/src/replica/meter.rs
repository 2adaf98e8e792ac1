//! What an engine's own metrics show: gauges, and rates and quantiles over the interval between two scrapes. The counters
//! behind the rates stay here, since no policy reads them.

use crate::time::{SimTime, Span};

/// Values kept of an interval to take a quantile from; at 1 Hz an engine makes some tens of iterations.
const KEPT_MAX: usize = 512;

/// What one scrape shows. What has no value in the interval is none, never zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// When it was taken.
    pub at: SimTime,
    /// Requests in the batch.
    pub running: u64,
    /// Requests that wait for capacity.
    pub waiting: u64,
    /// Share of the KV cache in use, 0-1.
    pub kv_share: f64,
    /// 95th percentile from submission to first token.
    pub ttft_p95: Option<Span>,
    /// 95th percentile between two tokens.
    pub itl_p95: Option<Span>,
    /// Rates over the interval; none at the first scrape after the counters began.
    pub rates: Option<Rates>,
}

/// Counters over an interval, a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Prompt tokens read.
    pub prompt_tokens_per_second: f64,
    /// Tokens written.
    pub generation_tokens_per_second: f64,
    /// Requests answered.
    pub requests_per_second: f64,
    /// Share of the time in which an iteration ran, 0-1: what `nvidia-smi` calls utilization.
    pub busy_share: f64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    prompt_tokens: u64,
    generation_tokens: u64,
    finished: u64,
    busy: Span,
}

/// Counts what an engine does.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter {
    totals: Totals,
    /// When the last scrape was, and the totals then.
    before: Option<(SimTime, Totals)>,
    /// Of the requests whose first token came since then, the latest ones.
    ttft: Kept,
    /// Of the stretches since then: time between tokens, and how many tokens had it.
    itl: Kept,
}

impl Meter {
    pub(super) fn iterated(&mut self, took: Span, iterations: u64, decoding: u64, prompt_tokens: u64) {
        self.totals.busy += took;
        self.totals.prompt_tokens += prompt_tokens;
        self.totals.generation_tokens += iterations * decoding;
        if decoding > 0 {
            self.itl.push(Span::from_picos(took.as_picos() / iterations), iterations * decoding);
        }
    }

    /// The token that comes with the end of a prompt.
    pub(super) fn wrote_first_of_pass(&mut self) {
        self.totals.generation_tokens += 1;
    }

    pub(super) fn first_token(&mut self, after: Span) {
        self.ttft.push(after, 1);
    }

    pub(super) fn finished(&mut self) {
        self.totals.finished += 1;
    }

    pub(super) fn reset(&mut self) {
        *self = Meter::default();
    }

    pub(super) fn read(&mut self, at: SimTime, running: u64, waiting: u64, kv_share: f64) -> Reading {
        let totals = self.totals;
        let rates = self.before.and_then(|(then, before)| rates(before, totals, at.since(then)));
        self.before = Some((at, totals));
        Reading {
            at,
            running,
            waiting,
            kv_share,
            ttft_p95: self.ttft.take_p95(),
            itl_p95: self.itl.take_p95(),
            rates,
        }
    }
}

fn rates(before: Totals, after: Totals, passed: Span) -> Option<Rates> {
    if passed == Span::ZERO {
        return None;
    }
    let per_second = |from: u64, to: u64| (to - from) as f64 / passed.as_seconds();
    let busy = after.busy.as_picos() - before.busy.as_picos();
    Some(Rates {
        prompt_tokens_per_second: per_second(before.prompt_tokens, after.prompt_tokens),
        generation_tokens_per_second: per_second(before.generation_tokens, after.generation_tokens),
        requests_per_second: per_second(before.finished, after.finished),
        // Iterations are counted when they end, so one that began before the interval can fill more than it.
        busy_share: (busy as f64 / passed.as_picos() as f64).min(1.0),
    })
}

/// The latest values of an interval with their weights.
#[derive(Clone, Debug, Default)]
struct Kept {
    values: Vec<(Span, u64)>,
    /// Where the next one goes when full.
    next: usize,
}

impl Kept {
    fn push(&mut self, value: Span, weight: u64) {
        if self.values.len() < KEPT_MAX {
            self.values.push((value, weight));
        } else {
            self.values[self.next] = (value, weight);
            self.next = (self.next + 1) % KEPT_MAX;
        }
    }

    /// The 95th percentile; forgets all.
    fn take_p95(&mut self) -> Option<Span> {
        self.values.sort_unstable();
        let total: u64 = self.values.iter().map(|(_, weight)| weight).sum();
        let mut below = 0;
        let found = self.values.iter().find(|(_, weight)| {
            below += weight;
            below * 100 >= total * 95
        });
        let p95 = found.map(|(value, _)| *value);
        self.values.clear();
        self.next = 0;
        p95
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_weigh_by_tokens_and_end_with_the_interval() {
        let mut kept = Kept::default();
        kept.push(Span::from_millis(90), 4);
        kept.push(Span::from_millis(10), 96);
        assert_eq!(kept.take_p95(), Some(Span::from_millis(10)));
        assert_eq!(kept.take_p95(), None);
    }

    #[test]
    fn rates_need_two_scrapes_and_a_reset_needs_two_again() {
        let mut meter = Meter::default();
        let at = |seconds| SimTime::after(Span::from_seconds(seconds));
        assert_eq!(meter.read(at(1), 0, 0, 0.0).rates, None);
        meter.iterated(Span::from_seconds(1), 10, 3, 0);
        let rates = meter.read(at(3), 0, 0, 0.0).rates.unwrap();
        assert_eq!((rates.generation_tokens_per_second, rates.busy_share), (15.0, 0.5));
        meter.reset();
        assert_eq!(meter.read(at(4), 0, 0, 0.0).rates, None);
    }
}
