//! `plugin.toml`: what a plugin is, what it asks for, what it may use. Whoever builds, shares or runs plugins
//! reads this; nothing in here runs one.

/// SHA-256 digests as manifests and recipes write them.
pub mod digest;
/// What can be wrong with a manifest.
mod error;
/// The languages that plugins are written in.
mod language;
/// How much a plugin may use.
mod limits;
/// `plugin.toml` itself.
mod manifest;
/// What a plugin may do.
mod permissions;
/// `team/name@requirement`.
mod reference;
/// "Did you mean".
pub mod suggest;

pub use error::ManifestError;
pub use language::Language;
pub use limits::{Bounds, LimitError, LimitOverrides, Limits};
pub use manifest::{
    About, Binary, Build, CONTRACT, FILE_NAME, Manifest, Records, is_name, same_track, schema,
};
pub use pegbox_plugin_abi::lifecycle::Kind;
pub use permissions::Permissions;
pub use reference::PluginReference;
