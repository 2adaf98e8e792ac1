//! What the signals of zones and pools were: one point every 15 s for six hours.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ostler_core::metric::Metric;
use ostler_core::signals::Signals;
use ostler_core::time::Time;
use tokio_util::sync::CancellationToken;

use crate::convert::signals::{METRICS, values};
use crate::summary::{Of, Summaries};

/// Distance between points.
pub const STEP: Duration = Duration::from_secs(15);

/// Points kept for each zone and pool: six hours.
const POINTS_MAX: usize = 6 * 3600 / 15;

/// Zones and pools whose signals are kept. At 64 bytes a point that is at most 92 kB each and 92 MB together; a fleet of
/// ten zones and fifty pools takes 6 MB.
const SERIES_MAX: usize = 1_000;

/// One moment; NaN where there was no value. Seven digits are as much as a chart of six hours shows.
type Point = (Time, [f32; METRICS.len()]);

type Series = BTreeMap<(Of, String), VecDeque<Point>>;

/// The recent past of zones and pools. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Trends {
    series: Arc<Mutex<Series>>,
}

impl Trends {
    /// Adds a point for each zone and pool, and drops what is older than six hours.
    pub fn record<'a>(&self, signals: impl Iterator<Item = (Of, String, &'a Signals)>, now: Time) {
        let mut series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        for (of, name, signals) in signals {
            let full = series.len() >= SERIES_MAX;
            let points = match series.get_mut(&(of, name.clone())) {
                Some(points) => points,
                None if full => continue,
                None => series.entry((of, name)).or_default(),
            };
            points
                .push_back((now, values(signals).map(|value| value.map_or(f32::NAN, |value| value as f32))));
        }
        let oldest = now - STEP * u32::try_from(POINTS_MAX).expect("a small constant");
        series.retain(|_, points| {
            while points.front().is_some_and(|(at, _)| *at < oldest) || points.len() > POINTS_MAX {
                points.pop_front();
            }
            !points.is_empty()
        });
    }

    /// The values of a signal between two moments, oldest first; none when it is not kept for zones and pools.
    pub fn range(
        &self,
        of: Of,
        name: &str,
        metric: Metric,
        from: Time,
        to: Time,
    ) -> Option<Vec<(Time, f64)>> {
        let position = METRICS.iter().position(|it| *it == metric)?;
        let series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let points = series.get(&(of, name.to_owned())).into_iter().flatten();
        let within = points.filter(|(at, _)| from <= *at && *at <= to);
        Some(
            within
                .map(|(at, values)| (*at, f64::from(values[position])))
                .filter(|(_, value)| !value.is_nan())
                .collect(),
        )
    }

    /// Records a point every [`STEP`] until shut down.
    pub async fn run(self, summaries: Summaries, shutdown: CancellationToken) {
        let mut timer = tokio::time::interval(STEP);
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while shutdown.run_until_cancelled(timer.tick()).await.is_some() {
            let summary = summaries.get();
            let zones =
                summary.signals.zones.iter().map(|(name, zone)| (Of::Zone, name.to_string(), &zone.signals));
            let pools =
                summary.signals.pools.iter().map(|(name, pool)| (Of::Pool, name.to_string(), &pool.signals));
            self.record(zones.chain(pools), summary.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use ostler_core::fleet::Freshness;

    use super::*;

    fn signals(waiting: Option<f64>) -> Signals {
        Signals {
            requests_running: None,
            requests_waiting: waiting,
            kv_cache_usage: None,
            ttft_p95_seconds: None,
            itl_p95_seconds: None,
            generation_tokens_per_second: None,
            prompt_tokens_per_second: None,
            requests_per_second: None,
            errors_per_second: None,
            gpu_utilization_percent: None,
            gpu_memory_used_bytes: None,
            gpu_memory_total_bytes: None,
            gpu_power_watts: None,
            age: Duration::ZERO,
            coverage: 1.0,
            freshness: Freshness::Fresh,
        }
    }

    #[test]
    fn six_hours_are_kept_and_moments_without_a_value_are_left_out() {
        let trends = Trends::default();
        for step in 0..2_000u32 {
            let now = Time::from_millis(1_000_000_000) + STEP * step;
            let value = signals((step % 2 == 0).then_some(f64::from(step)));
            trends.record([(Of::Pool, "chat".to_owned(), &value)].into_iter(), now);
        }
        let everything = (Time::ZERO, Time::from_millis(u64::MAX));
        let points = trends
            .range(Of::Pool, "chat", Metric::EngineRequestsWaiting, everything.0, everything.1)
            .unwrap();
        assert_eq!(points.len(), POINTS_MAX / 2);
        assert_eq!(points.last().unwrap().1, 1_998.0);
        assert_eq!(
            trends
                .range(Of::Pool, "chat", Metric::EngineRequestsRunning, everything.0, everything.1)
                .unwrap(),
            []
        );
        assert_eq!(
            trends.range(Of::Pool, "chat", Metric::GpuXidErrorsTotal, everything.0, everything.1),
            None
        );
    }

    #[test]
    fn series_are_bounded_and_those_that_ended_six_hours_ago_are_dropped() {
        let trends = Trends::default();
        let start = Time::from_millis(1_000_000_000);
        for number in 0..SERIES_MAX + 5 {
            trends.record([(Of::Zone, format!("z{number}"), &signals(Some(1.0)))].into_iter(), start);
        }
        assert_eq!(trends.series.lock().unwrap().len(), SERIES_MAX);
        trends.record(std::iter::empty(), start + Duration::from_secs(6 * 3600 + 1));
        assert!(trends.series.lock().unwrap().is_empty());
    }
}
