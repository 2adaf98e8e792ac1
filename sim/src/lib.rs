//! A discrete-event simulator of a pool of LLM inference replicas: arrivals, engines, start-up, faults, telemetry, price.
//!
//! ```text
//! trace -> router -> replica (profile) -> outcome
//!                       ^ lifecycle, faults          telemetry -> Observation -> Scaler -> wanted replicas
//! ```
//!
//! A run is a function of its setup, its requests and its seed: nothing here reads a clock. What each part models, and what
//! it leaves out, stands at the top of its file.

pub mod contest;
pub mod lifecycle;
pub mod outcome;
pub mod profile;
pub mod random;
pub mod replica;
pub mod router;
pub mod scaler;
pub mod scalers;
pub mod setup;
pub mod telemetry;
pub mod time;
pub mod trace;
pub mod world;
