//! Plugins that misbehave, for tests. `plugins/<name>/` holds one with a manifest and a core module in WebAssembly's
//! text format; `families/<family>.toml` holds several that differ in a few lines. Building them needs no toolchain
//! for guests.

/// From text to a component with its manifest.
mod build;
/// Plugins of which several stand in one file.
mod family;
/// What is too large to write down: bombs for the compiler, schemas without end.
mod generated;
/// One plugin: its manifest, its text, and what a host must say to it.
mod plugin;
/// What every module shares: memory, `lifecycle`.
mod prelude;
/// A plugin that calls whatever its record says.
mod scripted;

pub use build::{build, build_with};
pub use plugin::{Family, Scenario, all, families, scenario};
pub use scripted::build_scripted;
