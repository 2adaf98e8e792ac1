//! The monitor against local servers that speak as the providers do, well and badly.
#![allow(clippy::wildcard_enum_match_arm)]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    routing::{get, put},
};
use ostler_proto::v1::{self, MaintenanceKind, SourceState, agent_event};
use tokio::net::TcpListener;

use super::{Choice, Config, Monitor, Provider};
use crate::hub::lock;

const PERIOD: Duration = Duration::from_millis(20);

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn monitor(url: String, provider: Choice) -> Monitor {
    Monitor::start(Config { provider, period: PERIOD, timeout: Duration::from_millis(200), url: Some(url) })
}

/// What the monitor tells until it has told `count` notices.
async fn told(monitor: &mut Monitor, count: usize) -> Vec<v1::MaintenanceNotice> {
    let mut all = Vec::new();
    for _ in 0..500 {
        let (events, _) = monitor.latest();
        all.extend(events.into_iter().map(|event| match event {
            agent_event::Kind::Maintenance(notice) => notice,
            other => panic!("only notices come from here, not {other:?}"),
        }));
        if all.len() >= count {
            return all;
        }
        tokio::time::sleep(PERIOD).await;
    }
    panic!("only {} of {count} notices came: {all:?}, status {:?}", all.len(), monitor.latest().1);
}

/// The first status for which `wanted` holds.
async fn status(monitor: &mut Monitor, wanted: impl Fn(&v1::SourceStatus) -> bool) -> v1::SourceStatus {
    for _ in 0..500 {
        let status = monitor.latest().1;
        if wanted(&status) {
            return status;
        }
        tokio::time::sleep(PERIOD).await;
    }
    panic!("the status stays {:?}", monitor.latest().1);
}

/// An answer that the test can change.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Option<String>>>);

impl Said {
    fn say(&self, text: &str) {
        *lock(&self.0) = Some(text.to_owned());
    }

    fn unsay(&self) {
        *lock(&self.0) = None;
    }

    fn answer(&self) -> (StatusCode, String) {
        match lock(&self.0).clone() {
            Some(text) => (StatusCode::OK, text),
            None => (StatusCode::NOT_FOUND, "not found".to_owned()),
        }
    }
}

/// Amazon's service, whose tokens are good for three requests.
fn aws(spot: Said, tokens: Arc<AtomicU32>) -> Router {
    let uses = Arc::new(AtomicU32::new(0));
    let (count, fresh) = (Arc::clone(&tokens), Arc::clone(&uses));
    let token = move |headers: HeaderMap| async move {
        assert!(headers.contains_key("X-aws-ec2-metadata-token-ttl-seconds"));
        fresh.store(0, Ordering::SeqCst);
        format!("token{}", count.fetch_add(1, Ordering::SeqCst) + 1)
    };
    let allowed = move |headers: &HeaderMap| {
        let wanted = format!("token{}", tokens.load(Ordering::SeqCst));
        let given = headers.get("X-aws-ec2-metadata-token").is_some_and(|token| *token == *wanted);
        given && uses.fetch_add(1, Ordering::SeqCst) < 3
    };
    let action = {
        let allowed = allowed.clone();
        move |headers: HeaderMap| async move {
            if allowed(&headers) { spot.answer() } else { (StatusCode::UNAUTHORIZED, String::new()) }
        }
    };
    let nothing = move |headers: HeaderMap| async move {
        if allowed(&headers) { StatusCode::NOT_FOUND } else { StatusCode::UNAUTHORIZED }
    };
    Router::new()
        .route("/latest/api/token", put(token))
        .route("/latest/meta-data/spot/instance-action", get(action))
        .route("/latest/meta-data/events/recommendations/rebalance", get(nothing.clone()))
        .route("/latest/meta-data/events/maintenance/scheduled", get(nothing))
}

#[tokio::test]
async fn an_interruption_on_aws_is_told_once_and_its_withdrawal_too_while_tokens_expire() {
    let (spot, tokens) = (Said::default(), Arc::new(AtomicU32::new(0)));
    let url = serve(aws(spot.clone(), Arc::clone(&tokens))).await;
    let mut monitor = monitor(url, Choice::Auto);
    status(&mut monitor, |status| status.state() == SourceState::Ok).await;
    spot.say(r#"{"action": "terminate", "time": "2999-01-01T00:00:00Z"}"#);
    let notice = told(&mut monitor, 1).await.remove(0);
    assert_eq!((notice.provider.as_str(), notice.kind()), ("aws", MaintenanceKind::SpotInterruption));
    assert!(notice.begins_in_ms > Some(0) && !notice.cancelled);
    let before = tokens.load(Ordering::SeqCst);
    while tokens.load(Ordering::SeqCst) < before + 3 {
        tokio::time::sleep(PERIOD).await;
    }
    assert_eq!(monitor.latest().0, [], "told once, however often it is asked for");
    spot.unsay();
    let withdrawn = told(&mut monitor, 1).await.remove(0);
    assert!(withdrawn.cancelled && withdrawn.notice_id == notice.notice_id, "{withdrawn:?}");
}

#[tokio::test]
async fn preemption_and_maintenance_on_gcp_are_told() {
    let flavored = |text: &'static str| {
        move |headers: HeaderMap| async move {
            assert_eq!(headers.get("Metadata-Flavor").unwrap(), "Google");
            ([("Metadata-Flavor", "Google")], text)
        }
    };
    let router = Router::new()
        .route("/computeMetadata/v1/instance/id", get(flavored("12")))
        .route("/computeMetadata/v1/instance/preempted", get(flavored("TRUE")))
        .route(
            "/computeMetadata/v1/instance/maintenance-event",
            get(flavored("TERMINATE_ON_HOST_MAINTENANCE")),
        );
    let mut monitor = monitor(serve(router).await, Choice::Auto);
    let kinds: Vec<_> = told(&mut monitor, 2).await.iter().map(v1::MaintenanceNotice::kind).collect();
    assert_eq!(kinds, [MaintenanceKind::SpotInterruption, MaintenanceKind::Terminate]);
}

#[tokio::test]
async fn a_scheduled_event_on_azure_is_told() {
    let events = r#"{"DocumentIncarnation": 1, "Events": [{"EventId": "e1", "EventStatus": "Scheduled",
        "EventType": "Redeploy", "Resources": ["gpu-1"], "NotBefore": "Mon, 19 Sep 2999 18:29:47 GMT"}]}"#;
    let asked = |text: &'static str| {
        move |headers: HeaderMap| async move {
            assert_eq!(headers.get("Metadata").unwrap(), "true");
            text
        }
    };
    let router = Router::new()
        .route("/metadata/instance/compute/name", get(asked("gpu-1")))
        .route("/metadata/scheduledevents", get(asked(events)));
    let mut monitor = monitor(serve(router).await, Choice::Auto);
    let notice = told(&mut monitor, 1).await.remove(0);
    assert_eq!((notice.notice_id.as_str(), notice.kind()), ("e1", MaintenanceKind::Redeploy));
}

#[tokio::test]
async fn a_spot_server_of_huawei_cloud_is_told_with_a_token_where_one_is_wanted() {
    let action = |headers: HeaderMap| async move {
        if headers.get("X-Metadata-Token").is_some_and(|token| token == "t") {
            (StatusCode::OK, r#"{"action": "terminate"}"#)
        } else {
            (StatusCode::UNAUTHORIZED, "")
        }
    };
    let router = Router::new()
        .route("/openstack/latest/meta_data.json", get(|| async { r#"{"meta": {"charging_mode": "2"}}"# }))
        .route("/meta-data/latest/api/token", put(|| async { "t" }))
        .route("/openstack/latest/spot/instance-action", get(action));
    let mut monitor = monitor(serve(router).await, Choice::Auto);
    let notice = told(&mut monitor, 1).await.remove(0);
    assert_eq!((notice.provider.as_str(), notice.kind()), ("huaweicloud", MaintenanceKind::SpotInterruption));
}

#[tokio::test]
async fn a_machine_without_a_cloud_says_so_and_asks_no_more() {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let router = Router::new().fallback(move || async move {
        count.fetch_add(1, Ordering::SeqCst);
        StatusCode::NOT_FOUND
    });
    let mut monitor = monitor(serve(router).await, Choice::Auto);
    let status = status(&mut monitor, |status| status.state() == SourceState::Absent).await;
    assert!(status.detail.contains("cloud.provider"), "{}", status.detail);
    let before = asked.load(Ordering::SeqCst);
    tokio::time::sleep(PERIOD * 5).await;
    assert_eq!(asked.load(Ordering::SeqCst), before);
}

#[tokio::test]
async fn garbage_errors_and_huge_answers_change_nothing_but_the_status() {
    let spot = Said::default();
    let url = serve(aws(spot.clone(), Arc::default())).await;
    let mut monitor = monitor(url, Choice::Only(Provider::Aws));
    spot.say(r#"{"action": "stop", "time": "2999-01-01T00:00:00Z"}"#);
    told(&mut monitor, 1).await;
    for (text, word) in [("<html>", "not a notice"), (&"x".repeat(100_000), "larger than")] {
        spot.say(text);
        status(&mut monitor, |status| status.detail.contains(word)).await;
    }
    spot.say(r#"{"action": "stop", "time": "2999-01-01T00:00:00Z"}"#);
    status(&mut monitor, |status| status.state() == SourceState::Ok).await;
    assert_eq!(monitor.latest().0, [], "it stood all the time");
}

#[tokio::test]
async fn a_slow_service_and_one_that_is_gone_are_told_apart() {
    let slow = || async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        "TRUE"
    };
    let router = Router::new().fallback(slow);
    let mut monitor = monitor(serve(router).await, Choice::Only(Provider::Gcp));
    status(&mut monitor, |status| status.detail.contains("did not answer within")).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut monitor = self::monitor(url, Choice::Only(Provider::Gcp));
    status(&mut monitor, |status| status.detail.contains("cannot be reached")).await;
}
