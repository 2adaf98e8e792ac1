//! One inference engine: a queue, a batch, and iterations that read prompts and write one token for each request.
//!
//! What it models (reference/autoscaling.md §5): first come, first served; iterations of at most a budget of tokens, in which
//! each decoding request takes one and prompts share the rest in chunks; a request is let in when its prompt fits the KV
//! cache; when the cache runs full in the middle of decoding, the youngest is thrown out, waits at the front, and
//! reads its prompt and what it had written again. Stretches of iterations with nothing new are one addition: a stretch ends
//! when a request ends, when a block is missing, or when an arrival could be let in.
//!
//! What it does not: prefix caching, speculative decoding, several models, separated prefill and decode, and any noise in
//! the time of an iteration.

mod batch;
mod meter;
mod slowest;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use self::batch::{Batch, Decoding};
use self::meter::Meter;
pub use self::meter::{Rates, Reading};
use crate::profile::Profile;
use crate::time::{SimTime, Span};

/// Names a request for whoever submits it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(pub u32);

/// A request as an engine gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its name, told back when it ends.
    pub id: RequestId,
    /// Tokens of the prompt, at least 1.
    pub prompt_tokens: u32,
    /// Tokens it will write, at least 1.
    pub output_tokens: u32,
}

/// A request that has been answered in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Which.
    pub id: RequestId,
    /// When its first token came.
    pub first_token: SimTime,
    /// When its last token came.
    pub last_token: SimTime,
    /// The longest time between two of its tokens; zero when it has one.
    pub gap_max: Span,
}

/// Why an engine does not take a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Prompt and answer do not fit the KV cache even alone.
    TooLong,
}

/// A request that is in the engine and does not decode: it waits, or its prompt is being read.
#[derive(Clone, Copy, Debug)]
struct Pending {
    job: Job,
    submitted: SimTime,
    /// Tokens it wrote before it was thrown out; read again like a prompt.
    written: u32,
    /// Tokens of prompt and `written` that have been read.
    read: u32,
    /// Place in the order of admission; the highest is the youngest.
    order: u64,
    /// First and latest token so far, if any.
    tokens: Option<(SimTime, SimTime)>,
    /// Longest time between two tokens so far.
    gap_max: Span,
}

impl Pending {
    /// Tokens that are read before it writes.
    fn length(&self) -> u32 {
        self.job.prompt_tokens + self.written
    }

    /// Blocks for what it reads and the token that it then writes.
    fn blocks(&self) -> u64 {
        Profile::blocks(u64::from(self.length()) + 1)
    }
}

/// Iterations that are under way or will follow without a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    /// How many, at least 1.
    iterations: u64,
    /// When the first began.
    began: SimTime,
    /// When the last ends.
    ends: SimTime,
    /// Prompt tokens read in it; then it is one iteration.
    prompt_tokens: u32,
}

/// An engine that serves.
#[derive(Clone, Debug)]
pub struct Replica {
    profile: Profile,
    /// First come, first served; those thrown out stand in front.
    waiting: VecDeque<Pending>,
    /// Let in, prompts not yet read to the end, in order of admission.
    prefilling: VecDeque<Pending>,
    batch: Batch,
    /// None when nothing can be done.
    stretch: Option<Stretch>,
    /// Blocks of those that prefill; the batch counts its own.
    prefill_blocks: u64,
    /// Blocks that those who wait will take.
    waiting_blocks: u64,
    /// Requests let in so far.
    admitted: u64,
    preemptions: u64,
    meter: Meter,
}

impl Replica {
    /// An engine with nothing to do.
    pub fn new(profile: Profile) -> Replica {
        assert_eq!(profile.check(), Ok(()), "an engine can be made of the profile");
        Replica {
            profile,
            waiting: VecDeque::new(),
            prefilling: VecDeque::new(),
            batch: Batch::default(),
            stretch: None,
            prefill_blocks: 0,
            waiting_blocks: 0,
            admitted: 0,
            preemptions: 0,
            meter: Meter::default(),
        }
    }

    /// Puts a request into the queue. It joins when the iteration that runs now ends.
    pub fn submit(&mut self, job: Job, at: SimTime) -> Result<(), Refused> {
        assert!(job.prompt_tokens > 0 && job.output_tokens > 0, "a request has a prompt and an answer");
        if !self.profile.fits(job.prompt_tokens, job.output_tokens) {
            return Err(Refused::TooLong);
        }
        let could_be_let_in = self.waiting.is_empty() && self.has_seat();
        let pending =
            Pending { job, submitted: at, written: 0, read: 0, order: 0, tokens: None, gap_max: Span::ZERO };
        self.waiting_blocks += pending.blocks();
        self.waiting.push_back(pending);
        match self.stretch {
            None => self.plan(at),
            Some(stretch) if could_be_let_in && stretch.iterations > 1 => {
                self.catch_up(at);
                self.cut();
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// When [`Replica::advance`] is due; none while idle.
    pub fn due(&self) -> Option<SimTime> {
        self.stretch.map(|stretch| stretch.ends)
    }

    /// Ends the stretch that is due now, tells whose answers are complete, and begins the next one.
    pub fn advance(&mut self, now: SimTime, finished: &mut Vec<Finished>) {
        let Some(stretch) = self.stretch.take() else { return };
        assert_eq!(stretch.ends, now, "a stretch is ended when it is due");
        self.finish_decoding(stretch, now, finished);
        self.finish_prompts(stretch, now, finished);
        self.plan(now);
    }

    /// Counts the iterations that have ended by now, so that what is read from the engine is up to date.
    pub fn catch_up(&mut self, now: SimTime) {
        let Some(stretch) = self.stretch.as_mut().filter(|it| it.iterations > 1) else { return };
        let cost = self.batch.cost(&self.profile);
        let ended = cost.iterations_within(now.since(stretch.began), stretch.iterations - 1);
        if ended == 0 {
            return;
        }
        let passed = cost.of(ended);
        stretch.began = stretch.began + passed;
        stretch.iterations -= ended;
        self.meter.iterated(passed, ended, self.batch.len(), 0);
        self.batch.iterate(ended, cost.of_nth(ended - 1));
    }

    /// Requests that wait.
    pub fn waiting(&self) -> u64 {
        self.waiting.len() as u64
    }

    /// Requests in the batch, those included whose prompt is being read.
    pub fn running(&self) -> u64 {
        self.batch.len() + self.prefilling.len() as u64
    }

    /// KV blocks in use as of the last iteration counted.
    pub fn kv_blocks_used(&self) -> u64 {
        self.batch.blocks() + self.prefill_blocks
    }

    /// KV blocks in use and those that waiting prompts will take.
    pub fn kv_blocks_wanted(&self) -> u64 {
        self.kv_blocks_used() + self.waiting_blocks
    }

    /// Lets all counters begin at zero again, as a restart of the process behind the same requests would.
    pub fn reset_counters(&mut self) {
        self.meter.reset();
    }

    /// Times a request was thrown out of the cache, ever.
    pub fn preemptions(&self) -> u64 {
        self.preemptions
    }

    /// What a scrape at this moment shows; begins the next interval.
    pub fn read(&mut self, now: SimTime) -> Reading {
        self.catch_up(now);
        let share = self.kv_blocks_used() as f64 / f64::from(self.profile.kv_blocks);
        let (running, waiting) = (self.running(), self.waiting());
        self.meter.read(now, running, waiting, share)
    }

    /// Forgets all requests, as a crash does, and names them in the order of their arrival here.
    pub fn abort(&mut self) -> Vec<RequestId> {
        let mut all: Vec<(SimTime, RequestId)> = self
            .waiting
            .drain(..)
            .chain(self.prefilling.drain(..))
            .map(|it| (it.submitted, it.job.id))
            .collect();
        all.extend(self.batch.drain().map(|it| (it.submitted, it.job.id)));
        all.sort_unstable();
        self.prefill_blocks = 0;
        self.waiting_blocks = 0;
        self.stretch = None;
        all.into_iter().map(|(_, id)| id).collect()
    }

    fn has_seat(&self) -> bool {
        self.running() < u64::from(self.profile.seqs_max)
    }

    fn free_blocks(&self) -> u64 {
        u64::from(self.profile.kv_blocks) - self.kv_blocks_used()
    }

    /// Lets the iteration that runs now be the last of the stretch.
    fn cut(&mut self) {
        let Some(stretch) = &mut self.stretch else { return };
        stretch.iterations = 1;
        stretch.ends = stretch.began + self.batch.cost(&self.profile).of(1);
    }

    fn plan(&mut self, now: SimTime) {
        let thrown_out = self.make_room(now);
        if !thrown_out {
            self.admit();
        }
        let prompt_tokens = self.chunks();
        let cost = self.batch.cost(&self.profile);
        let (iterations, length) = if self.prefilling.is_empty() {
            if self.batch.len() == 0 {
                return;
            }
            let steady = self.batch.until_end().min(self.batch.until_full(self.free_blocks()));
            // One that was thrown out is let in again as soon as it fits.
            let iterations = if thrown_out { 1 } else { steady };
            (iterations, cost.of(iterations))
        } else {
            (1, cost.of(1) + self.chunk_cost(prompt_tokens))
        };
        assert!(iterations > 0, "room was made for one iteration");
        self.stretch = Some(Stretch { iterations, began: now, ends: now + length, prompt_tokens });
    }

    /// Throws out the youngest until every request can write one more token. Tells whether any was.
    fn make_room(&mut self, now: SimTime) -> bool {
        let mut any = false;
        while self.batch.len() > 0 && self.batch.until_full(self.free_blocks()) == 0 {
            any = true;
            self.preemptions += 1;
            // Those that prefill were let in after all that decode, unless they decoded before.
            let youngest = self.prefilling.back().map_or(0, |it| it.order);
            if self.batch.youngest_order() > youngest {
                let out = self.batch.throw_out_youngest().into_pending(now);
                self.waiting_blocks += out.blocks();
                self.waiting.push_front(out);
            } else if let Some(mut out) = self.prefilling.pop_back() {
                self.prefill_blocks -= out.blocks();
                self.waiting_blocks += out.blocks();
                out.read = 0;
                self.waiting.push_front(out);
            }
        }
        any
    }

    fn admit(&mut self) {
        while let Some(next) = self.waiting.front() {
            let blocks = next.blocks();
            // Those that decode write first.
            if !self.has_seat() || blocks + self.batch.next_blocks() > self.free_blocks() {
                return;
            }
            let mut next = self.waiting.pop_front().expect("there is one in front");
            self.admitted += 1;
            next.order = self.admitted;
            self.prefill_blocks += blocks;
            self.waiting_blocks -= blocks;
            self.prefilling.push_back(next);
        }
    }

    /// Prompt tokens that the next iteration reads.
    fn chunks(&self) -> u32 {
        let budget = u64::from(self.profile.budget_tokens) - self.batch.len();
        let unread: u64 = self.prefilling.iter().map(|it| u64::from(it.length() - it.read)).sum();
        u32::try_from(unread.min(budget)).expect("at most the budget")
    }

    fn chunk_cost(&self, tokens: u32) -> Span {
        let mut left = tokens;
        let mut cost = self.profile.prefill_pass;
        for pending in &self.prefilling {
            let chunk = left.min(pending.length() - pending.read);
            if chunk == 0 {
                break;
            }
            cost += self.profile.prefill(u64::from(pending.read), u64::from(pending.read + chunk));
            left -= chunk;
        }
        cost
    }

    fn finish_decoding(&mut self, stretch: Stretch, now: SimTime, finished: &mut Vec<Finished>) {
        let decoding = self.batch.len();
        let cost = self.batch.cost(&self.profile);
        let last = if stretch.prompt_tokens > 0 {
            now.since(stretch.began)
        } else {
            cost.of_nth(stretch.iterations - 1)
        };
        let prompt_tokens = u64::from(stretch.prompt_tokens);
        self.meter.iterated(now.since(stretch.began), stretch.iterations, decoding, prompt_tokens);
        self.batch.iterate(stretch.iterations, last);
        while let Some(ended) = self.batch.pop_ended() {
            finished.push(self.finish(&ended, now));
        }
    }

    fn finish_prompts(&mut self, stretch: Stretch, now: SimTime, finished: &mut Vec<Finished>) {
        let mut left = stretch.prompt_tokens;
        for pending in &mut self.prefilling {
            let chunk = left.min(pending.length() - pending.read);
            pending.read += chunk;
            left -= chunk;
        }
        while self.prefilling.front().is_some_and(|it| it.read == it.length()) {
            let read = self.prefilling.pop_front().expect("there is one in front");
            self.prefill_blocks -= read.blocks();
            self.meter.wrote_first_of_pass();
            if read.tokens.is_none() {
                self.meter.first_token(now.since(read.submitted));
            }
            let decoding = Decoding::begun(&read, now);
            if read.written + 1 == read.job.output_tokens {
                finished.push(self.finish(&decoding, now));
            } else {
                self.batch.join(decoding);
            }
        }
    }

    fn finish(&mut self, ended: &Decoding, now: SimTime) -> Finished {
        self.meter.finished();
        Finished {
            id: ended.job.id,
            first_token: ended.first_token,
            last_token: now,
            gap_max: self.batch.gap_max(ended),
        }
    }
}
