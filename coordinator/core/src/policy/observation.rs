//! What a policy sees of a pool: its replicas and their readings at one moment.
//!
//! Values are integers in thousandths, so that no reading can be infinite or not a number, and so that Kubernetes'
//! arithmetic can be repeated to the bit. A reading that is not a fresh number says which kind of absence it is; none of
//! them is zero.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::time::Time;

/// A value in thousandths of its unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Milli(pub i64);

impl Milli {
    /// Whole units; saturates.
    pub const fn from_units(units: i64) -> Milli {
        Milli(units.saturating_mul(1000))
    }

    /// In units.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }
}

impl fmt::Display for Milli {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (units, rest) = (self.0.unsigned_abs() / 1000, self.0.unsigned_abs() % 1000);
        if rest == 0 {
            return write!(f, "{sign}{units}");
        }
        let digits = format!("{rest:03}");
        write!(f, "{sign}{units}.{}", digits.trim_end_matches('0'))
    }
}

/// Names what a reading is of, for example "gpu_utilization_percent" or "cpu".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricName(Arc<str>);

impl MetricName {
    /// The name as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for MetricName {
    fn from(name: &str) -> MetricName {
        MetricName(Arc::from(name))
    }
}

impl fmt::Display for MetricName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A number and when it was true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// What was measured.
    pub value: Milli,
    /// When, which is the end of `window`.
    pub at: Time,
    /// Over how long; zero for a gauge.
    pub window: Duration,
}

/// What is known of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// A number of now.
    Fresh(Sample),
    /// A number that is too old to decide by.
    Stale(Sample),
    /// The source answers and has no such value.
    Missing,
    /// The source does not answer, or answers with an error.
    Failed,
    /// The source answers with something that is not a finite number.
    NotFinite,
    /// The counter behind it started again, and its rate is not known yet.
    Reset,
}

impl Reading {
    /// The number, when there is one to decide by.
    pub fn fresh(self) -> Option<Sample> {
        match self {
            Reading::Fresh(sample) => Some(sample),
            Reading::Stale(_) | Reading::Missing | Reading::Failed | Reading::NotFinite | Reading::Reset => {
                None
            }
        }
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reading::Fresh(sample) => write!(f, "{}", sample.value),
            Reading::Stale(sample) => write!(f, "stale ({} at {})", sample.value, sample.at),
            Reading::Missing => f.write_str("missing"),
            Reading::Failed => f.write_str("not answered"),
            Reading::NotFinite => f.write_str("not a number"),
            Reading::Reset => f.write_str("a counter that started again"),
        }
    }
}

/// Readings by what they are of. What is not listed is [`Reading::Missing`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readings(BTreeMap<MetricName, Reading>);

impl Readings {
    /// What is known of a value.
    pub fn of(&self, name: &MetricName) -> Reading {
        self.0.get(name).copied().unwrap_or(Reading::Missing)
    }

    /// Sets what is known of a value.
    pub fn set(&mut self, name: MetricName, reading: Reading) {
        self.0.insert(name, reading);
    }
}

impl FromIterator<(MetricName, Reading)> for Readings {
    fn from_iter<I: IntoIterator<Item = (MetricName, Reading)>>(readings: I) -> Readings {
        Readings(readings.into_iter().collect())
    }
}

/// How far a replica is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not started: waits for a node, an image or a model.
    Pending,
    /// Started.
    Running,
    /// Ended by itself.
    Ended,
    /// Ended by a fault.
    Failed,
}

/// Whether a replica takes requests, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It does.
    Ready(Time),
    /// It does not.
    Unready(Time),
    /// Nobody can tell, for example because its node is silent.
    Unknown(Time),
    /// It was never told.
    Unreported,
}

/// One replica at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// How far it is.
    pub phase: Phase,
    /// Whether it takes requests.
    pub readiness: Readiness,
    /// It was told to go, and may still be serving.
    pub leaving: bool,
    /// When it started; none before.
    pub started: Option<Time>,
    /// Its own readings.
    pub readings: Readings,
    /// What it asked for of each resource; the base of utilization.
    pub requests: BTreeMap<MetricName, Milli>,
}

impl Replica {
    /// Whether it runs and takes requests.
    pub fn serves(&self) -> bool {
        match self.readiness {
            Readiness::Ready(_) => self.phase == Phase::Running,
            Readiness::Unready(_) | Readiness::Unknown(_) | Readiness::Unreported => false,
        }
    }
}

/// A pool at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pool {
    /// Replicas that were last asked for; policies call it the current count. At most
    /// [`super::limits::REPLICAS_MAX`].
    pub replicas_wanted: u32,
    /// Replicas that exist, whatever their state.
    pub replicas_existing: u32,
    /// Those that are known one by one, in any order.
    pub replicas: Vec<Replica>,
    /// Readings of the pool as a whole, or of something outside it: a queue, a gateway. Where several values make up
    /// one, this is their sum.
    pub readings: Readings,
}

impl Pool {
    /// How many replicas run and take requests.
    pub fn serving(&self) -> u32 {
        u32::try_from(self.replicas.iter().filter(|replica| replica.serves()).count()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousandths_read_as_units() {
        let texts = [0, 5, 1500, -1500, 70_000, -1].map(|milli| Milli(milli).to_string());
        assert_eq!(texts, ["0", "0.005", "1.5", "-1.5", "70", "-0.001"]);
        assert_eq!(Milli::from_units(70), Milli(70_000));
    }

    #[test]
    fn only_a_fresh_reading_is_a_number() {
        let sample = Sample { value: Milli(7), at: Time::ZERO, window: Duration::ZERO };
        let readings = Readings::from_iter([
            ("fresh".into(), Reading::Fresh(sample)),
            ("stale".into(), Reading::Stale(sample)),
            ("failed".into(), Reading::Failed),
        ]);
        assert_eq!(readings.of(&"fresh".into()).fresh(), Some(sample));
        assert_eq!(readings.of(&"stale".into()).fresh(), None);
        assert_eq!(readings.of(&"failed".into()).fresh(), None);
        assert_eq!(readings.of(&"unheard of".into()), Reading::Missing);
    }
}
