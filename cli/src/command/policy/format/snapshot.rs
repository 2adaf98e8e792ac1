//! A pool at one moment, as it is written.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use jiff::Timestamp;
use ostler_core::policy::limits::REPLICAS_MAX;
use ostler_core::policy::observation::{self, MetricName, Milli, Pool, Readiness};
use ostler_core::time::Time;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Wrong;
use super::amount::{Amount, Seconds};
use super::value::Value;

/// How long ago a replica started or became ready that does not say so.
const LONG_AGO: Duration = Duration::from_secs(86_400);

/// One look at a pool.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Snapshot {
    /// When, since the start of the case; either this or `time`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) t_s: Option<Seconds>,
    /// When, by the wall clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time: Option<Timestamp>,
    /// Replicas that were asked for until now; without it, what was decided last was carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replicas_wanted: Option<u32>,
    /// Replicas that exist; without it, those listed, or as many as were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replicas_existing: Option<u32>,
    /// How many of them serve, where they are not listed; without it, all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replicas_serving: Option<u32>,
    /// The replicas one by one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replicas: Option<Vec<Replica>>,
    /// Readings of the pool as a whole, or of something outside it.
    #[serde(default, skip_serializing_if = "Once::is_empty")]
    pub(crate) readings: Once<Value>,
    /// Whether a decision is wanted, or only a look.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub(crate) decide: bool,
    /// What should come out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expect: Option<Expect>,
}

/// What should come out. What is not said is not compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    /// What the metrics of `target` ask for, before windows, rates and limits; the count where they cannot say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) asked: Option<i64>,
    /// The count that is decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replicas: Option<u32>,
    /// Whether the policy has a count to propose at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) opinion: Option<bool>,
}

/// One replica.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replica {
    /// For people; nothing depends on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// How far it is.
    pub(crate) phase: Phase,
    /// Whether it takes requests.
    pub(crate) ready: Ready,
    /// Since when; without it, since a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ready_age_s: Option<Seconds>,
    /// When it started; without it a day ago, or never while it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) started_age_s: Option<Seconds>,
    /// It was told to go.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) leaving: bool,
    /// Its own readings.
    #[serde(default, skip_serializing_if = "Once::is_empty")]
    pub(crate) readings: Once<Value>,
    /// What it asked for of each resource.
    #[serde(default, skip_serializing_if = "Once::is_empty")]
    pub(crate) requests: Once<Amount>,
}

/// How far a replica is, in the words of Kubernetes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Phase {
    Pending,
    Running,
    Succeeded,
    Failed,
}

/// Whether a replica takes requests: `true`, `false`, `"unknown"` where nobody can tell, and `null` where it was never told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    Yes,
    No,
    Unknown,
    Unreported,
}

impl Snapshot {
    /// As policies see it.
    pub(crate) fn pool(&self, replicas_wanted: u32, now: Time) -> Result<Pool, Wrong> {
        let Snapshot { replicas_existing, replicas_serving, replicas, readings, .. } = self;
        let small = |key: &str, count: u64| match u32::try_from(count) {
            Ok(count) if count <= REPLICAS_MAX => Ok(count),
            Ok(_) | Err(_) => {
                Err(Wrong::new(key, format!("a pool has at most {REPLICAS_MAX} replicas, not {count}")))
            }
        };
        small("replicas_wanted", replicas_wanted.into())?;
        let listed = match (replicas, replicas_serving) {
            (Some(_), Some(_)) => {
                let problem = "the replicas are listed, and say themselves whether they serve; leave it off";
                return Err(Wrong::new("replicas_serving", problem));
            }
            (Some(replicas), None) => {
                small("replicas", replicas.len() as u64)?;
                replicas.iter().map(|replica| replica.observed(now)).collect()
            }
            (None, serving) => {
                let serving = small("replicas_serving", serving.unwrap_or(replicas_wanted).into())?;
                vec![Replica::serving().observed(now); serving as usize]
            }
        };
        let existing = match (replicas_existing, replicas) {
            (Some(existing), _) => small("replicas_existing", (*existing).into())?,
            (None, Some(replicas)) => u32::try_from(replicas.len()).unwrap_or(REPLICAS_MAX),
            (None, None) => replicas_wanted,
        };
        Ok(Pool {
            replicas_wanted,
            replicas_existing: existing,
            replicas: listed,
            readings: readings.observed(now),
        })
    }
}

impl Replica {
    /// One that serves and says nothing.
    fn serving() -> Replica {
        Replica {
            name: None,
            phase: Phase::Running,
            ready: Ready::Yes,
            ready_age_s: None,
            started_age_s: None,
            leaving: false,
            readings: Once::default(),
            requests: Once::default(),
        }
    }

    fn observed(&self, now: Time) -> observation::Replica {
        let ago = |age: Option<Seconds>| now - age.map_or(LONG_AGO, |age| age.0);
        let since = ago(self.ready_age_s);
        let phase = match self.phase {
            Phase::Pending => observation::Phase::Pending,
            Phase::Running => observation::Phase::Running,
            Phase::Succeeded => observation::Phase::Ended,
            Phase::Failed => observation::Phase::Failed,
        };
        let pending = self.phase == Phase::Pending && self.started_age_s.is_none();
        observation::Replica {
            phase,
            readiness: match self.ready {
                Ready::Yes => Readiness::Ready(since),
                Ready::No => Readiness::Unready(since),
                Ready::Unknown => Readiness::Unknown(since),
                Ready::Unreported => Readiness::Unreported,
            },
            leaving: self.leaving,
            started: if pending { None } else { Some(ago(self.started_age_s)) },
            readings: self.readings.observed(now),
            requests: self.requests.observed(),
        }
    }
}

impl Once<Value> {
    fn observed(&self, now: Time) -> observation::Readings {
        let reading = |(name, value): (&String, &Value)| (MetricName::from(&**name), value.reading(now));
        self.0.iter().map(reading).collect()
    }
}

impl Once<Amount> {
    fn observed(&self) -> BTreeMap<MetricName, Milli> {
        self.0.iter().map(|(name, amount)| (MetricName::from(&**name), amount.0)).collect()
    }
}

/// Values by name, each at most once: of two of one name, neither could be right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Once<T>(pub(crate) BTreeMap<String, T>);

impl<T> Default for Once<T> {
    fn default() -> Once<T> {
        Once(BTreeMap::new())
    }
}

impl<T> Once<T> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Once<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Once<T>, D::Error> {
        deserializer.deserialize_map(OnceVisitor(PhantomData))
    }
}

struct OnceVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OnceVisitor<T> {
    type Value = Once<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("values by name, for example {\"queue\": 12}")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Once<T>, M::Error> {
        let mut values = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, T>()? {
            if values.contains_key(&name) {
                return Err(M::Error::custom(format_args!("{name} is there twice; leave one off")));
            }
            values.insert(name, value);
        }
        Ok(Once(values))
    }
}

impl Serialize for Ready {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Ready::Yes => serializer.serialize_bool(true),
            Ready::No => serializer.serialize_bool(false),
            Ready::Unknown => serializer.serialize_str("unknown"),
            Ready::Unreported => serializer.serialize_unit(),
        }
    }
}

impl<'de> Deserialize<'de> for Ready {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Ready, D::Error> {
        deserializer.deserialize_any(ReadyVisitor)
    }
}

struct ReadyVisitor;

impl Visitor<'_> for ReadyVisitor {
    type Value = Ready;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false, \"unknown\" or null")
    }

    fn visit_bool<E: Error>(self, ready: bool) -> Result<Ready, E> {
        Ok(if ready { Ready::Yes } else { Ready::No })
    }

    fn visit_unit<E: Error>(self) -> Result<Ready, E> {
        Ok(Ready::Unreported)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Ready, E> {
        match text {
            "unknown" => Ok(Ready::Unknown),
            _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
        }
    }
}

fn yes() -> bool {
    true
}
