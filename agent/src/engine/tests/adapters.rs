use std::time::Duration;

use ostler_proto::v1::Metric::{
    self, EngineErrorsTotal as Errors, EngineGenerationTokensTotal as Generated,
    EngineKvCacheCapacityTokens as KvCapacity, EngineKvCacheUsagePpm as KvUsage,
    EnginePrefixCacheHitPpm as PrefixHit, EnginePromptTokensTotal as Prompt,
    EngineQueueTimeP50Microseconds as QueueP50, EngineQueueTimeP95Microseconds as QueueP95,
    EngineQueueTimeP99Microseconds as QueueP99, EngineRequestsRunning as Running,
    EngineRequestsTotal as Requests, EngineRequestsWaiting as Waiting, EngineScrapeLinesRejected as Rejected,
};

use crate::engine::adapter::{Adapter, detect};
use crate::engine::canonical::{self, METRICS, Values};
use crate::engine::kind::Kind;
use crate::engine::window::{Spans, Window};
use crate::exposition::Limits;
use crate::exposition::captures::capture;

pub(super) const SPANS: Spans = Spans { quantiles: Duration::from_secs(60), rates: Duration::from_secs(5) };

pub(super) fn read(kind: Kind, text: &str) -> (String, Values) {
    let page = Adapter::with(kind, []).read(text.as_bytes(), &Limits::default());
    let lately = Window::new(SPANS).fold(&page, Duration::ZERO);
    (page.model(), canonical::up(&page, &lately, 0))
}

pub(super) fn get(values: &Values, metric: Metric) -> Option<i64> {
    METRICS.iter().zip(values).find(|(known, _)| **known == metric).and_then(|(_, value)| *value)
}

/// Everything that a single page says, counters of this agent's own left out.
fn told(values: &Values) -> Vec<(Metric, i64)> {
    let own =
        [Metric::EngineUp, Metric::EngineScrapeMicroseconds, Metric::EngineCounterResetsTotal, Rejected];
    let known = METRICS.iter().zip(values).filter(|(metric, _)| !own.contains(metric));
    known.filter_map(|(metric, value)| Some((*metric, (*value)?))).collect()
}

/// File, kind, model, and what a person reads in it.
type Capture = (&'static str, Kind, &'static str, &'static [(Metric, i64)]);

const CAPTURES: [Capture; 12] = [
    (
        "vllm_v1_qwen2.5-0.5b_idle.prom",
        Kind::Vllm,
        "Qwen/Qwen2.5-0.5B-Instruct",
        &[
            (Running, 0),
            (Waiting, 0),
            (KvUsage, 0),
            (KvCapacity, 101_625 * 16),
            (Prompt, 0),
            (Generated, 0),
            (Requests, 0),
            (Errors, 0),
        ],
    ),
    ("vllm_dynamo_docs_excerpt.prom", Kind::Vllm, "meta-llama/Llama-3.1-8B", &[(Requests, 165)]),
    (
        "sglang_llama3.1-8b.prom",
        Kind::Sglang,
        "meta-llama/Llama-3.1-8B-Instruct",
        &[
            (Running, 0),
            (Waiting, 0),
            (KvUsage, 0),
            (PrefixHit, 0),
            (Prompt, 7),
            (Generated, 8),
            (Requests, 1),
        ],
    ),
    (
        "sglang_gemma2-9b_busy_old_namespace.prom",
        Kind::Sglang,
        "google/gemma-2-9b-it",
        &[
            (Running, 0),
            (Waiting, 0),
            (KvUsage, 10_000),
            (KvCapacity, 161_721),
            (PrefixHit, 106_100),
            (Prompt, 506_780),
            (Generated, 424_549),
            (Requests, 2_104),
        ],
    ),
    (
        "sglang_dynamo_docs_excerpt.prom",
        Kind::Sglang,
        "meta-llama/Llama-3.1-8B-Instruct",
        &[(PrefixHit, 7_500), (Prompt, 8_128_902), (Generated, 7_557_572)],
    ),
    ("tgis_ibm_vllm_pr18_excerpt.prom", Kind::Tgi, "", &[(Running, 0), (Waiting, 0)]),
    (
        "triton_trtllm_inflight_batcher.prom",
        Kind::Triton,
        "tensorrt_llm",
        &[(Running, 1), (Waiting, 1), (KvUsage, 487_500), (KvCapacity, 6_239 * 64)],
    ),
    (
        "triton_trtllm_base_zero.prom",
        Kind::Triton,
        "tensorrt_llm",
        &[(Waiting, 0), (Requests, 0), (Errors, 0)],
    ),
    (
        "triton_datadog_fixture_prefix.prom",
        Kind::Triton,
        "simple_identity,simple_int8,simple_sequence,simple_string",
        &[
            (Waiting, 0),
            (Metric::EngineE2eP50Microseconds, 3),
            (Metric::EngineE2eP95Microseconds, 3),
            (Metric::EngineE2eP99Microseconds, 3),
            (Requests, 3),
            (Errors, 0),
        ],
    ),
    (
        "triton_summary_docs.prom",
        Kind::Triton,
        "my_model",
        &[(QueueP50, 55), (QueueP95, 98), (QueueP99, 101)],
    ),
    ("trtllm_dynamo_docs.prom", Kind::Trtllm, "Qwen/Qwen3-0.6B", &[(Requests, 155)]),
    (
        "llamacpp_ik_pr695.prom",
        Kind::Llamacpp,
        "",
        &[(Running, 0), (Waiting, 0), (KvUsage, 491_063), (Prompt, 6_886), (Generated, 3_469)],
    ),
];

#[test]
fn every_capture_says_what_a_person_reads_in_it() {
    for (file, kind, model, expected) in CAPTURES {
        let text = String::from_utf8(capture(file)).unwrap();
        assert_eq!(detect(text.as_bytes(), &Limits::default()), Some(kind), "{file}");
        let (read_model, values) = read(kind, &text);
        assert_eq!(told(&values), expected, "{file}");
        assert_eq!(read_model, model, "{file}");
    }
}

#[test]
fn the_better_of_two_names_counts_and_never_both() {
    let table: [(&str, &[(Metric, i64)]); 5] = [
        // Old and new names of one ratio, over two data-parallel ranks.
        (
            "vllm:gpu_cache_usage_perc{engine=\"0\"} 0.9\nvllm:kv_cache_usage_perc{engine=\"0\"} 0.2\nvllm:kv_cache_usage_perc{engine=\"1\"} 0.4\n",
            &[(KvUsage, 300_000)],
        ),
        ("vllm:gpu_cache_usage_perc 0.9\n", &[(KvUsage, 900_000)]),
        // Only those that wait for capacity, where the engine tells.
        (
            "vllm:num_requests_waiting 9\nvllm:num_requests_waiting_by_reason{reason=\"capacity\"} 2\nvllm:num_requests_waiting_by_reason{reason=\"deferred\"} 7\n",
            &[(Waiting, 2)],
        ),
        (
            "vllm:num_requests_waiting{engine=\"0\"} 3\nvllm:num_requests_waiting{engine=\"1\"} 4\n",
            &[(Waiting, 7)],
        ),
        // With and without `_total`.
        (
            "vllm:prompt_tokens 5\nvllm:prompt_tokens_total 7\nvllm:generation_tokens 9\n",
            &[(Prompt, 7), (Generated, 9)],
        ),
    ];
    for (text, expected) in table {
        assert_eq!(told(&read(Kind::Vllm, text).1), expected, "{text}");
    }
}

#[test]
fn absent_is_not_zero_and_nonsense_is_absent() {
    assert_eq!(told(&read(Kind::Vllm, "python_info 1").1), []);
    let text = "vllm:num_requests_running NaN\nvllm:num_requests_waiting +Inf\nvllm:kv_cache_usage_perc -1\nvllm:prompt_tokens_total NaN\nvllm:cache_config_info{num_gpu_blocks=\"None\",block_size=\"16\"} 1\n";
    assert_eq!(told(&read(Kind::Vllm, text).1), []);
}

#[test]
fn bad_lines_are_counted_and_cost_nothing_else() {
    let (_, values) =
        read(Kind::Vllm, "vllm:num_requests_running{ 1\nvllm:num_requests_waiting 2\nnonsense\n");
    assert_eq!(
        (get(&values, Running), get(&values, Waiting), get(&values, Rejected)),
        (None, Some(2), Some(2))
    );
}

#[test]
fn tensor_ranks_of_one_replica_are_counted_once() {
    let text = "sglang:num_running_reqs{tp_rank=\"0\",dp_rank=\"0\"} 3\nsglang:num_running_reqs{tp_rank=\"1\",dp_rank=\"0\"} 3\nsglang:num_running_reqs{tp_rank=\"0\",dp_rank=\"1\"} 4\nsglang:num_queue_reqs 1\nsglang:num_grammar_queue_reqs 2\n";
    assert_eq!(told(&read(Kind::Sglang, text).1), [(Running, 7), (Waiting, 3)]);
}

#[test]
fn an_ensemble_counts_a_request_once() {
    let text = "nv_inference_request_success{model=\"ensemble\"} 5\nnv_inference_request_success{model=\"tensorrt_llm\"} 5\nnv_trt_llm_request_metrics{model=\"tensorrt_llm\",request_type=\"active\"} 2\n";
    assert_eq!(told(&read(Kind::Triton, text).1), [(Running, 2), (Requests, 5)]);
}

#[test]
fn the_remaining_engines_are_read_by_their_documented_names() {
    let (model, values) = read(
        Kind::Trtllm,
        "trtllm_num_requests_running{model_name=\"m\"} 3\ntrtllm_num_requests_waiting{model_name=\"m\"} 2\ntrtllm_kv_cache_utilization{model_name=\"m\"} 0.25\ntrtllm_kv_cache_max_blocks{model_name=\"m\"} 100\ntrtllm_kv_cache_tokens_per_block{model_name=\"m\"} 32\n",
    );
    assert_eq!(model, "m");
    assert_eq!(told(&values), [(Running, 3), (Waiting, 2), (KvUsage, 250_000), (KvCapacity, 3_200)]);
    let (_, values) = read(
        Kind::Lmdeploy,
        "lmdeploy:num_requests_running{model_name=\"m\"} 3\nlmdeploy:num_requests_waiting{model_name=\"m\"} 1\nlmdeploy:gpu_cache_usage_perc{model_name=\"m\"} 0.5\n",
    );
    assert_eq!(told(&values), [(Running, 3), (Waiting, 1), (KvUsage, 500_000)]);
    let (_, values) = read(
        Kind::Tgi,
        "tgi_queue_size 4\ntgi_batch_current_size 2\ntgi_batch_current_max_tokens 500\ntgi_batch_max_total_tokens 2000\ntgi_request_generated_tokens_sum 70\ntgi_request_success{method=\"generate\"} 9\ntgi_request_failure{err=\"overloaded\"} 1\n",
    );
    let expected = [
        (Running, 2),
        (Waiting, 4),
        (KvUsage, 250_000),
        (KvCapacity, 2_000),
        (Generated, 70),
        (Requests, 10),
        (Errors, 1),
    ];
    assert_eq!(told(&values), expected);
}

#[test]
fn a_colon_written_as_an_underscore_is_the_same_name() {
    let text = "vllm_num_requests_running 3\n";
    assert_eq!(detect(text.as_bytes(), &Limits::default()), Some(Kind::Vllm));
    assert_eq!(told(&read(Kind::Vllm, text).1), [(Running, 3)]);
    assert_eq!(detect(b"vllmish_thing 1\nnv_gpu_utilization 1\n", &Limits::default()), None);
}
