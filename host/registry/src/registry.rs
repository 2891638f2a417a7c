//! Push, pull, search: what commands call. Each call blocks until the registry has answered.

use std::path::PathBuf;

use pegbox_manifest::{PluginReference, digest};
use semver::Version;
use tokio::runtime::{Builder, Runtime};

use crate::admit::{Applicant, Demands};
use crate::client::Client;
use crate::error::RegistryError;
use crate::image::Descriptor;
use crate::keys::SecretKey;
use crate::layout::{
    self, BUNDLE_TYPE, Summary, digest_tag, read_component_image, read_package_image, read_signatures_image,
    signatures_image, yanked_image,
};
use crate::package::{COMPONENT, Package, PackagedFile, Role};
use crate::place::{Place, tag};
use crate::resolve::{Published, highest, parse_tags, yanked_tag};
use crate::sign::{Evidence, Statement, parse_envelope};
use crate::sigstore::parse_bundle;
use crate::{credentials, limits};

/// A registry that answers.
pub struct Registry {
    runtime: Runtime,
    client: Client,
    place: Place,
}

/// How to talk to a registry.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Plain HTTP, unencrypted. A registry on this machine is always talked to so.
    pub plain_http: bool,
    /// Where `config.json` lies instead of `DOCKER_CONFIG` or `~/.docker`.
    pub docker_config: Option<PathBuf>,
}

/// What a push did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pushed {
    /// Of the OCI manifest.
    pub digest: String,
    /// As other tools name it: `host/prefix/team/name:1.2.3`.
    pub reference: String,
    /// Whether it was there already, the same.
    pub was_there: bool,
}

/// A package that a registry gave, checked.
#[derive(Clone, Debug)]
pub struct Pulled {
    pub package: Package,
    pub place: Place,
    /// Of the OCI manifest.
    pub digest: String,
    /// The trusted keys that signed it, by name.
    pub signers: Vec<String>,
    pub(crate) evidence: Evidence,
    pub(crate) image: Vec<u8>,
    pub(crate) rest: Vec<u8>,
}

/// A plugin that a search found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    pub name: String,
    /// The highest that was not yanked.
    pub version: Version,
    pub summary: String,
    pub kinds: Vec<String>,
    pub licence: String,
}

impl Registry {
    /// Reads Docker's credentials for the registry. Nothing is asked of it yet.
    ///
    /// # Errors
    /// The credentials or this machine's certificates cannot be used.
    pub fn connect(place: &Place, options: &Options) -> Result<Self, RegistryError> {
        let fail = |fault: std::io::Error| RegistryError::Registry {
            host: place.host().to_owned(),
            at: "the start".to_owned(),
            fault: fault.to_string(),
        };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(fail)?;
        let auth = credentials::of(place.host(), options.docker_config.as_deref())?;
        let client = Client::new(place, options.plain_http || place.is_loopback(), auth)?;
        Ok(Self { runtime, client, place: place.clone() })
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Publishes a package, and signs it if there is a key. A version that is there already stays as it is.
    ///
    /// # Errors
    /// The version is there and differs; the registry's.
    pub fn push(&self, package: &Package, key: Option<&SecretKey>) -> Result<Pushed, RegistryError> {
        self.runtime.block_on(self.push_async(package, key))
    }

    /// Adds a signature to a version that is there.
    ///
    /// # Errors
    /// There is none; the registry's.
    pub fn sign(&self, name: &str, version: &Version, key: &SecretKey) -> Result<String, RegistryError> {
        self.runtime.block_on(async {
            let image = self.image(name, version).await?;
            let summary = read_component_image(&image)?;
            self.expect(&summary, name, version)?;
            self.sign_async(name, version, &image, key).await?;
            Ok(digest::of(&image))
        })
    }

    /// Adds a Sigstore bundle to a version that is there: one over the bytes of its OCI manifest, or that
    /// names its digest. Whether it holds is for those to say who pull.
    ///
    /// # Errors
    /// It is not a bundle; there is no such version; the registry's.
    pub fn attach_bundle(&self, name: &str, version: &Version, bundle: &str) -> Result<(), RegistryError> {
        parse_bundle(bundle)?;
        self.runtime.block_on(async {
            let image = self.image(name, version).await?;
            let (repository, digest) = (self.place.repository(name)?, digest::of(&image));
            let mut evidence = self.evidence(&repository, &digest).await?;
            evidence.bundles.retain(|there| there != bundle);
            evidence.bundles.push(bundle.to_owned());
            let made = signatures_image(&image, &evidence)?;
            self.client.push(&repository, made, &digest_tag(&digest, "sig")).await
        })
    }

    /// Fetches a version and checks it against `demands`: by its digest before anything else is fetched, and
    /// then file by file.
    ///
    /// # Errors
    /// There is none; it is not what its digests say; `demands` are not met; the registry's.
    pub fn pull(
        &self,
        name: &str,
        version: &Version,
        demands: &Demands<'_>,
    ) -> Result<Pulled, RegistryError> {
        demands.admit_registry(name, version, &self.place)?;
        self.runtime.block_on(self.pull_async(name, version, demands))
    }

    /// Every version of a plugin, lowest first.
    ///
    /// # Errors
    /// There is no such plugin; the registry's.
    pub fn versions(&self, name: &str) -> Result<Vec<Published>, RegistryError> {
        self.runtime.block_on(self.versions_async(name))
    }

    /// The highest version that fits.
    ///
    /// # Errors
    /// None does; the registry's.
    pub fn resolve(&self, reference: &PluginReference) -> Result<Version, RegistryError> {
        let published = self.versions(&reference.name)?;
        highest(&reference.requirement, &published).cloned().ok_or_else(|| RegistryError::NoVersion {
            reference: format!("{}@{}", reference.name, reference.requirement),
            place: self.place.to_string(),
            versions: shown_versions(&published),
        })
    }

    /// Marks a version as not to be chosen any more. Recipes that pin it can still pull it.
    ///
    /// # Errors
    /// There is no such version; the registry's.
    pub fn yank(&self, name: &str, version: &Version, reason: &str) -> Result<(), RegistryError> {
        self.runtime.block_on(async {
            self.image(name, version).await?;
            let repository = self.place.repository(name)?;
            self.client.push(&repository, yanked_image(reason)?, &yanked_tag(version)).await
        })
    }

    /// Plugins whose name contains `text`, by name. Only registries that list what they have can be searched.
    ///
    /// # Errors
    /// The registry has no list; the registry's.
    pub fn search(&self, text: &str) -> Result<Vec<Found>, RegistryError> {
        self.runtime.block_on(self.search_async(text))
    }

    async fn push_async(&self, package: &Package, key: Option<&SecretKey>) -> Result<Pushed, RegistryError> {
        let about = &package.manifest().plugin;
        let (repository, tag) = (self.place.repository(&about.name)?, tag(&about.version)?);
        let (image, rest) = layout::images(package)?;
        let (digest, manifest) = (image.digest.clone(), image.manifest.clone());
        let there = self.client.manifest(&repository, &tag).await?;
        if let Some(there) = there.as_ref().filter(|there| **there != manifest) {
            return Err(RegistryError::Published {
                plugin: package.manifest().to_string(),
                place: self.place.to_string(),
                there: digest::of(there),
                ours: digest,
            });
        }
        if there.is_none() {
            // The image that names the others comes last: nobody pulls half a package.
            let rest_tag = digest_tag(&rest.digest, "pegbox");
            self.client.push(&repository, rest, &rest_tag).await?;
        }
        if let Some(key) = key {
            self.sign_async(&about.name, &about.version, &manifest, key).await?;
        }
        if there.is_none() {
            self.client.push(&repository, image, &tag).await?;
        }
        let reference = format!("{}/{repository}:{tag}", self.place.host());
        Ok(Pushed { digest, reference, was_there: there.is_some() })
    }

    async fn sign_async(
        &self,
        name: &str,
        version: &Version,
        image: &[u8],
        key: &SecretKey,
    ) -> Result<(), RegistryError> {
        let repository = self.place.repository(name)?;
        let digest = digest::of(image);
        let statement = Statement { digest: digest.clone(), name: name.to_owned(), version: version.clone() };
        let mut evidence = self.evidence(&repository, &digest).await?;
        evidence.envelopes.retain(|envelope| !envelope.names(&key.public()));
        evidence.envelopes.push(statement.sign(key)?);
        let made = signatures_image(image, &evidence)?;
        self.client.push(&repository, made, &digest_tag(&digest, "sig")).await
    }

    async fn pull_async(
        &self,
        name: &str,
        version: &Version,
        demands: &Demands<'_>,
    ) -> Result<Pulled, RegistryError> {
        let repository = self.place.repository(name)?;
        let image = self.image(name, version).await?;
        let digest = digest::of(&image);
        let evidence = self.evidence(&repository, &digest).await?;
        let applicant =
            Applicant { name, version, image: &image, digest: &digest, registry: Some(&self.place) };
        let signers = demands.admit_image(&applicant, &evidence)?;
        let summary = read_component_image(&image)?;
        self.expect(&summary, name, version)?;
        let rest = self.rest(&repository, &summary).await?;
        let package = self.package(&repository, &summary, &rest).await?;
        if package.manifest().plugin.name != name || package.manifest().plugin.version != *version {
            return Err(self.other(name, version, &package.manifest().to_string()));
        }
        demands.admit_package(&package, Some(&self.place))?;
        Ok(Pulled { package, place: self.place.clone(), digest, signers, evidence, image, rest })
    }

    /// The manifest of a version's first image.
    async fn image(&self, name: &str, version: &Version) -> Result<Vec<u8>, RegistryError> {
        let repository = self.place.repository(name)?;
        if let Some(image) = self.client.manifest(&repository, &tag(version)?).await? {
            return Ok(image);
        }
        let published = self.versions_async(name).await?;
        Err(RegistryError::NoVersion {
            reference: format!("{name}@{version}"),
            place: self.place.to_string(),
            versions: shown_versions(&published),
        })
    }

    /// The manifest of its second image.
    async fn rest(&self, repository: &str, summary: &Summary) -> Result<Vec<u8>, RegistryError> {
        let rest = self.client.manifest(repository, &summary.package).await?.ok_or_else(|| {
            RegistryError::Layout {
                what: format!("{}@{}", summary.name, summary.version),
                fault: format!("its package {} is gone", summary.package),
            }
        })?;
        let actual = digest::of(&rest);
        if actual == summary.package {
            return Ok(rest);
        }
        let what = format!("the package of {}@{}", summary.name, summary.version);
        Err(RegistryError::Tampered { what, expected: summary.package.clone(), actual })
    }

    async fn package(
        &self,
        repository: &str,
        summary: &Summary,
        rest: &[u8],
    ) -> Result<Package, RegistryError> {
        let mut wanted: Vec<(Role, String, Descriptor)> =
            vec![(Role::Component, COMPONENT.to_owned(), summary.component.clone())];
        wanted.extend(
            read_package_image(rest)?.into_iter().map(|listed| (listed.role, listed.name, listed.descriptor)),
        );
        let mut files = Vec::new();
        for (role, name, descriptor) in wanted {
            let what = format!("{name} of {}@{}", summary.name, summary.version);
            let bytes = self.client.blob(repository, &descriptor, &what, role.limit()).await?;
            files.push(PackagedFile { role, name, bytes });
        }
        Package::from_files(files)
    }

    /// The signatures of an image, which may be by anybody over anything.
    async fn evidence(&self, repository: &str, digest: &str) -> Result<Evidence, RegistryError> {
        let mut found = Evidence::default();
        let Some(image) = self.client.manifest(repository, &digest_tag(digest, "sig")).await? else {
            return Ok(found);
        };
        for descriptor in read_signatures_image(&image)? {
            let bytes = self.client.blob(repository, &descriptor, "a signature", limits::SIGNATURE).await?;
            if descriptor.media_type == BUNDLE_TYPE {
                let text = String::from_utf8(bytes)
                    .map_err(|_| RegistryError::Signature { fault: "is not UTF-8".to_owned() })?;
                found.bundles.push(text);
            } else {
                found.envelopes.push(parse_envelope(&bytes)?);
            }
        }
        Ok(found)
    }

    async fn versions_async(&self, name: &str) -> Result<Vec<Published>, RegistryError> {
        let tags = self.client.tags(&self.place.repository(name)?).await?;
        let tags = tags.ok_or_else(|| RegistryError::NoPlugin {
            name: name.to_owned(),
            place: self.place.to_string(),
        })?;
        Ok(parse_tags(tags.iter().map(String::as_str)))
    }

    async fn search_async(&self, text: &str) -> Result<Vec<Found>, RegistryError> {
        let repositories = self.client.catalog().await?;
        let mut names: Vec<&str> = repositories
            .iter()
            .filter_map(|repository| self.place.name_of(repository))
            .filter(|name| name.contains(text))
            .collect();
        names.sort_unstable();
        let mut found = Vec::new();
        for name in names.into_iter().take(limits::FOUND) {
            let published = self.versions_async(name).await?;
            let newest = published.iter().rev().find(|entry| !entry.yanked);
            let Some(version) = newest.map(|entry| &entry.version) else { continue };
            // A registry holds other things than plugins; they are nobody's error.
            let Ok(summary) = read_component_image(&self.image(name, version).await?) else { continue };
            found.push(Found {
                name: name.to_owned(),
                version: version.clone(),
                summary: summary.summary,
                kinds: summary.kinds,
                licence: summary.licence,
            });
        }
        Ok(found)
    }

    /// A tag can point at another plugin's image, or at another version's.
    fn expect(&self, summary: &Summary, name: &str, version: &Version) -> Result<(), RegistryError> {
        if summary.name == name && summary.version == *version {
            return Ok(());
        }
        Err(self.other(name, version, &format!("{}@{}", summary.name, summary.version)))
    }

    fn other(&self, name: &str, version: &Version, actual: &str) -> RegistryError {
        RegistryError::Layout {
            what: format!("{name}@{version} in {}", self.place),
            fault: format!("it is {actual}"),
        }
    }
}

fn shown_versions(published: &[Published]) -> Vec<String> {
    published
        .iter()
        .map(|entry| format!("{}{}", entry.version, if entry.yanked { " (yanked)" } else { "" }))
        .collect()
}
