use ostler_proto::v1::{EngineState, SourceState};

use super::server::{Answer, Server, config, state, until};
use crate::engine::{Config, Monitor, Reading, config::Kubelet};

fn page(kind: &str) -> Answer {
    Answer::Page(format!("{kind}:num_requests_running{{model_name=\"m\"}} 1\n"))
}

fn names(reading: &Reading) -> Vec<&str> {
    reading.engines.iter().map(|engine| engine.info.name.as_str()).collect()
}

fn kubelet(server: &Server) -> Kubelet {
    toml::from_str(&format!("url = \"{}\"", server.url("/pods"))).unwrap()
}

/// A list of pods on this address: name, port and annotations as JSON.
fn pods(pods: &[(&str, u16, &str)]) -> Answer {
    let items: Vec<String> = pods
        .iter()
        .map(|(name, port, annotations)| {
            format!(
                r#"{{"metadata": {{"name": "{name}", "namespace": "llm", "annotations": {annotations}, "uid": "x"}},
                    "spec": {{"containers": [{{"name": "c", "ports": [{{"containerPort": {port}, "protocol": "TCP"}}]}}, {{"name": "d"}}]}},
                    "status": {{"phase": "Running", "podIP": "127.0.0.1"}}}}"#
            )
        })
        .collect();
    Answer::Page(format!(r#"{{"kind": "PodList", "apiVersion": "v1", "items": [{}]}}"#, items.join(",")))
}

#[tokio::test]
async fn a_configured_port_is_read_once_an_engine_listens_there() {
    let other = Server::start([("/metrics", Answer::Page("node_load1 2\n".to_owned()))]).await;
    let engine = Server::start([("/metrics", Answer::Status(404))]).await;
    let mut config = config(Vec::new());
    config.probe_ports = vec![other.address.port(), engine.address.port(), 1];
    let mut monitor = Monitor::start(config);
    until(&mut monitor, |_| engine.asked.lock().unwrap().len() > 1).await;
    let reading = monitor.latest();
    assert_eq!((reading.engines.len(), reading.status.state()), (0, SourceState::Absent));
    engine.set("/metrics", page("sglang"));
    let reading = until(&mut monitor, |reading| !reading.engines.is_empty()).await;
    assert_eq!(names(&reading), [format!("sglang-{}", engine.address.port())]);
}

#[tokio::test]
async fn an_engine_that_was_found_is_forgotten_when_it_stays_away() {
    let engine = Server::start([("/metrics", page("vllm"))]).await;
    let mut config = config(Vec::new());
    config.probe_ports = vec![engine.address.port()];
    config.forget_after_s = 1;
    let mut monitor = Monitor::start(config);
    until(&mut monitor, |reading| reading.engines.len() == 1).await;
    drop(engine);
    until(&mut monitor, |reading| reading.engines.iter().any(|engine| state(engine) == EngineState::Down))
        .await;
    let reading = until(&mut monitor, |reading| reading.engines.is_empty()).await;
    assert_eq!(reading.status.state(), SourceState::Absent);
}

#[tokio::test]
async fn an_engine_found_in_two_ways_is_one_engine() {
    let engine = Server::start([("/metrics", page("vllm"))]).await;
    let mut config = config(vec![engine.target("")]);
    config.targets[0].url = config.targets[0].url.replace("127.0.0.1", "localhost");
    config.probe_ports = vec![engine.address.port()];
    let mut monitor = Monitor::start(config);
    until(&mut monitor, |_| engine.asked.lock().unwrap().len() > 5).await;
    assert_eq!(names(&monitor.latest()), [format!("vllm-{}", engine.address.port())]);
}

#[tokio::test]
async fn pods_come_and_go_with_what_their_annotations_say() {
    let chat = Server::start([("/metrics", page("vllm"))]).await;
    let hidden = Server::start([("/stats", page("sglang"))]).await;
    let plain = Server::start([("/metrics", Answer::Page("up 1\n".to_owned()))]).await;
    let annotated = format!(
        r#"{{"ostler.dev/engine": "vllm", "ostler.dev/pool": "chat", "ostler.dev/gpus": "GPU-1, GPU-2", "prometheus.io/port": "{}"}}"#,
        chat.address.port()
    );
    let list = pods(&[
        ("chat-0", 1, &annotated),
        (
            "scraped-0",
            hidden.address.port(),
            r#"{"prometheus.io/scrape": "true", "prometheus.io/path": "stats"}"#,
        ),
        ("exporter-0", plain.address.port(), r#"{"prometheus.io/scrape": "true"}"#),
        ("other-0", plain.address.port(), "null"),
    ]);
    let api = Server::start([("/pods", list)]).await;
    let mut monitor = Monitor::start(Config { kubelet: Some(kubelet(&api)), ..config(Vec::new()) });
    let reading = until(&mut monitor, |reading| reading.engines.len() == 2).await;
    assert_eq!(names(&reading), ["chat-0", "scraped-0"]);
    let info = &reading.engines.first().unwrap().info;
    assert_eq!((&*info.pool, &*info.pod, &*info.namespace), ("chat", "chat-0", "llm"));
    assert_eq!(info.gpu_uuids, ["GPU-1", "GPU-2"]);
    api.set("/pods", pods(&[("chat-0", 1, &annotated)]));
    let reading = until(&mut monitor, |reading| reading.engines.len() == 1).await;
    assert_eq!(names(&reading), ["chat-0"]);
}

#[tokio::test]
async fn a_kubelet_that_does_not_answer_is_reported_and_its_pods_are_kept() {
    let engine = Server::start([("/metrics", page("vllm"))]).await;
    let list = pods(&[("chat-0", engine.address.port(), r#"{"ostler.dev/engine": "auto"}"#)]);
    let api = Server::start([("/pods", list)]).await;
    let mut monitor = Monitor::start(Config { kubelet: Some(kubelet(&api)), ..config(Vec::new()) });
    until(&mut monitor, |reading| reading.engines.len() == 1).await;
    for (answer, detail) in [
        (Answer::Status(401), "HTTP 401"),
        (Answer::Page("[]".to_owned()), "not a list of pods"),
        (Answer::Page("{\"items\": 3}".to_owned()), "not a list of pods"),
    ] {
        api.set("/pods", answer);
        let reading = until(&mut monitor, |reading| reading.status.detail.contains(detail)).await;
        assert_eq!((reading.status.state(), names(&reading)), (SourceState::Degraded, vec!["chat-0"]));
    }
}

#[tokio::test]
async fn the_token_is_read_anew_each_time() {
    let api = Server::start([("/pods", pods(&[]))]).await;
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("token");
    let kubelet = Kubelet { token_file: Some(token_file.clone()), ..kubelet(&api) };
    let mut monitor = Monitor::start(Config { kubelet: Some(kubelet), ..config(Vec::new()) });
    until(&mut monitor, |reading| reading.status.detail.contains("token_file")).await;
    std::fs::write(&token_file, "secret-1\n").unwrap();
    let asked = |token: &str| {
        api.asked.lock().unwrap().iter().any(|text| text.contains(&format!("Bearer {token}\r\n")))
    };
    until(&mut monitor, |_| asked("secret-1")).await;
    std::fs::write(&token_file, "secret-2\n").unwrap();
    until(&mut monitor, |_| asked("secret-2")).await;
}

#[tokio::test]
async fn more_engines_than_a_node_may_report_are_left_out_and_said_so() {
    let engine = Server::start([("/metrics", page("vllm"))]).await;
    let port = engine.address.port();
    let paths: Vec<String> = (0..70)
        .map(|number| format!("{{\"ostler.dev/engine\": \"vllm\", \"prometheus.io/path\": \"/{number}\"}}"))
        .collect();
    for number in 0..70 {
        engine.set(&format!("/{number}"), page("vllm"));
    }
    let list: Vec<(&str, u16, &str)> =
        paths.iter().map(|annotations| ("chat", port, annotations.as_str())).collect();
    let api = Server::start([("/pods", pods(&list))]).await;
    let mut monitor =
        Monitor::start(Config { kubelet: Some(kubelet(&api)), interval_ms: 1_000, ..config(Vec::new()) });
    let reading = until(&mut monitor, |reading| reading.engines.len() == 64).await;
    assert!(reading.status.detail.contains("70 engines found"), "{}", reading.status.detail);
    let mut unique = names(&reading);
    unique.dedup();
    assert_eq!(unique.len(), 64, "two engines have one name");
}

#[tokio::test]
async fn switched_off_nothing_is_looked_for() {
    let mut monitor = Monitor::start(Config { enabled: false, ..Config::default() });
    let reading = monitor.latest();
    assert_eq!((reading.engines.len(), reading.status.state()), (0, SourceState::Absent));
}
