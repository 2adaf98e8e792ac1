//! The same engine written as plainly as can be: every request looked at in every iteration. What tests compare with.

use super::*;

#[derive(Clone, Copy)]
struct One {
    arrival: SimTime,
    job: Job,
    order: u64,
    /// Prompt and tokens to read again.
    reads: u64,
    read: u64,
    written: u32,
    first: Option<SimTime>,
    latest: SimTime,
    gap_max: Span,
}

impl One {
    fn decodes(&self) -> bool {
        self.read == self.reads
    }

    /// Tokens it holds room for: while its prompt is read, those and the token after.
    fn length(&self) -> u64 {
        if self.decodes() { u64::from(self.job.prompt_tokens + self.written) } else { self.reads + 1 }
    }

    fn write(&mut self, now: SimTime) {
        self.written += 1;
        match self.first {
            None => self.first = Some(now),
            Some(_) => self.gap_max = self.gap_max.max(now.since(self.latest)),
        }
        self.latest = now;
    }
}

fn blocks(ones: &[One]) -> u64 {
    ones.iter().map(|one| one.length().div_ceil(16)).sum()
}

/// Blocks that the next iteration adds.
fn crossing(ones: &[One]) -> u64 {
    ones.iter().filter(|one| one.decodes() && one.length() % 16 == 0).count() as u64
}

/// Plays jobs and gives what finished, in order of time and number.
pub(super) fn run(profile: &Profile, jobs: &[(Span, Job)]) -> Vec<Finished> {
    let arrivals = jobs.iter().map(|(offset, job)| One {
        arrival: SimTime::after(*offset),
        job: *job,
        order: 0,
        reads: job.prompt_tokens.into(),
        read: 0,
        written: 0,
        first: None,
        latest: SimTime::ZERO,
        gap_max: Span::ZERO,
    });
    let mut arrivals: VecDeque<One> = arrivals.collect();
    let (mut waiting, mut inside) = (VecDeque::new(), Vec::new());
    let (mut now, mut order, mut finished) = (SimTime::ZERO, 0, Vec::new());
    loop {
        while arrivals.front().is_some_and(|one| one.arrival < now) {
            waiting.extend(arrivals.pop_front());
        }
        if waiting.is_empty() && inside.is_empty() {
            // Only the one that wakes an idle engine is let in at once.
            let Some(next) = arrivals.pop_front() else { break };
            now = now.max(next.arrival);
            waiting.push_back(next);
        }
        if !make_room(profile, &mut waiting, &mut inside) {
            admit(profile, &mut waiting, &mut inside, &mut order);
        }
        now = iterate(profile, &mut inside, now);
        inside.retain(|one| {
            let ended = one.written == one.job.output_tokens;
            if ended {
                let first_token = one.first.expect("it has written");
                let Job { id, .. } = one.job;
                finished.push(Finished { id, first_token, last_token: now, gap_max: one.gap_max });
            }
            !ended
        });
    }
    finished.sort_by_key(|it| (it.last_token, it.id));
    finished
}

fn make_room(profile: &Profile, waiting: &mut VecDeque<One>, inside: &mut Vec<One>) -> bool {
    let mut any = false;
    while blocks(inside) + crossing(inside) > u64::from(profile.kv_blocks) {
        any = true;
        let youngest = (0..inside.len()).max_by_key(|at| inside[*at].order).expect("someone is inside");
        let mut out = inside.remove(youngest);
        out.reads = u64::from(out.job.prompt_tokens + out.written);
        out.read = 0;
        waiting.push_front(out);
    }
    any
}

fn admit(profile: &Profile, waiting: &mut VecDeque<One>, inside: &mut Vec<One>, order: &mut u64) {
    while let Some(next) = waiting.front() {
        let taken = blocks(inside) + crossing(inside) + next.length().div_ceil(16);
        if inside.len() as u32 == profile.seqs_max || taken > u64::from(profile.kv_blocks) {
            return;
        }
        *order += 1;
        inside.push(One { order: *order, ..*next });
        waiting.pop_front();
    }
}

fn iterate(profile: &Profile, inside: &mut [One], now: SimTime) -> SimTime {
    inside.sort_by_key(|one| one.order);
    let decoding: Vec<bool> = inside.iter().map(One::decodes).collect();
    let writers = decoding.iter().filter(|it| **it).count() as u64;
    let context: u64 = inside.iter().filter(|one| one.decodes()).map(One::length).sum();
    let mut took = profile.decode(writers, context);
    let mut budget = u64::from(profile.budget_tokens) - writers;
    if writers < inside.len() as u64 {
        took += profile.prefill_pass;
    }
    for one in inside.iter_mut().filter(|one| !one.decodes()) {
        let chunk = budget.min(one.reads - one.read);
        took += profile.prefill(one.read, one.read + chunk);
        one.read += chunk;
        budget -= chunk;
    }
    let ends = now + took;
    for (one, decoded) in inside.iter_mut().zip(decoding) {
        if decoded || one.decodes() {
            one.write(ends);
        }
    }
    ends
}
