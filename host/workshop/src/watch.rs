//! Which files of a plugin's folder have changed.
//!
//! By looking at times and sizes now and then: it works on every system and every file system, network folders and
//! containers included, and a plugin's folder holds a handful of files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The files of a folder as they were when last looked at.
pub struct Watch {
    folder: PathBuf,
    ignored: Vec<PathBuf>,
    seen: BTreeMap<PathBuf, Stamp>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
}

/// Folders that tools write into.
const TOOLS: [&str; 4] = ["target", "node_modules", "__pycache__", "zig-out"];

impl Watch {
    /// Watches `folder` but for `ignored` (what a build makes), hidden files, and what tools make.
    pub fn new(folder: &Path, ignored: &[PathBuf]) -> Self {
        let mut watch = Self { folder: folder.to_owned(), ignored: ignored.to_vec(), seen: BTreeMap::new() };
        watch.seen = watch.look();
        watch
    }

    /// The files that have changed, come or gone since the last call, relative to the folder.
    pub fn changes(&mut self) -> Vec<PathBuf> {
        let now = self.look();
        let changed = now.iter().filter(|(path, stamp)| self.seen.get(*path) != Some(stamp));
        let gone = self.seen.keys().filter(|path| !now.contains_key(*path));
        let mut changes: Vec<PathBuf> = changed
            .map(|(path, _)| path)
            .chain(gone)
            .map(|path| path.strip_prefix(&self.folder).unwrap_or(path).to_owned())
            .collect();
        changes.sort();
        self.seen = now;
        changes
    }

    /// Takes everything as it is now for seen: what a build or `--bless` just wrote is no change.
    pub fn accept(&mut self) {
        self.seen = self.look();
    }

    fn look(&self) -> BTreeMap<PathBuf, Stamp> {
        let mut found = BTreeMap::new();
        self.walk(&self.folder, &mut found);
        found
    }

    /// A file that vanishes meanwhile has gone; it is no error.
    fn walk(&self, folder: &Path, found: &mut BTreeMap<PathBuf, Stamp>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            let Ok(meta) = fs::symlink_metadata(&path) else { continue };
            if name.starts_with('.') || self.ignored.contains(&path) {
                continue;
            }
            if meta.is_dir() {
                if !TOOLS.contains(&&*name) {
                    self.walk(&path, found);
                }
                continue;
            }
            found.insert(path, Stamp { modified: meta.modified().ok(), bytes: meta.len() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_authors_change_is_seen_and_what_tools_write_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("tests")).unwrap();
        fs::create_dir_all(at("target/pegbox")).unwrap();
        fs::write(at("plugin.py"), "a").unwrap();
        let mut watch = Watch::new(folder.path(), &[at("plugin.wasm")]);
        assert!(watch.changes().is_empty());

        fs::write(at("plugin.py"), "ab").unwrap();
        fs::write(at("tests/new.toml"), "").unwrap();
        fs::write(at("plugin.wasm"), "built").unwrap();
        fs::write(at("target/pegbox/x"), "").unwrap();
        fs::write(at(".plugin.py.swp"), "").unwrap();
        assert_eq!(watch.changes(), [PathBuf::from("plugin.py"), PathBuf::from("tests/new.toml")]);
        assert!(watch.changes().is_empty());

        fs::remove_file(at("tests/new.toml")).unwrap();
        assert_eq!(watch.changes(), [PathBuf::from("tests/new.toml")]);
        fs::write(at("plugin.py"), "abc").unwrap();
        watch.accept();
        assert!(watch.changes().is_empty());
    }
}
