//! Which replica gets a request.
//!
//! A router knows what it sent where and what came back, and for least-KV what the engines report; it does not know how long
//! an answer will be and takes the mean of those it has seen. What it leaves out: stale views of several routers,
//! prefix affinity, and the time until a dead replica is no longer chosen.

use crate::time::Span;

/// How to choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Routing {
    /// The least work outstanding, in replica time.
    #[default]
    LeastWork,
    /// In turn.
    RoundRobin,
    /// The fewest KV blocks in use and waited for.
    LeastKv,
}

/// What is known of a replica that serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) member: u64,
    pub(crate) work: Span,
    /// In use and waited for; zero unless routing goes by it.
    pub(crate) kv_blocks: u64,
}

/// Chooses, and learns how long answers are.
#[derive(Clone, Debug)]
pub(crate) struct Router {
    routing: Routing,
    /// The one that was chosen last.
    last: Option<u64>,
    answers: u64,
    answer_tokens: u64,
}

/// How long an answer is taken to be before one has been seen; about what Mooncake's conversations have (343).
const ANSWER_TOKENS_FIRST: u64 = 256;

impl Router {
    pub(crate) fn new(routing: Routing) -> Router {
        Router { routing, last: None, answers: 0, answer_tokens: 0 }
    }

    /// One of the candidates, which come in order of their numbers; none when there is none.
    pub(crate) fn choose(&mut self, candidates: impl Iterator<Item = Candidate>) -> Option<u64> {
        let chosen = match self.routing {
            Routing::LeastWork => candidates.min_by_key(|it| (it.work, it.member)),
            Routing::LeastKv => candidates.min_by_key(|it| (it.kv_blocks, it.work, it.member)),
            Routing::RoundRobin => {
                let mut first = None;
                let mut next = None;
                for it in candidates {
                    first = first.or(Some(it));
                    if next.is_none() && self.last.is_some_and(|last| it.member > last) {
                        next = Some(it);
                    }
                }
                next.or(first)
            }
        };
        self.last = chosen.map(|it| it.member).or(self.last);
        chosen.map(|it| it.member)
    }

    /// Learns from an answer.
    pub(crate) fn answered(&mut self, tokens: u32) {
        self.answers += 1;
        self.answer_tokens += u64::from(tokens);
    }

    /// How long the next answer is taken to be, in tokens.
    pub(crate) fn answer_tokens(&self) -> u64 {
        self.answer_tokens.checked_div(self.answers).unwrap_or(ANSWER_TOKENS_FIRST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(parts: &[(u64, u64, u64)]) -> impl Iterator<Item = Candidate> {
        parts.iter().map(|&(member, work, kv_blocks)| Candidate {
            member,
            work: Span::from_micros(work),
            kv_blocks,
        })
    }

    #[test]
    fn each_way_chooses_by_its_own_measure() {
        let parts = [(1, 30, 7), (4, 10, 9), (9, 20, 2)];
        assert_eq!(Router::new(Routing::LeastWork).choose(candidates(&parts)), Some(4));
        assert_eq!(Router::new(Routing::LeastKv).choose(candidates(&parts)), Some(9));
        assert_eq!(Router::new(Routing::LeastKv).choose(candidates(&[])), None);
    }

    #[test]
    fn turns_go_round_although_replicas_come_and_go() {
        let mut router = Router::new(Routing::RoundRobin);
        let mut turn = |parts: &[(u64, u64, u64)]| router.choose(candidates(parts)).unwrap();
        let all = [(1, 0, 0), (4, 0, 0), (9, 0, 0)];
        assert_eq!([turn(&all), turn(&all), turn(&all), turn(&all)], [1, 4, 9, 1]);
        assert_eq!(turn(&[(9, 0, 0), (12, 0, 0)]), 9);
        assert_eq!(turn(&[(4, 0, 0)]), 4);
    }
}
