//! How a value scores.

use std::time::Duration;

use super::super::observation::{MetricName, Milli};
use super::super::sustained::Side;

/// One metric of the score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Which reading of the pool.
    pub metric: MetricName,
    /// How much it counts.
    pub weight_percent: u16,
    /// For how long a value must be beyond a threshold to score; zero to score at once.
    pub lasting: Duration,
    /// How a value scores.
    pub curve: Curve,
}

/// A score of a value: 0 between two thresholds, rising to 1 above the upper one and falling to -1 below the lower one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Curve {
    /// Above it, more replicas are wanted.
    pub above: Milli,
    /// Where the rise begins: usually at `above`, or lower, for a jump there.
    pub above_from: Milli,
    /// From there to a full score; positive.
    pub above_span: Milli,
    /// Below it, fewer replicas would do; at most `above`.
    pub below: Milli,
    /// From there to a full score; positive.
    pub below_span: Milli,
}

/// The origin's table (REQUIREMENTS, source E): thresholds, and the ways from them to a full score.
const CPU: Curve = Curve::new((70, 30), (30, 30));
const MEMORY: Curve = Curve::new((80, 20), (40, 40));
const RESPONSE: Curve = Curve::new((2000, 3000), (500, 500));
/// Its rise begins at 0, so that a queue scores a half as soon as it is too long.
const QUEUE: Curve = Curve { above_from: Milli(0), ..Curve::new((100, 200), (50, 50)) };

const THREE_MINUTES: Duration = Duration::from_secs(180);
const FIVE_MINUTES: Duration = Duration::from_secs(300);

impl Term {
    /// The four of the origin, with its weights and times.
    pub(super) fn source() -> [Term; 4] {
        [
            Term::new("cpu_percent", 30, FIVE_MINUTES, CPU),
            Term::new("memory_percent", 25, FIVE_MINUTES, MEMORY),
            Term::new("response_ms", 25, THREE_MINUTES, RESPONSE),
            Term::new("queue_requests", 15, THREE_MINUTES, QUEUE),
        ]
    }

    /// How busy the GPUs are, with the numbers that the origin has for CPUs. It names the four metrics of accelerators
    /// that matter, this one first, and gives no numbers for them.
    pub fn gpu_utilization(weight_percent: u16) -> Term {
        Term::new("gpu_utilization_percent", weight_percent, FIVE_MINUTES, CPU)
    }

    /// How full the GPUs' memory is, with the numbers for memory. Engines that reserve it all at their start say nothing
    /// by it.
    pub fn gpu_memory(weight_percent: u16) -> Term {
        Term::new("gpu_memory_percent", weight_percent, FIVE_MINUTES, MEMORY)
    }

    /// How long the model takes, with the numbers for response times.
    pub fn latency(weight_percent: u16) -> Term {
        Term::new("latency_ms", weight_percent, THREE_MINUTES, RESPONSE)
    }

    /// Requests a second, whose curve depends on the model.
    pub fn requests_per_second(weight_percent: u16, curve: Curve) -> Term {
        Term::new("requests_per_second", weight_percent, THREE_MINUTES, curve)
    }

    fn new(metric: &str, weight_percent: u16, lasting: Duration, curve: Curve) -> Term {
        Term { metric: metric.into(), weight_percent, lasting, curve }
    }
}

impl Curve {
    /// The upper threshold and the way from it to 1, the lower threshold and the way from it to -1, in units.
    pub const fn new((above, above_span): (i64, i64), (below, below_span): (i64, i64)) -> Curve {
        assert!(below <= above && 0 < above_span && 0 < below_span, "a curve rises");
        Curve {
            above: Milli::from_units(above),
            above_from: Milli::from_units(above),
            above_span: Milli::from_units(above_span),
            below: Milli::from_units(below),
            below_span: Milli::from_units(below_span),
        }
    }

    /// Beyond which threshold a value is; none between them.
    pub(super) fn side(self, value: Milli) -> Option<Side> {
        if value > self.above {
            Some(Side::Above)
        } else if value < self.below {
            Some(Side::Below)
        } else {
            None
        }
    }

    /// -1 to 1.
    pub(super) fn score(self, value: Milli) -> f64 {
        let over = |from: Milli, span: Milli| (value.as_f64() - from.as_f64()) / span.as_f64();
        match self.side(value) {
            Some(Side::Above) => over(self.above_from, self.above_span).min(1.0),
            Some(Side::Below) => over(self.below, self.below_span).max(-1.0),
            None => 0.0,
        }
    }
}

/// The slope of the least-squares line through points that are one apart; at least two points.
pub(super) fn slope(points: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = points.len() as f64;
    let middle = (count - 1.0) / 2.0;
    let (mut product, mut square) = (0.0, 0.0);
    for (index, point) in points.enumerate() {
        let x = index as f64 - middle;
        product += x * point;
        square += x * x;
    }
    product / square
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(term: usize, values: [i64; 5]) -> [f64; 5] {
        let curve = Term::source()[term].curve;
        values.map(|value| curve.score(Milli::from_units(value)))
    }

    #[test]
    fn values_score_as_the_origin_says() {
        assert_eq!(scores(0, [100, 85, 70, 30, 0]), [1.0, 0.5, 0.0, 0.0, -1.0], "cpu");
        assert_eq!(scores(1, [100, 90, 60, 40, 20]), [1.0, 0.5, 0.0, 0.0, -0.5], "memory");
        assert_eq!(scores(2, [9000, 3500, 2000, 500, 0]), [1.0, 0.5, 0.0, 0.0, -1.0], "response");
        assert_eq!(scores(3, [500, 120, 100, 50, 25]), [1.0, 0.6, 0.0, 0.0, -0.5], "queue");
    }

    #[test]
    fn a_slope_is_that_of_the_line() {
        assert_eq!(slope([3.0, 5.0, 7.0, 9.0].into_iter()), 2.0);
        assert_eq!(slope([4.0; 10].into_iter()), 0.0);
        assert_eq!(slope([1.0, 3.0, 2.0].into_iter()), 0.5);
    }
}
