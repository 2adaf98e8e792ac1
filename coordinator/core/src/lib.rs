//! The pure middle of Ostler: a function of (facts, policy, now), with no clock, no IO, no randomness and no async.
pub mod id;
pub mod metric;
pub mod time;
