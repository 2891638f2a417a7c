//! How large and how many things may be. A registry that answers with more is not listened to.

/// Bytes of an OCI manifest; what registries themselves accept at most.
pub const MANIFEST: u64 = 4 << 20;
/// Bytes of a component. Python's are the largest, near 40 MiB.
pub const COMPONENT: u64 = 256 << 20;
/// Bytes of a native library.
pub const NATIVE: u64 = 256 << 20;
/// Bytes of `plugin.toml`, README or licence.
pub const TEXT: u64 = 1 << 20;
/// Bytes of an SBOM or a provenance statement.
pub const DOCUMENT: u64 = 16 << 20;
/// Bytes of an image's configuration.
pub const CONFIGURATION: u64 = 1 << 20;
/// Bytes of one signature's envelope.
pub const SIGNATURE: u64 = 64 << 10;
/// Layers of one image.
pub const LAYERS: usize = 32;
/// Tags of one plugin that are looked at.
pub const TAGS: usize = 10_000;
/// Repositories of one registry that a search looks at.
pub const REPOSITORIES: usize = 10_000;
/// Plugins that a search describes.
pub const FOUND: usize = 100;
/// Source files whose digests stand in a provenance statement.
pub const SOURCES: usize = 10_000;
