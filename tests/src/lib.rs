//! What the tests and benches of the workspace share: a load generator and readings of other processes.
//!
//! The load generator writes HTTP/2 frames that were encoded beforehand, so that ten thousand agents cost it much less
//! than they cost the server under test. Nothing here is part of the product.

pub mod load;
pub mod process;
pub mod replay;
