//! Settings of policies as they are written, checked so that a policy never meets one that nobody may write.

pub(crate) mod panic;
pub(crate) mod schedule;
pub(crate) mod target;
pub(crate) mod threshold;
pub(crate) mod weighted;

use ostler_core::policy::limits::{Limits, REPLICAS_MAX};

use super::Wrong;
use super::amount::Amount;

/// The fewest and the most replicas.
pub(super) fn limits(min: u32, max: u32) -> Result<Limits, Wrong> {
    Limits::new(min, max).ok_or_else(|| {
        let problem =
            format!("{min} to {max} is no range: write 0 <= min <= max and 1 <= max <= {REPLICAS_MAX}");
        Wrong::new("", problem)
    })
}

/// An amount over zero.
fn positive(key: &str, amount: Amount) -> Result<Amount, Wrong> {
    if amount.0.0 > 0 { Ok(amount) } else { Err(Wrong::new(key, "must be over 0")) }
}

/// A list that is neither empty nor endless.
fn counted<T>(key: &str, list: &[T], max: usize) -> Result<(), Wrong> {
    if (1..=max).contains(&list.len()) {
        Ok(())
    } else {
        Err(Wrong::new(key, format!("must have 1 to {max} entries, not {}", list.len())))
    }
}
