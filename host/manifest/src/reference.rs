//! How a recipe names a plugin.

use semver::VersionReq;

use crate::error::ManifestError;
use crate::manifest::is_name;

/// `team/name@requirement` as a recipe writes it; without a requirement any version will do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PluginReference {
    pub name: String,
    pub requirement: VersionReq,
}

impl PluginReference {
    /// # Errors
    /// Not `team/name`, or the requirement is not one of semantic versions.
    pub fn parse(reference: &str) -> Result<Self, ManifestError> {
        let fail = |fault| ManifestError::Reference { reference: reference.to_owned(), fault };
        let (name, requirement) = match reference.split_once('@') {
            Some((name, requirement)) => (
                name,
                VersionReq::parse(requirement).map_err(|error| {
                    fail(format!("`{requirement}` is not a version requirement: {error}"))
                })?,
            ),
            None => (reference, VersionReq::STAR),
        };
        if !is_name(name) {
            return Err(fail(format!("`{name}` is not `team/name`")));
        }
        Ok(Self { name: name.to_owned(), requirement })
    }
}
