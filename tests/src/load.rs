//! A fleet of synthetic agents over real sockets.
//!
//! [`synthetic`] makes the values, [`trace`] encodes them once into gRPC messages, [`http2`] knows the few frames that a
//! gRPC client needs, and [`Fleet`] sends them at their pace. Nothing here reads the product's own agent code, so a
//! mistake in the agent cannot hide a mistake in the coordinator.

mod connection;
mod fleet;
mod http2;
mod synthetic;
mod trace;

pub use connection::Connection;
pub use fleet::{Fleet, Sent};
pub use synthetic::{ENGINE_METRICS, GPU_METRICS, GPUS, Node};
pub use trace::Trace;
