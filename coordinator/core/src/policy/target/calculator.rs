//! How many replicas one metric asks for.

use super::config::{Config, Metric, PoolTarget, ResourceKind, ResourceTarget, Source, Tolerances};
use super::reason::Failure;
use crate::policy::observation::{Milli, Phase, Pool, Readiness, Replica, Sample};
use crate::time::Time;

/// The count that one metric asks for, or why it cannot say.
pub(super) fn replicas(pool: &Pool, config: &Config, metric: &Metric, now: Time) -> Result<i32, Failure> {
    let counted = |kind, measure| {
        let groups = Groups::of(pool, config, metric, kind, measure, now)?;
        groups.replicas(current(pool), measure, config.tolerances)
    };
    match metric.source {
        Source::Resource { kind, target } | Source::ContainerResource { kind, target } => {
            counted(kind, Measure::from(target))
        }
        Source::Pods { average } => counted(ResourceKind::Other, Measure::Average { target: average.0 }),
        Source::Object(target) => of_pool(pool, config, target, pool_value(pool, metric)?),
        Source::External(target @ PoolTarget::Value(_)) => {
            of_pool(pool, config, target, pool_value(pool, metric)?)
        }
        Source::External(target @ PoolTarget::AverageValue(_)) => {
            let value = pool_value(pool, metric)?;
            // Kubernetes takes a negative sum for one that overflowed, and so for as large as can be.
            of_pool(pool, config, target, if value < 0 { i64::MAX } else { value })
        }
    }
}

fn pool_value(pool: &Pool, metric: &Metric) -> Result<i64, Failure> {
    let reading = pool.readings.of(&metric.name);
    reading.fresh().map(|sample| sample.value.0).ok_or(Failure::Unreadable(reading))
}

fn current(pool: &Pool) -> i32 {
    i32::try_from(pool.replicas_wanted).unwrap_or(i32::MAX)
}

/// For a value of the pool as a whole.
fn of_pool(pool: &Pool, config: &Config, target: PoolTarget, value: i64) -> Result<i32, Failure> {
    let value = value as f64;
    match target {
        PoolTarget::Value(Milli(target)) => {
            let ratio = value / target as f64;
            if pool.replicas_wanted == 0 {
                return Ok(ratio.ceil() as i32);
            }
            if config.tolerances.hold(ratio) {
                return Ok(current(pool));
            }
            if pool.replicas.is_empty() {
                return Err(Failure::NoReplicas);
            }
            Ok((ratio * f64::from(pool.serving())).ceil() as i32)
        }
        PoolTarget::AverageValue(Milli(target)) => {
            let (target, existing) = (target as f64, pool.replicas_existing);
            let near = existing > 0 && config.tolerances.hold(value / (target * f64::from(existing)));
            if near {
                return Ok(i32::try_from(existing).unwrap_or(i32::MAX));
            }
            Ok((value / target).ceil() as i32)
        }
    }
}

/// What the replicas' readings are held against.
#[derive(Clone, Copy)]
enum Measure {
    Utilization { target_percent: i32 },
    Average { target: i64 },
}

impl From<ResourceTarget> for Measure {
    fn from(target: ResourceTarget) -> Measure {
        match target {
            ResourceTarget::UtilizationPercent(percent) => {
                Measure::Utilization { target_percent: i32::from(percent) }
            }
            ResourceTarget::AverageValue(Milli(target)) => Measure::Average { target },
        }
    }
}

impl Measure {
    /// Value to target over all shares. The value is an integer: what division leaves is dropped, as Kubernetes does.
    fn ratio(self, shares: &[Share]) -> Result<f64, Failure> {
        let values: i128 = shares.iter().map(|share| i128::from(share.value)).sum();
        match self {
            Measure::Utilization { target_percent } => {
                let requests: i128 = shares.iter().map(|share| i128::from(share.request)).sum();
                if requests == 0 {
                    return Err(Failure::NothingRequested);
                }
                Ok((values * 100 / requests) as f64 / f64::from(target_percent))
            }
            Measure::Average { target } => Ok((values / shares.len() as i128) as f64 / target as f64),
        }
    }

    /// What a replica without a reading is taken to use, when the others are under the target.
    fn assumed(self, request: i64) -> i64 {
        match self {
            Measure::Utilization { target_percent } => {
                request.saturating_mul(i64::from(target_percent.max(100))) / 100
            }
            Measure::Average { target } => target,
        }
    }
}

/// One replica's part.
#[derive(Clone, Copy)]
struct Share {
    /// What it uses.
    value: i64,
    /// What it asked for; 0 where that is not looked at.
    request: i64,
}

/// The replicas by how their reading counts. Those that failed or are told to go are in none.
struct Groups {
    counted: Vec<Share>,
    /// Requests of those that are not ready yet.
    unready: Vec<i64>,
    /// Requests of those without a reading.
    missing: Vec<i64>,
}

impl Groups {
    fn of(
        pool: &Pool,
        config: &Config,
        metric: &Metric,
        kind: ResourceKind,
        measure: Measure,
        now: Time,
    ) -> Result<Groups, Failure> {
        if pool.replicas.is_empty() {
            return Err(Failure::NoReplicas);
        }
        let mut groups = Groups { counted: Vec::new(), unready: Vec::new(), missing: Vec::new() };
        for replica in &pool.replicas {
            let request = match measure {
                Measure::Average { .. } => 0,
                Measure::Utilization { .. } => {
                    replica.requests.get(&metric.name).ok_or(Failure::NoRequest)?.0
                }
            };
            if replica.leaving || replica.phase == Phase::Failed {
                continue;
            }
            match (replica.phase, replica.readings.of(&metric.name).fresh()) {
                (Phase::Pending, _) => groups.unready.push(request),
                (_, None) => groups.missing.push(request),
                (_, Some(sample)) if kind == ResourceKind::Cpu && warms_up(replica, sample, config, now) => {
                    groups.unready.push(request);
                }
                (_, Some(sample)) => groups.counted.push(Share { value: sample.value.0, request }),
            }
        }
        if groups.counted.is_empty() {
            return Err(Failure::NoReadings);
        }
        Ok(groups)
    }

    fn replicas(mut self, current: i32, measure: Measure, tolerances: Tolerances) -> Result<i32, Failure> {
        let ratio = measure.ratio(&self.counted)?;
        let grows_with_unready = !self.unready.is_empty() && ratio > 1.0;
        if !grows_with_unready && self.missing.is_empty() {
            return Ok(if tolerances.hold(ratio) { current } else { ceil(ratio, self.counted.len()) });
        }
        if ratio < 1.0 {
            let shares =
                self.missing.iter().map(|&request| Share { value: measure.assumed(request), request });
            self.counted.extend(shares);
        } else if ratio > 1.0 {
            self.counted.extend(self.missing.iter().map(|&request| Share { value: 0, request }));
        }
        if grows_with_unready {
            self.counted.extend(self.unready.iter().map(|&request| Share { value: 0, request }));
        }
        let rebalanced = measure.ratio(&self.counted)?;
        let turned = (ratio < 1.0 && rebalanced > 1.0) || (ratio > 1.0 && rebalanced < 1.0);
        if tolerances.hold(rebalanced) || turned {
            return Ok(current);
        }
        let replicas = ceil(rebalanced, self.counted.len());
        let backwards = (rebalanced < 1.0 && replicas > current) || (rebalanced > 1.0 && replicas < current);
        Ok(if backwards { current } else { replicas })
    }
}

/// The replicas that bring so many, at this ratio, to their target.
fn ceil(ratio: f64, replicas: usize) -> i32 {
    (ratio * replicas as f64).ceil() as i32
}

/// Whether a replica's CPU use says nothing yet about its load.
fn warms_up(replica: &Replica, sample: Sample, config: &Config, now: Time) -> bool {
    let (unready, changed) = match replica.readiness {
        Readiness::Unreported => return true,
        Readiness::Unready(since) => (true, since),
        Readiness::Ready(since) | Readiness::Unknown(since) => (false, since),
    };
    let Some(started) = replica.started else { return true };
    if started + config.cpu_initialization > now {
        unready || sample.at < changed + sample.window
    } else {
        unready && started + config.initial_readiness_delay > changed
    }
}
