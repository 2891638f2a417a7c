//! What a team allows: `pegbox-policy.toml`, beside the recipe or in a folder above it.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use pegbox_manifest::{Manifest, Permissions, suggest};
use schemars::{JsonSchema, Schema, schema_for};
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::error::RegistryError;
use crate::keys::PublicKey;
use crate::limits;
use crate::place::Place;
use crate::sigstore::Identity;

/// The file's name.
pub const FILE_NAME: &str = "pegbox-policy.toml";
/// Names another file.
const VARIABLE: &str = "PEGBOX_POLICY";

/// What a policy can forbid: the keys of a manifest's `[permissions]`.
const CAPABILITIES: [&str; 7] = ["read-tensors", "log", "clock", "random", "read", "environment", "network"];

/// The whole file.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyFile {
    pub policy: Policy,
}

/// The table `[policy]`. What it does not speak of is allowed.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Policy {
    /// Where plugins may come from, such as `registry.example.org` or `registry.example.org/plugins`. A
    /// plugin's folder on this machine comes from nowhere and is not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registries: Option<Vec<String>>,
    /// What no plugin may ask for: names of a manifest's `[permissions]`, such as `network`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub forbidden_capabilities: Vec<String>,
    /// Licences that plugins may have: SPDX identifiers. A plugin under `A OR B` needs one of them, one under
    /// `A AND B` both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licences: Option<Vec<String>>,
    /// Whether packages may bring native libraries, which no sandbox holds.
    pub native: Native,
    /// Names for public keys: `release = "ed25519:..."`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<String, String>,
    /// Names for signers that Sigstore's public instance knows.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub identities: BTreeMap<String, Identity>,
    /// Who must have signed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signers: Vec<SignerRule>,
}

/// `native = "allowed"` or `"forbidden"`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Native {
    #[default]
    Allowed,
    Forbidden,
}

/// One `[[policy.signers]]`: plugins whose name fits must be signed by one of those named. Every rule whose
/// pattern fits a plugin must be met.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignerRule {
    /// `acme/*`, `*/*`, or a plugin's name.
    pub plugins: String,
    /// Names of `[policy.keys]` and `[policy.identities]`; one of them must have signed.
    #[schemars(length(min = 1))]
    pub by: Vec<String>,
}

/// A policy file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {fault}", file.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct PolicyError {
    pub file: PathBuf,
    /// Counts from 1.
    pub line: Option<usize>,
    pub fault: String,
    pub help: Option<String>,
}

/// A plugin that asks to be let in.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    pub name: &'a str,
    pub version: &'a Version,
    /// None for a plugin's folder on this machine.
    pub registry: Option<&'a Place>,
    /// None before it was fetched: then only the rest is asked.
    pub manifest: Option<&'a Manifest>,
    /// The policy's names of the keys that signed it; None before they were looked for.
    pub signers: Option<&'a [String]>,
}

/// The JSON Schema of `pegbox-policy.toml`.
pub fn schema() -> Schema {
    let mut schema = schema_for!(PolicyFile);
    schema.insert("title".to_owned(), FILE_NAME.into());
    schema
}

impl Policy {
    /// The policy that holds for a recipe in `folder`: the file that `PEGBOX_POLICY` names, else the nearest
    /// one in the folder or above it. None where there is none.
    ///
    /// # Errors
    /// It cannot be read or understood.
    pub fn find(folder: &Path) -> Result<Option<(PathBuf, Self)>, RegistryError> {
        if let Some(named) = env::var_os(VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from) {
            let text = fs::read_to_string(&named).map_err(RegistryError::disk(&named))?;
            return Ok(Some((named.clone(), Self::parse(&text, &named)?)));
        }
        let absolute = std::path::absolute(folder).map_err(RegistryError::disk(folder))?;
        for folder in absolute.ancestors() {
            let file = folder.join(FILE_NAME);
            match fs::read_to_string(&file) {
                Ok(text) => return Ok(Some((file.clone(), Self::parse(&text, &file)?))),
                Err(fault) if matches!(fault.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
                Err(fault) => return Err(RegistryError::disk(&file)(fault)),
            }
        }
        Ok(None)
    }

    /// Understands `text`; `file` is for errors only.
    ///
    /// # Errors
    /// It is not TOML, has keys that no policy has, or values that make no sense.
    pub fn parse(text: &str, file: &Path) -> Result<Self, PolicyError> {
        if text.len() as u64 > limits::TEXT {
            return Err(wrong(file, None, format!("it is larger than {} bytes", limits::TEXT)));
        }
        let parsed: PolicyFile = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| text.as_bytes()[..span.start.min(text.len())].iter());
            PolicyError {
                file: file.to_owned(),
                line: line.map(|before| before.filter(|b| **b == b'\n').count() + 1),
                help: suggestion(error.message()),
                fault: error.message().to_owned(),
            }
        })?;
        match parsed.policy.fault() {
            None => Ok(parsed.policy),
            Some((value, fault)) => {
                let quoted = format!("\"{value}\"");
                let line = text.lines().position(|line| line.contains(&quoted)).map(|index| index + 1);
                Err(wrong(file, line, fault))
            }
        }
    }

    /// The keys that the policy names.
    ///
    /// # Errors
    /// None that a parsed policy has.
    pub fn trusted(&self) -> Result<BTreeMap<String, PublicKey>, RegistryError> {
        self.keys.iter().map(|(name, key)| Ok((name.clone(), PublicKey::parse(key)?))).collect()
    }

    /// Whether some rule wants the plugin signed.
    pub fn wants_signature(&self, name: &str) -> bool {
        self.signers.iter().any(|rule| rule.fits(name))
    }

    /// What of the candidate is against the policy, one line each.
    pub fn objections(&self, candidate: &Candidate<'_>) -> Vec<String> {
        let of_registry = candidate.registry.and_then(|place| self.objection_to_registry(place));
        let of_manifest = candidate.manifest.map(|manifest| self.objections_to_manifest(manifest));
        let of_signers = candidate.signers.map(|signers| self.objections_to_signers(candidate.name, signers));
        of_registry
            .into_iter()
            .chain(of_manifest.into_iter().flatten())
            .chain(of_signers.into_iter().flatten())
            .collect()
    }

    /// # Errors
    /// What [`Policy::objections`] found.
    pub fn check(&self, candidate: &Candidate<'_>) -> Result<(), RegistryError> {
        match self.objections(candidate) {
            objections if objections.is_empty() => Ok(()),
            objections => Err(RegistryError::Policy {
                plugin: format!("{}@{}", candidate.name, candidate.version),
                objections,
            }),
        }
    }

    fn objection_to_registry(&self, place: &Place) -> Option<String> {
        let allowed = self.registries.as_ref()?;
        let is_allowed = |entry: &String| Place::parse(entry).is_ok_and(|entry| place.is_within(&entry));
        (!allowed.iter().any(is_allowed))
            .then(|| format!("the registry {place} is not one of {}", listed(allowed)))
    }

    fn objections_to_manifest(&self, manifest: &Manifest) -> Vec<String> {
        let asked = asked_for(&manifest.permissions);
        let forbidden = self.forbidden_capabilities.iter().filter(|name| asked.contains(&name.as_str()));
        let mut objections: Vec<String> =
            forbidden.map(|name| format!("it asks for `{name}`, which is forbidden")).collect();
        if self.native == Native::Forbidden && manifest.native.is_some() {
            objections.push("it brings a native library, which is forbidden".to_owned());
        }
        objections.extend(self.objection_to_licence(&manifest.plugin.licence));
        objections
    }

    fn objection_to_licence(&self, licence: &str) -> Option<String> {
        let allowed = self.licences.as_ref()?;
        let Ok(expression) = spdx::Expression::parse(licence) else {
            return Some(format!("its licence `{licence}` is not an SPDX expression"));
        };
        let licensees: Vec<_> =
            allowed.iter().filter_map(|entry| spdx::Licensee::parse(entry).ok()).collect();
        let is_allowed =
            expression.evaluate(|wanted| licensees.iter().any(|licensee| licensee.satisfies(wanted)));
        (!is_allowed).then(|| format!("its licence `{licence}` is not covered by {}", listed(allowed)))
    }

    fn objections_to_signers(&self, name: &str, signers: &[String]) -> Vec<String> {
        let unmet =
            |rule: &&SignerRule| rule.fits(name) && !rule.by.iter().any(|name| signers.contains(name));
        let by = match signers {
            [] => "nobody that the policy trusts has".to_owned(),
            signers => format!("only {} has", listed(signers)),
        };
        self.signers
            .iter()
            .filter(unmet)
            .map(|rule| format!("plugins {} must be signed by {}; {by}", rule.plugins, listed(&rule.by)))
            .collect()
    }

    /// What the types allow and the sense does not: a value to point at, and the fault.
    fn fault(&self) -> Option<(String, String)> {
        let of_registry = self.registries.iter().flatten().find_map(|entry| {
            let error = Place::parse(entry).err()?;
            Some((entry.clone(), error.to_string()))
        });
        let of_capability = || {
            let entry =
                self.forbidden_capabilities.iter().find(|entry| !CAPABILITIES.contains(&&***entry))?;
            let fault = format!(
                "`{entry}` is not a capability; there are {}",
                listed(&CAPABILITIES.map(String::from))
            );
            Some((entry.clone(), fault))
        };
        let of_licence = || {
            let is_wrong = |entry: &&String| spdx::Licensee::parse(entry).is_err();
            let entry = self.licences.iter().flatten().find(is_wrong)?;
            Some((entry.clone(), format!("`{entry}` is not a licence in SPDX's list")))
        };
        let of_key = || {
            let (name, key) = self.keys.iter().find(|(_, key)| PublicKey::parse(key).is_err())?;
            Some((key.clone(), format!("the key `{name}` is not `ed25519:` and a public key in Base64")))
        };
        let of_name = || {
            // Who has both could be taken for either.
            let name = self.keys.keys().find(|name| self.identities.contains_key(*name))?;
            Some((name.clone(), format!("`{name}` names a key and an identity")))
        };
        of_registry
            .or_else(of_name)
            .or_else(of_capability)
            .or_else(of_licence)
            .or_else(of_key)
            .or_else(|| self.signers.iter().find_map(|rule| rule.fault(self)))
    }
}

impl SignerRule {
    /// Whether it speaks of the plugin.
    pub fn fits(&self, name: &str) -> bool {
        let options = glob::MatchOptions { require_literal_separator: true, ..Default::default() };
        glob::Pattern::new(&self.plugins).is_ok_and(|pattern| pattern.matches_with(name, options))
    }

    fn fault(&self, policy: &Policy) -> Option<(String, String)> {
        // A pattern that can fit no name would demand nothing, silently.
        let parts = self.plugins.split('/').filter(|part| !part.is_empty()).count();
        if glob::Pattern::new(&self.plugins).is_err() || parts != 2 || self.plugins.contains("**") {
            let fault = format!("`{}` is not a pattern of `team/name`, such as `acme/*`", self.plugins);
            return Some((self.plugins.clone(), fault));
        }
        if self.by.is_empty() {
            return Some((self.plugins.clone(), format!("nobody may sign `{}`", self.plugins)));
        }
        let is_unknown =
            |name: &&String| !policy.keys.contains_key(*name) && !policy.identities.contains_key(*name);
        let unknown = self.by.iter().find(is_unknown)?;
        let fault = format!("`{unknown}` is not a name of [policy.keys] or [policy.identities]");
        Some((unknown.clone(), fault))
    }
}

/// The keys of what is asked for.
fn asked_for(permissions: &Permissions) -> Vec<&'static str> {
    let lines = permissions.lines();
    let is_asked = |name: &&str| lines.iter().any(|line| line.split(" =").next() == Some(*name));
    CAPABILITIES.into_iter().filter(is_asked).collect()
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

fn wrong(file: &Path, line: Option<usize>, fault: String) -> PolicyError {
    PolicyError { file: file.to_owned(), line, fault, help: None }
}

/// serde says "unknown field `x`, expected one of `a`, `b`": the names stand between backticks.
fn suggestion(message: &str) -> Option<String> {
    let mut names = message.strip_prefix("unknown ").map(|_| message.split('`').skip(1).step_by(2))?;
    let wrong = names.next()?;
    suggest::nearest(wrong, names).map(|near| format!("did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[policy]
registries = ["registry.acme.dev/plugins"]
forbidden-capabilities = ["network", "environment"]
licences = ["MIT", "Apache-2.0"]
native = "forbidden"

[policy.keys]
release = "ed25519:Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="

[policy.identities.workflow]
identity = "https://github.com/acme/plugins/.github/workflows/release.yml@refs/heads/main"
issuer = "https://token.actions.githubusercontent.com"

[[policy.signers]]
plugins = "acme/*"
by = ["release", "workflow"]
"#;

    fn parse(text: &str) -> Result<Policy, PolicyError> {
        Policy::parse(text, Path::new(FILE_NAME))
    }

    #[track_caller]
    fn fails(old: &str, new: &str, with: &str) {
        assert!(GOOD.contains(old));
        let error = parse(&GOOD.replace(old, new)).unwrap_err();
        let text = format!("{error} {}", error.help.clone().unwrap_or_default());
        assert!(text.contains(with), "{text}");
    }

    fn manifest(licence: &str, more: &str) -> Manifest {
        let text = format!(
            "[plugin]\nname = \"acme/focal\"\nversion = \"1.2.0\"\nkinds = [\"loss\"]\ncontract = \"0.1.0\"\n\
             licence = \"{licence}\"\nsummary = \"A loss\"\n[component]\npath = \"plugin.wasm\"\n{more}"
        );
        Manifest::parse(&text, Path::new("plugin.toml")).unwrap()
    }

    fn objections(policy: &Policy, place: &str, manifest: &Manifest, signers: &[&str]) -> Vec<String> {
        let place = Place::parse(place).unwrap();
        let signers: Vec<String> = signers.iter().map(|name| (*name).to_owned()).collect();
        policy.objections(&Candidate {
            name: &manifest.plugin.name,
            version: &manifest.plugin.version,
            registry: Some(&place),
            manifest: Some(manifest),
            signers: Some(&signers),
        })
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        assert!(parse(GOOD).is_ok());
        fails("licences =", "licenses =", "pegbox-policy.toml:5: unknown field `licenses`");
        fails("licences =", "licenses =", "did you mean `licences`?");
        fails("\"network\"", "\"netwrk\"", "pegbox-policy.toml:4: `netwrk` is not a capability");
        fails("\"MIT\"", "\"MITT\"", "pegbox-policy.toml:5: `MITT` is not a licence");
        fails("registry.acme.dev/plugins", "https://acme.dev", "pegbox-policy.toml:3");
        fails("Gb9EC", "Gb", "pegbox-policy.toml:9: the key `release`");
        fails("acme/*", "acme", "pegbox-policy.toml:16: `acme` is not a pattern");
        fails("[\"release\"", "[\"relaese\"", "pegbox-policy.toml:17: `relaese` is not a name");
        fails("[\"release\", \"workflow\"]", "[]", "nobody may sign");
        fails("identities.workflow", "identities.release", "`release` names a key and an identity");
        fails("issuer =", "isuer =", "pegbox-policy.toml:13: unknown field `isuer`");
        fails("\"forbidden\"", "\"never\"", "pegbox-policy.toml:6");
        assert!(parse("[polic]").is_err());
    }

    #[test]
    fn what_fits_is_let_in_and_the_rest_is_told_why() {
        let policy = parse(GOOD).unwrap();
        let good = manifest("MIT OR GPL-3.0-only", "");
        assert!(objections(&policy, "registry.acme.dev/plugins/a", &good, &["release"]).is_empty());
        let bad = manifest(
            "MIT AND GPL-3.0-only",
            "[native]\npath = \"a.so\"\n[permissions]\nclock = true\nnetwork = [\"x.org\"]",
        );
        let found = objections(&policy, "evil.dev", &bad, &[]);
        let expected = [
            "the registry evil.dev is not one of registry.acme.dev/plugins",
            "it asks for `network`, which is forbidden",
            "it brings a native library, which is forbidden",
            "its licence `MIT AND GPL-3.0-only` is not covered by MIT, Apache-2.0",
            "plugins acme/* must be signed by release, workflow; nobody that the policy trusts has",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn an_empty_policy_allows_everything_and_an_empty_list_nothing() {
        let manifest = manifest("Proprietary", "");
        assert!(objections(&Policy::default(), "any.dev", &manifest, &[]).is_empty());
        let nothing = parse("[policy]\nregistries = []\nlicences = []").unwrap();
        assert_eq!(objections(&nothing, "any.dev", &manifest, &[]).len(), 2);
    }

    #[test]
    fn a_rule_of_one_team_is_none_for_another() {
        let policy = parse(GOOD).unwrap();
        assert!(policy.wants_signature("acme/focal"));
        assert!(!policy.wants_signature("other/focal"));
        assert!(!policy.wants_signature("acme-evil/focal"));
    }

    #[test]
    fn every_permission_of_a_manifest_can_be_forbidden() {
        let schema = schema_for!(Permissions);
        let properties = schema.get("properties").and_then(|value| value.as_object()).unwrap();
        let mut names: Vec<&str> = properties.keys().map(String::as_str).collect();
        let mut ours = CAPABILITIES.to_vec();
        names.sort_unstable();
        ours.sort_unstable();
        assert_eq!(names, ours);
    }

    #[test]
    fn the_nearest_file_above_a_recipe_holds() {
        let root = tempfile::tempdir().unwrap();
        let recipe = root.path().join("team/recipe");
        fs::create_dir_all(&recipe).unwrap();
        fs::write(root.path().join(FILE_NAME), GOOD).unwrap();
        let (file, policy) = Policy::find(&recipe).unwrap().unwrap();
        assert_eq!(file, root.path().join(FILE_NAME));
        assert_eq!(policy, parse(GOOD).unwrap());
        fs::write(recipe.join(FILE_NAME), "[policy]\n").unwrap();
        assert_eq!(Policy::find(&recipe).unwrap().unwrap().1, Policy::default());
    }
}
