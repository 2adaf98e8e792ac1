//! How fast a stream may talk: a token bucket.

use std::time::Instant;

/// Fills with time, empties with messages.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Messages that may come now; the part after the point is on its way.
    tokens: f32,
    refilled: Instant,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn full(burst: u32, now: Instant) -> Self {
        Self { tokens: burst as f32, refilled: now }
    }

    /// Takes a token; false when there is none.
    pub(super) fn take(&mut self, rate: u32, burst: u32, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.refilled).as_secs_f32();
        self.tokens = (self.tokens + passed * rate as f32).min(burst as f32);
        self.refilled = now;
        let enough = self.tokens >= 1.0;
        if enough {
            self.tokens -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_passes_and_then_only_the_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::full(3, start);
        let taken = |bucket: &mut Bucket, milliseconds| {
            bucket.take(20, 3, start + Duration::from_millis(milliseconds))
        };
        assert_eq!([0, 0, 0, 0].map(|at| taken(&mut bucket, at)), [true, true, true, false]);
        assert_eq!([50, 60, 110].map(|at| taken(&mut bucket, at)), [true, false, true]);
        assert_eq!([9_000, 9_000, 9_000, 9_000].map(|at| taken(&mut bucket, at)), [true, true, true, false]);
    }
}
