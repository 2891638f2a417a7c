//! What can go wrong.

use std::io;
use std::path::{Path, PathBuf};

use pegbox_manifest::ManifestError;
use semver::Version;

use crate::policy::PolicyError;
use crate::sign::Statement;

/// Something about a registry, a package, a signature or a policy, and why.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    #[error("{}: {fault}", path.display())]
    Disk { path: PathBuf, fault: io::Error },
    #[error("there is no home folder to keep pulled plugins in")]
    NoHome,
    #[error("`{text}` does not name a registry: {fault}")]
    Place { text: String, fault: String },
    #[error("no registry takes the name `{name}`")]
    Name { name: String },
    #[error("version {version} cannot be a tag")]
    BuildMetadata { version: Version },
    /// No answer, or none that makes sense.
    #[error("the registry {host} failed ({at}): {fault}")]
    Registry { host: String, at: String, fault: String },
    #[error("the registry {host} does not let us {at}")]
    Denied { host: String, at: String, had_credentials: bool },
    #[error("the credentials that Docker keeps for {host} cannot be used: {fault}")]
    Credentials { host: String, fault: String },
    #[error("the registry {host} does not list what it has")]
    NoCatalog { host: String },
    #[error("there is no plugin {name} in {place}")]
    NoPlugin { name: String, place: String },
    #[error("there is no {reference} in {place}")]
    NoVersion { reference: String, place: String, versions: Vec<String> },
    #[error("{plugin} is in {place} already, and differs")]
    Published { plugin: String, place: String, there: String, ours: String },
    #[error("{what} is larger than {limit} bytes")]
    TooLarge { what: String, limit: u64 },
    #[error("{what} is not what its digest says: {actual} instead of {expected}")]
    Tampered { what: String, expected: String, actual: String },
    #[error("{what} is not one of a Pegbox plugin: {fault}")]
    Layout { what: String, fault: String },
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A plugin that cannot be packed.
    #[error("{}: {fault}", path.display())]
    Package { path: PathBuf, fault: String, help: Option<String> },
    #[error("{plugin} has moved: pegbox.lock pins {pinned}, {place} has {found}")]
    Moved { plugin: String, place: String, pinned: String, found: String },
    #[error("{name}@{wanted} is older than {pinned}, which pegbox.lock pins")]
    Downgrade { name: String, pinned: Version, wanted: Version },
    #[error("{} cannot be understood: {fault}", path.display())]
    Lock { path: PathBuf, fault: String },
    #[error("pegbox.lock pins no package of {plugin}: there is no digest of its OCI manifest")]
    NotPinned { plugin: String },
    #[error("{plugin} was not pulled to this machine")]
    NotPulled { plugin: String },
    #[error("{what} {fault}")]
    Key { what: String, fault: String },
    #[error("there is no key {name} in {}", folder.display())]
    NoKey { name: String, folder: PathBuf },
    #[error("the secret key {} can be read by others", path.display())]
    OpenKey { path: PathBuf },
    #[error("the signature {fault}")]
    Signature { fault: String },
    #[error(
        "{signer} signed {}@{} with {}, not {}@{} with {}",
        actual.name, actual.version, actual.digest, expected.name, expected.version, expected.digest
    )]
    SignedOther { signer: String, expected: Box<Statement>, actual: Box<Statement> },
    #[error("{plugin} is not signed by a key that is trusted here")]
    Unsigned { plugin: String },
    #[error("the policy does not allow {plugin}: {}", objections.join("; "))]
    Policy { plugin: String, objections: Vec<String> },
    #[error(transparent)]
    PolicyFile(#[from] PolicyError),
    #[error("{plugin} is not vendored in {}", folder.display())]
    NotVendored { plugin: String, folder: PathBuf },
}

impl RegistryError {
    /// How to mend it.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Disk { .. } | Self::Layout { .. } | Self::TooLarge { .. } | Self::Key { .. } => return None,
            Self::NoHome => "set HOME, or XDG_DATA_HOME".to_owned(),
            Self::Place { .. } => "write `host`, `host:port` or `host:port/prefix`".to_owned(),
            Self::Name { .. } => {
                "each part begins and ends with a letter or digit, and all is shorter than 200".to_owned()
            }
            Self::BuildMetadata { .. } => "leave out what follows the `+`, and keep it short".to_owned(),
            Self::Registry { .. } => "is the registry's address right, and is it running?".to_owned(),
            Self::Denied { host, had_credentials: false, .. } => {
                format!("log in with `docker login {host}`; Pegbox uses Docker's credentials")
            }
            Self::Denied { host, .. } => {
                format!("the credentials that Docker keeps for {host} do not suffice; log in as someone who may")
            }
            Self::Credentials { host, .. } => format!("log in again with `docker login {host}`"),
            Self::NoCatalog { .. } => {
                "name the plugin: `pegbox plugin versions team/name` needs no list".to_owned()
            }
            Self::NoPlugin { .. } => "`pegbox plugin search` lists what a registry has".to_owned(),
            Self::NoVersion { versions, .. } if versions.is_empty() => return None,
            Self::NoVersion { versions, .. } => format!("there are {}", versions.join(", ")),
            Self::Published { there, ours, .. } => format!(
                "a published version never changes; raise the version in plugin.toml (there: {there}, here: {ours})"
            ),
            Self::Tampered { .. } => {
                "somebody changed it, or the transfer broke; do not use it, and tell the registry's owner".to_owned()
            }
            Self::Manifest(error) => return error.help(),
            Self::Package { help, .. } => return help.clone(),
            Self::Moved { .. } => {
                "a published version never changes, so ask its owner why; if the new one is right, delete the \
                 plugin's entry from pegbox.lock"
                    .to_owned()
            }
            Self::Downgrade { .. } => {
                "an older version may have faults that are mended since; pass --allow-downgrade if you mean it"
                    .to_owned()
            }
            Self::Lock { .. } => "restore it from version control, or delete it to pin anew".to_owned(),
            Self::NotPulled { .. } | Self::NotPinned { .. } => "pull it with `pegbox plugin pull` first".to_owned(),
            Self::NoKey { name, .. } => format!("make one with `pegbox plugin keys new {name}`"),
            Self::OpenKey { path } => format!("chmod 600 {}", path.display()),
            Self::Signature { .. } | Self::SignedOther { .. } => {
                "do not use it, and tell the plugin's owner".to_owned()
            }
            Self::Unsigned { .. } => {
                "if you know the signer, trust the key with `pegbox plugin keys trust NAME KEY`".to_owned()
            }
            Self::Policy { .. } => "the team's pegbox-policy.toml decides".to_owned(),
            Self::PolicyFile(error) => return error.help.clone(),
            Self::NotVendored { .. } => "run `pegbox plugin vendor` where there is a network".to_owned(),
        })
    }

    /// For `map_err`: the disk's fault at `path`.
    pub(crate) fn disk(path: &Path) -> impl Fn(io::Error) -> Self {
        let path = path.to_owned();
        move |fault| Self::Disk { path: path.clone(), fault }
    }
}
