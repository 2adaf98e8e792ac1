//! What else the gRPC port serves: health, reflection, and services that say what is not available.

use ostler_proto::v1;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::{v1 as reflection, v1alpha};

use crate::support::{Agent, Fleet, channel, hello, replica, until_nodes};

#[tokio::test]
async fn one_channel_may_report_and_ask_in_any_order() {
    let replica = replica().await;
    let reporting = channel(&replica).await;
    let mut agent = Agent::hello_over(reporting.clone(), hello("a", "zone-1")).await;
    agent.snapshot(v1::GpuState::Ok, 50, 0).await;
    assert!(agent.answer().await.unwrap().is_some());
    // The connection is the report stream's, and tonic's channel gives up the request by which it finds out.
    let mut fleet = Fleet::new(reporting);
    let first = fleet.get_fleet(v1::GetFleetRequest::default()).await;
    assert!(first.is_ok() || first.unwrap_err().code() == Code::Cancelled);
    until_nodes(&mut fleet, 1).await;

    let asking = channel(&replica).await;
    let mut fleet = Fleet::new(asking.clone());
    until_nodes(&mut fleet, 1).await;
    let mut another = Agent::hello_over(asking, hello("b", "zone-1")).await;
    another.snapshot(v1::GpuState::Ok, 50, 0).await;
    until_nodes(&mut fleet, 2).await;

    agent.snapshot(v1::GpuState::Lost, 0, 0).await;
    another.snapshot(v1::GpuState::Lost, 0, 0).await;
    let filter = "state = LOST".to_owned();
    for lost in [&mut agent, &mut another] {
        lost.row(1).await;
    }
    loop {
        let request = v1::ListRequest { filter: filter.clone(), ..Default::default() };
        if fleet.list_gpus(request).await.unwrap().into_inner().total_size == 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_replica_that_stops_sends_its_agents_elsewhere() {
    let replica = replica().await;
    let mut agent = Agent::join(&replica, "a", "zone-1", 50, 0).await;
    assert!(agent.answer().await.unwrap().is_some());
    replica.shutdown();
    let told = agent.answer().await.unwrap_err();
    assert_eq!(
        (told.code(), told.message()),
        (Code::Unavailable, "this replica is stopping; report to another")
    );
}

#[tokio::test]
async fn health_is_told_for_the_server_and_its_services() {
    let replica = replica().await;
    let mut health = HealthClient::new(channel(&replica).await);
    for service in ["", "ostler.v1.Agent", "ostler.v1.Fleet"] {
        let answer = health.check(HealthCheckRequest { service: service.into() }).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
    }
    let unknown = health.check(HealthCheckRequest { service: "x".into() }).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}

#[tokio::test]
async fn reflection_lists_the_services_in_both_versions() {
    let replica = replica().await;
    let expected = [
        "grpc.health.v1.Health",
        "ostler.v1.Agent",
        "ostler.v1.Control",
        "ostler.v1.Fleet",
        "ostler.v1.Peer",
    ];
    {
        use reflection::server_reflection_request::MessageRequest;
        use reflection::server_reflection_response::MessageResponse;
        let mut client =
            reflection::server_reflection_client::ServerReflectionClient::new(channel(&replica).await);
        let message_request = Some(MessageRequest::ListServices(String::new()));
        let request = reflection::ServerReflectionRequest { host: String::new(), message_request };
        let mut answers =
            client.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
        let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
        let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
        let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
        assert!(expected.iter().all(|name| names.contains(name)), "{names:?}");
    }
    {
        use v1alpha::server_reflection_request::MessageRequest;
        let mut client =
            v1alpha::server_reflection_client::ServerReflectionClient::new(channel(&replica).await);
        let message_request = Some(MessageRequest::FileContainingSymbol("ostler.v1.Fleet".into()));
        let request = v1alpha::ServerReflectionRequest { host: String::new(), message_request };
        let mut answers =
            client.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
        assert!(answers.message().await.unwrap().unwrap().message_response.is_some());
    }
}

#[tokio::test]
async fn what_is_not_available_says_what_and_when() {
    let replica = replica().await;
    let mut control = v1::control_client::ControlClient::new(channel(&replica).await);
    let refused = control.drain(v1::DrainRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented);
    assert!(refused.message().starts_with("drain is not available in this version"), "{refused}");
    let mut agent = v1::agent_client::AgentClient::new(channel(&replica).await);
    assert_eq!(agent.probe(v1::ProbeRequest {}).await.unwrap_err().code(), Code::Unimplemented);
}

#[tokio::test]
async fn an_agent_outside_the_limits_is_told_which_field() {
    let replica = replica().await;
    let labels = (0..33).map(|i| (format!("k{i}"), String::new())).collect();
    let cases = [
        (v1::Hello { node: String::new(), ..hello("a", "z") }, Code::InvalidArgument, "hello.node"),
        (v1::Hello { node: "a b".into(), ..hello("a", "z") }, Code::InvalidArgument, "hello.node"),
        (v1::Hello { zone: "z".repeat(64), ..hello("a", "z") }, Code::InvalidArgument, "hello.zone"),
        (v1::Hello { labels, ..hello("a", "z") }, Code::ResourceExhausted, "hello.labels"),
    ];
    for (hello, code, field) in cases {
        let mut agent = Agent::hello(&replica, hello).await;
        let refused = agent.answer().await.unwrap_err();
        assert!(refused.code() == code && refused.message().contains(field), "{refused}");
    }
}
