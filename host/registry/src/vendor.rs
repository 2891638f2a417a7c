//! Packages kept beside a recipe, under version control: `vendor/plugins/team/name-1.2.3/`. A recipe that has
//! them needs no registry, and no trust in who copied them: the lock file's digests decide.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::RegistryError;
use crate::lock::Pin;
use crate::store::{Store, Stored, open};

/// Relative to the recipe.
pub const FOLDER: &str = "vendor/plugins";

/// What [`vendor`] did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vendored {
    /// The folders that were written, in the order of the pins.
    pub written: Vec<PathBuf>,
    /// Folders of versions that no pin names.
    pub stale: Vec<PathBuf>,
}

/// Copies the packages that `pins` name from the store to `recipe`'s folder; what lies there already and is
/// right may stay. Pins without a package, such as
/// those of plugins that lie beside the recipe anyway, are passed over.
///
/// # Errors
/// A package is not in the store or not the pinned one; the disk's.
pub fn vendor(recipe: &Path, pins: &[Pin], store: &Store) -> Result<Vendored, RegistryError> {
    let mut written = Vec::new();
    for (pin, digest) in pins.iter().filter_map(|pin| Some((pin, pin.manifest.as_deref()?))) {
        let folder = place(recipe, pin)?;
        match store.get(digest)? {
            Some(stored) => {
                pin.verify(&stored.package, &stored.folder.display().to_string())?;
                stored.copy_to(&folder)?;
            }
            None if folder.exists() => drop(open_vendored(recipe, pin)?),
            None => return Err(RegistryError::NotPulled { plugin: pin.to_string() }),
        }
        written.push(folder);
    }
    let stale = folders(recipe)?.into_iter().filter(|folder| !written.contains(folder)).collect();
    Ok(Vendored { written, stale })
}

/// The vendored package that `pin` names, checked against it.
///
/// # Errors
/// It is not there, changed, or not the pinned one.
pub fn open_vendored(recipe: &Path, pin: &Pin) -> Result<Stored, RegistryError> {
    let Some(digest) = &pin.manifest else {
        return Err(RegistryError::NotPinned { plugin: pin.to_string() });
    };
    let folder = place(recipe, pin)?;
    if !folder.exists() {
        return Err(RegistryError::NotVendored { plugin: pin.to_string(), folder: recipe.join(FOLDER) });
    }
    let stored = open(&folder, digest)?;
    pin.verify(&stored.package, &folder.display().to_string())?;
    Ok(stored)
}

/// Whether there is something where the vendored package of `pin` would lie.
///
/// # Errors
/// The pin's name is no plugin's, or a folder on the way is a symbolic link.
pub(crate) fn is_vendored(recipe: &Path, pin: &Pin) -> Result<bool, RegistryError> {
    Ok(place(recipe, pin)?.exists())
}

/// A pin comes from a file that anybody may have written, so its name is checked before it becomes a path.
fn place(recipe: &Path, pin: &Pin) -> Result<PathBuf, RegistryError> {
    let parts = pin.name.split_once('/').filter(|_| pegbox_manifest::is_name(&pin.name));
    let (team, name) = parts.ok_or_else(|| RegistryError::Name { name: pin.name.clone() })?;
    let folder = recipe.join(FOLDER).join(team).join(format!("{name}-{}", pin.version));
    for folder in folder.ancestors().take_while(|folder| *folder != recipe) {
        if folder.is_symlink() {
            return Err(RegistryError::Package {
                path: folder.to_owned(),
                fault: "is a symbolic link".to_owned(),
                help: Some("vendor again into a folder of its own".to_owned()),
            });
        }
    }
    Ok(folder)
}

fn folders(recipe: &Path) -> Result<Vec<PathBuf>, RegistryError> {
    let mut found = Vec::new();
    let root = recipe.join(FOLDER);
    if !root.exists() {
        return Ok(found);
    }
    for team in entries(&root)? {
        found.extend(entries(&team)?);
    }
    found.sort();
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, RegistryError> {
    let entries = fs::read_dir(folder).map_err(RegistryError::disk(folder))?;
    let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    Ok(paths.map_err(RegistryError::disk(folder))?.into_iter().filter(|path| path.is_dir()).collect())
}
