//! Numbers as they are written: amounts to a thousandth, shares, and times in seconds.

use std::fmt;
use std::time::Duration;

use ostler_core::policy::observation::Milli;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest time that can be written: some thirty years.
const SECONDS_MAX: f64 = 1e9;

/// Digits that a quantity may have: those of the largest number of thousandths.
const DIGITS_MAX: usize = 19;

/// Where a double no longer holds every whole number.
const EXACT_MAX: u64 = 1 << 53;

/// A number, or a quantity as Kubernetes writes it: `12.5`, `"12500m"`, `"2k"`, `"1Gi"`. What is finer than a thousandth is
/// rounded: a number to the nearest, a quantity away from zero as Kubernetes does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Amount(pub(crate) Milli);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
        deserializer.deserialize_any(AmountVisitor)
    }
}

struct AmountVisitor;

impl Visitor<'_> for AmountVisitor {
    type Value = Amount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or a quantity such as \"250m\"")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Amount, E> {
        Amount::of_whole(number).ok_or_else(|| E::custom(format_args!("{number} is too large")))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Amount, E> {
        let amount = i64::try_from(number).ok().and_then(Amount::of_whole);
        amount.ok_or_else(|| E::custom(format_args!("{number} is too large")))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Amount, E> {
        Amount::of_float(number).ok_or_else(|| E::custom(format_args!("{number} is too large")))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Amount, E> {
        quantity(text).map(Amount).ok_or_else(|| {
            E::custom(format_args!("{text:?} is no quantity: write a number, or for example \"250m\""))
        })
    }
}

impl Amount {
    /// Whole units; none when thousandths of them do not fit.
    pub(crate) fn of_whole(units: i64) -> Option<Amount> {
        units.checked_mul(1000).map(|milli| Amount(Milli(milli)))
    }

    /// The nearest thousandth; none when it does not fit.
    pub(crate) fn of_float(units: f64) -> Option<Amount> {
        let milli = (units * 1000.0).round();
        // Both bounds are doubles; the upper one is the first that does not fit.
        (milli >= i64::MIN as f64 && milli < i64::MAX as f64).then_some(Amount(Milli(milli as i64)))
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Milli(milli) = self.0;
        if milli % 1000 == 0 {
            serializer.serialize_i64(milli / 1000)
        } else if milli.unsigned_abs() < EXACT_MAX {
            serializer.serialize_f64(self.0.as_f64())
        } else {
            serializer.serialize_str(&format!("{milli}m"))
        }
    }
}

/// A quantity of Kubernetes in thousandths; none when it is none or does not fit.
fn quantity(text: &str) -> Option<Milli> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
    let (number, suffix) = unsigned.split_at(end.unwrap_or(unsigned.len()));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || digits.len() > DIGITS_MAX || fraction.contains('.') {
        return None;
    }
    let (factor, divisor) = scale(suffix)?;
    let divisor = 10_i128.pow(u32::try_from(fraction.len()).ok()?).checked_mul(divisor)?;
    let milli = digits.parse::<i128>().ok()?.checked_mul(factor)?.checked_mul(1000)?;
    let milli = i128::try_from(milli.unsigned_abs().div_ceil(divisor.unsigned_abs())).ok()?;
    i64::try_from(if text.starts_with('-') { -milli } else { milli }).ok().map(Milli)
}

/// By what a suffix multiplies and divides.
fn scale(suffix: &str) -> Option<(i128, i128)> {
    let decimal = |power: u32| Some((10_i128.pow(power), 1));
    let small = |power: u32| Some((1, 10_i128.pow(power)));
    let binary = |power: u32| Some((1_i128 << (10 * power), 1));
    match suffix {
        "n" => small(9),
        "u" => small(6),
        "m" => small(3),
        "" => decimal(0),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        _ => None,
    }
}

/// A share, such as a tolerance: a number, or a number in quotes as Kubernetes has it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct Share(pub(crate) f64);

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Share, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a share such as 0.1, as a number or in quotes")]
        enum Written {
            Number(f64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(share) => Ok(Share(share)),
            Written::Text(text) => {
                let share = text.parse().ok().or_else(|| quantity(&text).map(Milli::as_f64));
                share
                    .map(Share)
                    .ok_or_else(|| D::Error::custom(format_args!("{text:?} is no share; write 0.1")))
            }
        }
    }
}

/// A time in seconds, from 0 up, to a millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seconds(pub(crate) Duration);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Seconds, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        if !(0.0..=SECONDS_MAX).contains(&seconds) {
            return Err(D::Error::custom(format_args!("{seconds} s is not between 0 and {SECONDS_MAX} s")));
        }
        Ok(Seconds(Duration::from_millis((seconds * 1000.0).round() as u64)))
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if millis.is_multiple_of(1000) {
            serializer.serialize_u64(millis / 1000)
        } else {
            serializer.serialize_f64(millis as f64 / 1000.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milli(text: &str) -> Option<i64> {
        serde_json::from_str::<Amount>(text).ok().map(|amount| amount.0.0)
    }

    #[test]
    fn amounts_are_numbers_or_quantities() {
        for (text, expected) in [
            ("12.5", 12_500),
            ("-3", -3_000),
            ("35.356", 35_356),
            ("1e3", 1_000_000),
            ("\"250m\"", 250),
            ("\"0.5\"", 500),
            ("\"2k\"", 2_000_000),
            ("\"1Gi\"", 1_073_741_824_000),
            ("\"1500u\"", 2),
            ("\"-1500u\"", -2),
            ("\"35356m\"", 35_356),
        ] {
            assert_eq!(milli(text), Some(expected), "{text}");
        }
        for wrong in ["\"\"", "\"m\"", "\"1.2.3\"", "\"5 apples\"", "\"9E\"", "1e300", "9223372036854775807"]
        {
            assert_eq!(milli(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_written_again_is_the_same() {
        for milli in [0, 1, -1, 999, 35_356, -12_001, (1 << 53) + 1, i64::MAX, i64::MIN] {
            let text = serde_json::to_string(&Amount(Milli(milli))).unwrap();
            assert_eq!(serde_json::from_str::<Amount>(&text).unwrap(), Amount(Milli(milli)), "{text}");
        }
        for text in ["0", "15", "0.25"] {
            let seconds: Seconds = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&seconds).unwrap(), text);
        }
    }

    #[test]
    fn times_are_not_negative_and_end() {
        for wrong in ["-1", "1e10", "\"5\"", "null"] {
            assert!(serde_json::from_str::<Seconds>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn shares_may_be_in_quotes() {
        for text in ["0.1", "\"0.1\"", "\"100m\""] {
            assert_eq!(serde_json::from_str::<Share>(text).unwrap(), Share(0.1), "{text}");
        }
        assert!(serde_json::from_str::<Share>("\"a tenth\"").is_err());
    }
}
