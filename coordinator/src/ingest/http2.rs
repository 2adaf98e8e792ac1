//! Connections of agents: the part of HTTP/2 (RFC 9113) that one report stream needs, and nothing else.
//!
//! An agent opens a connection for one stream and sends a small frame each second for months. A general server keeps
//! buffers, tables and locks for what could come; ten thousand such connections, each cold in the caches when its second
//! comes, cost more than all the work behind them. So a connection whose first request is `Report` is served here: its
//! frames are read into a buffer that all connections of a thread share, and folded where they lie. Every other
//! connection goes to the general server ([`opening`] tells them apart), which can serve `Report` too.
//!
//! The agent is told with GOAWAY that this connection takes no second request, so that its client opens another for it
//! (RFC 9113, section 6.8); the report stream goes on meanwhile.

mod connection;
mod fields;
mod frame;
mod opening;
mod rewound;
mod serve;
#[cfg(test)]
mod tests;

pub(super) use connection::Connection;
pub(crate) use frame::WINDOW_BYTES;
pub use opening::{Arrived, Opened, Settings, open};
pub use rewound::Rewound;
pub(super) use serve::{Serve, refuse};
