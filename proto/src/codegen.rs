// The code generator, included by `examples/gen.rs` and `tests/stale.rs`; it is no module of the crate,
// so that building the crate needs neither protox nor the .proto files.

/// The files of `ostler.v1`, relative to `proto/`.
const FILES: [&str; 5] = [
    "ostler/v1/metrics.proto",
    "ostler/v1/agent.proto",
    "ostler/v1/fleet.proto",
    "ostler/v1/control.proto",
    "ostler/v1/peer.proto",
];

/// What only agents and replicas say to each other: never written as JSON, and left out there, which halves the build.
const NO_JSON: [&str; 33] = [
    "AgentMessage", "Hello", "Snapshot", "SeriesGroup", "Row", "Backlog", "GpuInfo", "EngineInfo", "AgentEvent", "XidEvent",
    "EngineEvent", "GpuEvent", "MaintenanceNotice", "MaintenanceKind", "Goodbye", "GoodbyeReason", "CommandResult",
    "ProbePeerResult", "ProbeOutcome", "ProbeAnswer", "CoordinatorMessage", "Welcome", "Ack", "Resync", "Command",
    "ReleaseNvml", "ProbePeers", "ProbeRequest", "ProbeResponse", "CorroborateRequest", "CorroborateResponse", "NodeEvidence",
    "Reach",
];

/// Writes `ostler.v1.rs`, `ostler.v1.serde.rs` and `ostler.v1.bin` (the descriptor set for reflection) into `out`.
fn generate(include: &std::path::Path, out: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut compiler = protox::Compiler::new([include])?;
    compiler.include_source_info(true).include_imports(true).open_files(FILES)?;
    tonic_prost_build::configure()
        .out_dir(out)
        .bytes(".")
        .btree_map(".")
        .compile_well_known_types(true)
        .extern_path(".google.protobuf", "::pbjson_types")
        .emit_rerun_if_changed(false)
        .compile_fds(compiler.file_descriptor_set())?;
    let mut compiler = protox::Compiler::new([include])?;
    compiler.include_source_info(false).include_imports(true).open_files(FILES)?;
    let descriptors = compiler.encode_file_descriptor_set();
    pbjson_build::Builder::new()
        .register_descriptors(&descriptors)?
        .preserve_proto_field_names()
        .btree_map(["."])
        .exclude(NO_JSON.map(|name| format!(".ostler.v1.{name}")))
        .out_dir(out)
        .build(&[".ostler.v1"])?;
    std::fs::write(out.join("ostler.v1.bin"), descriptors)?;
    Ok(())
}
