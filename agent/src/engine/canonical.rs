//! The values that are reported, in the units of the wire.

use ostler_proto::v1::Metric;

use super::page::Page;
use super::signal::{Counter, Gauge, Latency};
use super::window::Lately;

/// What every engine reports, in this order, whatever of it the engine knows: the layout of a node then does not change
/// when an engine learns something, and what is unknown costs a bit.
pub const METRICS: [Metric; 30] = [
    Metric::EngineUp,
    Metric::EngineRequestsRunning,
    Metric::EngineRequestsWaiting,
    Metric::EngineKvCacheUsagePpm,
    Metric::EngineKvCacheCapacityTokens,
    Metric::EngineTtftP50Microseconds,
    Metric::EngineTtftP95Microseconds,
    Metric::EngineTtftP99Microseconds,
    Metric::EngineItlP50Microseconds,
    Metric::EngineItlP95Microseconds,
    Metric::EngineItlP99Microseconds,
    Metric::EngineE2eP50Microseconds,
    Metric::EngineE2eP95Microseconds,
    Metric::EngineE2eP99Microseconds,
    Metric::EngineQueueTimeP50Microseconds,
    Metric::EngineQueueTimeP95Microseconds,
    Metric::EngineQueueTimeP99Microseconds,
    Metric::EnginePromptTokensMilliPerSecond,
    Metric::EngineGenerationTokensMilliPerSecond,
    Metric::EngineRequestsMilliPerSecond,
    Metric::EngineErrorsMilliPerSecond,
    Metric::EnginePreemptionsMilliPerSecond,
    Metric::EnginePrefixCacheHitPpm,
    Metric::EnginePromptTokensTotal,
    Metric::EngineGenerationTokensTotal,
    Metric::EngineRequestsTotal,
    Metric::EngineErrorsTotal,
    Metric::EngineCounterResetsTotal,
    Metric::EngineScrapeMicroseconds,
    Metric::EngineScrapeLinesRejected,
];

/// One value for each of [`METRICS`].
pub type Values = [Option<i64>; METRICS.len()];

/// Values of an engine whose page was not read: it is not up, and of the rest nothing is known.
#[allow(clippy::wildcard_enum_match_arm, reason = "the rest is unknown while the engine is not up")]
pub(super) fn down(scrape_microseconds: i64, resets: u64, rejected: Option<u32>) -> Values {
    METRICS.map(|metric| match metric {
        Metric::EngineScrapeLinesRejected => rejected.map(i64::from),
        Metric::EngineUp => Some(0),
        Metric::EngineScrapeMicroseconds => Some(scrape_microseconds),
        Metric::EngineCounterResetsTotal => i64::try_from(resets).ok(),
        _ => None,
    })
}

/// Values of a page that was read, and of what happened lately.
pub(super) fn up(page: &Page, lately: &Lately, scrape_microseconds: i64) -> Values {
    METRICS.map(|metric| value(metric, page, lately, scrape_microseconds))
}

#[allow(clippy::wildcard_enum_match_arm, reason = "the rest of the enum belongs to other owners")]
fn value(metric: Metric, page: &Page, lately: &Lately, scrape_microseconds: i64) -> Option<i64> {
    let total =
        |counter: Counter| page.counters[counter as usize].total().and_then(|value| whole(value, 1.0));
    let rate = |counter: Counter| lately.rates[counter as usize].and_then(|value| whole(value, 1e3));
    let latency = |latency: Latency, i: usize| {
        lately.latencies[latency as usize].get(i).copied().flatten().and_then(|value| whole(value, 1e6))
    };
    match metric {
        Metric::EngineUp => Some(1),
        Metric::EngineRequestsRunning => {
            let running = page.gauge(Gauge::Running).into_iter().chain(page.gauge(Gauge::Scheduled));
            running.reduce(f64::max).and_then(|value| whole(value, 1.0))
        }
        Metric::EngineRequestsWaiting => page.gauge(Gauge::Waiting).and_then(|value| whole(value, 1.0)),
        Metric::EngineKvCacheUsagePpm => kv_usage(page).and_then(share),
        Metric::EngineKvCacheCapacityTokens => kv_capacity(page).and_then(|value| whole(value, 1.0)),
        Metric::EngineTtftP50Microseconds => latency(Latency::Ttft, 0),
        Metric::EngineTtftP95Microseconds => latency(Latency::Ttft, 1),
        Metric::EngineTtftP99Microseconds => latency(Latency::Ttft, 2),
        Metric::EngineItlP50Microseconds => latency(Latency::Itl, 0),
        Metric::EngineItlP95Microseconds => latency(Latency::Itl, 1),
        Metric::EngineItlP99Microseconds => latency(Latency::Itl, 2),
        Metric::EngineE2eP50Microseconds => latency(Latency::E2e, 0),
        Metric::EngineE2eP95Microseconds => latency(Latency::E2e, 1),
        Metric::EngineE2eP99Microseconds => latency(Latency::E2e, 2),
        Metric::EngineQueueTimeP50Microseconds => latency(Latency::QueueTime, 0),
        Metric::EngineQueueTimeP95Microseconds => latency(Latency::QueueTime, 1),
        Metric::EngineQueueTimeP99Microseconds => latency(Latency::QueueTime, 2),
        Metric::EnginePromptTokensMilliPerSecond => rate(Counter::PromptTokens),
        Metric::EngineGenerationTokensMilliPerSecond => rate(Counter::GenerationTokens),
        Metric::EngineRequestsMilliPerSecond => rate(Counter::Requests),
        Metric::EngineErrorsMilliPerSecond => rate(Counter::Errors),
        Metric::EnginePreemptionsMilliPerSecond => rate(Counter::Preemptions),
        Metric::EnginePrefixCacheHitPpm => {
            page.gauge(Gauge::PrefixHitRatio).or(lately.prefix_hits).and_then(share)
        }
        Metric::EnginePromptTokensTotal => total(Counter::PromptTokens),
        Metric::EngineGenerationTokensTotal => total(Counter::GenerationTokens),
        Metric::EngineRequestsTotal => total(Counter::Requests),
        Metric::EngineErrorsTotal => total(Counter::Errors),
        Metric::EngineCounterResetsTotal => i64::try_from(lately.resets).ok(),
        Metric::EngineScrapeMicroseconds => Some(scrape_microseconds),
        Metric::EngineScrapeLinesRejected => Some(i64::from(page.rejected)),
        _ => None,
    }
}

fn kv_usage(page: &Page) -> Option<f64> {
    page.gauge(Gauge::KvUsage).or_else(|| {
        let capacity = kv_capacity(page).filter(|capacity| *capacity > 0.0)?;
        Some(page.gauge(Gauge::KvUsedTokens)? / capacity)
    })
}

fn kv_capacity(page: &Page) -> Option<f64> {
    page.gauge(Gauge::KvCapacityTokens)
        .or_else(|| Some(page.gauge(Gauge::KvBlocks)? * page.gauge(Gauge::KvBlockTokens)?))
}

/// Millionths of the whole.
fn share(ratio: f64) -> Option<i64> {
    whole(ratio.clamp(0.0, 1.0), 1e6)
}

/// The nearest whole number; `None` for what no whole number is near.
fn whole(value: f64, per_unit: f64) -> Option<i64> {
    // Values of 2^53 and above have no exact neighbour, and no engine counts that far.
    const MAX: f64 = 9_007_199_254_740_992.0;
    let scaled = (value * per_unit).round();
    #[allow(clippy::cast_possible_truncation, reason = "the range was just checked")]
    (scaled.is_finite() && scaled.abs() <= MAX).then_some(scaled as i64)
}
