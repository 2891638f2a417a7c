//! The boundary between Pegbox and a plugin, as Rust sees it. The host and the SDK build on these same
//! sources, so the two sides of a native plugin cannot drift apart.
//!
//! The data types mirror the WIT contract record by record; the contract's text is their documentation.

/// `#[repr(C)]` tables, buffers and status codes of native plugins.
pub mod table;
/// Method numbers, requests to the host, and their encoding.
pub mod wire;

/// What exporters read and write (`artifacts.wit`).
pub mod artifacts;
/// What a plugin says of itself (`lifecycle.wit`).
pub mod lifecycle;
/// Scores and details of a metric (`measurement.wit`).
pub mod measurement;
/// Rows, batches and what becomes of them (`records.wit`, `cleaning.wit`).
pub mod records;
/// Operations on tensors (`tensors.wit`).
pub mod tensors;
/// Findings of a validator (`validation.wit`).
pub mod validation;
