//! The files that a plugin was built from, by name and digest.

use std::fs;
use std::path::Path;

use pegbox_manifest::digest;

use crate::error::RegistryError;
use crate::limits;

/// A file of the plugin's folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Source {
    /// Relative to the folder, with `/`.
    pub name: String,
    pub digest: String,
}

/// Folders of things that were made from the sources or fetched for them.
const MADE: [&str; 4] = ["target", "node_modules", "__pycache__", "venv"];
/// Endings of files that were made.
const BINARIES: [&str; 4] = ["wasm", "so", "dll", "dylib"];

/// Every file under `folder`, sorted by name, but for what is hidden or was made.
/// Symbolic links are passed over: what they lead to is not the plugin's.
///
/// # Errors
/// The disk's; more files than a statement holds.
pub(crate) fn of(folder: &Path) -> Result<Vec<Source>, RegistryError> {
    let mut found = Vec::new();
    collect(folder, "", &mut found)?;
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn collect(folder: &Path, prefix: &str, found: &mut Vec<Source>) -> Result<(), RegistryError> {
    for entry in fs::read_dir(folder).map_err(RegistryError::disk(folder))? {
        let entry = entry.map_err(RegistryError::disk(folder))?;
        let (path, plain) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let kind = entry.file_type().map_err(RegistryError::disk(&path))?;
        let name = format!("{prefix}{plain}");
        if plain.starts_with('.') {
            continue;
        }
        if kind.is_dir() && !MADE.contains(&&*plain) {
            collect(&path, &format!("{name}/"), found)?;
        } else if kind.is_file() && !is_binary(&path) {
            let bytes = fs::read(&path).map_err(RegistryError::disk(&path))?;
            found.push(Source { name, digest: digest::of(&bytes) });
        }
        if found.len() > limits::SOURCES {
            return Err(RegistryError::Package {
                path: folder.to_owned(),
                fault: format!("there are more than {} source files", limits::SOURCES),
                help: Some("keep data out of the plugin's folder".to_owned()),
            });
        }
    }
    Ok(())
}

fn is_binary(path: &Path) -> bool {
    path.extension().is_some_and(|ending| BINARIES.iter().any(|binary| ending == *binary))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_what_the_author_wrote() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        };
        for name in
            ["plugin.py", "tests/a.toml", "plugin.wasm", "target/pegbox/x", ".venv/y", "a/node_modules/z"]
        {
            write(name);
        }
        let names = |found: Vec<Source>| found.into_iter().map(|source| source.name).collect::<Vec<_>>();
        let found = of(folder.path()).unwrap();
        assert_eq!(found[0].digest, digest::of(b"plugin.py"));
        assert_eq!(names(found), ["plugin.py", "tests/a.toml"]);
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("/etc", folder.path().join("link")).unwrap();
            assert_eq!(of(folder.path()).unwrap().len(), 2);
        }
    }
}
