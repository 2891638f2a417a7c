//! The `[[plugin]]` entries of a recipe's `pegbox.lock`. What else stands in that file stays as it is.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use toml::{Table, Value};

use crate::error::RegistryError;
use crate::lock::Pin;
use crate::store::{Store, Stored};
use crate::vendor::{is_vendored, open_vendored};

const FILE_NAME: &str = "pegbox.lock";
const HEAD: &str = "# Written by Pegbox: what the last run used. Keep it under version control.\n";
const VERSION: i64 = 1;
const KEY: &str = "plugin";

/// What the lock file beside a recipe pins; nothing where there is none.
///
/// # Errors
/// It cannot be read or understood.
pub fn read_pins(recipe: &Path) -> Result<Vec<Pin>, RegistryError> {
    let mut table = read(recipe)?;
    let Some(value) = table.remove(KEY) else { return Ok(Vec::new()) };
    value.try_into().map_err(|error: toml::de::Error| wrong(recipe, error.message()))
}

/// Replaces what the lock file beside a recipe pins, sorted by name.
///
/// # Errors
/// It is there and cannot be understood; the disk's.
pub fn write_pins(recipe: &Path, pins: &[Pin]) -> Result<(), RegistryError> {
    let mut table = read(recipe)?;
    table.entry("version").or_insert(Value::Integer(VERSION));
    let mut pins = pins.to_vec();
    pins.sort_by(|a, b| (&a.name, &a.version, &a.digest).cmp(&(&b.name, &b.version, &b.digest)));
    pins.dedup();
    let value = Value::try_from(&pins).map_err(|error| wrong(recipe, &error.to_string()))?;
    table.insert(KEY.to_owned(), value);
    let text = toml::to_string(&table).map_err(|error| wrong(recipe, &error.to_string()))?;
    // Tables nested as deep as can be read come out deeper than that.
    toml::from_str::<Table>(&text).map_err(|error| wrong(recipe, error.message()))?;
    let path = recipe.join(FILE_NAME);
    pegbox_durable::write_file(&path, format!("{HEAD}{text}").as_bytes()).map_err(RegistryError::disk(&path))
}

/// The packages that a recipe pins: its vendored ones, and else those in the store. Each is checked against
/// its pin. A package that is in neither place is left out: [`crate::Registry::pull`] brings it.
///
/// # Errors
/// One of them was changed.
pub fn pinned_packages(recipe: &Path, store: &Store) -> Result<Vec<Stored>, RegistryError> {
    let mut found = Vec::new();
    for pin in read_pins(recipe)? {
        found.extend(pinned_package(recipe, &pin, store)?);
    }
    Ok(found)
}

/// One of them, if it is here.
///
/// # Errors
/// As [`pinned_packages`].
pub fn pinned_package(recipe: &Path, pin: &Pin, store: &Store) -> Result<Option<Stored>, RegistryError> {
    let Some(digest) = &pin.manifest else { return Ok(None) };
    if is_vendored(recipe, pin)? {
        return open_vendored(recipe, pin).map(Some);
    }
    let stored = store.get(digest)?;
    if let Some(stored) = &stored {
        pin.verify(&stored.package, &stored.folder.display().to_string())?;
    }
    Ok(stored)
}

fn read(recipe: &Path) -> Result<Table, RegistryError> {
    let path = recipe.join(FILE_NAME);
    match fs::read_to_string(&path) {
        Ok(text) => toml::from_str(&text).map_err(|error: toml::de::Error| wrong(recipe, error.message())),
        Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(Table::new()),
        Err(fault) => Err(RegistryError::disk(&path)(fault)),
    }
}

fn wrong(recipe: &Path, fault: &str) -> RegistryError {
    RegistryError::Lock { path: recipe.join(FILE_NAME), fault: fault.to_owned() }
}

#[cfg(test)]
mod tests {
    use pegbox_manifest::Permissions;
    use semver::Version;

    use super::*;

    #[test]
    fn what_else_stands_in_the_lock_file_stays() {
        let recipe = tempfile::tempdir().unwrap();
        assert!(read_pins(recipe.path()).unwrap().is_empty());
        let before = "version = 1\n[model]\nsource = \"pypi:x\"\ndigest = \"sha256:1\"\n[[plugin]]\n\
                      name = \"a/b\"\nversion = \"1.0.0\"\ndigest = \"sha256:2\"\n";
        fs::write(recipe.path().join(FILE_NAME), before).unwrap();
        let mut pins = read_pins(recipe.path()).unwrap();
        let permissions = Permissions { network: vec!["x.org".to_owned()], ..Permissions::default() };
        let version = Version::new(1, 1, 0);
        pins.push(Pin { name: "a/a".to_owned(), version, permissions, ..pins[0].clone() });
        write_pins(recipe.path(), &pins).unwrap();
        pins.reverse();
        assert_eq!(read_pins(recipe.path()).unwrap(), pins);
        let text = fs::read_to_string(recipe.path().join(FILE_NAME)).unwrap();
        assert!(text.starts_with("# Written by Pegbox"));
        assert!(text.contains("source = \"pypi:x\""), "{text}");
    }

    /// Found by fuzzing.
    #[test]
    fn a_lock_file_that_could_not_be_read_again_is_not_written() {
        let recipe = tempfile::tempdir().unwrap();
        let path = recipe.path().join(FILE_NAME);
        let mut refused = 0;
        for depth in 1..200 {
            let text = format!("[x]\ny = {{ {}a = 1 }}\n", "a.".repeat(depth));
            fs::write(&path, &text).unwrap();
            if read_pins(recipe.path()).is_err() {
                continue;
            }
            if write_pins(recipe.path(), &[]).is_err() {
                refused += 1;
                assert_eq!(fs::read_to_string(&path).unwrap(), text);
            }
            assert!(read_pins(recipe.path()).unwrap().is_empty(), "{depth}");
        }
        assert!(refused > 0, "every depth that can be read can be written: is the check still needed?");
    }

    #[test]
    fn a_lock_file_that_makes_no_sense_is_left_alone() {
        let recipe = tempfile::tempdir().unwrap();
        for broken in ["[[plugin]", "plugin = 1", "[[plugin]]\nname = \"a/b\""] {
            fs::write(recipe.path().join(FILE_NAME), broken).unwrap();
            let error = read_pins(recipe.path()).unwrap_err();
            assert!(error.to_string().contains("pegbox.lock"), "{error}");
            assert_eq!(fs::read_to_string(recipe.path().join(FILE_NAME)).unwrap(), broken);
        }
    }
}
