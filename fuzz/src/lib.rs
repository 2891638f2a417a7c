//! What the targets share: a host on plain vectors, requests made from a fuzzer's bytes, and what holds of weights.

/// A model to export, and a bundle that watches its paths.
#[cfg(feature = "runtime")]
pub mod export;
/// Any JSON value.
#[cfg(feature = "runtime")]
pub mod json;
/// Requests to the host.
#[cfg(feature = "runtime")]
pub mod requests;
/// A training step.
#[cfg(feature = "runtime")]
pub mod step;
/// Tensors as plain vectors, with every operation.
#[cfg(feature = "runtime")]
pub mod vectors;
/// What holds of every file of weights that is let in.
pub mod weights;
