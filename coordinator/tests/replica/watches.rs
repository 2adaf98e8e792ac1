//! Watches over gRPC: snapshot, deltas, filters that entries enter and leave, resuming.

use ostler_coordinator::Running;
use ostler_proto::v1;
use ostler_proto::v1::change::Entry;
use pbjson_types::FieldMask;
use tonic::Code;

use crate::support::{Agent, PATIENCE, fleet, replica, until_nodes};

async fn open(replica: &Running, request: v1::WatchRequest) -> tonic::Streaming<v1::WatchResponse> {
    fleet(replica).await.watch(request).await.unwrap().into_inner()
}

async fn next(watch: &mut tonic::Streaming<v1::WatchResponse>) -> v1::WatchResponse {
    tokio::time::timeout(PATIENCE, watch.message())
        .await
        .expect("an answer in time")
        .unwrap()
        .expect("the watch goes on")
}

/// Answers up to the one that is synced, and all their changes.
async fn synced(watch: &mut tonic::Streaming<v1::WatchResponse>) -> (v1::WatchResponse, Vec<Entry>) {
    let first = next(watch).await;
    let (mut changes, mut last) = (Vec::new(), first.clone());
    loop {
        changes.extend(last.changes.drain(..).filter_map(|change| change.entry));
        if last.synced {
            return (v1::WatchResponse { reset: first.reset, ..last }, changes);
        }
        last = next(watch).await;
    }
}

fn of(kinds: &[v1::Kind], filter: &str) -> v1::WatchRequest {
    let kinds = kinds.iter().map(|kind| *kind as i32).collect();
    v1::WatchRequest { kinds, filter: filter.to_owned(), ..Default::default() }
}

#[tokio::test]
async fn a_watch_begins_with_everything_and_goes_on_with_what_changes() {
    let replica = replica().await;
    let mut agent = Agent::join(&replica, "a", "z", 10, 0).await;
    until_nodes(&mut fleet(&replica).await, 1).await;
    let kinds =
        [v1::Kind::Zone, v1::Kind::Node, v1::Kind::Gpu, v1::Kind::Engine, v1::Kind::Pool, v1::Kind::Event];
    let mut watch = open(&replica, of(&kinds, "")).await;
    let (begin, entries) = synced(&mut watch).await;
    assert!(begin.reset && begin.revision > 0 && !begin.epoch.is_empty());
    let count = |kind: fn(&Entry) -> bool| entries.iter().filter(|entry| kind(entry)).count();
    assert_eq!(count(|it| matches!(it, Entry::Zone(_))), 1);
    assert_eq!(count(|it| matches!(it, Entry::Node(_))), 1);
    assert_eq!(count(|it| matches!(it, Entry::Gpu(_))), 1);
    assert_eq!(count(|it| matches!(it, Entry::Engine(_))), 1);
    assert_eq!(count(|it| matches!(it, Entry::Pool(_))), 1);
    assert!(count(|it| matches!(it, Entry::Event(_))) >= 1);

    agent.row(32).await;
    let gpu = loop {
        let answer = next(&mut watch).await;
        assert!(!answer.reset);
        let gpu = answer.changes.into_iter().find_map(|change| match change.entry {
            Some(Entry::Gpu(gpu)) => Some(gpu),
            _ => None,
        });
        if let Some(gpu) = gpu {
            break gpu;
        }
    };
    assert_eq!((gpu.name.as_str(), gpu.utilization_percent), ("GPU-a", Some(42.0)));
}

#[tokio::test]
async fn an_entry_that_no_longer_passes_the_filter_is_removed_and_can_return() {
    let replica = replica().await;
    let mut agent = Agent::join(&replica, "a", "z", 95, 0).await;
    until_nodes(&mut fleet(&replica).await, 1).await;
    let mask = FieldMask { paths: vec!["utilization_percent".to_owned()] };
    let request =
        v1::WatchRequest { field_mask: Some(mask), ..of(&[v1::Kind::Gpu], "utilization_percent > 90") };
    let mut watch = open(&replica, request).await;
    let (_, entries) = synced(&mut watch).await;
    let gpu = v1::Gpu { name: "GPU-a".into(), utilization_percent: Some(95.0), ..Default::default() };
    assert_eq!(entries, [Entry::Gpu(gpu.clone())]);
    agent.row(-50).await;
    let gone = next(&mut watch).await.changes.pop().unwrap().entry.unwrap();
    assert_eq!(gone, Entry::Removed(v1::Removed { kind: v1::Kind::Gpu as i32, name: "GPU-a".into() }));
    agent.row(50).await;
    assert_eq!(next(&mut watch).await.changes.pop().unwrap().entry.unwrap(), Entry::Gpu(gpu));
}

#[tokio::test]
async fn a_resumed_watch_sends_only_what_changed_meanwhile() {
    let replica = replica().await;
    let mut a = Agent::join(&replica, "a", "z", 10, 0).await;
    let _b = Agent::join(&replica, "b", "z", 20, 0).await;
    until_nodes(&mut fleet(&replica).await, 2).await;
    let mut watch = open(&replica, of(&[v1::Kind::Node], "")).await;
    let (begin, entries) = synced(&mut watch).await;
    assert_eq!(entries.len(), 2);
    drop(watch);

    a.row(5).await;
    let resume = v1::WatchRequest {
        resume_revision: begin.revision,
        resume_epoch: begin.epoch.clone(),
        ..of(&[v1::Kind::Node], "")
    };
    let mut watch = open(&replica, resume.clone()).await;
    let (again, mut entries) = synced(&mut watch).await;
    assert!(!again.reset && again.epoch == begin.epoch);
    if entries.is_empty() {
        entries.extend(next(&mut watch).await.changes.into_iter().filter_map(|change| change.entry));
    }
    let names = entries.iter().map(|entry| {
        let Entry::Node(node) = entry else { panic!("{entry:?} was not asked for") };
        node.name.as_str()
    });
    assert_eq!(names.collect::<Vec<_>>(), ["a"]);

    for wrong in [
        v1::WatchRequest { resume_epoch: "another".into(), ..resume.clone() },
        v1::WatchRequest { resume_revision: u64::MAX, ..resume },
    ] {
        let (reset, entries) = synced(&mut open(&replica, wrong).await).await;
        assert!(reset.reset && entries.len() == 2);
    }
}

#[tokio::test]
async fn an_engine_that_disappears_from_a_node_is_removed() {
    let replica = replica().await;
    let mut agent = Agent::join(&replica, "a", "z", 10, 0).await;
    until_nodes(&mut fleet(&replica).await, 1).await;
    let mut watch = open(&replica, of(&[v1::Kind::Engine], "")).await;
    assert_eq!(synced(&mut watch).await.1.len(), 1);
    let bare = v1::Snapshot { seq: 2, ..Default::default() };
    agent.send(v1::agent_message::Body::Snapshot(bare)).await;
    let gone = next(&mut watch).await.changes.pop().unwrap().entry.unwrap();
    assert_eq!(
        gone,
        Entry::Removed(v1::Removed { kind: v1::Kind::Engine as i32, name: "a/vllm-8000".into() })
    );
}

#[tokio::test]
async fn an_interval_gathers_changes_and_the_newest_state_is_sent() {
    let replica = replica().await;
    let mut agent = Agent::join(&replica, "a", "z", 0, 0).await;
    until_nodes(&mut fleet(&replica).await, 1).await;
    let request = v1::WatchRequest { interval_ms: 400, ..of(&[v1::Kind::Gpu], "") };
    let mut watch = open(&replica, request).await;
    synced(&mut watch).await;
    for _ in 0..10 {
        agent.row(1).await;
    }
    let answer = next(&mut watch).await;
    let Some(Entry::Gpu(gpu)) = &answer.changes[0].entry else { panic!("{answer:?}") };
    assert_eq!((answer.changes.len(), gpu.utilization_percent), (1, Some(10.0)));
}

#[tokio::test]
async fn watches_that_cannot_be_are_refused() {
    let replica = replica().await;
    let mut fleet = fleet(&replica).await;
    let mask = FieldMask { paths: vec!["nothing".to_owned()] };
    let cases = [
        (of(&[v1::Kind::Unspecified], ""), "kinds"),
        (of(&[v1::Kind::Node, v1::Kind::Gpu], "nothing = 1"), "unknown field"),
        (of(&[v1::Kind::Node], "zone = "), "column"),
        (v1::WatchRequest { interval_ms: 60_001, ..Default::default() }, "interval_ms"),
        (v1::WatchRequest { field_mask: Some(mask), ..Default::default() }, "field_mask"),
    ];
    for (request, words) in cases {
        let refused = fleet.watch(request).await.unwrap_err();
        assert!(refused.code() == Code::InvalidArgument && refused.message().contains(words), "{refused}");
    }
    // A field that one of the kinds has is enough.
    assert!(fleet.watch(of(&[v1::Kind::Node, v1::Kind::Gpu], "utilization_percent > 5")).await.is_ok());
}

#[tokio::test]
async fn watches_are_bounded_in_number_and_end_when_the_replica_stops() {
    let config = ostler_coordinator::Config { watchers_max: 1, ..crate::support::config() };
    let replica = ostler_coordinator::start(config).await.unwrap();
    let mut watch = open(&replica, v1::WatchRequest::default()).await;
    synced(&mut watch).await;
    let refused = fleet(&replica).await.watch(v1::WatchRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    replica.shutdown();
    let ended = tokio::time::timeout(PATIENCE, async {
        loop {
            match watch.message().await {
                Ok(Some(_)) => {}
                other => return other,
            }
        }
    });
    let ended = ended.await.expect("the watch ends").unwrap_err();
    assert_eq!(ended.code(), Code::Unavailable, "{ended}");
    tokio::time::timeout(PATIENCE, replica.wait()).await.expect("the replica stops");
}
