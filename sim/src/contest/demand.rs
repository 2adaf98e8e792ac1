//! What requests ask of engines, before anybody serves them: the work of each, spread over the time in which it would be
//! done. The clairvoyant plans by it, pools begin by it, and its sum bounds the hours that any policy needs.

use crate::profile::Profile;
use crate::time::{SimTime, Span};
use crate::trace::Request;

/// Width of a step in seconds: a third of the HPA's period.
pub const STEP_S: u64 = 5;

/// What pools begin by: the mean of the busiest minute of so many seconds.
const FIRST_S: u64 = 600;

/// A minute in steps.
const MINUTE: usize = 12;

/// Work by time.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// Replicas that would be busy without a pause, by step of [`STEP_S`].
    load: Vec<f64>,
    /// The work of all requests that an engine takes, in replica seconds.
    work_seconds: f64,
}

impl Demand {
    /// Of requests in order of arrival.
    ///
    /// A prompt is work at its arrival. An answer is work over the time it takes in a batch that is half full. What is too
    /// long for the engine is refused there and is no work.
    pub fn of(requests: &[Request], profile: &Profile) -> Demand {
        let last = requests.last().map_or(0, |request| step(request.arrival));
        let mut demand = Demand { load: vec![0.0; last + 1], work_seconds: 0.0 };
        let token_s = profile.decode(u64::from(profile.seqs_max / 2), 0).as_seconds();
        let fits = |it: &&Request| profile.fits(it.input_tokens, it.output_tokens);
        for request in requests.iter().filter(fits) {
            let work = Work::of(request, profile);
            demand.work_seconds += work.prompt_s + work.answer_s;
            let first = step(request.arrival);
            demand.load[first] += work.prompt_s / STEP_S as f64;
            let steps = (token_s * f64::from(request.output_tokens) / STEP_S as f64).ceil().max(1.0) as usize;
            let each = work.answer_s / STEP_S as f64 / steps as f64;
            demand.load.iter_mut().skip(first).take(steps).for_each(|load| *load += each);
        }
        demand
    }

    /// Replicas that would be busy without a pause, by step.
    pub fn load(&self) -> &[f64] {
        &self.load
    }

    /// The mean of the busiest minute of the first ten.
    pub fn first_minutes(&self) -> f64 {
        let first = &self.load[..self.load.len().min((FIRST_S / STEP_S) as usize)];
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        first.windows(MINUTE.min(first.len())).map(mean).fold(0.0, f64::max)
    }

    /// GPU-hours that no policy can go below, if every request that fits the engine is answered: all engines at work all the time with full
    /// batches, and no starts.
    pub fn floor_gpu_hours(&self, profile: &Profile) -> f64 {
        self.work_seconds / 3600.0 * f64::from(profile.gpus)
    }
}

/// The step in which a moment lies.
pub(crate) fn step(at: SimTime) -> usize {
    usize::try_from(at.since(SimTime::ZERO).as_micros() / (STEP_S * 1_000_000)).unwrap_or(usize::MAX)
}

/// Replica time that a request takes at least: in a full batch, its share of iterations, its own part of them, and the
/// reading of its context, which grows by a token each.
struct Work {
    prompt_s: f64,
    answer_s: f64,
}

impl Work {
    fn of(request: &Request, profile: &Profile) -> Work {
        let (prompt, answer) = (u64::from(request.input_tokens), u64::from(request.output_tokens));
        let shared = Span::from_picos(profile.iteration.as_picos() / u64::from(profile.seqs_max));
        let context = prompt * answer + answer * answer / 2;
        Work {
            prompt_s: profile.prefill(0, prompt).as_seconds(),
            answer_s: ((shared + profile.seq) * answer + profile.kv_token * context).as_seconds(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::BLOCK_TOKENS;

    fn request(at_s: u64, input_tokens: u32, output_tokens: u32) -> Request {
        let arrival = SimTime::after(Span::from_seconds(at_s));
        Request { arrival, input_tokens, output_tokens, class: 0, prefix: None }
    }

    #[test]
    fn work_is_spread_and_none_of_it_is_lost() {
        let profile = Profile::llama_8b_h100();
        let requests: Vec<Request> = (0..200).map(|at| request(at, 1000, 300)).collect();
        let demand = Demand::of(&requests, &profile);
        assert_eq!(demand.load().len(), 40);
        // 15.6 ms for the prompt; 300 times 82.4 us, and 345,000 tokens of context at 39.1 ns.
        let each = demand.work_seconds / 200.0;
        assert!((each - (0.0156 + 0.0247 + 0.0135)).abs() < 5e-4, "{each}");
        let spread: f64 = demand.load().iter().sum::<f64>() * STEP_S as f64;
        assert!(spread <= demand.work_seconds && spread > demand.work_seconds * 0.97, "{spread}");
        assert!((demand.first_minutes() - each).abs() < each * 0.1, "one a second");
    }

    #[test]
    fn what_an_engine_refuses_is_no_work() {
        let profile = Profile::llama_8b_h100();
        let capacity = profile.kv_blocks * BLOCK_TOKENS;
        let floor = |second| Demand::of(&[request(0, 1000, 300), second], &profile).floor_gpu_hours(&profile);
        let alone = Demand::of(&[request(0, 1000, 300)], &profile).floor_gpu_hours(&profile);
        assert_eq!(floor(request(1, capacity, 1)), alone);
        assert!(floor(request(1, capacity - 1, 1)) > alone, "the longest that fits is work");
    }
}
