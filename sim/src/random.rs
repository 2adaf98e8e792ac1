//! Randomness that is the same for the same seed, and laws that lengths of time follow.
//!
//! Each use draws from a stream of its own, named by what it is for, so that a draw more in one place does not change
//! all others: two policies meet the same arrivals, the same start-up times and the same faults as far as they act alike.

use std::sync::Arc;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

use crate::time::Span;

/// A generator for one use.
pub type Stream = ChaCha8Rng;

/// The stream of a seed for one use; `parts` tells apart streams of the same use, such as one for each client.
pub fn stream(seed: u64, name: &str, parts: [u64; 2]) -> Stream {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&fnv(name).to_le_bytes());
    bytes[16..24].copy_from_slice(&parts[0].to_le_bytes());
    bytes[24..].copy_from_slice(&parts[1].to_le_bytes());
    ChaCha8Rng::from_seed(bytes)
}

/// FNV-1a, 64 bits.
fn fnv(name: &str) -> u64 {
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// How long something takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Law {
    /// Always the same.
    Constant(Span),
    /// Memoryless.
    Exponential {
        /// Its mean.
        mean: Span,
    },
    /// Log-normal.
    LogNormal {
        /// Half of all take at most this.
        median: Span,
        /// Standard deviation of the logarithm: 0.3 puts p95 at 1.64 medians, 0.7 at 3.16.
        sigma: f64,
    },
    /// One of these, each as likely.
    Empirical(Samples),
}

/// Measured lengths of time, at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples(Arc<[Span]>);

impl Samples {
    /// None when there is no sample.
    pub fn new(mut samples: Vec<Span>) -> Option<Samples> {
        samples.sort_unstable();
        (!samples.is_empty()).then(|| Samples(samples.into()))
    }

    /// The sample that this share of all do not exceed, the share in 0-1.
    pub fn quantile(&self, share: f64) -> Span {
        let last = self.0.len() - 1;
        self.0[((share.clamp(0.0, 1.0) * last as f64).round() as usize).min(last)]
    }
}

impl Law {
    /// Its mean.
    pub fn mean(&self) -> Span {
        match self {
            Law::Constant(span) => *span,
            Law::Exponential { mean } => *mean,
            Law::LogNormal { median, sigma } => {
                Span::clamped_from_seconds(median.as_seconds() * (sigma * sigma / 2.0).exp())
            }
            Law::Empirical(samples) => {
                // In 128 bits: a million loads of a minute are 694 days, and a span ends at 213.
                let picos: u128 = samples.0.iter().map(|it| u128::from(it.as_picos())).sum();
                let mean = picos / samples.0.len() as u128;
                Span::from_picos(u64::try_from(mean).expect("a mean is at most the longest"))
            }
        }
    }

    /// One draw.
    pub fn draw(&self, stream: &mut Stream) -> Span {
        match self {
            Law::Constant(span) => *span,
            Law::Exponential { mean } => {
                let share: f64 = stream.random();
                Span::clamped_from_seconds(-mean.as_seconds() * (1.0 - share).ln())
            }
            Law::LogNormal { median, sigma } => {
                let normal: f64 = StandardNormal.sample(stream);
                Span::clamped_from_seconds(median.as_seconds() * (sigma * normal).exp())
            }
            Law::Empirical(samples) => samples.0[stream.random_range(0..samples.0.len())],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ_by_seed_name_and_part() {
        let first = |seed, name, part| stream(seed, name, [part, 0]).random::<u64>();
        assert_eq!(first(1, "arrivals", 0), first(1, "arrivals", 0));
        assert_ne!(first(1, "arrivals", 0), first(2, "arrivals", 0));
        assert_ne!(first(1, "arrivals", 0), first(1, "faults", 0));
        assert_ne!(first(1, "arrivals", 0), first(1, "arrivals", 1));
    }

    #[test]
    fn laws_have_the_middle_they_claim() {
        let mut stream = stream(7, "laws", [0, 0]);
        let mut drawn = |law: &Law| {
            let mut all: Vec<f64> = (0..20_000).map(|_| law.draw(&mut stream).as_seconds()).collect();
            all.sort_by(f64::total_cmp);
            (all.iter().sum::<f64>() / all.len() as f64, all[all.len() / 2])
        };
        let (mean, _) = drawn(&Law::Exponential { mean: Span::from_seconds(10) });
        assert!((mean - 10.0).abs() < 0.3, "{mean}");
        let log_normal = Law::LogNormal { median: Span::from_seconds(40), sigma: 0.5 };
        let (mean, median) = drawn(&log_normal);
        assert!((median - 40.0).abs() < 1.2, "{median}");
        assert!((mean / log_normal.mean().as_seconds() - 1.0).abs() < 0.03, "{mean}");
        let samples = Samples::new(vec![Span::from_seconds(3), Span::from_seconds(1)]).unwrap();
        assert_eq!(samples.quantile(0.0), Span::from_seconds(1));
        let (mean, _) = drawn(&Law::Empirical(samples));
        assert!((mean - 2.0).abs() < 0.05, "{mean}");
        assert_eq!(Samples::new(Vec::new()), None);
    }

    #[test]
    fn the_mean_of_samples_is_right_where_their_sum_is_longer_than_a_span() {
        let samples = Samples::new(vec![Span::from_seconds(150 * 86_400); 3]).unwrap();
        assert_eq!(Law::Empirical(samples).mean(), Span::from_seconds(150 * 86_400));
    }
}
