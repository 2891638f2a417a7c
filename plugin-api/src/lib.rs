//! The Rust SDK for Pegbox plugins.
//!
//! Implement [`Plugin`] and the trait of your kind, and name both in one line:
//!
//! ```
//! use pegbox_plugin::{Error, Loss, Plugin, Step, Tensor};
//!
//! struct CrossEntropy;
//!
//! impl Plugin for CrossEntropy {
//!     const NAME: &'static str = "acme/cross-entropy";
//!     const CONFIGURATION_SCHEMA: &'static str = r#"{"type": "object", "additionalProperties": false}"#;
//!
//!     fn configure(_: &str) -> Result<Self, Error> {
//!         Ok(Self)
//!     }
//! }
//!
//! impl Loss for CrossEntropy {
//!     fn compute(&self, step: &Step) -> Result<Tensor, Error> {
//!         let log_p = step.logits().log_softmax(-1).gather(-1, &step.labels().reshape(&[-1, 1]));
//!         Ok(-log_p.masked_mean(&step.mask().reshape(&[-1, 1])))
//!     }
//! }
//!
//! pegbox_plugin::export!(CrossEntropy: Loss);
//! # fn main() {}
//! ```
//!
//! The same source builds to a WebAssembly component (target `wasm32-unknown-unknown`, then
//! `wasm-tools component new`) and, on any other target, to a native library with the C ABI of
//! `pegbox-plugin-abi`. The contract itself, with units, shapes and errors, is `wit/` in Pegbox's repository.
//!
//! # Permissions
//! [`clock`], [`environment`], [`files`], [`logging`], [`network`] and [`random`] each need a permission that
//! `plugin.toml` asks for and the recipe grants; a component that calls one without asking does not load. There is
//! nothing else: `std`'s files, clocks and sockets fail in a component. A native library is not in the sandbox; there
//! these modules use `std`, and `network` refuses.
//!
//! # Memory
//! A component allocates through an allocator of this crate, which is fast for the many short texts of a batch. A plugin
//! that brings its own turns off the feature `allocator`, which is on by default.
//!
//! # When the host refuses
//! Operations on [`Tensor`], [`Step`], [`Model`] and [`Bundle`] return no `Result`. A wrong shape, a wrong
//! dtype or a passed limit is a mistake of the plugin's author: the host ends the call there and then, and
//! shows the user the operation, its operands and the plugin. "Ends the call" in this documentation means
//! that.

/// The allocator of components.
#[cfg(any(test, target_arch = "wasm32"))]
mod allocator;
/// What an exporter reads and writes.
mod artifacts;
/// The time. Needs the permission `clock`.
pub mod clock;
/// Environment variables. Needs the permission `environment`.
pub mod environment;
/// A failure that a plugin foresees.
mod error;
/// The macro `export!`.
mod export;
/// Files of granted folders. Needs the permission `read`.
pub mod files;
/// Lines for Pegbox's log. Needs the permission `log`.
pub mod logging;
/// The macro `manifest_name!`.
mod manifest;
/// HTTP. Needs the permission `network`.
pub mod network;
/// Random numbers. Needs the permission `random`.
pub mod random;
/// One forward pass.
mod step;
/// Handles to the host's tensors.
mod tensor;
/// What a plugin implements: one trait for all, one for each kind.
mod traits;

/// Plugins as WebAssembly components.
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod component;
/// Plugins as native libraries.
#[cfg(not(target_arch = "wasm32"))]
#[doc(hidden)]
pub mod native;

/// A host for unit tests.
#[cfg(all(feature = "testing", not(target_arch = "wasm32")))]
pub mod testing;

#[cfg(all(target_arch = "wasm32", feature = "allocator"))]
#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::Allocator::new();

#[cfg(target_arch = "wasm32")]
use component::host;
#[cfg(not(target_arch = "wasm32"))]
use native::host;

pub use artifacts::{Bundle, Model};
pub use error::Error;
#[doc(hidden)]
pub use export::{Exported, describe};
#[doc(hidden)]
pub use manifest::name_in;
pub use pegbox_plugin_abi::artifacts::{Element, ModelFile, TensorInfo};
pub use pegbox_plugin_abi::lifecycle::Kind;
pub use pegbox_plugin_abi::measurement::{Detail, Report, Score};
pub use pegbox_plugin_abi::records::{Outcome, Row, RowBatch};
pub use pegbox_plugin_abi::tensors::DType;
pub use pegbox_plugin_abi::validation::{Finding, Fix, Severity};
pub use step::Step;
pub use tensor::Tensor;
pub use traits::{Cleaner, Exporter, Loss, Metric, Plugin, Validator, parse_configuration};
