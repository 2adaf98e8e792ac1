//! The node's side of Ostler: reads GPUs, inference servers and the machine itself, and tells every coordinator.
//!
//! A [`sample::Source`] gives one reading of the node at a time and never blocks; [`run`] takes it at the reporting
//! interval, and hands it to one stream for each coordinator and to the HTTP and gRPC server on the agent's own port.
//! Nothing here decides anything: the agent reports, and carries out two harmless orders (let go of NVML, ask a peer
//! whether it lives).

pub mod backoff;
pub mod buffer;
pub mod config;
pub mod engine;
pub mod exposition;
pub mod host;
pub mod hub;
pub mod kmsg;
pub mod metrics;
pub mod node;
pub mod notice;
pub mod nvml;
pub mod probe;
pub mod sample;
pub mod server;
pub mod simulated;
pub mod state;
pub mod stream;
pub mod sys;
pub mod table;
pub mod xid;
