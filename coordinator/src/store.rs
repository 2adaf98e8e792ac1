//! The versioned key-value store behind a replica.
