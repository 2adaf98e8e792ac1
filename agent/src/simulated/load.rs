//! How many requests arrive: a slow wave, and bursts on top of it, from a seeded process.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::plan::mix;

/// Shortest and longest quiet time between two bursts, in seconds.
const QUIET_SECONDS: (f64, f64) = (7.0, 22.0);

/// Shortest and longest burst, in seconds.
const BURST_SECONDS: (f64, f64) = (4.0, 9.0);

/// Weakest and strongest burst, as a multiple of the usual rate. The strongest is over what the replicas can do.
const BURST_FACTOR: (f64, f64) = (1.5, 2.3);

/// Period of the slow wave, in seconds, and its height as a share of the mean.
const WAVE: (f64, f64) = (90.0, 0.22);

/// Arrivals at one pool.
#[derive(Debug)]
pub(super) struct Load {
    random: StdRng,
    /// Requests per second in the mean, bursts apart.
    requests_per_second: f64,
    /// Where in the wave this pool begins, in radians.
    phase: f64,
    /// Multiple of the usual rate: 1 while quiet.
    factor: f64,
    /// When the present burst or quiet time ends, in seconds.
    changes_at: f64,
}

impl Load {
    /// A process of its own for each pool of a fleet.
    pub(super) fn new(seed: u64, pool: usize, requests_per_second: f64) -> Load {
        let mut random = StdRng::seed_from_u64(mix(seed ^ mix(pool as u64 + 1)));
        let phase = random.random_range(0.0..std::f64::consts::TAU);
        Load { random, requests_per_second, phase, factor: 1.0, changes_at: 0.0 }
    }

    /// How many requests arrive in the `seconds` that follow `now`.
    pub(super) fn arrivals(&mut self, now: f64, seconds: f64) -> usize {
        if now >= self.changes_at {
            self.change(now);
        }
        let wave = 1.0 + WAVE.1 * (std::f64::consts::TAU * now / WAVE.0 + self.phase).sin();
        self.poisson(self.requests_per_second * wave * self.factor * seconds)
    }

    fn change(&mut self, now: f64) {
        let (length, factor) =
            if self.factor > 1.0 { (QUIET_SECONDS, (1.0, 1.0)) } else { (BURST_SECONDS, BURST_FACTOR) };
        self.changes_at = now + self.random.random_range(length.0..length.1);
        self.factor = factor.0 + (factor.1 - factor.0) * self.random.random::<f64>();
    }

    /// Knuth's method: exact, and fast enough for the means that one tick has (hundreds).
    fn poisson(&mut self, mean: f64) -> usize {
        let (mut left, mut count) = (mean, 0);
        loop {
            left += self.random.random::<f64>().max(f64::MIN_POSITIVE).ln();
            if left < 0.0 {
                return count;
            }
            count += 1;
        }
    }

    /// A length around `mean`, from a quarter of it to about three times it: short ones often, long ones rarely.
    pub(super) fn length(&mut self, mean: f64) -> f64 {
        let spread = -self.random.random::<f64>().max(0.05).ln();
        (mean * (0.25 + 0.79 * spread)).max(1.0)
    }

    /// Two different places below `count`, or the same one when there is no other.
    pub(super) fn pair(&mut self, count: usize) -> (usize, usize) {
        let first = self.random.random_range(0..count);
        let step = if count > 1 { self.random.random_range(1..count) } else { 0 };
        (first, (first + step) % count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn per_second(seed: u64) -> Vec<usize> {
        let mut load = Load::new(seed, 0, 40.0);
        (0..600)
            .map(|second| {
                (0..10).map(|tick| load.arrivals(f64::from(second) + f64::from(tick) * 0.1, 0.1)).sum()
            })
            .collect()
    }

    #[test]
    fn the_load_is_bursty_around_its_mean() {
        let counts = per_second(3);
        let mean = counts.iter().sum::<usize>() as f64 / counts.len() as f64;
        assert!((40.0..65.0).contains(&mean), "mean {mean}");
        assert!(counts.iter().any(|&count| count > 75), "no burst");
        assert!(counts.iter().any(|&count| count < 35), "no quiet time");
    }

    #[test]
    fn the_same_seed_gives_the_same_arrivals() {
        assert_eq!(per_second(5), per_second(5));
        assert_ne!(per_second(5), per_second(6));
    }

    #[test]
    fn lengths_scatter_around_their_mean() {
        let mut load = Load::new(1, 0, 1.0);
        let lengths: Vec<f64> = (0..10_000).map(|_| load.length(100.0)).collect();
        let mean = lengths.iter().sum::<f64>() / lengths.len() as f64;
        assert!((90.0..110.0).contains(&mean), "mean {mean}");
        assert!(lengths.iter().all(|length| (25.0..270.0).contains(length)));
    }
}
