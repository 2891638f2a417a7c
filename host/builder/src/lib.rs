//! Makes plugins: `pegbox plugin new` and `pegbox plugin build`. It finds or fetches a language's tools, gives them
//! the world that the plugin's manifest allows, and wraps what they make as a component. It runs no plugin.

/// `pegbox plugin build`.
mod build;
/// Components that were built before, by what they were built from.
mod cache;
/// Whether a component is what its manifest says.
mod check;
/// `pegbox plugin new`.
mod create;
/// The files that this program carries.
mod embedded;
/// From a core module to a component.
mod encode;
/// What can go wrong.
mod error;
/// One build, as a language sees it.
mod job;
/// One module a language.
mod languages;
/// The SDKs, unpacked.
mod sdk;
/// What a build depends on.
mod sources;
/// Templates: which there are, and how one becomes a folder.
mod templates;
/// Toolchains: found or fetched, and run in the open.
mod tools;
/// The WIT world of one plugin.
mod world;

pub use build::{Built, Options, Origin, Output, build};
pub use create::{Created, NewPlugin, create};
pub use error::BuildError;
pub use job::Job;
pub use languages::rust::toolchain::{TARGET as RUST_TARGET, Toolchain as RustToolchain};
pub use templates::Template;
pub use tools::Tools;
