//! What survives a restart of the replica.

use ostler_coordinator::{Config, config, start};
use ostler_proto::v1;

use crate::support::{Agent, fleet, until_nodes};

#[tokio::test]
async fn events_of_before_a_restart_are_listed_before_those_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let config =
        || Config { store: config::Store::Folder(folder.path().to_owned()), ..crate::support::config() };
    let first = start(config()).await.unwrap();
    let agent = Agent::join(&first, "before", "z", 1, 0).await;
    until_nodes(&mut fleet(&first).await, 1).await;
    drop(agent);
    first.shutdown();
    first.wait().await;

    let second = start(config()).await.unwrap();
    let _agent = Agent::join(&second, "after", "z", 1, 0).await;
    let mut client = fleet(&second).await;
    until_nodes(&mut client, 1).await;
    let request = v1::ListRequest { filter: "kind = node_joined".into(), ..Default::default() };
    let events = client.list_events(request).await.unwrap().into_inner().events;
    let nodes: Vec<_> = events.iter().map(|event| event.node.as_str()).collect();
    assert_eq!(nodes, ["before", "after"]);
    assert!(events.is_sorted_by(|a, b| a.name < b.name));
    let get = v1::GetRequest { name: events[0].name.clone(), field_mask: None };
    assert_eq!(client.get_event(get).await.unwrap().into_inner().node, "before");
}

#[tokio::test]
async fn a_replica_alone_leads_and_its_term_rises_with_each_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut before = 0;
    for _ in 0..3 {
        let store = config::Store::Folder(folder.path().to_owned());
        let replica = start(Config { store, ..crate::support::config() }).await.unwrap();
        let mut client = fleet(&replica).await;
        let fleet = until_leader(&mut client).await;
        assert_eq!(fleet.leader, "replica-1");
        assert!(fleet.term > before, "{} after {before}", fleet.term);
        assert_eq!(replica.leadership.act(|token| token.term().0), Some(fleet.term));
        before = fleet.term;
        let leadership = replica.leadership.clone();
        replica.shutdown();
        replica.wait().await;
        assert_eq!(leadership.act(|token| token.term()), None, "nobody leads after the end");
    }
}

async fn until_leader(client: &mut crate::support::Fleet) -> v1::FleetSummary {
    let told = async {
        loop {
            let fleet = client.get_fleet(v1::GetFleetRequest::default()).await.unwrap().into_inner();
            if !fleet.leader.is_empty() {
                return fleet;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(crate::support::PATIENCE, told).await.expect("it leads in time")
}

#[tokio::test]
async fn a_port_in_use_is_named_with_the_flag_that_changes_it() {
    let first = start(crate::support::config()).await.unwrap();
    let taken = Config { grpc_listen: first.grpc_address, ..crate::support::config() };
    let error = start(taken).await.err().unwrap().to_string();
    assert!(error.contains(&first.grpc_address.to_string()) && error.contains("--grpc-listen"), "{error}");
}
