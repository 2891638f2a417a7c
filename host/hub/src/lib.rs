//! Base models: where they come from, their digests, the cache. Imports no other crate of Pegbox.

/// The folder on this machine that keeps what was fetched.
mod cache;
/// One download, resumed where the server allows it, its digest checked.
mod download;
/// What can go wrong, and how to mend it.
mod error;
/// The HTTP client: certificates and proxies as the machine is set up.
mod http;
/// A Python package index (PEP 503 and PEP 691).
mod index;
/// The licence that a model states.
mod licence;
/// A base model on disk, verified.
mod model;
/// The spellings of a base model in a recipe.
mod source;
/// The model folder inside a wheel.
mod wheel;

pub use cache::Cache;
pub use error::HubError;
pub use model::{BaseModel, Obtained, Progress, obtain};
pub use source::Source;
