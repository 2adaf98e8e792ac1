//! The requests that decode, all one token an iteration, kept so that many iterations cost no more than one.
//!
//! Every request's length grows with the number of the iteration, so nothing is stored that changes in each: ends are known
//! by iteration, lengths as their distance to it, and how many cross into a new block is a count by remainder.

use std::collections::BTreeMap;

use super::slowest::Slowest;
use super::{Job, Pending};
use crate::profile::{BLOCK_TOKENS, Profile};
use crate::time::{SimTime, Span};

const BLOCK: u64 = BLOCK_TOKENS as u64;

/// Above so many kept iterations, the batch looks for ones that nobody will ask for.
const SLOWEST_KEPT: usize = 64;

/// A request that writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decoding {
    pub(super) job: Job,
    pub(super) submitted: SimTime,
    pub(super) first_token: SimTime,
    /// The iteration it joined after; the highest number before it joins.
    joined_after: u64,
    /// Tokens it had written when it joined.
    written: u32,
    order: u64,
    /// Longest time between two tokens before it joined.
    gap_max: Span,
}

impl Decoding {
    /// A request whose prompt has just been read, and with that its next token written.
    pub(super) fn begun(read: &Pending, now: SimTime) -> Decoding {
        let (first_token, gap) = match read.tokens {
            Some((first, latest)) => (first, now.since(latest)),
            None => (now, Span::ZERO),
        };
        Decoding {
            job: read.job,
            submitted: read.submitted,
            first_token,
            joined_after: u64::MAX,
            written: read.written + 1,
            order: read.order,
            gap_max: read.gap_max.max(gap),
        }
    }

    /// Back to the queue, to read again what it had; its newest token has just come.
    pub(super) fn into_pending(self, now: SimTime) -> Pending {
        Pending {
            job: self.job,
            submitted: self.submitted,
            written: self.written,
            read: 0,
            order: 0,
            tokens: Some((self.first_token, now)),
            gap_max: self.gap_max,
        }
    }

    /// Tokens of context when it joined, the newest one included.
    fn length_joined(&self) -> u64 {
        u64::from(self.job.prompt_tokens) + u64::from(self.written)
    }

    fn ends_after(&self) -> u64 {
        self.joined_after + u64::from(self.job.output_tokens - self.written)
    }

    fn length(&self, iteration: u64) -> u64 {
        self.length_joined() + iteration - self.joined_after
    }

    /// Where it stands in [`Batch::remainders`]: its length less the iteration, modulo a block.
    fn remainder(&self) -> usize {
        ((self.length_joined() + BLOCK - self.joined_after % BLOCK) % BLOCK) as usize
    }
}

/// What iterations of the same requests cost: the first, and how much more each next one, since the context grows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    first: Span,
    growth: Span,
}

impl Cost {
    /// So many iterations.
    pub(super) fn of(self, iterations: u64) -> Span {
        self.first * iterations + self.growth * (iterations * iterations.saturating_sub(1) / 2)
    }

    /// The nth alone, counted from 0.
    pub(super) fn of_nth(self, nth: u64) -> Span {
        self.first + self.growth * nth
    }

    /// How many end within a time, at most `max`.
    pub(super) fn iterations_within(self, time: Span, max: u64) -> u64 {
        let (mut fit, mut over) = (0, max + 1);
        while fit + 1 < over {
            let middle = fit + (over - fit) / 2;
            if self.of(middle) <= time { fit = middle } else { over = middle }
        }
        fit
    }
}

/// All requests that decode.
#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    /// Iterations counted so far.
    iteration: u64,
    /// By the iteration after which it ends, then by order of admission.
    requests: BTreeMap<(u64, u64), Decoding>,
    /// Tokens of context of all.
    context: u64,
    /// KV blocks of all.
    blocks: u64,
    /// How many have this remainder: see [`Decoding::remainder`].
    remainders: [u32; BLOCK as usize],
    slowest: Slowest,
}

impl Batch {
    pub(super) fn len(&self) -> u64 {
        self.requests.len() as u64
    }

    pub(super) fn blocks(&self) -> u64 {
        self.blocks
    }

    /// What iterations cost from here on, as long as none joins or leaves.
    pub(super) fn cost(&self, profile: &Profile) -> Cost {
        Cost { first: profile.decode(self.len(), self.context), growth: profile.kv_token * self.len() }
    }

    /// Iterations until one ends; not for an empty batch.
    pub(super) fn until_end(&self) -> u64 {
        let ((ends, _), _) = self.requests.first_key_value().expect("someone decodes");
        ends - self.iteration
    }

    /// Iterations for which so many free blocks last.
    pub(super) fn until_full(&self, free: u64) -> u64 {
        let each_block = self.len();
        if each_block == 0 {
            return u64::MAX;
        }
        let mut iterations = free / each_block * BLOCK;
        let mut left = free % each_block;
        loop {
            let more = u64::from(self.crossing(iterations));
            if more > left {
                return iterations;
            }
            left -= more;
            iterations += 1;
        }
    }

    /// Blocks that the next iteration takes.
    pub(super) fn next_blocks(&self) -> u64 {
        u64::from(self.crossing(0))
    }

    /// How many need a new block in the iteration this far from now.
    fn crossing(&self, ahead: u64) -> u32 {
        let number = (self.iteration + ahead) % BLOCK;
        self.remainders[((BLOCK - number) % BLOCK) as usize]
    }

    /// Counts iterations, the last of which took so long.
    pub(super) fn iterate(&mut self, iterations: u64, last: Span) {
        let rest: u64 = (0..iterations % BLOCK).map(|ahead| u64::from(self.crossing(ahead))).sum();
        self.blocks += iterations / BLOCK * self.len() + rest;
        self.context += iterations * self.len();
        self.iteration += iterations;
        self.slowest.push(self.iteration, last);
    }

    pub(super) fn join(&mut self, mut one: Decoding) {
        one.joined_after = self.iteration;
        self.context += one.length_joined();
        self.blocks += Profile::blocks(one.length_joined());
        self.remainders[one.remainder()] += 1;
        self.requests.insert((one.ends_after(), one.order), one);
    }

    /// A request that has written all, if there is one.
    pub(super) fn pop_ended(&mut self) -> Option<Decoding> {
        let (&(ends, order), _) = self.requests.first_key_value()?;
        (ends == self.iteration).then(|| self.remove((ends, order)))
    }

    /// Admission order of the youngest; zero when there is none.
    pub(super) fn youngest_order(&self) -> u64 {
        self.requests.keys().map(|(_, order)| *order).max().unwrap_or(0)
    }

    /// Takes out the youngest, of which there must be one.
    pub(super) fn throw_out_youngest(&mut self) -> Decoding {
        let key = *self.requests.keys().max_by_key(|(_, order)| *order).expect("someone decodes");
        let mut out = self.remove(key);
        out.written += u32::try_from(self.iteration - out.joined_after).expect("within its output");
        out.gap_max = self.gap_max(&out);
        out
    }

    /// The longest time between two tokens of one that just left.
    pub(super) fn gap_max(&self, left: &Decoding) -> Span {
        if left.joined_after == u64::MAX {
            return left.gap_max;
        }
        left.gap_max.max(self.slowest.after(left.joined_after))
    }

    /// Forgets all.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Decoding> + use<> {
        let gone = std::mem::take(self);
        gone.requests.into_values()
    }

    fn remove(&mut self, key: (u64, u64)) -> Decoding {
        let one = self.requests.remove(&key).expect("it decodes");
        let length = one.length(self.iteration);
        self.context -= length;
        self.blocks -= Profile::blocks(length);
        self.remainders[one.remainder()] -= 1;
        if self.slowest.len() > SLOWEST_KEPT {
            let oldest = self.requests.values().map(|it| it.joined_after).min();
            self.slowest.forget_until(oldest.unwrap_or(self.iteration).min(one.joined_after));
        }
        one
    }
}
