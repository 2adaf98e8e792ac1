//! What is known of a value, as it is written: each kind of absence in its own way, and none of them as zero.

use std::fmt;

use ostler_core::policy::observation::{Reading, Sample};
use ostler_core::time::Time;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::amount::{Amount, Seconds};

/// What is known of a value.
///
/// A number or a quantity is fresh and of now; an object says more about it; `null` and `"missing"` say that the source has
/// no such value, `"failed"` that it does not answer, `"NaN"`, `"Inf"`, `"+Inf"` and `"-Inf"` that it answers nonsense, and
/// `"reset"` that the counter behind it began again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Known(Known),
    Missing,
    Failed,
    NotFinite,
    Reset,
}

/// A number and how old it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Known {
    /// What was measured.
    pub(crate) value: Amount,
    /// How long ago that was.
    #[serde(default = "no_time", skip_serializing_if = "is_no_time")]
    pub(crate) age_s: Seconds,
    /// Over how long it was measured; 0 for a gauge.
    #[serde(default = "no_time", skip_serializing_if = "is_no_time")]
    pub(crate) window_s: Seconds,
    /// It is too old to decide by.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) stale: bool,
}

fn no_time() -> Seconds {
    Seconds(std::time::Duration::ZERO)
}

fn is_no_time(time: &Seconds) -> bool {
    time.0.is_zero()
}

impl Known {
    /// A number of now.
    fn now(value: Amount) -> Known {
        Known { value, age_s: no_time(), window_s: no_time(), stale: false }
    }
}

impl Value {
    /// A number of now.
    pub(crate) fn now(value: Amount) -> Value {
        Value::Known(Known::now(value))
    }

    /// As policies read it.
    pub(crate) fn reading(self, now: Time) -> Reading {
        match self {
            Value::Known(Known { value, age_s, window_s, stale }) => {
                let sample = Sample { value: value.0, at: now - age_s.0, window: window_s.0 };
                if stale { Reading::Stale(sample) } else { Reading::Fresh(sample) }
            }
            Value::Missing => Reading::Missing,
            Value::Failed => Reading::Failed,
            Value::NotFinite => Reading::NotFinite,
            Value::Reset => Reading::Reset,
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Known(known) if *known == Known::now(known.value) => known.value.serialize(serializer),
            Value::Known(known) => known.serialize(serializer),
            Value::Missing => serializer.serialize_unit(),
            Value::Failed => serializer.serialize_str("failed"),
            Value::NotFinite => serializer.serialize_str("NaN"),
            Value::Reset => serializer.serialize_str("reset"),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a number, a quantity, null, \"missing\", \"failed\", \"NaN\", \"reset\", or {\"value\": ...}",
        )
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Missing)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Amount::deserialize(serde::de::value::I64Deserializer::new(number)).map(Value::now)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Amount::deserialize(serde::de::value::U64Deserializer::new(number)).map(Value::now)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Amount::deserialize(serde::de::value::F64Deserializer::new(number)).map(Value::now)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        match text {
            "missing" => Ok(Value::Missing),
            "failed" => Ok(Value::Failed),
            "reset" => Ok(Value::Reset),
            "NaN" | "Inf" | "+Inf" | "-Inf" => Ok(Value::NotFinite),
            quantity => Amount::deserialize(serde::de::value::StrDeserializer::<E>::new(quantity))
                .map(Value::now)
                .map_err(|_| {
                    E::custom(format_args!(
                        "{text:?} says nothing: write a number, \"250m\", \"missing\", \"failed\", \"NaN\" or \"reset\""
                    ))
                }),
        }
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Value, M::Error> {
        Known::deserialize(MapAccessDeserializer::new(map)).map(Value::Known)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ostler_core::policy::observation::Milli;

    use super::*;

    const NOW: Time = Time::from_millis(1_000_000);

    fn reading(text: &str) -> Reading {
        serde_json::from_str::<Value>(text).unwrap().reading(NOW)
    }

    #[test]
    fn each_kind_of_absence_is_told_apart() {
        let sample = Sample { value: Milli(12_500), at: NOW, window: Duration::ZERO };
        assert_eq!(reading("12.5"), Reading::Fresh(sample));
        assert_eq!(reading("\"12500m\""), Reading::Fresh(sample));
        assert_eq!(reading("null"), Reading::Missing);
        assert_eq!(reading("\"failed\""), Reading::Failed);
        assert_eq!(reading("\"NaN\""), Reading::NotFinite);
        assert_eq!(reading("\"-Inf\""), Reading::NotFinite);
        assert_eq!(reading("\"reset\""), Reading::Reset);
        let old = Sample { at: Time::from_millis(990_000), window: Duration::from_secs(60), ..sample };
        assert_eq!(reading(r#"{"value":12.5,"age_s":10,"window_s":60}"#), Reading::Fresh(old));
        assert_eq!(reading(r#"{"value":12.5,"age_s":10,"window_s":60,"stale":true}"#), Reading::Stale(old));
        assert_eq!(reading("0"), Reading::Fresh(Sample { value: Milli(0), ..sample }));
    }

    #[test]
    fn what_is_written_again_is_the_same() {
        for text in ["12.5", "0", "null", "\"failed\"", "\"NaN\"", "\"reset\"", r#"{"value":1,"age_s":0.5}"#]
        {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&value).unwrap(), text);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for wrong in ["true", "[]", "\"old\"", "{}", r#"{"value":1,"age":5}"#, r#"{"value":null}"#] {
            assert!(serde_json::from_str::<Value>(wrong).is_err(), "{wrong}");
        }
    }
}
