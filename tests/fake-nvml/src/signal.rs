//! A number that a scenario gives: fixed, moving with time, or an error instead of a value.

use std::f64::consts::TAU;

use serde::Deserialize;

use crate::abi::{self, Code};

/// In a file: `41`, `true`, `{ wave = { min = 10, max = 90, period_s = 8 } }`, `{ ramp = { from = 0, per_s = 5 } }`,
/// `"N/A"` (not supported) or the name of an error such as `"NO_PERMISSION"`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Raw")]
pub(crate) enum Signal {
    /// Always the same.
    Fixed(i64),
    /// A sine between `min` and `max`; its phase follows the machine's uptime, so that all processes see the same.
    Wave { min: f64, max: f64, period_s: f64 },
    /// Grows (or falls) steadily from the machine's start.
    Ramp { from: f64, per_s: f64 },
    /// The call or field answers with this code.
    Error(Code),
}

impl Signal {
    /// The value `at` seconds after the machine's start.
    pub(crate) fn read(&self, at: f64) -> Result<i64, Code> {
        match *self {
            Self::Fixed(value) => Ok(value),
            Self::Wave { min, max, period_s } => {
                Ok(((min + max) / 2.0 + (max - min) / 2.0 * (TAU * at / period_s).sin()).round() as i64)
            }
            Self::Ramp { from, per_s } => Ok((from + per_s * at).round() as i64),
            Self::Error(code) => Err(code),
        }
    }

    /// The value as an unsigned C int, cut to its range.
    pub(crate) fn read_u32(&self, at: f64) -> Result<u32, Code> {
        self.read(at).map(|value| value.clamp(0, u32::MAX.into()) as u32)
    }

    /// The value as an unsigned C long long, cut to its range.
    pub(crate) fn read_u64(&self, at: f64) -> Result<u64, Code> {
        self.read(at).map(|value| value.max(0).cast_unsigned())
    }

    /// The value as a C int, cut to its range.
    pub(crate) fn read_i32(&self, at: f64) -> Result<i32, Code> {
        self.read(at).map(|value| value.clamp(i32::MIN.into(), i32::MAX.into()) as i32)
    }

    /// The area under the signal between two moments, exact for every kind; an error counts as nothing.
    pub(crate) fn integral(&self, from: f64, to: f64) -> f64 {
        match *self {
            Self::Fixed(value) => value as f64 * (to - from),
            Self::Wave { min, max, period_s } => {
                let swing = (TAU * from / period_s).cos() - (TAU * to / period_s).cos();
                (min + max) / 2.0 * (to - from) + (max - min) / 2.0 * swing * period_s / TAU
            }
            Self::Ramp { from: start, per_s } => start * (to - from) + per_s * (to * to - from * from) / 2.0,
            Self::Error(_) => 0.0,
        }
    }
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a number, true or false, \"N/A\", the name of an NVML error, { wave = { min, max, period_s } } \
                 or { ramp = { from, per_s } }"
)]
enum Raw {
    Integer(i64),
    Real(f64),
    Bool(bool),
    Text(String),
    Moving(Moving),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Moving {
    Wave { min: f64, max: f64, period_s: f64 },
    Ramp { from: f64, per_s: f64 },
}

impl TryFrom<Raw> for Signal {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        match raw {
            Raw::Integer(value) => Ok(Self::Fixed(value)),
            Raw::Real(value) => Ok(Self::Fixed(value.round() as i64)),
            Raw::Bool(value) => Ok(Self::Fixed(value.into())),
            Raw::Text(name) if name == "N/A" => Ok(Self::Error(abi::NOT_SUPPORTED)),
            Raw::Text(name) => match abi::code_of(&name) {
                Some(abi::SUCCESS) | None => {
                    Err(format!("\"{name}\" is neither \"N/A\" nor the name of an NVML error"))
                }
                Some(code) => Ok(Self::Error(code)),
            },
            Raw::Moving(Moving::Wave { min, max, period_s }) if period_s > 0.0 && period_s.is_finite() => {
                Ok(Self::Wave { min, max, period_s })
            }
            Raw::Moving(Moving::Wave { .. }) => Err("period_s of a wave must be above 0".to_owned()),
            Raw::Moving(Moving::Ramp { from, per_s }) => Ok(Self::Ramp { from, per_s }),
        }
    }
}
