//! What a plugin was built from: the packages that its language's lock file pins. Read as they stand; a lock
//! file also pins what only tests or build scripts use, so the list may be longer than what is inside.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pegbox_manifest::digest::hex;
use serde::Deserialize;

use crate::error::RegistryError;

/// A package that a lock file pins.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Dependency {
    /// As package URLs name it: `cargo`, `npm`, `pypi`.
    pub ecosystem: &'static str,
    pub name: String,
    pub version: String,
    /// Its algorithm as CycloneDX names it, and hex digits.
    pub checksum: Option<(&'static str, String)>,
}

impl Dependency {
    /// The package URL.
    pub(crate) fn purl(&self) -> String {
        let name = self.name.split('/').map(escaped).collect::<Vec<_>>().join("/");
        format!("pkg:{}/{name}@{}", self.ecosystem, escaped(&self.version))
    }
}

/// The packages that the lock files of `folder` pin, sorted, each once.
///
/// # Errors
/// A lock file cannot be read or understood.
pub(crate) fn of(folder: &Path) -> Result<Vec<Dependency>, RegistryError> {
    let mut found = BTreeSet::new();
    found.extend(of_cargo(folder)?);
    for (name, parse) in [
        ("package-lock.json", of_npm as fn(&str) -> Result<Vec<Dependency>, String>),
        ("requirements.txt", of_requirements),
        ("uv.lock", of_python_lock),
        ("poetry.lock", of_python_lock),
    ] {
        let path = folder.join(name);
        if let Some(text) = read_if_there(&path)? {
            found.extend(parse(&text).map_err(|fault| wrong(&path, fault))?);
        }
    }
    Ok(found.into_iter().collect())
}

#[derive(Deserialize)]
struct CargoManifest {
    package: Option<CargoName>,
}

#[derive(Deserialize)]
struct CargoName {
    name: String,
}

#[derive(Deserialize)]
struct CargoLock {
    #[serde(default)]
    package: Vec<CargoPackage>,
}

#[derive(Deserialize)]
struct CargoPackage {
    name: String,
    version: String,
    checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

/// What the plugin's crate reaches in the nearest Cargo.lock, which may be a workspace's.
fn of_cargo(folder: &Path) -> Result<Vec<Dependency>, RegistryError> {
    let path = folder.join("Cargo.toml");
    let Some(text) = read_if_there(&path)? else { return Ok(Vec::new()) };
    let manifest: CargoManifest =
        toml::from_str(&text).map_err(|error| wrong(&path, error.message().to_owned()))?;
    let Some(root) = manifest.package.map(|package| package.name) else { return Ok(Vec::new()) };
    let absolute = std::path::absolute(folder).map_err(RegistryError::disk(folder))?;
    for folder in absolute.ancestors() {
        let path = folder.join("Cargo.lock");
        if let Some(text) = read_if_there(&path)? {
            let lock: CargoLock =
                toml::from_str(&text).map_err(|error| wrong(&path, error.message().to_owned()))?;
            return Ok(reachable(&lock, &root));
        }
    }
    Ok(Vec::new())
}

fn reachable(lock: &CargoLock, root: &str) -> Vec<Dependency> {
    let mut by_name: BTreeMap<&str, Vec<&CargoPackage>> = BTreeMap::new();
    for package in &lock.package {
        by_name.entry(&package.name).or_default().push(package);
    }
    let mut waiting: Vec<&CargoPackage> = by_name.get(root).into_iter().flatten().copied().collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    while let Some(package) = waiting.pop() {
        if !seen.insert((&package.name, &package.version)) {
            continue;
        }
        if package.name != root {
            found.push(Dependency {
                ecosystem: "cargo",
                name: package.name.clone(),
                version: package.version.clone(),
                checksum: package.checksum.clone().map(|digits| ("SHA-256", digits)),
            });
        }
        for dependency in &package.dependencies {
            // `name`, and where that is not enough `name version`, and then the source.
            let mut words = dependency.split(' ');
            let (name, version) = (words.next().unwrap_or_default(), words.next());
            let is_meant =
                |package: &&&CargoPackage| version.is_none_or(|version| package.version == version);
            waiting.extend(by_name.get(name).into_iter().flatten().filter(is_meant).copied());
        }
    }
    found
}

#[derive(Deserialize)]
struct NpmLock {
    #[serde(default)]
    packages: BTreeMap<String, NpmPackage>,
}

#[derive(Deserialize)]
struct NpmPackage {
    version: Option<String>,
    integrity: Option<String>,
    #[serde(default)]
    dev: bool,
}

fn of_npm(text: &str) -> Result<Vec<Dependency>, String> {
    let lock: NpmLock = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let dependency = |(place, package): (String, NpmPackage)| {
        let (_, name) = place.rsplit_once("node_modules/")?;
        if package.dev {
            return None;
        }
        let checksum = package.integrity.as_deref().and_then(|integrity| {
            let bytes = BASE64.decode(integrity.strip_prefix("sha512-")?).ok()?;
            Some(("SHA-512", hex(&bytes)))
        });
        Some(Dependency { ecosystem: "npm", name: name.to_owned(), version: package.version?, checksum })
    };
    Ok(lock.packages.into_iter().filter_map(dependency).collect())
}

/// Only pins count: a range says nothing of what was inside.
fn of_requirements(text: &str) -> Result<Vec<Dependency>, String> {
    let text = text.replace("\\\n", " ");
    let pin = |line: &str| {
        let line = line.split('#').next().unwrap_or_default();
        let (name, rest) = line.split(';').next().unwrap_or_default().split_once("==")?;
        let version = rest.split_whitespace().next()?;
        let hashes: Vec<&str> = line.split("--hash=sha256:").skip(1).collect();
        let checksum = match hashes.as_slice() {
            [one] => one.split_whitespace().next().map(|digits| ("SHA-256", digits.to_owned())),
            _ => None,
        };
        let name = name.split('[').next().unwrap_or(name);
        Some(Dependency { ecosystem: "pypi", name: python_name(name), version: version.to_owned(), checksum })
    };
    Ok(text.lines().filter_map(pin).collect())
}

#[derive(Deserialize)]
struct PythonLock {
    #[serde(default)]
    package: Vec<PythonPackage>,
}

#[derive(Deserialize)]
struct PythonPackage {
    name: String,
    version: Option<String>,
    source: Option<BTreeMap<String, toml::Value>>,
}

fn of_python_lock(text: &str) -> Result<Vec<Dependency>, String> {
    let lock: PythonLock = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    let dependency = |package: PythonPackage| {
        let is_here = |source: &BTreeMap<String, toml::Value>| {
            ["virtual", "editable"].iter().any(|key| source.contains_key(*key))
        };
        if package.source.as_ref().is_some_and(is_here) {
            return None;
        }
        let name = python_name(&package.name);
        Some(Dependency { ecosystem: "pypi", name, version: package.version?, checksum: None })
    };
    Ok(lock.package.into_iter().filter_map(dependency).collect())
}

fn python_name(name: &str) -> String {
    name.trim().to_lowercase().replace(['_', '.'], "-")
}

/// As package URLs escape what is no letter, digit, or one of `.`, `-`, `_`, `~`.
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' => char::from(b).to_string(),
            _ => format!("%{b:02X}"),
        })
        .collect()
}

fn read_if_there(path: &Path) -> Result<Option<String>, RegistryError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(None),
        Err(fault) => Err(RegistryError::disk(path)(fault)),
    }
}

fn wrong(path: &Path, fault: String) -> RegistryError {
    RegistryError::Package { path: path.to_owned(), fault, help: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(found: &[Dependency]) -> Vec<String> {
        found.iter().map(Dependency::purl).collect()
    }

    #[test]
    fn of_a_workspace_only_what_the_plugin_reaches() {
        let lock: CargoLock = toml::from_str(
            r#"
[[package]]
name = "plugin"
version = "0.1.0"
dependencies = ["a", "b 2.0.0"]
[[package]]
name = "a"
version = "1.0.0+x"
source = "registry+https://example.org"
checksum = "aa"
dependencies = ["plugin"]
[[package]]
name = "b"
version = "1.0.0"
[[package]]
name = "b"
version = "2.0.0"
[[package]]
name = "stranger"
version = "1.0.0"
"#,
        )
        .unwrap();
        let mut found = reachable(&lock, "plugin");
        found.sort();
        assert_eq!(urls(&found), ["pkg:cargo/a@1.0.0%2Bx", "pkg:cargo/b@2.0.0"]);
        assert_eq!(found[0].checksum, Some(("SHA-256", "aa".to_owned())));
    }

    #[test]
    fn npm_packages_are_named_with_their_scope() {
        let found = of_npm(
            r#"{"lockfileVersion": 3, "packages": {
                "": {"name": "plugin"},
                "node_modules/@scope/a": {"version": "1.0.0", "integrity": "sha512-AAEC"},
                "node_modules/@scope/a/node_modules/b": {"version": "2.0.0"},
                "node_modules/tool": {"version": "3.0.0", "dev": true}}}"#,
        )
        .unwrap();
        assert_eq!(urls(&found), ["pkg:npm/%40scope/a@1.0.0", "pkg:npm/b@2.0.0"]);
        assert_eq!(found[0].checksum, Some(("SHA-512", "000102".to_owned())));
    }

    #[test]
    fn python_pins_count_and_ranges_do_not() {
        let found = of_requirements(
            "# a comment\nNum_Py==2.0 \\\n  --hash=sha256:ab\nother>=1\nx[extra]==1.0 ; python_version > '3'\n",
        )
        .unwrap();
        assert_eq!(urls(&found), ["pkg:pypi/num-py@2.0", "pkg:pypi/x@1.0"]);
        assert_eq!(found[0].checksum, Some(("SHA-256", "ab".to_owned())));
        let found = of_python_lock(
            "[[package]]\nname = \"me\"\nversion = \"1\"\nsource = { virtual = \".\" }\n[[package]]\nname = \"a\"\nversion = \"2\"\n",
        )
        .unwrap();
        assert_eq!(urls(&found), ["pkg:pypi/a@2"]);
    }

    #[test]
    fn a_lock_file_that_is_broken_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(of(folder.path()).unwrap().is_empty());
        fs::write(folder.path().join("package-lock.json"), "{").unwrap();
        assert!(of(folder.path()).unwrap_err().to_string().contains("package-lock.json"));
    }
}
