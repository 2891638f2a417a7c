//! Plugins that misbehave, for tests. Each folder `plugins/<name>/` holds a manifest and a core module in
//! WebAssembly's text format; building them needs no toolchain for guests.

/// From a folder of `plugins/` to a component with its manifest.
mod build;
/// What every module shares: memory, `lifecycle`.
mod prelude;

pub use build::{all, build};
