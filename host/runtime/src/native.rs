//! Plugins as shared libraries: the same traits without the sandbox, for code that a recipe trusts by
//! digest. A library stays loaded until the process ends.

mod adapters;
mod instance;
mod library;
mod serve;

pub use adapters::{NativeCleaner, NativeExporter, NativeLoss, NativeMetric, NativeValidator};
pub use library::Library;
#[cfg(feature = "fuzzing")]
pub use serve::answer;
