//! Pins of `pegbox.lock`: what a recipe's plugins were when somebody last looked.

use pegbox_manifest::{Manifest, Permissions};
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::error::RegistryError;
use crate::package::Package;
use crate::registry::Pulled;

/// One `[[plugin]]` of the lock file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pin {
    /// `team/name`
    pub name: String,
    pub version: Version,
    /// Of the component, or of the native library where that runs.
    pub digest: String,
    /// Of the OCI manifest, which pins every file of the package. Only packages have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// Where it was pulled from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// What it asked for. A later version that asks for more needs a new grant.
    #[serde(default, skip_serializing_if = "Permissions::is_empty")]
    pub permissions: Permissions,
}

/// What to do about a version that differs from the pinned one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Upgrade {
    /// Take a higher one, refuse a lower one.
    #[default]
    Upwards,
    /// Take any.
    AnyWay,
}

impl Pin {
    /// The pin of a package that was just pulled.
    pub fn of(pulled: &Pulled) -> Self {
        let manifest = pulled.package.manifest();
        let component = manifest.component.as_ref().and_then(|component| component.digest.clone());
        Self {
            name: manifest.plugin.name.clone(),
            version: manifest.plugin.version.clone(),
            digest: component.unwrap_or_default(),
            manifest: Some(pulled.digest.clone()),
            registry: Some(pulled.place.to_string()),
            permissions: manifest.permissions.clone(),
        }
    }

    /// Whether the image of `version` with this digest may stand where the pinned one did. Asked before
    /// anything of it is fetched.
    ///
    /// # Errors
    /// The pinned version now has another digest; the version is lower, and nobody asked for that.
    pub fn admits(
        &self,
        version: &Version,
        digest: &str,
        place: &str,
        upgrade: Upgrade,
    ) -> Result<(), RegistryError> {
        if *version == self.version {
            return match &self.manifest {
                Some(pinned) if pinned != digest => Err(self.moved(place, pinned, digest)),
                _ => Ok(()),
            };
        }
        if *version < self.version && upgrade == Upgrade::Upwards {
            return Err(RegistryError::Downgrade {
                name: self.name.clone(),
                pinned: self.version.clone(),
                wanted: version.clone(),
            });
        }
        Ok(())
    }

    /// Whether a package is the pinned one.
    ///
    /// # Errors
    /// It is another plugin or version, or its component has another digest.
    pub fn verify(&self, package: &Package, place: &str) -> Result<(), RegistryError> {
        let manifest = package.manifest();
        let component = manifest.component.as_ref().and_then(|component| component.digest.as_deref());
        let native = manifest.native.as_ref().and_then(|native| native.digest.as_deref());
        if manifest.plugin.name != self.name || manifest.plugin.version != self.version {
            return Err(self.moved(place, &self.to_string(), &manifest.to_string()));
        }
        match component {
            found if found == Some(&self.digest) || native == Some(&self.digest) => Ok(()),
            found => Err(self.moved(place, &self.digest, found.unwrap_or("none"))),
        }
    }

    /// What the manifest asks for and the pinned version did not.
    pub fn new_permissions(&self, manifest: &Manifest) -> Permissions {
        manifest.permissions.without(&self.permissions)
    }

    fn moved(&self, place: &str, pinned: &str, found: &str) -> RegistryError {
        RegistryError::Moved {
            plugin: self.to_string(),
            place: place.to_owned(),
            pinned: pinned.to_owned(),
            found: found.to_owned(),
        }
    }
}

impl std::fmt::Display for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin() -> Pin {
        Pin {
            name: "acme/focal".to_owned(),
            version: Version::new(1, 2, 0),
            digest: pegbox_manifest::digest::of(b"component"),
            manifest: Some(pegbox_manifest::digest::of(b"manifest")),
            registry: Some("host.org".to_owned()),
            permissions: Permissions { clock: true, ..Permissions::default() },
        }
    }

    #[derive(Serialize, Deserialize)]
    struct Lock {
        plugin: Vec<Pin>,
    }

    #[test]
    fn a_pin_is_read_as_it_was_written_and_an_old_one_still_is() {
        let text = toml::to_string(&Lock { plugin: vec![pin(), pin()] }).unwrap();
        assert_eq!(toml::from_str::<Lock>(&text).unwrap().plugin, [pin(), pin()]);
        let old = "[[plugin]]\nname = \"acme/focal\"\nversion = \"1.2.0\"\ndigest = \"sha256:ab\"\n";
        let old = &toml::from_str::<Lock>(old).unwrap().plugin[0];
        assert_eq!(old.manifest, None);
        assert!(old.admits(&old.version, "any", "host.org", Upgrade::Upwards).is_ok());
    }

    #[test]
    fn a_tag_that_moved_is_shown_with_both_digests() {
        let found = pegbox_manifest::digest::of(b"other");
        let error = pin().admits(&pin().version, &found, "host.org", Upgrade::AnyWay).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&found) && text.contains(&pin().manifest.unwrap()), "{text}");
    }

    #[test]
    fn a_lower_version_is_refused_unless_asked_for() {
        let lower = Version::new(1, 1, 9);
        let error = pin().admits(&lower, "any", "host.org", Upgrade::Upwards).unwrap_err();
        assert!(matches!(error, RegistryError::Downgrade { .. }), "{error}");
        assert!(pin().admits(&lower, "any", "host.org", Upgrade::AnyWay).is_ok());
        assert!(pin().admits(&Version::new(1, 3, 0), "any", "host.org", Upgrade::Upwards).is_ok());
    }
}
