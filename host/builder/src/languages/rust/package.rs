//! The author's Cargo.toml, and the .cargo/config.toml that says where the SDK is.

use std::path::{Path, PathBuf};

use pegbox_manifest::Manifest;

use crate::error::BuildError;

/// The first line of a configuration that is ours to rewrite.
pub(crate) const WRITTEN_BY: &str = "# Written by `pegbox plugin build`";

/// The SDK's crates, and their folders in the unpacked SDK.
const CRATES: [(&str, &str); 2] =
    [("pegbox-plugin", "rust/plugin-api"), ("pegbox-plugin-abi", "rust/plugin-api/abi")];

/// What a build needs to know of the plugin's crate.
pub(super) struct Package {
    folder: PathBuf,
    /// The library's name as files have it.
    pub(super) library: String,
    /// None where it is inherited from a workspace, or left out.
    version: Option<String>,
    /// The SDK is asked for by version, as a registry would have it.
    sdk_by_version: bool,
    /// Some dependency is a folder, or inherited from a workspace.
    elsewhere: bool,
}

impl Package {
    /// # Errors
    /// There is no Cargo.toml, or it is not one of a library.
    pub(super) fn read(folder: &Path) -> Result<Self, BuildError> {
        let file = folder.join("Cargo.toml");
        let text = std::fs::read_to_string(&file).map_err(BuildError::file("read", &file))?;
        let fail = |fault: String| BuildError::Source { file: file.clone(), fault, help: None };
        let cargo: toml::Table =
            text.parse().map_err(|error: toml::de::Error| fail(error.message().to_owned()))?;
        let name = |table: &str| cargo.get(table)?.get("name")?.as_str().map(str::to_owned);
        let name = name("lib").or_else(|| name("package"));
        let name = name.ok_or_else(|| fail("there is no package name".to_owned()))?;
        let tables = ["dependencies", "dev-dependencies", "build-dependencies"];
        let dependencies = || tables.iter().filter_map(|table| cargo.get(*table)?.as_table()).flatten();
        let by_path = |value: &toml::Value| {
            value.get("path").is_some()
                || value.get("workspace").is_some_and(|set| set.as_bool() == Some(true))
        };
        Ok(Self {
            folder: folder.to_owned(),
            library: name.replace('-', "_"),
            version: cargo
                .get("package")
                .and_then(|package| package.get("version")?.as_str())
                .map(str::to_owned),
            sdk_by_version: dependencies().any(|(name, value)| name == CRATES[0].0 && !by_path(value)),
            elsewhere: dependencies().any(|(_, value)| by_path(value)),
        })
    }

    pub(super) fn has_sources_elsewhere(&self) -> bool {
        self.elsewhere
    }

    /// The code says the crate's version of itself, and the host takes no plugin that says another than its manifest.
    ///
    /// # Errors
    /// Cargo.toml and plugin.toml differ.
    pub(super) fn agrees(&self, manifest: &Manifest) -> Result<(), BuildError> {
        let wanted = manifest.plugin.version.to_string();
        match &self.version {
            Some(version) if *version != wanted => Err(BuildError::Source {
                file: self.folder.join("Cargo.toml"),
                fault: format!("it says version {version}, and plugin.toml says {wanted}"),
                help: Some("the plugin's version stands in both; make them agree".to_owned()),
            }),
            _ => Ok(()),
        }
    }

    /// Arguments that make cargo take the SDK from `sdk`.
    pub(super) fn patches(&self, sdk: &Path) -> Vec<String> {
        let patch = |(name, path): (&str, PathBuf)| {
            ["--config".to_owned(), format!("patch.crates-io.{name}.path={:?}", path.to_string_lossy())]
        };
        if self.sdk_by_version { places(sdk).flat_map(patch).collect() } else { Vec::new() }
    }

    /// Writes the same to .cargo/config.toml, so that `cargo test` and the author's editor find the SDK, too. A
    /// configuration of the author's own stays.
    ///
    /// # Errors
    /// The disk's.
    pub(super) fn point_to_sdk(&self, sdk: &Path) -> Result<(), BuildError> {
        if !self.sdk_by_version {
            return Ok(());
        }
        let file = self.folder.join(".cargo/config.toml");
        let there = std::fs::read_to_string(&file).ok();
        let patches: String = places(sdk)
            .map(|(name, path)| format!("{name} = {{ path = {:?} }}\n", path.to_string_lossy()))
            .collect();
        let text = format!(
            "{WRITTEN_BY}: where this machine has Pegbox's SDK, for cargo and for editors.\n\
             # Delete these lines and the file is yours.\n\n[patch.crates-io]\n{patches}"
        );
        match there {
            Some(there) if there == text || !there.starts_with(WRITTEN_BY) => Ok(()),
            _ => {
                pegbox_durable::write_file(&file, text.as_bytes()).map_err(BuildError::file("written", file))
            }
        }
    }
}

fn places(sdk: &Path) -> impl Iterator<Item = (&'static str, PathBuf)> {
    CRATES.into_iter().map(move |(name, folder)| (name, sdk.join(folder)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(folder: &Path, dependency: &str) -> Package {
        let text = format!("[package]\nname = \"hard-focal\"\n\n[dependencies]\n{dependency}\n");
        std::fs::write(folder.join("Cargo.toml"), text).unwrap();
        Package::read(folder).unwrap()
    }

    #[test]
    fn cargo_is_pointed_to_the_sdk_and_a_configuration_of_the_author_stays() {
        let folder = tempfile::tempdir().unwrap();
        let by_version = package(folder.path(), "pegbox-plugin = \"0.1\"");
        assert_eq!(by_version.library, "hard_focal");
        assert!(!by_version.has_sources_elsewhere());
        by_version.point_to_sdk(Path::new("/sdk/1")).unwrap();
        by_version.point_to_sdk(Path::new("/sdk/2")).unwrap();
        let file = folder.path().join(".cargo/config.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let read: toml::Table = text.parse().unwrap();
        assert_eq!(
            read["patch"]["crates-io"]["pegbox-plugin"]["path"].as_str(),
            Some("/sdk/2/rust/plugin-api")
        );
        std::fs::write(&file, "[net]\n").unwrap();
        by_version.point_to_sdk(Path::new("/sdk/3")).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "[net]\n");
        assert_eq!(by_version.patches(Path::new("/sdk")).len(), 4);
    }

    #[test]
    fn a_version_that_plugin_toml_does_not_have_is_refused_before_anything_is_compiled() {
        let folder = tempfile::tempdir().unwrap();
        let cargo = "[package]\nname = \"x\"\nversion = \"0.1.0\"\n";
        std::fs::write(folder.path().join("Cargo.toml"), cargo).unwrap();
        let package = Package::read(folder.path()).unwrap();
        let manifest = |version: &str| {
            let text = format!(
                "[plugin]\nname = \"a/x\"\nversion = \"{version}\"\nkinds = [\"loss\"]\ncontract = \"0.1.1\"\n\
                 licence = \"MIT\"\nsummary = \"x\"\n[component]\npath = \"plugin.wasm\"\n"
            );
            Manifest::parse(&text, Path::new("plugin.toml")).unwrap()
        };
        assert!(package.agrees(&manifest("0.1.0")).is_ok());
        let error = package.agrees(&manifest("0.2.0")).unwrap_err().to_string();
        assert!(error.ends_with("Cargo.toml: it says version 0.1.0, and plugin.toml says 0.2.0"), "{error}");
    }

    #[test]
    fn a_dependency_in_another_folder_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        for dependency in ["pegbox-plugin.workspace = true", "pegbox-plugin = { path = \"../sdk\" }"] {
            let package = package(folder.path(), dependency);
            assert!(package.has_sources_elsewhere());
            assert!(package.patches(Path::new("/sdk")).is_empty());
        }
    }
}
