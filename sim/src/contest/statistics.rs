//! A mean over seeds and how sure it is.

use serde::Serialize;

/// A mean with half of its 95 % confidence interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Estimate {
    /// Over the seeds.
    pub mean: f64,
    /// Half of the interval, by Student's t; none with one seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub half: Option<f64>,
}

/// Student's t at 97.5 %, by degrees of freedom from 1 to 29 (NIST/SEMATECH e-Handbook, table 1.3.6.7.2).
const T: [f64; 29] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045,
];

impl Estimate {
    /// Of at least one value and at most one more than the table has.
    pub fn of(values: &[f64]) -> Estimate {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let half = values.len().checked_sub(2).map(|row| {
            let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
            T[row] * (variance / count).sqrt()
        });
        Estimate { mean, half }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_as_wide_as_the_values_are_apart() {
        assert_eq!(Estimate::of(&[3.0]), Estimate { mean: 3.0, half: None });
        let pair = Estimate::of(&[1.0, 3.0]);
        assert_eq!(pair.mean, 2.0);
        assert!((pair.half.unwrap() - 12.706).abs() < 1e-9, "a standard error of 1");
        assert_eq!(Estimate::of(&[5.0; 30]).half, Some(0.0));
    }
}
