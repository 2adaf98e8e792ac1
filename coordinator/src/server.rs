//! The gRPC server: runtimes, listeners and limits.
