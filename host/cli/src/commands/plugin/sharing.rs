//! What the commands that share plugins have in common: which registry, whose keys, which policy.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use clap::Args;
use pegbox_manifest::Manifest;
use pegbox_registry::{Candidate, Demands, KeyStore, Options, Place, Policy, PublicKey, Registry};

use crate::report::Report;

/// Names the registry where `--registry` does not.
const VARIABLE: &str = "PEGBOX_REGISTRY";

#[derive(Debug, Args)]
pub struct RegistryArguments {
    /// The registry: `host`, `host:port` or `host:port/prefix`; `PEGBOX_REGISTRY` by default
    #[arg(long, value_name = "PLACE")]
    pub registry: Option<String>,
    /// Talk to it unencrypted; a registry on this machine always is
    #[arg(long)]
    pub plain_http: bool,
}

impl RegistryArguments {
    /// Where the user says that plugins are.
    pub fn place(&self) -> Result<Place, Box<Report>> {
        let named = self.registry.clone().or_else(|| env::var(VARIABLE).ok().filter(|text| !text.is_empty()));
        let named = named.ok_or_else(|| {
            Report::usage("no registry is named")
                .help(format!("pass --registry host:port/prefix, or set {VARIABLE}"))
        })?;
        Ok(Place::parse(&named)?)
    }

    /// The registry there, with Docker's credentials for it.
    pub fn connect(&self) -> Result<Registry, Box<Report>> {
        self.connect_to(&self.place()?)
    }

    /// Another one, in the same way.
    pub fn connect_to(&self, place: &Place) -> Result<Registry, Box<Report>> {
        let options = Options { plain_http: self.plain_http, docker_config: None };
        Ok(Registry::connect(place, &options)?)
    }
}

/// What decides whether a package may come in.
pub struct Guard {
    /// The team's policy, and the file that it stands in.
    pub policy: Option<(PathBuf, Policy)>,
    /// The keys that the user trusts.
    pub trusted: BTreeMap<String, PublicKey>,
}

impl Guard {
    /// What holds for a recipe in `folder`.
    pub fn of(folder: &Path) -> Result<Self, Box<Report>> {
        Ok(Self { policy: Policy::find(folder)?, trusted: KeyStore::locate()?.trusted()? })
    }

    /// Whether the team's policy lets this plugin run, wherever it lies.
    pub fn check(&self, manifest: &Manifest) -> Result<(), Box<Report>> {
        let Some((file, policy)) = &self.policy else { return Ok(()) };
        let about = &manifest.plugin;
        let candidate = Candidate {
            name: &about.name,
            version: &about.version,
            registry: None,
            manifest: Some(manifest),
            // Who signed a package was asked when it was pulled and when it was looked up.
            signers: None,
        };
        let refused =
            |error| Box::<Report>::from(error).help(format!("the policy stands in {}", file.display()));
        policy.check(&candidate).map_err(refused)
    }

    /// What a package must fulfil to come in.
    pub fn demands(&self) -> Demands<'_> {
        Demands {
            policy: self.policy.as_ref().map(|(_, policy)| policy),
            trusted: Some(&self.trusted),
            ..Demands::default()
        }
    }
}
