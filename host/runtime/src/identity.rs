//! Who a plugin is, in errors, reports and lock files.

use std::fmt;

/// On whose word the code runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trust {
    /// A WebAssembly component: it can do nothing that the host does not offer.
    Sandboxed,
    /// A shared library that the recipe trusts by digest: it can do what the host can.
    Native,
    /// Part of the host.
    BuiltIn,
}

/// Name, version and digest of a plugin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PluginIdentity {
    /// `team/name`.
    pub name: String,
    pub version: semver::Version,
    /// `sha256:` and the hex digest of the component or library that runs; none for what is built in.
    pub digest: Option<String>,
    pub trust: Trust,
}

impl PluginIdentity {
    /// Something built into the host, of the host's version.
    pub fn built_in(name: &str, version: semver::Version) -> Self {
        Self { name: name.to_owned(), version, digest: None, trust: Trust::BuiltIn }
    }
}

impl fmt::Display for PluginIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}
