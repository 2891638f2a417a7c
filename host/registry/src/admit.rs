//! Whether a package may come in: its pin, its signatures, the team's policy.

use std::collections::BTreeMap;

use semver::Version;

use crate::error::RegistryError;
use crate::keys::PublicKey;
use crate::lock::{Pin, Upgrade};
use crate::package::Package;
use crate::place::Place;
use crate::policy::{Candidate, Policy};
use crate::sign::{Envelope, Statement};

/// What a package must meet. By default: nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Demands<'a> {
    /// What the lock file says of the plugin.
    pub pin: Option<&'a Pin>,
    pub upgrade: Upgrade,
    pub policy: Option<&'a Policy>,
    /// The keys that the user trusts.
    pub trusted: Option<&'a BTreeMap<String, PublicKey>>,
    /// Whether one of these must have signed, whatever the policy says.
    pub signed: bool,
}

/// A plugin as its image presents itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Applicant<'a> {
    pub name: &'a str,
    pub version: &'a Version,
    /// Of its OCI manifest.
    pub digest: &'a str,
    pub registry: Option<&'a Place>,
}

impl Demands<'_> {
    /// Before anything is asked of a registry.
    ///
    /// # Errors
    /// The policy does not allow the registry.
    pub(crate) fn admit_registry(
        &self,
        name: &str,
        version: &Version,
        place: &Place,
    ) -> Result<(), RegistryError> {
        self.ask_policy(&Candidate { name, version, registry: Some(place), manifest: None, signers: None })
    }

    /// Before anything of the package is fetched: by its digest alone.
    ///
    /// # Errors
    /// It is not what is pinned; a trusted signer's signature does not hold; who must have signed has not.
    /// Otherwise the names of the trusted signers.
    pub(crate) fn admit_image(
        &self,
        applicant: &Applicant<'_>,
        envelopes: &[Envelope],
    ) -> Result<Vec<String>, RegistryError> {
        if let Some(pin) = self.pin {
            let place = applicant.registry.map(Place::to_string).unwrap_or_default();
            pin.admits(applicant.version, applicant.digest, &place, self.upgrade)?;
        }
        let statement = Statement {
            digest: applicant.digest.to_owned(),
            name: applicant.name.to_owned(),
            version: applicant.version.clone(),
        };
        let own = match self.trusted {
            Some(trusted) => signers(envelopes, &statement, trusted)?,
            None => Vec::new(),
        };
        let mut names = match self.policy {
            Some(policy) => signers(envelopes, &statement, &policy.trusted()?)?,
            None => Vec::new(),
        };
        self.ask_policy(&Candidate {
            name: applicant.name,
            version: applicant.version,
            registry: applicant.registry,
            manifest: None,
            signers: Some(&names),
        })?;
        names.extend(own);
        names.sort();
        names.dedup();
        if self.signed && names.is_empty() {
            return Err(RegistryError::Unsigned {
                plugin: format!("{}@{}", applicant.name, applicant.version),
            });
        }
        Ok(names)
    }

    /// Once everything is there.
    ///
    /// # Errors
    /// It is not what is pinned, or the policy does not allow what its manifest says.
    pub(crate) fn admit_package(
        &self,
        package: &Package,
        registry: Option<&Place>,
    ) -> Result<(), RegistryError> {
        let manifest = package.manifest();
        let about = &manifest.plugin;
        if let Some(pin) = self.pin.filter(|pin| pin.version == about.version) {
            pin.verify(package, &registry.map(Place::to_string).unwrap_or_default())?;
        }
        self.ask_policy(&Candidate {
            name: &about.name,
            version: &about.version,
            registry,
            manifest: Some(manifest),
            signers: None,
        })
    }

    fn ask_policy(&self, candidate: &Candidate<'_>) -> Result<(), RegistryError> {
        self.policy.map_or(Ok(()), |policy| policy.check(candidate))
    }
}

fn signers(
    envelopes: &[Envelope],
    statement: &Statement,
    trusted: &BTreeMap<String, PublicKey>,
) -> Result<Vec<String>, RegistryError> {
    let found: Result<Vec<Vec<String>>, _> =
        envelopes.iter().map(|envelope| envelope.signers(statement, trusted)).collect();
    Ok(found?.into_iter().flatten().collect())
}
