//! What the tests and benches of the workspace share: a load generator, readings of other processes, a TCP proxy that breaks
//! on demand, a sink for actions, and a check of what was seen while things broke.
//!
//! The load generator writes HTTP/2 frames that were encoded beforehand, so that ten thousand agents cost it much less
//! than they cost the server under test. Nothing here is part of the product.

pub mod dice;
pub mod faultproxy;
pub mod history;
pub mod load;
pub mod process;
pub mod replay;
pub mod sink;
