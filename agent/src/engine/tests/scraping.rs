use std::time::{Duration, Instant};

use ostler_proto::v1::{EngineState, Metric, SourceState, agent_event};

use super::server::{Answer, Server, config, state, until};
use crate::engine::canonical::METRICS;
use crate::engine::{Kind, Monitor};
use crate::exposition::captures::capture;
use crate::sample::EngineSample;

const PAGE: &str = "vllm:num_requests_running{model_name=\"m\"} 3\n";

fn page() -> Answer {
    Answer::Page(PAGE.to_owned())
}

fn value(engine: &EngineSample, metric: Metric) -> Option<i64> {
    engine.groups.first()?.values.iter().find(|(known, _)| *known == metric)?.1
}

#[tokio::test]
async fn an_engine_is_named_and_read_with_every_value_in_its_place() {
    let text = String::from_utf8(capture("vllm_v1_qwen2.5-0.5b_idle.prom")).unwrap();
    let server = Server::start([("/metrics", Answer::Chunked(text))]).await;
    let mut monitor = Monitor::start(config(vec![server.target("/metrics")]));
    let reading = until(&mut monitor, |reading| !reading.engines.is_empty()).await;
    let engine = reading.engines.first().unwrap();
    assert_eq!(engine.info.name, format!("vllm-{}", server.address.port()));
    assert_eq!((state(engine), engine.info.kind()), (EngineState::Serving, Kind::Vllm.into()));
    assert_eq!(
        (&*engine.info.model, &*engine.info.pool),
        ("Qwen/Qwen2.5-0.5B-Instruct", "Qwen/Qwen2.5-0.5B-Instruct")
    );
    let group = engine.groups.first().unwrap();
    assert!(group.sampled && group.period == Duration::from_millis(100));
    assert!(group.values.iter().map(|(metric, _)| *metric).eq(METRICS));
    assert_eq!(value(engine, Metric::EngineUp), Some(1));
    assert_eq!(value(engine, Metric::EngineKvCacheCapacityTokens), Some(1_626_000));
    assert_eq!(reading.status.state(), SourceState::Ok);
    // Looking again at once finds the same values, and that they are not new.
    let again = monitor.latest();
    assert!(again.engines.iter().all(|engine| engine.groups.iter().all(|group| !group.sampled)));
}

#[tokio::test]
async fn each_failure_has_its_state_and_says_what_is_wrong() {
    let table: [(Answer, EngineState, &str); 10] = [
        (Answer::Status(404), EngineState::Unreadable, "HTTP 404 Not Found at /metrics"),
        (Answer::Status(503), EngineState::Loading, "HTTP 503"),
        (Answer::Redirect("http://elsewhere/"), EngineState::Unreadable, "redirected to http://elsewhere/"),
        (Answer::Silence, EngineState::Timeout, "no answer within 100 ms"),
        (Answer::Reset, EngineState::Down, ""),
        (Answer::Raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), EngineState::Unreadable, "not HTTP"),
        (Answer::Cut(PAGE.to_owned()), EngineState::Unreadable, "broke off"),
        (Answer::Page("<html></html>".to_owned()), EngineState::Unreadable, "line 1, column 1"),
        (Answer::Page("up 1\n".to_owned()), EngineState::Unreadable, "none of its 1 samples"),
        (Answer::Page("a 1\n".repeat(1_000_000)), EngineState::Unreadable, "longer than 2000000 bytes"),
    ];
    for (answer, expected, detail) in table {
        let silent = matches!(answer, Answer::Silence);
        let server = Server::start([("/metrics", answer)]).await;
        let mut config = config(vec![server.target("/metrics")]);
        config.timeout_ms = if silent { 100 } else { 5_000 };
        config.body_bytes_max = 2_000_000;
        let mut monitor = Monitor::start(config);
        let reading = until(&mut monitor, |reading| !reading.engines.is_empty()).await;
        let engine = reading.engines.first().unwrap();
        assert_eq!(state(engine), expected, "{detail}: {}", engine.info.detail);
        assert!(engine.info.detail.contains(detail), "{detail}: {}", engine.info.detail);
        assert_eq!(value(engine, Metric::EngineUp), Some(0));
        assert_eq!(value(engine, Metric::EngineRequestsRunning), None);
    }
}

#[tokio::test]
async fn an_engine_is_loading_until_its_health_page_says_otherwise() {
    for first in [page(), Answer::Page(String::new()), Answer::Status(500)] {
        let server = Server::start([("/metrics", first), ("/health", Answer::Status(503))]).await;
        let mut monitor = Monitor::start(config(vec![server.target("/metrics")]));
        let reading = until(&mut monitor, |reading| !reading.engines.is_empty()).await;
        assert_eq!(reading.engines.first().map(state), Some(EngineState::Loading));
        server.set("/health", Answer::Page(String::new()));
        server.set("/metrics", page());
        let serving = |engine: &EngineSample| state(engine) == EngineState::Serving;
        until(&mut monitor, |reading| reading.engines.iter().any(serving)).await;
    }
}

#[tokio::test]
async fn every_change_of_state_is_an_event() {
    let server = Server::start([("/metrics", page())]).await;
    let mut monitor = Monitor::start(config(vec![server.target("/metrics")]));
    let mut seen = Vec::new();
    let mut collect = |events: &[agent_event::Kind]| {
        for event in events {
            if let agent_event::Kind::Engine(event) = event {
                seen.push((event.from(), event.to()));
            }
        }
        seen.len()
    };
    until(&mut monitor, |reading| collect(&reading.events) == 1).await;
    server.set("/metrics", Answer::Status(500));
    until(&mut monitor, |reading| collect(&reading.events) == 2).await;
    server.set("/metrics", page());
    until(&mut monitor, |reading| collect(&reading.events) == 3).await;
    use EngineState::{Serving, Unreadable, Unspecified};
    assert_eq!(seen, [(Unspecified, Serving), (Serving, Unreadable), (Unreadable, Serving)]);
}

#[tokio::test]
async fn an_engine_that_is_gone_is_down_and_keeps_its_name() {
    let server = Server::start([("/metrics", page())]).await;
    let mut monitor = Monitor::start(config(vec![server.target("/metrics")]));
    let name = format!("vllm-{}", server.address.port());
    until(&mut monitor, |reading| reading.engines.iter().any(|engine| engine.info.name == name)).await;
    drop(server);
    let down = |engine: &EngineSample| state(engine) == EngineState::Down;
    let reading = until(&mut monitor, |reading| reading.engines.iter().any(down)).await;
    assert_eq!(reading.engines.first().map(|engine| engine.info.name.clone()), Some(name));
    assert_eq!(reading.status.state(), SourceState::Degraded);
}

#[tokio::test]
async fn a_silent_engine_delays_no_other() {
    let silent = Server::start([("/metrics", Answer::Silence)]).await;
    let lively = Server::start([("/metrics", page())]).await;
    let mut config = config(vec![silent.target("/metrics"), lively.target("/metrics")]);
    config.timeout_ms = 60_000;
    let begun = Instant::now();
    let mut monitor = Monitor::start(config);
    let serving = |engine: &EngineSample| state(engine) == EngineState::Serving;
    until(&mut monitor, |reading| reading.engines.iter().any(serving)).await;
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn a_connection_is_kept_and_both_formats_are_asked_for_without_compression() {
    let server = Server::start([("/metrics", page())]).await;
    let mut monitor = Monitor::start(config(vec![server.target("/metrics")]));
    until(&mut monitor, |_| server.asked.lock().unwrap().len() > 5).await;
    let asked = server.asked.lock().unwrap().clone();
    let metrics = asked.iter().find(|text| text.starts_with("GET /metrics ")).unwrap().to_lowercase();
    assert!(metrics.contains("application/openmetrics-text") && metrics.contains("text/plain"));
    assert!(!metrics.contains("accept-encoding"));
}

#[tokio::test]
async fn without_a_path_the_usual_ones_are_tried() {
    let text = String::from_utf8(capture("trtllm_dynamo_docs.prom")).unwrap();
    let answers = [
        ("/metrics", Answer::Page("[{\"iter\": 1}]".to_owned())),
        ("/prometheus/metrics", Answer::Page(text)),
    ];
    let server = Server::start(answers).await;
    let mut monitor = Monitor::start(config(vec![server.target("")]));
    let serving = |engine: &EngineSample| state(engine) == EngineState::Serving;
    let reading = until(&mut monitor, |reading| reading.engines.iter().any(serving)).await;
    let engine = reading.engines.first().unwrap();
    assert_eq!(engine.info.name, format!("trtllm-{}", server.address.port()));
    assert!(engine.info.url.ends_with("/prometheus/metrics"));
}

#[tokio::test]
async fn a_model_that_the_page_does_not_name_is_asked_for() {
    let models = r#"{"object":"list","data":[{"id":"qwen3-8b.gguf","object":"model"}]}"#;
    let answers = [
        ("/metrics", Answer::Page("llamacpp:requests_processing 1\n".to_owned())),
        ("/v1/models", Answer::Page(models.to_owned())),
    ];
    let server = Server::start(answers).await;
    let mut monitor = Monitor::start(config(vec![server.target("/metrics")]));
    let reading = until(&mut monitor, |reading| !reading.engines.is_empty()).await;
    assert_eq!(reading.engines.first().map(|engine| engine.info.model.as_str()), Some("qwen3-8b.gguf"));
}

#[tokio::test]
async fn a_generic_engine_is_read_by_the_names_that_are_configured() {
    let text = "depth{lane=\"gpu\"} 7\ndepth{lane=\"cpu\"} 9\nusage_percent 25\nserved 11\n";
    let server = Server::start([("/stats", Answer::Page(text.to_owned()))]).await;
    let target = toml::from_str(&format!(
        r#"
        url = "{}"
        name = "mine"
        kind = "generic"
        pool = "batch"
        model = "bert"
        gpus = ["GPU-1"]
        metrics = [
          {{ signal = "waiting", name = "depth", labels = {{ lane = "gpu" }} }},
          {{ signal = "kv_cache_usage", name = "usage_percent", scale = 0.01 }},
          {{ signal = "requests", name = "served" }},
        ]
        "#,
        server.url("/stats")
    ));
    let mut monitor = Monitor::start(config(vec![target.unwrap()]));
    let reading = until(&mut monitor, |reading| !reading.engines.is_empty()).await;
    let engine = reading.engines.first().unwrap();
    assert_eq!((&*engine.info.name, &*engine.info.pool, &*engine.info.model), ("mine", "batch", "bert"));
    assert_eq!(engine.info.gpu_uuids, ["GPU-1"]);
    assert_eq!(value(engine, Metric::EngineRequestsWaiting), Some(7));
    assert_eq!(value(engine, Metric::EngineKvCacheUsagePpm), Some(250_000));
    assert_eq!(value(engine, Metric::EngineRequestsTotal), Some(11));
    assert_eq!(value(engine, Metric::EngineRequestsRunning), None);
}
