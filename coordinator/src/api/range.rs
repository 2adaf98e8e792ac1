//! Recent history of one series.

use std::time::Duration;

use ostler_core::id::{GpuId, NodeId};
use ostler_core::layout::Owner;
use ostler_core::metric::{self, Kind, Metric};
use ostler_core::time::Time;
use ostler_proto::v1;
use ostler_proto::v1::query_range_request::Owner as Asked;
use tonic::Status;

use super::Api;
use super::entity::find_engine;
use crate::driver::View;
use crate::summary::Of;
use crate::{convert, trends};

/// The farthest that history goes back: six hours.
const SINCE_MS_MAX: u32 = 21_600_000;

/// How far back an answer begins when the request does not say: what is kept at the reporting interval.
const SINCE_MS_DEFAULT: u32 = 600_000;

/// Distance between points older than [`SINCE_MS_DEFAULT`].
const COARSE: Duration = Duration::from_secs(15);

/// Points, oldest first.
type Points = Vec<(Time, f64)>;

/// The history that the request asks for.
pub(super) fn query(api: &Api, request: &v1::QueryRangeRequest) -> Result<v1::QueryRangeResponse, Status> {
    let metric = convert::metric(request.metric).ok_or_else(|| {
        Status::invalid_argument(format!("metric: {} is not a metric of this version", request.metric))
    })?;
    let since = match request.since_ms {
        0 => SINCE_MS_DEFAULT,
        since if since > SINCE_MS_MAX => {
            return Err(Status::invalid_argument(format!(
                "since_ms: {since} is more than {SINCE_MS_MAX} (6 h), which is all that is kept"
            )));
        }
        since => since,
    };
    if request.until_ms >= since {
        let problem = format!(
            "until_ms: {} must be less than since_ms, {since}; both count back from now",
            request.until_ms
        );
        return Err(Status::invalid_argument(problem));
    }
    let owner = request
        .owner
        .as_ref()
        .ok_or_else(|| Status::invalid_argument("owner: name a node, gpu, engine, zone or pool"))?;
    let (points, interval, now) = api.driver.view(|view| {
        let from = view.now - Duration::from_millis(since.into());
        let to = view.now - Duration::from_millis(request.until_ms.into());
        find(api, view, owner, metric, from, to).map(|(points, interval)| (points, interval, view.now))
    })?;
    let coarse = since > SINCE_MS_DEFAULT;
    let resolution = if coarse { interval.max(COARSE) } else { interval };
    let points = thin(points, metric.kind(), Duration::from_millis(request.step_ms.into()));
    Ok(v1::QueryRangeResponse {
        metric: request.metric,
        ages_ms: points.iter().map(|(at, _)| now.millis_since(*at)).collect(),
        values: points.iter().map(|(_, value)| *value).collect(),
        resolution_ms: convert::outgoing::millis(resolution),
    })
}

/// The points of the owner, and the distance at which they are stored.
fn find(
    api: &Api,
    view: &View<'_>,
    owner: &Asked,
    metric: Metric,
    from: Time,
    to: Time,
) -> Result<(Points, Duration), Status> {
    let (noun, name) = match owner {
        Asked::Node(name) => ("node", name),
        Asked::Gpu(name) => ("gpu", name),
        Asked::Engine(name) => ("engine", name),
        Asked::Zone(name) => ("zone", name),
        Asked::Pool(name) => ("pool", name),
    };
    let unknown =
        || Status::not_found(format!("there is no {noun} {:?}", name.chars().take(253).collect::<String>()));
    let found = match owner {
        Asked::Zone(name) => return trend(api, Of::Zone, name, metric, from, to),
        Asked::Pool(name) => return trend(api, Of::Pool, name, metric, from, to),
        Asked::Node(name) => view.fleet.node(&NodeId::from(name.as_str())).map(|node| (node, Owner::Host)),
        Asked::Gpu(name) => view.fleet.gpu(&GpuId::from(name.as_str())).map(|gpu| (gpu.node, gpu.owner())),
        Asked::Engine(name) => find_engine(view.fleet, name).map(|engine| (engine.node, engine.owner())),
    };
    let (node, owner) = found.ok_or_else(unknown)?;
    if metric.owner() != owner.kind() {
        let right = match metric.owner() {
            metric::Owner::Gpu => "gpu",
            metric::Owner::Engine => "engine",
            metric::Owner::Host => "node",
        };
        let problem = format!(
            "metric: {} belongs to a {right}; name one in `{right}` instead of `{noun}`",
            metric.name()
        );
        return Err(Status::invalid_argument(problem));
    }
    let points =
        view.history(node.key()).map(|history| history.range(owner, metric, from, to)).unwrap_or_default();
    let points = points.into_iter().map(|(at, value)| (at, value as f64)).collect();
    Ok((points, node.hello().interval))
}

fn trend(
    api: &Api,
    of: Of,
    name: &str,
    metric: Metric,
    from: Time,
    to: Time,
) -> Result<(Points, Duration), Status> {
    let points = api.trends.range(of, name, metric, from, to).ok_or_else(|| {
        let kept: Vec<_> = convert::signals::METRICS.iter().map(|metric| metric.name()).collect();
        let problem = format!(
            "metric: {} is not kept for zones and pools; these are: {}",
            metric.name(),
            kept.join(", ")
        );
        Status::invalid_argument(problem)
    })?;
    Ok((points, trends::STEP))
}

/// Makes one point of all that fall into the same step: the mean of a gauge, the last of a counter. A point stands at the
/// end of its step.
fn thin(points: Points, kind: Kind, step: Duration) -> Points {
    let step = u64::try_from(step.as_millis()).unwrap_or(u64::MAX);
    if step == 0 {
        return points;
    }
    let mut thinned: Points = Vec::new();
    let mut sum = (u64::MAX, 0.0, 0.0);
    for (at, value) in points {
        let bucket = at.as_millis() / step;
        if sum.0 != bucket {
            sum = (bucket, 0.0, 0.0);
            thinned.push((at, value));
        }
        sum.1 += value;
        sum.2 += 1.0;
        if let Some(last) = thinned.last_mut() {
            *last = match kind {
                Kind::Gauge => (at, sum.1 / sum.2),
                Kind::Counter => (at, value),
            };
        }
    }
    thinned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_gives_the_mean_of_a_gauge_and_the_last_of_a_counter() {
        let points: Points =
            (0..10u32).map(|i| (Time::from_millis(u64::from(i) * 1_000), f64::from(i))).collect();
        let at =
            |points: &Points| points.iter().map(|(at, value)| (at.as_millis(), *value)).collect::<Vec<_>>();
        let step = Duration::from_secs(5);
        assert_eq!(at(&thin(points.clone(), Kind::Gauge, step)), [(4_000, 2.0), (9_000, 7.0)]);
        assert_eq!(at(&thin(points.clone(), Kind::Counter, step)), [(4_000, 4.0), (9_000, 9.0)]);
        assert_eq!(thin(points.clone(), Kind::Gauge, Duration::ZERO), points);
    }
}
