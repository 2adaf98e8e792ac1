//! Quantiles of cumulative buckets, as PromQL's `histogram_quantile` estimates them.

/// Estimates a quantile from bounds in rising order and the observations up to each.
///
/// Within a bucket observations are taken to be spread evenly, the lowest bucket beginning at 0. What lies above the last
/// finite bound is said to lie on it. `None` without observations, without a bucket for infinity, or without any other.
pub(super) fn quantile(q: f64, bounds: &[f64], cumulative: &[f64]) -> Option<f64> {
    let last = bounds.len().checked_sub(1).filter(|last| *last >= 1)?;
    if bounds.get(last) != Some(&f64::INFINITY) || cumulative.len() != bounds.len() {
        return None;
    }
    let mut counts = Vec::with_capacity(cumulative.len());
    let mut highest = 0.0_f64;
    for count in cumulative {
        // Buckets of one scrape may have been counted a moment apart, so they are made to rise.
        highest = highest.max(*count);
        counts.push(highest);
    }
    if highest <= 0.0 {
        return None;
    }
    let rank = q * highest;
    let bucket = counts.iter().position(|count| *count >= rank).unwrap_or(last);
    if bucket >= last {
        return bounds.get(last - 1).copied();
    }
    let upper = *bounds.get(bucket)?;
    let (lower, below) = match bucket.checked_sub(1) {
        None if upper <= 0.0 => return Some(upper),
        None => (0.0, 0.0),
        Some(previous) => (*bounds.get(previous)?, *counts.get(previous)?),
    };
    let within = *counts.get(bucket)? - below;
    if within <= 0.0 {
        return Some(lower);
    }
    Some(lower + (upper - lower) * ((rank - below) / within))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;

    #[test]
    fn quantiles_are_those_that_prometheus_computes() {
        // From Prometheus' own promql/promqltest/testdata/histograms.test: testhistogram.
        let bounds = [0.1, 0.2, 1.0, INF];
        let positive = [5.0, 7.0, 11.0, 12.0];
        for (q, expected) in [(0.0, 0.0), (0.2, 0.048), (0.5, 0.15), (0.8, 0.72), (1.0, 1.0)] {
            let estimate = quantile(q, &bounds, &positive).unwrap();
            assert!((estimate - expected).abs() < 1e-12, "{q}: {estimate}");
        }
        let bounds = [-0.2, -0.1, 0.3, INF];
        let negative = [1.0, 2.0, 2.0, 3.0];
        for (q, expected) in [(0.0, -0.2), (0.5, -0.15), (1.0, 0.3)] {
            let estimate = quantile(q, &bounds, &negative).unwrap();
            assert!((estimate - expected).abs() < 1e-12, "{q}: {estimate}");
        }
    }

    #[test]
    fn what_lies_above_the_last_bound_is_said_to_lie_on_it() {
        assert_eq!(quantile(0.99, &[1.0, 2.0, INF], &[0.0, 0.0, 9.0]), Some(2.0));
    }

    #[test]
    fn nothing_is_estimated_from_nothing() {
        assert_eq!(quantile(0.5, &[1.0, INF], &[0.0, 0.0]), None);
        assert_eq!(quantile(0.5, &[INF], &[3.0]), None);
        assert_eq!(quantile(0.5, &[1.0, 2.0], &[3.0, 4.0]), None);
        assert_eq!(quantile(0.5, &[], &[]), None);
    }

    #[test]
    fn buckets_that_fall_are_made_to_rise() {
        assert_eq!(quantile(0.5, &[1.0, 2.0, INF], &[4.0, 3.0, 4.0]), Some(0.5));
    }
}
