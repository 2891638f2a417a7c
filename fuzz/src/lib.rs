//! What the targets share: a host on plain vectors, and requests made from a fuzzer's bytes.

#![cfg(feature = "runtime")]

/// A model to export, and a bundle that watches its paths.
pub mod export;
/// Any JSON value.
pub mod json;
/// Requests to the host.
pub mod requests;
/// A training step.
pub mod step;
/// Tensors as plain vectors, with every operation.
pub mod vectors;
