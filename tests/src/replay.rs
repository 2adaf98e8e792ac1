//! Outages that others measured, replayed around the coordinator's own engine, and how well it told them.
//!
//! [`Trace`] is what was measured: which machine of which site was down from when to when. [`Script`] is a stretch of it on
//! a clock of its own, on which the hours in which nothing happens are short. [`Fleet`] acts the script out: machines that
//! beat or are silent, a network that loses and delays, and probes that are answered by what is true. [`Score`] compares
//! what the engine said with that truth, which [`falls`] reads from the script alone.

mod falls;
mod faults;
mod file;
mod fleet;
mod gpus;
mod machine;
mod score;
mod script;
mod trace;

pub use falls::{Extent, Fall, falls};
pub use faults::{Fault, Faults, Symptom};
pub use file::Missing;
pub use fleet::{About, Fleet, Network, Record, Silence, Told};
pub use gpus::{GpuScore, replay_gpus};
pub use score::{Called, Found, Score, percentile};
pub use script::{Change, Script};
pub use trace::{Machine, Outage, Trace};
