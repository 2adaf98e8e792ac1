//! Lists, single entries, paging, filters, masks and ranges.

use ostler_coordinator::mask::Fields;
use ostler_proto::v1;
use pbjson_types::FieldMask;
use tonic::Code;

use crate::support::{Agent, PATIENCE, fleet, replica, until_nodes};

fn list(filter: &str, fields: &[&str]) -> v1::ListRequest {
    let paths: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
    let field_mask = (!paths.is_empty()).then_some(FieldMask { paths });
    v1::ListRequest { filter: filter.to_owned(), field_mask, ..Default::default() }
}

#[tokio::test]
async fn what_an_agent_reports_is_listed_with_its_age_in_every_kind() {
    let replica = replica().await;
    let mut fleet = fleet(&replica).await;
    let _a = Agent::join(&replica, "a", "eu-1a", 90, 3).await;
    let _b = Agent::join(&replica, "b", "eu-1b", 10, 1).await;
    until_nodes(&mut fleet, 2).await;

    let nodes = fleet.list_nodes(list("", &[])).await.unwrap().into_inner();
    let node = &nodes.nodes[0];
    assert_eq!((node.name.as_str(), node.zone.as_str(), node.state()), ("a", "eu-1a", v1::NodeState::Fresh));
    assert_eq!((node.gpu_utilization_percent, node.requests_waiting), (Some(90.0), Some(3.0)));
    assert_eq!((node.cpu_used_percent, node.requests_running), (Some(14.2), None));
    assert!(node.age_ms < 10_000 && node.readings.is_empty() && node.labels["rack"] == "r7");

    let gpus = fleet.list_gpus(list("", &[])).await.unwrap().into_inner();
    assert_eq!((gpus.gpus[0].name.as_str(), gpus.gpus[0].power_watts), ("GPU-a", Some(350.0)));
    let engines = fleet.list_engines(list("", &[])).await.unwrap().into_inner();
    assert_eq!((engines.engines[1].name.as_str(), engines.engines[1].pool.as_str()), ("b/vllm-8000", "chat"));
    let zones = fleet.list_zones(list("", &[])).await.unwrap().into_inner();
    assert_eq!(zones.zones.iter().map(|zone| zone.name.as_str()).collect::<Vec<_>>(), ["eu-1a", "eu-1b"]);
    let pools = fleet.list_pools(list("", &[])).await.unwrap().into_inner();
    assert_eq!(pools.pools[0].signals.unwrap().requests_waiting, Some(4.0));
    let events = fleet.list_events(list("kind = node_joined", &[])).await.unwrap().into_inner();
    assert_eq!(events.total_size, 2);
    let summary = fleet.get_fleet(v1::GetFleetRequest {}).await.unwrap().into_inner();
    assert_eq!((summary.replica.as_str(), summary.counts.unwrap().gpus_ok), ("replica-1", 2));
    assert_eq!(fleet.list_decisions(list("", &[])).await.unwrap().into_inner().total_size, 0);
    assert_eq!(fleet.list_actions(list("", &[])).await.unwrap().into_inner().total_size, 0);
}

#[tokio::test]
async fn an_entry_has_the_fields_of_the_mask_and_no_other() {
    let replica = replica().await;
    let mut fleet = fleet(&replica).await;
    let _a = Agent::join(&replica, "a", "eu-1a", 90, 3).await;
    until_nodes(&mut fleet, 1).await;
    let nodes = fleet.list_nodes(list("", &["name", "zone"])).await.unwrap().into_inner().nodes;
    assert_eq!(nodes, [v1::Node { name: "a".into(), zone: "eu-1a".into(), ..Default::default() }]);
    let gpus = fleet.list_gpus(list("state = OK", &["name"])).await.unwrap().into_inner().gpus;
    assert_eq!(gpus, [v1::Gpu { name: "GPU-a".into(), ..Default::default() }]);
    let engines = fleet.list_engines(list("", &["pool"])).await.unwrap().into_inner().engines;
    assert_eq!(engines, [v1::Engine { pool: "chat".into(), ..Default::default() }]);
}

#[tokio::test]
async fn a_list_of_everything_says_the_same_as_one_that_is_filtered_and_masked() {
    let replica = replica().await;
    let mut fleet = fleet(&replica).await;
    let mut hello = crate::support::hello("labelled", "eu-1b");
    hello.labels.insert("rack".into(), "r7".into());
    hello.probe_address = "10.0.0.7:7410".into();
    let mut labelled = Agent::hello(&replica, hello).await;
    labelled.snapshot(v1::GpuState::Lost, 0, 0).await;
    let _busy = Agent::join(&replica, "busy", "eu-1a", 95, 2).await;
    until_nodes(&mut fleet, 2).await;
    let all: Vec<_> =
        v1::Node::FIELDS.iter().map(|field| field.name).filter(|it| *it != "readings").collect();
    let mut lists: Vec<v1::ListNodesResponse> = Vec::new();
    // Until nothing moved in between: the verdict on the lost GPU comes with a step.
    let began = std::time::Instant::now();
    while lists.is_empty() || lists.first() != lists.last() {
        assert!(began.elapsed() < PATIENCE, "it never rests: {lists:?}");
        lists.clear();
        for request in [list("", &[]), list("name != nobody", &[]), list("", &all), list("", &[])] {
            let mut answer = fleet.list_nodes(request).await.unwrap().into_inner();
            answer.nodes.iter_mut().for_each(|node| node.age_ms = 0);
            lists.push(answer);
        }
    }
    assert_eq!(lists[0].nodes[1].labels["rack"], "r7");
    assert_eq!(lists[0].nodes[1].probe_address, "10.0.0.7:7410");
    assert!(lists.iter().all(|list| *list == lists[0]), "{lists:?}");
}

#[tokio::test]
async fn pages_follow_each_other_by_name_while_nodes_come() {
    let replica = replica().await;
    let mut fleet = fleet(&replica).await;
    let mut agents = Vec::new();
    for name in ["n1", "n3", "n5", "n7"] {
        agents.push(Agent::join(&replica, name, "z", 1, 0).await);
    }
    until_nodes(&mut fleet, 4).await;
    let page = |token: String| v1::ListRequest { page_size: 2, page_token: token, ..Default::default() };
    let first = fleet.list_nodes(page(String::new())).await.unwrap().into_inner();
    assert_eq!((first.nodes.len(), first.total_size), (2, 4));
    agents.push(Agent::join(&replica, "n2", "z", 1, 0).await);
    agents.push(Agent::join(&replica, "n6", "z", 1, 0).await);
    until_nodes(&mut fleet, 6).await;
    let second = fleet.list_nodes(page(first.next_page_token)).await.unwrap().into_inner();
    let third = fleet.list_nodes(page(second.next_page_token.clone())).await.unwrap().into_inner();
    let names: Vec<_> = second.nodes.iter().chain(&third.nodes).map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["n5", "n6", "n7"]);
    assert_eq!(third.next_page_token, "");
    let engines = v1::ListRequest { page_size: 1, ..Default::default() };
    let first = fleet.list_engines(engines.clone()).await.unwrap().into_inner();
    let next = v1::ListRequest { page_token: first.next_page_token, ..engines };
    assert_eq!(fleet.list_engines(next).await.unwrap().into_inner().engines[0].name, "n2/vllm-8000");
}

#[tokio::test]
async fn filters_choose_entries_and_masks_choose_fields() {
    let replica = replica().await;
    let mut fleet = fleet(&replica).await;
    let _busy = Agent::join(&replica, "busy", "eu-1a", 95, 0).await;
    let _idle = Agent::join(&replica, "idle", "eu-1a", 5, 0).await;
    let mut lost = Agent::hello(&replica, crate::support::hello("lost", "eu-1b")).await;
    lost.snapshot(v1::GpuState::Lost, 0, 0).await;
    until_nodes(&mut fleet, 3).await;

    let gpus = list("state != OK OR utilization_percent > 90", &["name", "state"]);
    let gpus = fleet.list_gpus(gpus).await.unwrap().into_inner();
    assert_eq!(gpus.total_size, 2);
    let expected = v1::Gpu { name: "GPU-busy".into(), state: v1::GpuState::Ok as i32, ..Default::default() };
    assert_eq!(gpus.gpus[0], expected);
    assert_eq!(gpus.gpus[1].state(), v1::GpuState::Lost);

    let with = fleet.list_gpus(list("name = GPU-busy", &["readings"])).await.unwrap().into_inner();
    assert_eq!((with.gpus[0].name.as_str(), with.gpus[0].readings.len()), ("", 3));
    assert_eq!(with.gpus[0].readings[0].value, 95.0);
    let pools =
        fleet.list_pools(list("signals.gpu_utilization_percent > 10", &["name", "signals.coverage"])).await;
    let pool = pools.unwrap().into_inner().pools.pop().unwrap();
    assert_eq!(pool.signals.unwrap().gpu_utilization_percent, None);
}

#[tokio::test]
async fn wrong_requests_are_refused_with_what_would_be_right() {
    let replica = replica().await;
    let mut fleet = fleet(&replica).await;
    let refused = fleet.list_nodes(list("nme = x", &[])).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("column 1") && refused.message().contains("name, zone"), "{refused}");
    let refused = fleet.list_nodes(list("", &["nme"])).await.unwrap_err();
    assert!(
        refused.code() == Code::InvalidArgument && refused.message().contains("fields are name"),
        "{refused}"
    );
    let token = v1::ListRequest { page_token: "mine".into(), ..Default::default() };
    assert_eq!(fleet.list_nodes(token).await.unwrap_err().code(), Code::InvalidArgument);
    let get = |name: &str| v1::GetRequest { name: name.into(), field_mask: None };
    assert_eq!(fleet.get_node(get("")).await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(fleet.get_node(get("nobody")).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(fleet.get_engine(get("nobody/nothing")).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(fleet.get_decision(get("d")).await.unwrap_err().code(), Code::NotFound);
    let explain = fleet.explain(v1::ExplainRequest { decision: "d".into() }).await.unwrap_err();
    assert!(explain.code() == Code::NotFound && explain.message().contains("there is no decision \"d\""));
}

#[tokio::test]
async fn a_range_gives_what_was_reported_and_refuses_what_cannot_be() {
    use v1::query_range_request::Owner;
    let replica = replica().await;
    let mut fleet = fleet(&replica).await;
    let mut agent = Agent::join(&replica, "a", "z", 10, 0).await;
    for _ in 0..3 {
        agent.row(10).await;
    }
    until_nodes(&mut fleet, 1).await;
    let request = |metric: v1::Metric, owner| v1::QueryRangeRequest {
        metric: metric as i32,
        owner: Some(owner),
        since_ms: 60_000,
        ..Default::default()
    };
    let utilization = request(v1::Metric::GpuUtilizationPercent, Owner::Gpu("GPU-a".into()));
    let deadline = tokio::time::Instant::now() + crate::support::PATIENCE;
    let range = loop {
        let range = fleet.query_range(utilization.clone()).await.unwrap().into_inner();
        if range.values.last() == Some(&40.0) || tokio::time::Instant::now() > deadline {
            break range;
        }
    };
    assert_eq!((range.values.last(), range.resolution_ms), (Some(&40.0), 1_000));
    assert!(range.ages_ms.is_sorted_by(|a, b| a >= b), "{:?}", range.ages_ms);

    let cases = [
        (
            request(v1::Metric::GpuPowerMilliwatts, Owner::Node("a".into())),
            Code::InvalidArgument,
            "belongs to a gpu",
        ),
        (request(v1::Metric::GpuPowerMilliwatts, Owner::Gpu("none".into())), Code::NotFound, "no gpu"),
        (
            request(v1::Metric::GpuXidErrorsTotal, Owner::Pool("chat".into())),
            Code::InvalidArgument,
            "not kept",
        ),
        (request(v1::Metric::Unspecified, Owner::Node("a".into())), Code::InvalidArgument, "not a metric"),
        (v1::QueryRangeRequest { owner: None, ..utilization.clone() }, Code::InvalidArgument, "owner"),
        (v1::QueryRangeRequest { since_ms: 21_600_001, ..utilization.clone() }, Code::InvalidArgument, "6 h"),
        (v1::QueryRangeRequest { until_ms: 60_000, ..utilization }, Code::InvalidArgument, "until_ms"),
    ];
    for (request, code, words) in cases {
        let refused = fleet.query_range(request).await.unwrap_err();
        assert!(refused.code() == code && refused.message().contains(words), "{refused}");
    }
}
