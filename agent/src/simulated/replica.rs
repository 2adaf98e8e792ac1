//! One inference server: a queue, a prefill stage, and a batch that is decoded step by step.
//!
//! The longer the batch, the longer a step, so tokens per second saturate while latency keeps growing; a request waits
//! while the batch or the KV cache is full. That is enough for running, waiting, KV usage, time to first token and
//! inter-token latency to move together as they do in a real engine.

use std::collections::VecDeque;

use super::plan::{STEP_PREFILL_SHARE, ServedModel};
use super::window::{Counter, Quantiles};

/// Length of one tick of the simulation, in seconds.
pub(super) const TICK_SECONDS: f64 = 0.1;

/// Requests that may wait; the engine answers "too many requests" to others. vLLM has no such limit by itself, the
/// server in front of it has.
const WAITING_MAX: usize = 2_000;

/// Share of the KV cache above which no new request is admitted.
const KV_ADMIT_MAX: f64 = 0.95;

/// One request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    /// When the client sent it, in seconds.
    pub(super) arrived: f64,
    /// Length of the prompt.
    pub(super) prompt_tokens: f64,
    /// Length of the answer.
    pub(super) output_tokens: f64,
}

/// A request in the batch.
#[derive(Clone, Copy, Debug)]
struct Sequence {
    request: Request,
    generated: f64,
}

/// What one engine did lately, for its metrics.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals {
    pub(super) prompt_tokens: Counter,
    pub(super) generated_tokens: Counter,
    pub(super) finished: Counter,
    pub(super) refused: Counter,
    pub(super) preempted: Counter,
    pub(super) first_token_seconds: Quantiles,
    pub(super) step_seconds: Quantiles,
    pub(super) total_seconds: Quantiles,
    pub(super) queue_seconds: Quantiles,
}

/// One engine.
#[derive(Debug)]
pub(super) struct Replica {
    model: &'static ServedModel,
    /// Multiple of the model's reference speed.
    speed: f64,
    waiting: VecDeque<Request>,
    running: Vec<Sequence>,
    /// Prompt tokens of the first waiting request that were read already.
    prefilled: f64,
    /// Requests refused since the last tick.
    refused: usize,
    pub(super) totals: Totals,
    /// Share of the last tick spent reading prompts, 0-1.
    pub(super) prefill_share: f64,
}

impl Replica {
    pub(super) fn new(model: &'static ServedModel, speed: f64) -> Replica {
        Replica {
            model,
            speed,
            waiting: VecDeque::new(),
            running: Vec::new(),
            prefilled: 0.0,
            refused: 0,
            totals: Totals::default(),
            prefill_share: 0.0,
        }
    }

    /// Requests in the batch.
    pub(super) fn running(&self) -> usize {
        self.running.len()
    }

    /// Requests that wait for a place in it.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Requests that it has, as a share of its batch: what a balancer compares.
    pub(super) fn pressure(&self) -> f64 {
        (self.running.len() + self.waiting.len()) as f64 / (self.model.sequences_max as f64 * self.speed)
    }

    /// Share of the KV cache in use, 0-1.
    pub(super) fn kv_usage(&self) -> f64 {
        (self.kv_tokens() / self.model.kv_tokens).min(1.0)
    }

    /// How full the batch is, 0-1.
    pub(super) fn batch_share(&self) -> f64 {
        self.running.len() as f64 / self.model.sequences_max as f64
    }

    /// Takes a request, or refuses it when too many wait.
    pub(super) fn accept(&mut self, request: Request) {
        if self.waiting.len() < WAITING_MAX {
            self.waiting.push_back(request);
        } else {
            self.refused += 1;
        }
    }

    /// The process is gone: gives back the requests it had, for clients to try elsewhere.
    pub(super) fn stop(&mut self) -> Vec<Request> {
        let lost =
            self.running.drain(..).map(|sequence| sequence.request).chain(self.waiting.drain(..)).collect();
        *self = Replica::new(self.model, self.speed);
        lost
    }

    /// Works for one tick that ends at `now`.
    pub(super) fn tick(&mut self, now: f64) {
        let read = self.prefill(now);
        let generated = self.decode(now);
        let before = self.running.len();
        self.running.retain(|sequence| sequence.generated < sequence.request.output_tokens);
        self.totals.prompt_tokens.add(read);
        self.totals.generated_tokens.add(generated);
        self.totals.finished.add((before - self.running.len()) as f64);
        self.totals.refused.add(std::mem::take(&mut self.refused) as f64);
        let preempted = self.preempt();
        self.totals.preempted.add(preempted);
    }

    fn kv_tokens(&self) -> f64 {
        self.running.iter().map(|sequence| sequence.request.prompt_tokens + sequence.generated).sum()
    }

    /// Reads prompts of waiting requests, oldest first, and returns how many tokens were read.
    fn prefill(&mut self, now: f64) -> f64 {
        let able = self.model.prefill_tokens_per_second * self.speed * TICK_SECONDS;
        let (mut left, mut kv) = (able, self.kv_tokens());
        while let Some(request) = self.waiting.front().copied() {
            let fits =
                kv + request.prompt_tokens <= self.model.kv_tokens * KV_ADMIT_MAX || self.running.is_empty();
            if self.running.len() >= self.model.sequences_max || !fits {
                break;
            }
            // Where in the tick the work on this prompt begins.
            let begins = now - TICK_SECONDS * left / able;
            if self.prefilled == 0.0 {
                self.totals.queue_seconds.record(now, (begins - request.arrived).max(0.001));
            }
            let want = request.prompt_tokens - self.prefilled;
            if want > left {
                self.prefilled += left;
                left = 0.0;
                break;
            }
            left -= want;
            kv += request.prompt_tokens;
            self.prefilled = 0.0;
            self.waiting.pop_front();
            let first_token = now - request.arrived - TICK_SECONDS * left / able + self.step_seconds();
            self.totals.first_token_seconds.record(now, first_token.max(self.step_seconds()));
            self.running.push(Sequence { request, generated: 1.0 });
        }
        self.prefill_share = 1.0 - left / able;
        able - left
    }

    /// Time of one decode step with the present batch; prompts read in between make it longer.
    fn step_seconds(&self) -> f64 {
        let batch = self.running.len() as f64;
        let alone = self.model.step_us + batch * self.model.step_per_sequence_us;
        alone * (1.0 + STEP_PREFILL_SHARE * self.prefill_share) / self.speed * 1e-6
    }

    fn decode(&mut self, now: f64) -> f64 {
        if self.running.is_empty() {
            return 0.0;
        }
        let step = self.step_seconds();
        self.totals.step_seconds.record(now, step);
        let tokens = TICK_SECONDS / step;
        let mut generated = 0.0;
        for sequence in &mut self.running {
            let left = sequence.request.output_tokens - sequence.generated;
            sequence.generated += tokens;
            generated += tokens.min(left.max(0.0));
            if left <= tokens {
                self.totals.total_seconds.record(now, now - sequence.request.arrived);
            }
        }
        generated
    }

    /// Puts the youngest sequences back into the queue while the cache is over-full.
    fn preempt(&mut self) -> f64 {
        let mut count = 0.0;
        while self.running.len() > 1 && self.kv_tokens() > self.model.kv_tokens {
            let Some(sequence) = self.running.pop() else { break };
            self.waiting.push_front(sequence.request);
            self.prefilled = 0.0;
            count += 1.0;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::MODELS;
    use super::*;

    /// Offers `per_second` requests for `seconds`, evenly.
    fn serve(per_second: f64, seconds: usize) -> Replica {
        let model = &MODELS[1];
        let mut replica = Replica::new(model, 1.0);
        let mut due = 0.0;
        for tick in 1..=seconds * 10 {
            let now = tick as f64 * TICK_SECONDS;
            due += per_second * TICK_SECONDS;
            while due >= 1.0 {
                due -= 1.0;
                let (prompt_tokens, output_tokens) = (model.prompt_tokens, model.output_tokens);
                replica.accept(Request { arrived: now - TICK_SECONDS, prompt_tokens, output_tokens });
            }
            replica.tick(now);
        }
        replica
    }

    #[test]
    fn a_comfortable_load_keeps_the_queue_short() {
        let rate = 0.7 * MODELS[1].requests_per_second_max(1.0);
        let replica = serve(rate, 60);
        assert!(replica.waiting() < 5, "{} wait", replica.waiting());
        assert!((0.3..0.9).contains(&replica.batch_share()), "batch {}", replica.batch_share());
        let tokens = replica.totals.generated_tokens.milli_per_second(TICK_SECONDS) as f64 / 1e3;
        let expected = rate * MODELS[1].output_tokens;
        assert!((tokens / expected - 1.0).abs() < 0.15, "{tokens} tokens/s instead of {expected}");
    }

    #[test]
    fn overload_fills_the_batch_and_the_queue_and_lengthens_the_first_token() {
        let rate = 0.7 * MODELS[1].requests_per_second_max(1.0);
        let (calm, busy) = (serve(rate, 60), serve(rate * 2.0, 60));
        assert!(
            busy.waiting() > 100 && busy.kv_usage() > 0.6,
            "{} wait, kv {}",
            busy.waiting(),
            busy.kv_usage()
        );
        let p95 = |replica: &Replica| replica.totals.first_token_seconds.read(60.0).unwrap()[1];
        assert!(p95(&busy) > 4.0 * p95(&calm), "{} against {}", p95(&busy), p95(&calm));
        assert!(
            busy.totals.step_seconds.read(60.0).unwrap()[0] > calm.totals.step_seconds.read(60.0).unwrap()[0]
        );
    }

    #[test]
    fn a_stopped_replica_gives_every_request_back_and_forgets_its_counters() {
        let mut replica = serve(30.0, 20);
        let held = replica.running() + replica.waiting();
        assert_eq!(replica.stop().len(), held);
        assert_eq!((replica.running(), replica.waiting(), replica.totals.finished.total()), (0, 0, 0));
    }
}
