//! Shares plugins: packages in OCI registries, signatures, policy, SBOM, vendoring.
//!
//! A package is one image that any WebAssembly tool can pull (its only layer is the component) and a second
//! one beside it that holds the rest: manifest, native library, README, licence, SBOM, provenance. The first
//! names the second by digest, so one digest pins everything, and one signature covers it.
//!
//! Calls block. Nothing that came from a registry or a vendored folder is parsed before its digest is right.

/// Whether a package may come in.
mod admit;
/// The registry's HTTP, with a limit on every answer.
mod client;
/// The credentials that Docker keeps for a registry.
mod credentials;
/// What a plugin was built from: locked packages of its language.
mod dependencies;
/// What can go wrong.
mod error;
/// OCI manifests: untrusted bytes in, checked values out.
mod image;
/// Ed25519 keys: files, names, trust.
mod keys;
/// How a package lies in a registry.
mod layout;
/// How large and how many things may be.
pub mod limits;
/// Pins of `pegbox.lock`.
mod lock;
/// A plugin ready to be shared.
mod package;
/// The lock file's entries for plugins.
mod pins;
/// Which registry, and where in it.
mod place;
/// What a team allows.
mod policy;
/// How a package was built, as an in-toto statement.
mod provenance;
/// Push, pull, search: what commands call.
mod registry;
/// The highest version that fits.
mod resolve;
/// The parts list of a package, as CycloneDX.
mod sbom;
/// Signatures over a package's digest, name and version.
mod sign;
/// Signatures by Sigstore.
mod sigstore;
/// The files that a plugin was built from.
mod sources;
/// Pulled packages on this machine.
mod store;
/// Packages kept beside a recipe.
mod vendor;

pub use admit::Demands;
pub use error::RegistryError;
pub use image::{Descriptor, OciManifest, parse_oci_manifest};
pub use keys::{KeyStore, ListedKey, PublicKey, SecretKey};
pub use lock::{Pin, Upgrade};
pub use package::{Origin, Package, PackagedFile, Role, Tool};
pub use pins::{pinned_package, pinned_packages, read_pins, write_pins};
pub use place::Place;
pub use policy::{
    Candidate, FILE_NAME as POLICY_FILE, Native, Policy, PolicyError, PolicyFile, SignerRule,
    schema as policy_schema,
};
pub use registry::{Found, Options, Pulled, Pushed, Registry};
pub use resolve::{Published, highest, parse_tags};
pub use sign::{Envelope, Statement, parse_envelope};
pub use sigstore::{Identity, parse_bundle};
pub use store::{Store, Stored};
pub use vendor::{FOLDER as VENDOR_FOLDER, Vendored, open_vendored, vendor};
