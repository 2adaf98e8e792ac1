//! Lists, single entries and ranges as JSON.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use http::Uri;
use ostler_proto::v1;
use ostler_proto::v1::fleet_server::Fleet;
use pbjson_types::FieldMask;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tonic::Request;

use super::{Context, Error};

/// Parameters of a list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListParameters {
    #[serde(default)]
    page_size: u32,
    #[serde(default)]
    page_token: String,
    #[serde(default)]
    filter: String,
    #[serde(default)]
    fields: String,
}

/// Parameters of a single entry.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GetParameters {
    #[serde(default)]
    fields: String,
}

/// Parameters of a range.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RangeParameters {
    metric: String,
    node: Option<String>,
    gpu: Option<String>,
    engine: Option<String>,
    zone: Option<String>,
    pool: Option<String>,
    #[serde(default)]
    since_ms: u32,
    #[serde(default)]
    until_ms: u32,
    #[serde(default)]
    step_ms: u32,
}

/// The query of a URI, with an error that says which parameter is wrong.
pub(super) fn parameters<P: DeserializeOwned>(uri: &Uri) -> Result<P, Error> {
    let chain =
        |error: &dyn std::error::Error| error.source().map_or_else(|| error.to_string(), ToString::to_string);
    Query::try_from_uri(uri)
        .map(|Query(it)| it)
        .map_err(|error| Error::parameter(format!("query: {}", chain(&error))))
}

/// The mask that `fields=a,b` means.
pub(super) fn mask(fields: &str) -> Option<FieldMask> {
    let paths: Vec<String> =
        fields.split(',').map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect();
    (!paths.is_empty()).then_some(FieldMask { paths })
}

/// For each kind its path, how it is listed and how one is got.
macro_rules! kinds {
    ($($path:literal: $list:ident, $get:ident;)*) => {
        pub(super) fn kinds() -> Vec<(&'static str, MethodRouter<Context>, MethodRouter<Context>)> {
            $(
                async fn $list(State(context): State<Context>, uri: Uri) -> Result<Response, Error> {
                    let ListParameters { page_size, page_token, filter, fields } = parameters(&uri)?;
                    let request = v1::ListRequest { page_size, page_token, filter, field_mask: mask(&fields) };
                    let page = context.api.$list(Request::new(request)).await?;
                    Ok(Json(page.into_inner()).into_response())
                }

                async fn $get(State(context): State<Context>, Path(name): Path<String>, uri: Uri) -> Result<Response, Error> {
                    let GetParameters { fields } = parameters(&uri)?;
                    let request = v1::GetRequest { name, field_mask: mask(&fields) };
                    let entry = context.api.$get(Request::new(request)).await?;
                    Ok(Json(entry.into_inner()).into_response())
                }
            )*
            vec![$(($path, get($list), get($get)),)*]
        }
    };
}

kinds! {
    "zones": list_zones, get_zone;
    "nodes": list_nodes, get_node;
    "gpus": list_gpus, get_gpu;
    "engines": list_engines, get_engine;
    "pools": list_pools, get_pool;
    "events": list_events, get_event;
    "decisions": list_decisions, get_decision;
    "actions": list_actions, get_action;
    "holds": list_holds, get_hold;
}

pub(super) async fn fleet(State(context): State<Context>) -> Result<Response, Error> {
    let fleet = context.api.get_fleet(Request::new(v1::GetFleetRequest {})).await?;
    Ok(Json(fleet.into_inner()).into_response())
}

pub(super) async fn explain(
    State(context): State<Context>,
    Path(decision): Path<String>,
) -> Result<Response, Error> {
    let explanation = context.api.explain(Request::new(v1::ExplainRequest { decision })).await?;
    Ok(Json(explanation.into_inner()).into_response())
}

/// The metric is named as on the wire (`METRIC_GPU_POWER_MILLIWATTS`) or without prefix (`gpu_power_milliwatts`).
fn metric(name: &str) -> Result<v1::Metric, Error> {
    let upper = name.to_ascii_uppercase();
    let full = if upper.starts_with("METRIC_") { upper } else { format!("METRIC_{upper}") };
    v1::Metric::from_str_name(&full).ok_or_else(|| {
        let name: String = name.chars().take(64).collect();
        Error::parameter(format!("metric: {name:?} is not a metric; use a name like gpu_power_milliwatts"))
    })
}

pub(super) async fn range(State(context): State<Context>, uri: Uri) -> Result<Response, Error> {
    use v1::query_range_request::Owner;
    let RangeParameters { metric: name, node, gpu, engine, zone, pool, since_ms, until_ms, step_ms } =
        parameters(&uri)?;
    let owners = [
        node.map(Owner::Node),
        gpu.map(Owner::Gpu),
        engine.map(Owner::Engine),
        zone.map(Owner::Zone),
        pool.map(Owner::Pool),
    ];
    let mut owners = owners.into_iter().flatten();
    let (Some(owner), None) = (owners.next(), owners.next()) else {
        return Err(Error::parameter("name exactly one of node, gpu, engine, zone and pool"));
    };
    let metric = metric(&name)? as i32;
    let request = v1::QueryRangeRequest { metric, owner: Some(owner), since_ms, until_ms, step_ms };
    let range = context.api.query_range(Request::new(request)).await?;
    Ok(Json(range.into_inner()).into_response())
}
