//! The checked-in generated code is what the `.proto` files give today.

include!("../src/codegen.rs");

use std::path::Path;

#[test]
fn the_generated_code_is_what_the_proto_files_give() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fresh = tempfile::tempdir().expect("a temporary folder can be made");
    generate(&root.join("proto"), fresh.path()).expect("the .proto files compile");
    for file in ["ostler.v1.rs", "ostler.v1.serde.rs", "ostler.v1.bin"] {
        let expected = std::fs::read(fresh.path().join(file)).expect("the generator writes the file");
        let found = std::fs::read(root.join("src/gen").join(file)).expect("the file is checked in");
        assert!(
            expected == found,
            "proto/src/gen/{file} is stale: run `cargo run -p ostler-proto --example gen` and commit the result"
        );
    }
}

#[test]
fn every_file_of_the_package_is_compiled() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto/ostler/v1");
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .expect("the .proto folder can be listed")
        .map(|entry| format!("ostler/v1/{}", entry.expect("an entry").file_name().to_string_lossy()))
        .collect();
    found.sort();
    let mut expected: Vec<String> = FILES.iter().map(ToString::to_string).collect();
    expected.sort();
    assert_eq!(found, expected, "name each .proto file in FILES of proto/src/codegen.rs");
}
