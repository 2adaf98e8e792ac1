//! A stand-in for `libnvidia-ml.so.1`, so that the agent's real dlopen and FFI path runs on machines without a GPU.
//!
//! It answers the NVML calls that the agent makes from a *scenario*: a TOML file named by `OSTLER_FAKE_NVML`, read again
//! whenever it changes, so that a test breaks a GPU under a live agent by rewriting a file. Without the variable it plays
//! eight healthy idle H100s. The keys of a scenario are the fields of the types in [`scenario`], [`values`], [`fault`].
//!
//! What it imitates is the contract of `nvml.h`, the unpleasant part first: calls that never return, crashes, a lost GPU
//! next to healthy ones, per-field errors, version words, buffers that are too small, an init that fails after a driver
//! upgrade. It never measures anything, never touches a device, and says on stderr that its GPUs are simulated
//! (`OSTLER_FAKE_NVML_QUIET` silences that).
//!
//! To use it, put the built `libnvidia_ml.so` somewhere as `libnvidia-ml.so.1` and start the program under test with
//! that folder in `LD_LIBRARY_PATH`.
#![allow(unsafe_code)]

mod abi;
mod calls;
mod fault;
mod library;
mod profile;
mod scenario;
mod signal;
mod values;
