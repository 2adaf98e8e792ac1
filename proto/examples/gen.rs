//! Regenerates `src/gen` from the `.proto` files: `cargo run -p ostler-proto --example gen`.
//!
//! protox stands in for protoc, so a bare machine can do it. `tests/stale.rs` runs the same code into a
//! temporary folder and fails when the checked-in result differs.

include!("../src/codegen.rs");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    generate(&root.join("proto"), &root.join("src/gen"))
}
