//! Pegbox's plugins: finding, checking, running and limiting them. No tensor library and no model in
//! here: the rest of Pegbox is seen through traits.

/// Reading a trained model and writing an artifact.
pub mod artifact;
/// Compiled components, kept between runs.
mod cache;
/// Rules of the contract that types do not express.
mod checks;
/// Deadlines.
mod clock;
/// Compiling in a process of its own.
mod compile;
/// Plugins as WebAssembly components.
mod component;
/// Configurations and their JSON Schema.
mod configuration;
/// The WebAssembly engine that all plugins share.
mod engine;
/// Calls that failed.
mod error;
/// What the fuzz targets reach into.
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
/// What a recipe lets a plugin do.
mod grants;
/// Who a plugin is.
mod identity;
/// One trait for each kind of plugin.
mod kinds;
/// What goes wrong before a plugin runs.
mod load_error;
/// Plugins as shared libraries.
mod native;
/// A loaded plugin.
mod plugin;
/// Finding plugins in folders.
mod resolve;
/// How large a JSON Schema is when its references are followed.
mod schema_size;
/// What the host offers during a call.
mod services;
/// One forward pass.
mod step;
/// Opaque tensors, the engine's trait, and the rules of shapes and dtypes.
pub mod tensors;

pub use artifact::{ArtifactError, Bundle, ModelView};
pub use compile::{COMPILE_COMMAND, Compiler, serve as serve_compiler};
pub use component::Surface;
pub use engine::Runtime;
pub use error::{Cause, PluginError, clean_text};
pub use grants::Grants;
pub use identity::{PluginIdentity, Trust};
pub use kinds::{Cleaner, Exporter, Loss, Metric, Validator};
pub use load_error::LoadError;
pub use pegbox_manifest::{
    LimitError, LimitOverrides, Limits, Manifest, ManifestError, Permissions, PluginReference, digest,
    suggest,
};
pub use pegbox_plugin_abi::artifacts::{Element, ModelFile, TensorInfo};
pub use pegbox_plugin_abi::lifecycle::{Description, Kind, Refusal};
pub use pegbox_plugin_abi::measurement::{Detail, Report, Score};
pub use pegbox_plugin_abi::records::{Outcome, Row, RowBatch};
pub use pegbox_plugin_abi::validation::{Finding, Fix, Severity};
pub use plugin::{LoadOptions, Plugin, TrustLevel};
pub use resolve::{PluginFolders, Resolved};
pub use step::{StepView, Written};
pub use tensors::{AnyTensor, DType, Shape, TensorEngine, TensorError, TensorOp, TensorType};
