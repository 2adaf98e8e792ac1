//! Requests of all clients, merged, one window after the other.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rand::RngExt;
use rand_distr::{Distribution, Gamma, Weibull};

use super::super::{Options, Request};
use super::{Client, Law, Plan, WINDOW_S, begins};
use crate::random::{self, Stream};
use crate::time::{SimTime, Span};

/// A client's process in one window. It has a generator of its own, so that a cut draws the same requests as the whole.
#[derive(Debug)]
struct Process {
    client: Client,
    stream: Stream,
    /// Seconds between requests on average.
    mean_s: f64,
    /// Seconds since the window's start.
    next_s: f64,
}

/// Draws requests in order.
pub(super) struct Drawn {
    plan: Plan,
    options: Options,
    window: u64,
    /// Of the window.
    processes: Vec<Process>,
    /// When each process's next request comes, by its place; none after the window.
    due: BinaryHeap<Reverse<(Span, usize)>>,
}

impl Law {
    /// A draw of the time between two requests, in means of it.
    fn gap(self, stream: &mut Stream) -> f64 {
        match self {
            Law::Gamma(shape) => gamma(shape, stream) / shape,
            Law::Weibull(shape) => {
                let law = Weibull::new(1.0, shape).expect("shapes are positive");
                law.sample(stream) / gamma_function(1.0 + 1.0 / shape)
            }
        }
    }

    /// A draw of the time from any moment to the next request, in means of the time between two. A moment falls into a long gap
    /// more likely than into a short one, and then anywhere in it.
    fn recurrence(self, stream: &mut Stream) -> f64 {
        let place: f64 = stream.random();
        let gap = match self {
            Law::Gamma(shape) => gamma(shape + 1.0, stream) / shape,
            Law::Weibull(shape) => {
                let power = gamma(1.0 + 1.0 / shape, stream);
                power.powf(1.0 / shape) / gamma_function(1.0 + 1.0 / shape)
            }
        };
        place * gap
    }
}

fn gamma(shape: f64, stream: &mut Stream) -> f64 {
    Gamma::new(shape, 1.0).expect("shapes are positive").sample(stream)
}

/// Lanczos' approximation (g = 7, nine terms), good to 15 digits for arguments over 0.5.
pub(super) fn gamma_function(x: f64) -> f64 {
    const TERMS: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let sum: f64 = (1..9).map(|term| TERMS[term] / (x + term as f64)).sum::<f64>() + TERMS[0];
    let t = x + 7.5;
    (2.0 * std::f64::consts::PI).sqrt() * t.powf(x + 0.5) * (-t).exp() * sum
}

impl Drawn {
    pub(super) fn new(plan: Plan, options: Options) -> Drawn {
        let window = options.from.as_picos() / Span::from_seconds(WINDOW_S).as_picos();
        let mut drawn = Drawn { plan, options, window, processes: Vec::new(), due: BinaryHeap::new() };
        if window < drawn.plan.end() {
            drawn.begin_window();
        }
        drawn
    }

    fn begin_window(&mut self) {
        let clients = self.plan.clients(self.window);
        let (seed, scale) = (self.options.seed, self.options.rate_scale);
        let begun = clients.iter().map(|&client| {
            let parts = [self.window, u64::from(client.number)];
            let mut stream = random::stream(seed, "servegen", parts);
            let mean_s = 1.0 / (client.rate * scale);
            let next_s = client.law.recurrence(&mut stream) * mean_s;
            Process { client, stream, mean_s, next_s }
        });
        self.processes = begun.collect();
        for at in 0..self.processes.len() {
            self.expect(at);
        }
    }

    fn expect(&mut self, at: usize) {
        let next_s = self.processes[at].next_s;
        if next_s < WINDOW_S as f64 {
            self.due.push(Reverse((begins(self.window) + Span::clamped_from_seconds(next_s), at)));
        }
    }

    fn draw(&mut self, arrival: Span, at: usize) -> Request {
        let process = &mut self.processes[at];
        let lengths = self.plan.lengths.of(
            process.client.number,
            self.window * WINDOW_S,
            self.plan.clients(self.window),
            &mut process.stream,
        );
        process.next_s += process.client.law.gap(&mut process.stream) * process.mean_s;
        let class = process.client.number;
        self.expect(at);
        Request {
            arrival: SimTime::after(arrival),
            input_tokens: lengths.input,
            output_tokens: lengths.output,
            class,
            prefix: None,
        }
    }
}

impl Iterator for Drawn {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        loop {
            let Some(Reverse((arrival, at))) = self.due.pop() else {
                self.window += 1;
                if self.window >= self.plan.end() || begins(self.window) >= self.options.until {
                    return None;
                }
                self.begin_window();
                continue;
            };
            if arrival >= self.options.until {
                return None;
            }
            let request = self.draw(arrival, at);
            if arrival >= self.options.from {
                let offset = request.arrival.since(SimTime::after(self.options.from));
                return Some(Request { arrival: SimTime::after(offset), ..request });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gamma_function_is_the_factorial_moved_by_one() {
        for (x, value) in [(1.0, 1.0), (2.0, 1.0), (5.0, 24.0), (1.5, 0.886_226_925_452_758)] {
            assert!((gamma_function(x) / value - 1.0).abs() < 1e-12, "{x}");
        }
    }

    #[test]
    fn gaps_have_mean_one_and_the_recurrence_that_follows_from_their_spread() {
        let mut stream = random::stream(3, "gaps", [0, 0]);
        for law in [Law::Gamma(0.5), Law::Weibull(0.7), Law::Gamma(2.0)] {
            let draws = 200_000;
            let gaps: Vec<f64> = (0..draws).map(|_| law.gap(&mut stream)).collect();
            let mean = gaps.iter().sum::<f64>() / f64::from(draws);
            let second = gaps.iter().map(|gap| gap * gap).sum::<f64>() / f64::from(draws);
            let wait = (0..draws).map(|_| law.recurrence(&mut stream)).sum::<f64>() / f64::from(draws);
            assert!((mean - 1.0).abs() < 0.02, "{law:?}: {mean}");
            // The mean of the forward recurrence time is E[X²] / 2E[X].
            assert!((wait / (second / 2.0) - 1.0).abs() < 0.05, "{law:?}: {wait} for {second}");
        }
    }
}
