use std::fmt::Write as _;
use std::time::Duration;

use ostler_proto::v1::Metric;
use proptest::prelude::*;

use super::adapters::{SPANS, get};
use crate::engine::adapter::Adapter;
use crate::engine::canonical::{self, Values};
use crate::engine::kind::Kind;
use crate::engine::window::Window;
use crate::exposition::Limits;

/// An engine whose pages are written by the test.
struct Engine {
    adapter: Adapter,
    window: Window,
}

impl Engine {
    fn new(kind: Kind) -> Self {
        Self { adapter: Adapter::with(kind, []), window: Window::new(SPANS) }
    }

    fn read(&mut self, seconds: u64, text: &str) -> Values {
        let page = self.adapter.read(text.as_bytes(), &Limits::default());
        let lately = self.window.fold(&page, Duration::from_secs(seconds));
        canonical::up(&page, &lately, 0)
    }
}

/// A histogram of the time to first token with these counts up to 0.1 s, 1 s and infinity.
fn ttft(labels: &str, counts: [u32; 3]) -> String {
    let mut text = String::new();
    for (bound, count) in ["0.1", "1.0", "+Inf"].iter().zip(counts) {
        writeln!(text, "vllm:time_to_first_token_seconds_bucket{{le=\"{bound}\",{labels}}} {count}").unwrap();
    }
    text
}

fn resets(values: &Values) -> Option<i64> {
    get(values, Metric::EngineCounterResetsTotal)
}

#[test]
fn quantiles_are_of_what_happened_within_the_window_and_absent_when_nothing_did() {
    let mut engine = Engine::new(Kind::Vllm);
    let p50 = |values: &Values| get(values, Metric::EngineTtftP50Microseconds);
    // A thousand slow requests lie before the agent's time.
    assert_eq!(p50(&engine.read(0, &ttft("", [0, 1000, 1000]))), None);
    assert_eq!(p50(&engine.read(1, &ttft("", [0, 1000, 1000]))), None);
    let values = engine.read(2, &ttft("", [10, 1010, 1010]));
    assert_eq!(p50(&values), Some(50_000));
    assert_eq!(get(&values, Metric::EngineTtftP99Microseconds), Some(99_000));
    for second in 3..=61 {
        assert_eq!(p50(&engine.read(second, &ttft("", [10, 1010, 1010]))), Some(50_000), "{second} s");
    }
    // The ten requests were seen at 2 s, so they came after 1 s and no later: gone once 61 s is 60 s ago.
    assert_eq!(p50(&engine.read(62, &ttft("", [10, 1010, 1010]))), None);
}

#[test]
fn label_sets_of_a_histogram_add_up() {
    let mut engine = Engine::new(Kind::Vllm);
    let both = |a, b| format!("{}{}", ttft("engine=\"0\"", a), ttft("engine=\"1\"", b));
    engine.read(0, &both([0, 0, 0], [5, 5, 5]));
    let values = engine.read(1, &both([2, 2, 2], [5, 7, 7]));
    assert_eq!(get(&values, Metric::EngineTtftP50Microseconds), Some(100_000));
    assert_eq!(get(&values, Metric::EngineTtftP95Microseconds), Some(910_000));
}

#[test]
fn a_histogram_that_begins_again_counts_from_zero() {
    let mut engine = Engine::new(Kind::Vllm);
    engine.read(0, &ttft("", [100, 100, 100]));
    let values = engine.read(1, &ttft("", [0, 4, 4]));
    assert_eq!(get(&values, Metric::EngineTtftP50Microseconds), Some(550_000));
    assert_eq!(resets(&values), Some(1));
    assert_eq!(resets(&engine.read(2, &ttft("", [0, 4, 4]))), Some(1));
}

#[test]
fn other_buckets_than_before_begin_a_new_window() {
    let mut engine = Engine::new(Kind::Vllm);
    engine.read(0, &ttft("", [0, 0, 0]));
    engine.read(1, &ttft("", [9, 9, 9]));
    let other = |count: u32| {
        format!(
            "vllm:time_to_first_token_seconds_bucket{{le=\"0.5\"}} {count}\nvllm:time_to_first_token_seconds_bucket{{le=\"+Inf\"}} {count}\n"
        )
    };
    let values = engine.read(2, &other(20));
    assert_eq!((get(&values, Metric::EngineTtftP50Microseconds), resets(&values)), (None, Some(1)));
    let values = engine.read(3, &other(22));
    assert_eq!(get(&values, Metric::EngineTtftP50Microseconds), Some(250_000));
}

#[test]
fn a_histogram_that_appears_with_the_first_request_counts_it() {
    let mut engine = Engine::new(Kind::Vllm);
    engine.read(0, "vllm:num_requests_running 0");
    let values = engine.read(1, &ttft("", [1, 1, 1]));
    assert_eq!(get(&values, Metric::EngineTtftP50Microseconds), Some(50_000));
}

#[test]
fn busy_hung_and_idle_differ() {
    let mut engine = Engine::new(Kind::Vllm);
    let page = |running: u32, tokens: u32| {
        format!("vllm:num_requests_running {running}\nvllm:generation_tokens_total {tokens}\n")
    };
    let read = |engine: &mut Engine, second, running, tokens| {
        let values = engine.read(second, &page(running, tokens));
        let rate = get(&values, Metric::EngineGenerationTokensMilliPerSecond);
        (get(&values, Metric::EngineRequestsRunning), rate)
    };
    assert_eq!(read(&mut engine, 0, 4, 1_000), (Some(4), None), "one page has no rate");
    assert_eq!(read(&mut engine, 1, 4, 1_200), (Some(4), Some(200_000)), "busy");
    for second in 2..6 {
        read(&mut engine, second, 4, 1_200);
    }
    assert_eq!(read(&mut engine, 6, 4, 1_200), (Some(4), Some(0)), "hung");
    assert_eq!(read(&mut engine, 7, 0, 1_200), (Some(0), Some(0)), "idle");
}

#[test]
fn one_rank_that_restarts_does_not_count_the_others_again() {
    let mut engine = Engine::new(Kind::Vllm);
    let page = |a: u32, b: u32| {
        format!(
            "vllm:generation_tokens_total{{engine=\"0\"}} {a}\nvllm:generation_tokens_total{{engine=\"1\"}} {b}\n"
        )
    };
    engine.read(0, &page(1_000, 1_000_000));
    let values = engine.read(1, &page(30, 1_000_020));
    assert_eq!(get(&values, Metric::EngineGenerationTokensMilliPerSecond), Some(50_000));
    assert_eq!(get(&values, Metric::EngineGenerationTokensTotal), Some(1_000_050));
    assert_eq!(resets(&values), Some(1));
}

#[test]
fn a_restart_shows_by_its_start_time_even_when_the_counter_is_past_its_old_value() {
    for time in ["vllm:generation_tokens_created", "process_start_time_seconds"] {
        let mut engine = Engine::new(Kind::Vllm);
        engine.read(0, &format!("vllm:generation_tokens_total 100\n{time} 1000.25\n"));
        let values = engine.read(1, &format!("vllm:generation_tokens_total 100\n{time} 1000.25\n"));
        assert_eq!(resets(&values), Some(0), "{time}");
        let values = engine.read(2, &format!("vllm:generation_tokens_total 130\n{time} 2000.5\n"));
        assert_eq!(get(&values, Metric::EngineGenerationTokensMilliPerSecond), Some(65_000), "{time}");
        assert_eq!(resets(&values), Some(1), "{time}");
    }
}

#[test]
fn the_first_error_is_not_missed() {
    let mut engine = Engine::new(Kind::Vllm);
    engine.read(0, "vllm:request_success_total{finished_reason=\"stop\"} 50");
    let values = engine.read(
        1,
        "vllm:request_success_total{finished_reason=\"stop\"} 50\nvllm:request_success_total{finished_reason=\"error\"} 1",
    );
    assert_eq!(get(&values, Metric::EngineErrorsMilliPerSecond), Some(1_000));
    assert_eq!(get(&values, Metric::EngineRequestsMilliPerSecond), Some(1_000));
}

#[test]
fn rates_span_readings_that_failed() {
    let mut engine = Engine::new(Kind::Llamacpp);
    engine.read(0, "llamacpp:tokens_predicted_total 0");
    let values = engine.read(30, "llamacpp:tokens_predicted_total 300");
    assert_eq!(get(&values, Metric::EngineGenerationTokensMilliPerSecond), Some(10_000));
}

#[test]
fn where_there_is_no_histogram_the_mean_stands_for_the_median() {
    let mut engine = Engine::new(Kind::Llamacpp);
    let page = |seconds: f64, tokens: u32| {
        format!(
            "llamacpp:tokens_predicted_seconds_total {seconds}\nllamacpp:tokens_predicted_total {tokens}\n"
        )
    };
    engine.read(0, &page(100.0, 1_000));
    let values = engine.read(1, &page(102.0, 1_050));
    assert_eq!(get(&values, Metric::EngineItlP50Microseconds), Some(40_000));
    assert_eq!(get(&values, Metric::EngineItlP99Microseconds), None);

    let mut engine = Engine::new(Kind::Triton);
    let page = |microseconds: u32, requests: u32| {
        format!(
            "nv_inference_request_duration_us{{model=\"m\"}} {microseconds}\nnv_inference_request_success{{model=\"m\"}} {requests}\n"
        )
    };
    engine.read(0, &page(5_000_000, 10));
    let values = engine.read(1, &page(5_600_000, 12));
    assert_eq!(get(&values, Metric::EngineE2eP50Microseconds), Some(300_000));
}

#[test]
fn milliseconds_and_a_missing_suffix_are_understood() {
    let mut engine = Engine::new(Kind::Triton);
    let page = |count: u32| {
        format!(
            "nv_inference_first_response_histogram_ms{{model=\"m\", le=\"100\"}} 8\nnv_inference_first_response_histogram_ms{{model=\"m\", le=\"500\"}} {count}\nnv_inference_first_response_histogram_ms{{model=\"m\", le=\"+Inf\"}} {count}\n"
        )
    };
    engine.read(0, &page(30));
    let values = engine.read(1, &page(40));
    assert_eq!(get(&values, Metric::EngineTtftP50Microseconds), Some(300_000));
}

#[test]
fn prefix_hits_are_of_the_queries_within_the_window() {
    let mut engine = Engine::new(Kind::Vllm);
    let page = |queries: u32, hits: u32| {
        format!("vllm:prefix_cache_queries_total {queries}\nvllm:prefix_cache_hits_total {hits}\n")
    };
    let hits = |values: &Values| get(values, Metric::EnginePrefixCacheHitPpm);
    assert_eq!(hits(&engine.read(0, &page(1_000, 0))), None);
    assert_eq!(hits(&engine.read(1, &page(1_000, 0))), None);
    assert_eq!(hits(&engine.read(2, &page(1_200, 50))), Some(250_000));
}

proptest! {
    #[test]
    fn no_history_gives_a_negative_rate_or_a_falling_quantile(
        steps in proptest::collection::vec((0_u64..20, proptest::collection::vec(0_u32..50, 4)), 1..40),
    ) {
        let mut engine = Engine::new(Kind::Vllm);
        let mut now = 0;
        for (elapsed, numbers) in steps {
            now += elapsed;
            let [a, b, c, d] = numbers[..] else { unreachable!() };
            let mut text = ttft("", [a, a + b, a + b + c]);
            writeln!(text, "vllm:generation_tokens_total {d}").unwrap();
            let values = engine.read(now, &text);
            prop_assert!(get(&values, Metric::EngineGenerationTokensMilliPerSecond).is_none_or(|rate| rate >= 0));
            let p50 = get(&values, Metric::EngineTtftP50Microseconds);
            let p99 = get(&values, Metric::EngineTtftP99Microseconds);
            prop_assert_eq!(p50.is_some(), p99.is_some());
            prop_assert!(p50 <= p99 && p50.is_none_or(|p50| (0..=1_000_000).contains(&p50)));
        }
    }
}
