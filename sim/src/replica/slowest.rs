//! The longest iteration since another one, without asking every request after every iteration.

use std::collections::VecDeque;

use crate::time::Span;

/// Iterations that are longer than all after them, oldest first, so that the first one after a given iteration is the longest
/// since.
#[derive(Clone, Debug, Default)]
pub(super) struct Slowest(VecDeque<(u64, Span)>);

impl Slowest {
    /// Adds the iteration with this number, which is higher than all before.
    pub(super) fn push(&mut self, iteration: u64, took: Span) {
        while self.0.back().is_some_and(|(_, shorter)| *shorter <= took) {
            self.0.pop_back();
        }
        self.0.push_back((iteration, took));
    }

    /// The longest after this iteration; zero when there is none.
    pub(super) fn after(&self, iteration: u64) -> Span {
        let at = self.0.partition_point(|(number, _)| *number <= iteration);
        self.0.get(at).map_or(Span::ZERO, |(_, took)| *took)
    }

    /// Forgets what nobody will ask for. Called for each request that ends, it keeps the list as short as the oldest request's
    /// life; in practice tens.
    pub(super) fn forget_until(&mut self, iteration: u64) {
        while self.0.front().is_some_and(|(number, _)| *number <= iteration) {
            self.0.pop_front();
        }
    }

    /// How many are kept.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_since_is_found_by_age() {
        let mut slowest = Slowest::default();
        for (iteration, micros) in [(1, 50), (2, 90), (3, 20), (4, 40), (5, 10)] {
            slowest.push(iteration, Span::from_micros(micros));
        }
        let after = |iteration| slowest.after(iteration).as_micros();
        assert_eq!([after(0), after(1), after(2), after(3), after(4), after(5)], [90, 90, 40, 40, 10, 0]);
        let mut short = slowest.clone();
        short.forget_until(2);
        assert_eq!(short.after(2).as_micros(), 40);
        assert_eq!(short.len(), 2);
    }
}
