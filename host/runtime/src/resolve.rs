//! Finds the plugin that a recipe means in the folders where plugins lie.

use std::path::{Path, PathBuf};

use pegbox_manifest::{FILE_NAME, Manifest, ManifestError, PluginReference, suggest};

use crate::load_error::LoadError;

/// A plugin that was found: its manifest and where it stands.
#[derive(Clone, Debug)]
pub struct Resolved {
    pub manifest: Manifest,
    pub folder: PathBuf,
}

/// Where plugins are looked for, most important first. Each folder holds `<name>/plugin.toml`, or is a
/// plugin's folder itself.
#[derive(Clone, Debug, Default)]
pub struct PluginFolders {
    folders: Vec<PathBuf>,
}

impl PluginFolders {
    /// Folders that do not exist hold nothing.
    pub fn new(folders: Vec<PathBuf>) -> Self {
        Self { folders }
    }

    /// One more, less important than the others.
    pub fn push(&mut self, folder: PathBuf) {
        self.folders.push(folder);
    }

    /// The highest version that fits, from the first folder that has one that fits.
    ///
    /// # Errors
    /// The reference makes no sense; nothing fits; or what would be it has a manifest that cannot be
    /// understood.
    pub fn resolve(&self, reference: &str) -> Result<Resolved, LoadError> {
        let wanted = PluginReference::parse(reference)?;
        let mut others = Vec::new();
        let mut broken = Vec::new();
        for folder in &self.folders {
            let mut fitting: Option<Resolved> = None;
            for found in list(folder) {
                match found {
                    Ok(found) if fits(&found, &wanted) => {
                        let best = fitting.as_ref().map(|best| &best.manifest.plugin.version);
                        if best.is_none_or(|best| *best < found.manifest.plugin.version) {
                            fitting = Some(found);
                        }
                    }
                    Ok(other) => others.push(other.manifest),
                    Err(error) => broken.push(error),
                }
            }
            if let Some(found) = fitting {
                return Ok(found);
            }
        }
        let is_likely = |error: &LoadError| likely_about(error, &wanted.name);
        match broken.iter().position(is_likely) {
            Some(index) => Err(broken.swap_remove(index)),
            None => Err(LoadError::NotFound {
                reference: reference.to_owned(),
                help: self.what_there_is(&wanted, &others),
            }),
        }
    }

    /// Every plugin in every folder, in order of folders and then of names.
    pub fn list(&self) -> Vec<Result<Resolved, LoadError>> {
        self.folders.iter().flat_map(|folder| list(folder)).collect()
    }

    fn what_there_is(&self, wanted: &PluginReference, others: &[Manifest]) -> String {
        let versions: Vec<String> = others
            .iter()
            .filter(|manifest| manifest.plugin.name == wanted.name)
            .map(|manifest| manifest.plugin.version.to_string())
            .collect();
        if !versions.is_empty() {
            let versions = versions.join(", ");
            return format!("there is {} in version {versions}, not {}", wanted.name, wanted.requirement);
        }
        let names = others.iter().map(|manifest| manifest.plugin.name.as_str());
        if let Some(near) = suggest::nearest(&wanted.name, names) {
            return format!("did you mean `{near}`?");
        }
        let folders: Vec<String> = self.folders.iter().map(|folder| folder.display().to_string()).collect();
        let mut names: Vec<String> = others.iter().map(ToString::to_string).collect();
        names.dedup();
        let names = if names.is_empty() { "no plugin".to_owned() } else { names.join(", ") };
        format!(
            "looked in {}; found {names}; `pegbox plugin pull {}` brings it from a registry",
            folders.join(", "),
            wanted.name
        )
    }
}

fn fits(found: &Resolved, wanted: &PluginReference) -> bool {
    let about = &found.manifest.plugin;
    about.name == wanted.name && wanted.requirement.matches(&about.version)
}

/// A broken manifest is about the wanted plugin if its folder has the plugin's short name.
fn likely_about(error: &LoadError, name: &str) -> bool {
    let LoadError::Manifest(ManifestError::Wrong { file, .. } | ManifestError::Read { file, .. }) = error
    else {
        return false;
    };
    let short = name.split_once('/').map(|(_, short)| short);
    file.parent().and_then(Path::file_name).and_then(|folder| folder.to_str()) == short
}

fn list(folder: &Path) -> Vec<Result<Resolved, LoadError>> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.join(FILE_NAME).is_file())
        .collect();
    if folder.join(FILE_NAME).is_file() {
        found.push(folder.to_owned());
    }
    found.sort();
    found.into_iter().map(|folder| Ok(Resolved { manifest: Manifest::read(&folder)?, folder })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(folder: &Path, name: &str, version: &str) {
        let short = name.split_once('/').unwrap().1;
        let folder = folder.join(format!("{short}-{version}"));
        std::fs::create_dir_all(&folder).unwrap();
        let text = format!(
            "[plugin]\nname = \"{name}\"\nversion = \"{version}\"\nkinds = [\"loss\"]\ncontract = \"0.1.0\"\nlicence = \"MIT\"\nsummary = \"\"\n[component]\npath = \"x.wasm\"\n"
        );
        std::fs::write(folder.join(FILE_NAME), text).unwrap();
    }

    #[test]
    fn the_first_folder_with_a_fitting_version_wins_and_there_the_highest() {
        let near = tempfile::tempdir().unwrap();
        let far = tempfile::tempdir().unwrap();
        put(near.path(), "acme/focal", "1.0.0");
        put(near.path(), "acme/focal", "1.2.0");
        put(far.path(), "acme/focal", "1.9.0");
        put(far.path(), "acme/focal", "2.0.0");
        let folders = PluginFolders::new(vec![near.path().to_owned(), far.path().to_owned()]);
        let version = |reference| folders.resolve(reference).unwrap().manifest.plugin.version.to_string();
        assert_eq!(version("acme/focal@^1"), "1.2.0");
        assert_eq!(version("acme/focal"), "1.2.0");
        assert_eq!(version("acme/focal@2"), "2.0.0");
        assert_eq!(folders.list().len(), 4);
    }

    #[test]
    fn what_is_missing_is_told_with_what_there_is() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "acme/focal", "1.0.0");
        let folders = PluginFolders::new(vec![folder.path().to_owned()]);
        let help = |reference| folders.resolve(reference).unwrap_err().help().unwrap();
        assert!(help("acme/focal@^2").contains("in version 1.0.0, not ^2"));
        assert!(help("acme/fokal").contains("did you mean `acme/focal`?"));
        assert!(help("other/thing").contains("found acme/focal@1.0.0"));
        assert!(folders.resolve("focal").is_err());
        assert!(folders.resolve("acme/focal@banana").is_err());
    }

    #[test]
    fn a_broken_manifest_is_shown_only_for_the_plugin_it_belongs_to() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("focal")).unwrap();
        std::fs::write(folder.path().join("focal").join(FILE_NAME), "nonsense").unwrap();
        let folders = PluginFolders::new(vec![folder.path().to_owned()]);
        assert!(matches!(folders.resolve("acme/focal"), Err(LoadError::Manifest(_))));
        assert!(matches!(folders.resolve("acme/other"), Err(LoadError::NotFound { .. })));
    }
}
