//! The `target` policy against decisions that Kubernetes 1.36 itself made: recorded steps of its
//! HorizontalPodAutoscaler, kept outside the repository. Every step must come out the same.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use ostler_core::policy::limits::Limits;
use ostler_core::policy::observation::{
    MetricName, Milli, Phase, Pool, Readiness, Reading, Readings, Replica, Sample,
};
use ostler_core::policy::proposal::{Proposal, Reason};
use ostler_core::policy::target::{
    self, Behavior, Config, Memory, Metric, RatePolicy, Rules, Select, Source, Tolerance, Tolerances,
};
use ostler_core::time::Time;
use serde_json::Value;

const METRIC: &str = "queue";

/// So that no window reaches back before the epoch.
const START: Time = Time::from_millis(1_700_000_000_000);

#[test]
fn every_recorded_decision_of_kubernetes_comes_out_the_same() {
    let text = recorded("hpa/kubernetes-1.36-pods-metric.jsonl.gz");
    let mut wrong = Vec::new();
    let mut steps = 0;
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).expect("a case is JSON");
        let config = config(&case);
        // The recorded calculation began with nothing to remember, not with the first count as the controller does.
        let mut memory = Memory::empty();
        for step in list(&case["steps"]) {
            steps += 1;
            let got = decide(step, &config, &mut memory);
            let expected = [number(&step["proposal"]), number(&step["desired"])];
            if got != expected {
                wrong.push(format!("case {} at {} s: {got:?}, not {expected:?}", case["case"], step["t_s"]));
            }
        }
    }
    assert!(steps >= 2_400, "only {steps} steps are recorded");
    assert!(wrong.is_empty(), "{} of {steps} steps are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What the metric asks for, and what the pool should have. Where no replica had a value, both are the current count, as
/// the record has it.
fn decide(step: &Value, config: &Config, memory: &mut Memory) -> [i64; 2] {
    let now = START + Duration::from_secs(number(&step["t_s"]).unsigned_abs());
    let current = count(&step["current"]);
    let pool = pool(step, current, now);
    let proposal = target::propose(&pool, config, memory, now);
    let desired = proposal.replicas.unwrap_or(current);
    if desired != current {
        memory.scaled(config, current, desired, now);
    }
    let failed = flag(&step["metric_error"]);
    assert_eq!(proposal.replicas.is_none(), failed, "step at {now}: {:?}", proposal.reasons);
    [asked(&proposal).unwrap_or(i64::from(current)), i64::from(desired)]
}

fn asked(proposal: &Proposal) -> Option<i64> {
    proposal.reasons.iter().find_map(|reason| match reason {
        Reason::Target(target::Reason::Asked { replicas, .. }) => Some(i64::from(*replicas)),
        Reason::Target(_) => None,
        Reason::Panic(_) | Reason::Weighted(_) | Reason::Threshold(_) | Reason::Schedule(_) => {
            panic!("{reason} is of another policy")
        }
    })
}

fn pool(step: &Value, current: u32, now: Time) -> Pool {
    let replicas: Vec<_> = list(&step["pods"]).iter().map(|pod| replica(pod, now)).collect();
    let existing = u32::try_from(replicas.len()).expect("a pool is small");
    Pool { replicas_wanted: current, replicas_existing: existing, replicas, readings: Readings::default() }
}

fn replica(pod: &Value, now: Time) -> Replica {
    let phase = match pod["phase"].as_str() {
        Some("Running") => Phase::Running,
        Some("Pending") => Phase::Pending,
        Some("Failed") => Phase::Failed,
        other => panic!("no phase {other:?} is known"),
    };
    let reading = match pod["value_milli"].as_i64() {
        Some(value) => Reading::Fresh(Sample { value: Milli(value), at: now, window: Duration::ZERO }),
        None => Reading::Missing,
    };
    Replica {
        phase,
        readiness: if flag(&pod["ready"]) { Readiness::Ready(START) } else { Readiness::Unready(START) },
        leaving: false,
        started: Some(START),
        readings: Readings::from_iter([(MetricName::from(METRIC), reading)]),
        requests: BTreeMap::new(),
    }
}

fn config(case: &Value) -> Config {
    let share = |name: &str| case[name].as_f64().and_then(Tolerance::new).expect("a tolerance is a share");
    let average = Milli(number(&case["target_milli"]));
    let metric = Metric { name: METRIC.into(), source: Source::Pods { average } };
    let limits = Limits::new(count(&case["Min"]), count(&case["Max"])).expect("limits do not cross");
    let config = Config::new(limits, vec![metric]);
    let tolerances = Tolerances { scale_down: share("tolerance_down"), scale_up: share("tolerance_up") };
    let behavior = case["behavior"].as_object().map(|behavior| Behavior {
        scale_up: rules(&behavior["scaleUp"], Rules::scale_up_default()),
        scale_down: rules(&behavior["scaleDown"], Rules::scale_down_default(config.downscale_stabilization)),
    });
    Config { tolerances, behavior, ..config }
}

/// What is not said is Kubernetes' default.
fn rules(rules: &Value, default: Rules) -> Rules {
    let window = rules["stabilizationWindowSeconds"].as_u64();
    let select = match rules["selectPolicy"].as_str() {
        Some("Max") => Select::Max,
        Some("Min") => Select::Min,
        Some("Disabled") => Select::Disabled,
        None => default.select,
        Some(other) => panic!("no way to select called {other} is known"),
    };
    Rules {
        stabilization: window.map_or(default.stabilization, Duration::from_secs),
        select,
        policies: match rules["policies"].as_array() {
            Some(policies) => policies.iter().map(rate).collect(),
            None => default.policies,
        },
    }
}

fn rate(policy: &Value) -> RatePolicy {
    let value = count(&policy["value"]);
    let period = Duration::from_secs(number(&policy["periodSeconds"]).unsigned_abs());
    match policy["type"].as_str() {
        Some("Pods") => RatePolicy::Replicas { value, period },
        Some("Percent") => RatePolicy::Percent { value, period },
        other => panic!("no rate of type {other:?} is known"),
    }
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is no whole number"))
}

fn count(value: &Value) -> u32 {
    u32::try_from(number(value)).unwrap_or_else(|_| panic!("{value} is no count"))
}

fn flag(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| panic!("{value} is neither true nor false"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list"))
}

/// A packed file below the shared data folder.
#[expect(clippy::disallowed_methods, reason = "a test reads what was recorded; the core itself does no IO")]
fn recorded(path: &str) -> String {
    let folder = match env::var_os("OSTLER_SHARED_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    let file = folder.join(path);
    let bytes = fs::read(&file).unwrap_or_else(|error| {
        panic!("{} cannot be read ({error}); OSTLER_SHARED_DATA can name another data folder", file.display())
    });
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).expect("it is packed text");
    text
}
