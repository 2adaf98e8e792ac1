//! The names that each engine uses, old ones included.
//!
//! Where a signal has several rules of one rank they add up; a higher rank is what earlier versions called it.

use super::kind::Kind;
use super::rule::{Feeds, Rule};
use super::signal::{Counter, Gauge, Latency};

const MILLISECONDS: f64 = 1e-3;
const MICROSECONDS: f64 = 1e-6;
const PERCENT: f64 = 1e-2;

/// Rules of a kind; none for the generic one, whose rules are configured.
pub(super) fn rules(kind: Kind) -> Vec<Rule> {
    match kind {
        Kind::Vllm => vllm(),
        Kind::Sglang => sglang(),
        Kind::Tgi => tgi(),
        Kind::Triton => triton(),
        Kind::Trtllm => trtllm(),
        Kind::Llamacpp => llamacpp(),
        Kind::Lmdeploy => lmdeploy(),
        Kind::Generic => Vec::new(),
    }
}

fn vllm() -> Vec<Rule> {
    vec![
        Rule::sum("vllm:num_requests_running", Gauge::Running),
        Rule::sum("vllm:num_requests_waiting_by_reason", Gauge::Waiting).only("reason", &["capacity"]),
        Rule::sum("vllm:num_requests_waiting", Gauge::Waiting).rank(1),
        Rule::mean("vllm:kv_cache_usage_perc", Gauge::KvUsage),
        Rule::mean("vllm:gpu_cache_usage_perc", Gauge::KvUsage).rank(1),
        Rule::new(
            "vllm:cache_config_info",
            Feeds::LabelProduct(Gauge::KvCapacityTokens, "num_gpu_blocks", "block_size"),
        ),
        Rule::latency("vllm:time_to_first_token_seconds", Latency::Ttft),
        Rule::latency("vllm:inter_token_latency_seconds", Latency::Itl),
        Rule::latency("vllm:time_per_output_token_seconds", Latency::Itl).rank(1),
        Rule::latency("vllm:request_time_per_output_token_seconds", Latency::Itl).rank(2),
        Rule::latency("vllm:e2e_request_latency_seconds", Latency::E2e),
        Rule::latency("vllm:request_queue_time_seconds", Latency::QueueTime),
        Rule::counter("vllm:prompt_tokens_total", Counter::PromptTokens),
        Rule::counter("vllm:generation_tokens_total", Counter::GenerationTokens),
        Rule::counter("vllm:request_success_total", Counter::Requests),
        Rule::counter("vllm:admission_rejections_total", Counter::Requests),
        Rule::counter("vllm:request_success_total", Counter::Errors)
            .only("finished_reason", &["abort", "error"]),
        Rule::counter("vllm:corrupted_requests_total", Counter::Errors),
        Rule::counter("vllm:admission_rejections_total", Counter::Errors),
        Rule::counter("vllm:num_preemptions_total", Counter::Preemptions),
        Rule::counter("vllm:prefix_cache_queries_total", Counter::PrefixQueries),
        Rule::counter("vllm:prefix_cache_hits_total", Counter::PrefixHits),
        Rule::counter("vllm:gpu_prefix_cache_queries_total", Counter::PrefixQueries).rank(1),
        Rule::counter("vllm:gpu_prefix_cache_hits_total", Counter::PrefixHits).rank(1),
    ]
}

fn sglang() -> Vec<Rule> {
    let rules = vec![
        Rule::sum("sglang:num_running_reqs", Gauge::Running),
        Rule::sum("sglang:num_requests_running", Gauge::Running).rank(1),
        Rule::sum("sglang:num_queue_reqs", Gauge::Waiting),
        Rule::sum("sglang:num_grammar_queue_reqs", Gauge::Waiting),
        Rule::sum("sglang:num_prefill_prealloc_queue_reqs", Gauge::Waiting),
        Rule::sum("sglang:num_prefill_inflight_queue_reqs", Gauge::Waiting),
        Rule::sum("sglang:num_decode_prealloc_queue_reqs", Gauge::Waiting),
        Rule::sum("sglang:num_decode_transfer_queue_reqs", Gauge::Waiting),
        Rule::sum("sglang:num_requests_waiting", Gauge::Waiting).rank(1),
        Rule::sum("sglang:queue_req", Gauge::Waiting).rank(2),
        Rule::mean("sglang:token_usage", Gauge::KvUsage),
        Rule::sum("sglang:max_total_num_tokens", Gauge::KvCapacityTokens),
        Rule::latency("sglang:time_to_first_token_seconds", Latency::Ttft),
        Rule::latency("sglang:inter_token_latency_seconds", Latency::Itl),
        Rule::latency("sglang:time_per_output_token_seconds", Latency::Itl).rank(1),
        Rule::latency("sglang:e2e_request_latency_seconds", Latency::E2e),
        Rule::latency("sglang:queue_time_seconds", Latency::QueueTime),
        Rule::latency("sglang:waiting_request_latency_seconds", Latency::QueueTime).rank(1),
        Rule::counter("sglang:prompt_tokens_total", Counter::PromptTokens),
        Rule::counter("sglang:generation_tokens_total", Counter::GenerationTokens),
        Rule::counter("sglang:num_requests_total", Counter::Requests),
        Rule::counter("sglang:e2e_request_latency_seconds_count", Counter::Requests).rank(1),
        Rule::counter("sglang:num_aborted_requests_total", Counter::Errors),
        Rule::counter("sglang:num_retracted_requests_total", Counter::Preemptions),
        Rule::mean("sglang:cache_hit_rate", Gauge::PrefixHitRatio).rank(1),
        // The versions that labelled the model `name` gave it in percent.
        Rule::mean("sglang:cache_hit_rate", Gauge::PrefixHitRatio).only("name", &[]).scaled(PERCENT),
    ];
    // Tensor and pipeline ranks of one replica all tell the same numbers.
    rules.into_iter().map(|rule| rule.unless_other("tp_rank", "0").unless_other("pp_rank", "0")).collect()
}

fn tgi() -> Vec<Rule> {
    vec![
        Rule::sum("tgi_batch_current_size", Gauge::Running),
        Rule::sum("tgi_queue_size", Gauge::Waiting),
        // What the batch may grow to, of what the cache can hold: the nearest there is to its usage.
        Rule::sum("tgi_batch_current_max_tokens", Gauge::KvUsedTokens),
        Rule::sum("tgi_batch_max_total_tokens", Gauge::KvCapacityTokens),
        Rule::latency("tgi_request_mean_time_per_token_duration", Latency::Itl),
        Rule::latency("tgi_request_duration", Latency::E2e),
        Rule::latency("tgi_request_queue_duration", Latency::QueueTime),
        Rule::counter("tgi_request_input_length_sum", Counter::PromptTokens),
        Rule::counter("tgi_request_generated_tokens_sum", Counter::GenerationTokens),
        Rule::counter("tgi_request_success", Counter::Requests),
        Rule::counter("tgi_request_failure", Counter::Requests),
        Rule::counter("tgi_request_failure", Counter::Errors),
    ]
}

fn triton() -> Vec<Rule> {
    let requests = || Rule::sum("nv_trt_llm_request_metrics", Gauge::Running);
    let blocks = "nv_trt_llm_kv_cache_block_metrics";
    let waiting = Rule::sum("nv_trt_llm_request_metrics", Gauge::Waiting);
    vec![
        requests().only("request_type", &["active"]),
        Rule::sum("nv_trt_llm_request_metrics", Gauge::Scheduled).only("request_type", &["scheduled"]),
        waiting.only("request_type", &["waiting"]),
        Rule::sum("nv_inference_pending_request_count", Gauge::Waiting),
        Rule::mean(blocks, Gauge::KvUsage).only("kv_cache_block_type", &["fraction"]),
        Rule::sum(blocks, Gauge::KvBlocks).only("kv_cache_block_type", &["max"]),
        Rule::max(blocks, Gauge::KvBlockTokens).only("kv_cache_block_type", &["tokens_per"]),
        Rule::latency("nv_inference_first_response_histogram_ms", Latency::Ttft).scaled(MILLISECONDS),
        Rule::latency("nv_inference_request_summary_us", Latency::E2e).scaled(MICROSECONDS),
        Rule::new("nv_inference_request_duration_us", Feeds::LatencySum(Latency::E2e))
            .scaled(MICROSECONDS)
            .rank(1),
        Rule::new("nv_inference_request_success", Feeds::LatencyCount(Latency::E2e)).rank(1),
        Rule::latency("nv_inference_queue_summary_us", Latency::QueueTime).scaled(MICROSECONDS),
        Rule::new("nv_inference_queue_duration_us", Feeds::LatencySum(Latency::QueueTime))
            .scaled(MICROSECONDS)
            .rank(1),
        Rule::new("nv_inference_request_success", Feeds::LatencyCount(Latency::QueueTime)).rank(1),
        Rule::counter("nv_inference_request_success", Counter::Requests),
        Rule::counter("nv_inference_request_failure", Counter::Requests),
        Rule::counter("nv_inference_request_failure", Counter::Errors),
    ]
}

fn trtllm() -> Vec<Rule> {
    vec![
        Rule::sum("trtllm_num_requests_running", Gauge::Running),
        Rule::sum("trtllm_num_requests_waiting", Gauge::Waiting),
        Rule::sum("trtllm_num_paused_requests", Gauge::Waiting),
        Rule::mean("trtllm_kv_cache_utilization", Gauge::KvUsage),
        Rule::sum("trtllm_kv_cache_max_blocks", Gauge::KvBlocks),
        Rule::max("trtllm_kv_cache_tokens_per_block", Gauge::KvBlockTokens),
        Rule::mean("trtllm_kv_cache_hit_rate", Gauge::PrefixHitRatio),
        Rule::latency("trtllm_time_to_first_token_seconds", Latency::Ttft),
        Rule::latency("trtllm_time_per_output_token_seconds", Latency::Itl),
        Rule::latency("trtllm_e2e_request_latency_seconds", Latency::E2e),
        Rule::latency("trtllm_request_queue_time_seconds", Latency::QueueTime),
        Rule::counter("trtllm_prompt_tokens_total", Counter::PromptTokens),
        Rule::counter("trtllm_generation_tokens_total", Counter::GenerationTokens),
        Rule::counter("trtllm_request_success_total", Counter::Requests),
        Rule::counter("trtllm_request_error_total", Counter::Requests),
        Rule::counter("trtllm_request_error_total", Counter::Errors),
    ]
}

fn llamacpp() -> Vec<Rule> {
    vec![
        Rule::sum("llamacpp:requests_processing", Gauge::Running),
        Rule::sum("llamacpp:requests_deferred", Gauge::Waiting),
        Rule::mean("llamacpp:kv_cache_usage_ratio", Gauge::KvUsage),
        Rule::new("llamacpp:tokens_predicted_seconds_total", Feeds::LatencySum(Latency::Itl)),
        Rule::new("llamacpp:tokens_predicted_total", Feeds::LatencyCount(Latency::Itl)),
        Rule::counter("llamacpp:prompt_tokens_total", Counter::PromptTokens),
        Rule::counter("llamacpp:tokens_predicted_total", Counter::GenerationTokens),
    ]
}

fn lmdeploy() -> Vec<Rule> {
    vec![
        Rule::sum("lmdeploy:num_requests_running", Gauge::Running),
        Rule::sum("lmdeploy:num_requests_waiting", Gauge::Waiting),
        Rule::sum("lmdeploy:num_api_requests_waiting", Gauge::Waiting),
        Rule::mean("lmdeploy:gpu_cache_usage_perc", Gauge::KvUsage),
        Rule::mean("lmdeploy:prefix_cache_hit_rate", Gauge::PrefixHitRatio),
        Rule::latency("lmdeploy:time_to_first_token_seconds", Latency::Ttft),
        Rule::latency("lmdeploy:time_per_output_token_seconds", Latency::Itl),
        Rule::latency("lmdeploy:iter_token_latency", Latency::Itl).rank(1),
        Rule::latency("lmdeploy:e2e_request_latency_seconds", Latency::E2e),
        Rule::latency("lmdeploy:request_queue_time_seconds", Latency::QueueTime),
        Rule::counter("lmdeploy:prompt_tokens_total", Counter::PromptTokens),
        Rule::counter("lmdeploy:generation_tokens_total", Counter::GenerationTokens),
        Rule::counter("lmdeploy:request_success_total", Counter::Requests),
        Rule::counter("lmdeploy:num_requests_succeeded", Counter::Requests).rank(1),
        Rule::counter("lmdeploy:num_requests_failed", Counter::Requests).rank(1),
        Rule::counter("lmdeploy:request_success_total", Counter::Errors)
            .only("finished_reason", &["abort", "error"]),
        Rule::counter("lmdeploy:num_requests_failed", Counter::Errors).rank(1),
    ]
}
