//! The wire of Ostler: the messages and services of `ostler.v1`, and nothing else.
//!
//! The `.proto` files under `proto/ostler/v1` are the contract and carry the documentation; the Rust below is
//! generated from them, checked in, and held equal to them by a test. JSON follows the canonical proto3 mapping
//! with the field names as written in the `.proto` files.

/// Version 1 of the wire.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, clippy::restriction)]
pub mod v1 {
    include!("gen/ostler.v1.rs");
    include!("gen/ostler.v1.serde.rs");

    /// The encoded `FileDescriptorSet` of the package, for reflection and for generic clients.
    pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("gen/ostler.v1.bin");
}
