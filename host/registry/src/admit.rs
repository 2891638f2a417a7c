//! Whether a package may come in: its pin, its signatures, the team's policy.

use std::collections::BTreeMap;

use semver::Version;

use crate::error::RegistryError;
use crate::keys::PublicKey;
use crate::lock::{Pin, Upgrade};
use crate::package::Package;
use crate::place::Place;
use crate::policy::{Candidate, Policy};
use crate::sign::{Envelope, Evidence, Statement};
use crate::sigstore::{is_signed, parse_bundle};

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
    /// Its OCI manifest, and the digest of that.
    pub image: &'a [u8],
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
        evidence: &Evidence,
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
            Some(trusted) => signers(&evidence.envelopes, &statement, trusted)?,
            None => Vec::new(),
        };
        let (mut names, mut doubts) = (Vec::new(), Vec::new());
        if let Some(policy) = self.policy {
            names = signers(&evidence.envelopes, &statement, &policy.trusted()?)?;
            let (identities, why_not) = identities(&evidence.bundles, applicant.image, policy)?;
            names.extend(identities);
            doubts = why_not;
        }
        self.ask_policy(&Candidate {
            name: applicant.name,
            version: applicant.version,
            registry: applicant.registry,
            manifest: None,
            signers: Some(&names),
        })
        .map_err(|error| with_doubts(error, doubts))?;
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

/// The names of the policy's identities whose bundles hold, and why others do not. A bundle says nothing of
/// who made it until it holds, so one that does not hold is a stranger's.
fn identities(
    bundles: &[String],
    image: &[u8],
    policy: &Policy,
) -> Result<(Vec<String>, Vec<String>), RegistryError> {
    let (mut names, mut doubts) = (Vec::new(), Vec::new());
    for text in bundles.iter().filter(|_| !policy.identities.is_empty()) {
        let bundle = parse_bundle(text)?;
        for (name, identity) in &policy.identities {
            match is_signed(image, &bundle, identity) {
                Ok(()) => names.push(name.clone()),
                Err(fault) => doubts.push(format!("a Sigstore bundle is not {name}'s: {fault}")),
            }
        }
    }
    Ok((names, doubts))
}

/// A policy that misses a signer says why those that are there do not count.
fn with_doubts(error: RegistryError, doubts: Vec<String>) -> RegistryError {
    match error {
        RegistryError::Policy { plugin, mut objections } => {
            objections.extend(doubts);
            RegistryError::Policy { plugin, objections }
        }
        other => other,
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
