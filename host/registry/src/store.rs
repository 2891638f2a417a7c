//! Pulled packages on this machine, each in a folder named by the digest of its OCI manifest. Whoever opens
//! one has everything checked again, from that name down to the last file.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use pegbox_durable::Draft;
use pegbox_manifest::digest;

use crate::admit::{Applicant, Demands};
use crate::error::RegistryError;
use crate::layout::{read_component_image, read_package_image};
use crate::limits;
use crate::package::{COMPONENT, Package, PackagedFile, RESERVED, Role, read_inside};
use crate::place::Place;
use crate::registry::Pulled;
use crate::sign::{Evidence, parse_envelope};

/// Where packages lie instead of the user's data folder.
const VARIABLE: &str = "PEGBOX_STORE";
const IMAGE: &str = RESERVED[0];
const REST: &str = RESERVED[1];
const SIGNATURES: &str = RESERVED[2];
const SUMS: &str = RESERVED[3];

/// A folder of packages.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// A package that lies on this machine, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored {
    pub package: Package,
    /// It holds `plugin.toml` and what that names: a plugin's folder like any other.
    pub folder: PathBuf,
    /// Of the OCI manifest.
    pub digest: String,
    pub(crate) evidence: Evidence,
    image: Vec<u8>,
    rest: Vec<u8>,
}

impl Store {
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// `PEGBOX_STORE`, else `pegbox/packages` in the user's data folder.
    ///
    /// # Errors
    /// There is no home folder.
    pub fn locate() -> Result<Self, RegistryError> {
        match env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
            Some(folder) => Ok(Self::new(Path::new(&folder))),
            None => Ok(Self::new(&data_folder()?.join("packages"))),
        }
    }

    /// Keeps a package. One that is there already is replaced by the same.
    ///
    /// # Errors
    /// The disk's.
    pub fn put(&self, pulled: &Pulled) -> Result<Stored, RegistryError> {
        let folder = self.place(&pulled.digest)?;
        write(&folder, &pulled.package, &pulled.image, &pulled.rest, &pulled.evidence)?;
        open(&folder, &pulled.digest)
    }

    /// The package whose OCI manifest has this digest, if it is here.
    ///
    /// # Errors
    /// It is here, and somebody changed it.
    pub fn get(&self, digest: &str) -> Result<Option<Stored>, RegistryError> {
        let folder = self.place(digest)?;
        if folder.exists() { open(&folder, digest).map(Some) } else { Ok(None) }
    }

    fn place(&self, digest: &str) -> Result<PathBuf, RegistryError> {
        match digest.strip_prefix("sha256:").filter(|_| digest::is_well_formed(digest)) {
            Some(digits) => Ok(self.folder.join(digits)),
            None => Err(RegistryError::Layout {
                what: "the digest".to_owned(),
                fault: "it is not `sha256:` and 64 hex digits".to_owned(),
            }),
        }
    }
}

impl Stored {
    /// Asks again whether it may come in: the policy or the keys may be others than when it was pulled.
    ///
    /// # Errors
    /// As for a pull. Otherwise the names of the trusted signers.
    pub fn admit(
        &self,
        registry: Option<&Place>,
        demands: &Demands<'_>,
    ) -> Result<Vec<String>, RegistryError> {
        let about = &self.package.manifest().plugin;
        if let Some(place) = registry {
            demands.admit_registry(&about.name, &about.version, place)?;
        }
        let applicant = Applicant {
            name: &about.name,
            version: &about.version,
            image: &self.image,
            digest: &self.digest,
            registry,
        };
        let signers = demands.admit_image(&applicant, &self.evidence)?;
        demands.admit_package(&self.package, registry)?;
        Ok(signers)
    }

    /// Writes it to another folder, in the same form.
    pub(crate) fn copy_to(&self, folder: &Path) -> Result<(), RegistryError> {
        write(folder, &self.package, &self.image, &self.rest, &self.evidence)
    }
}

/// `pegbox` in the user's data folder.
pub(crate) fn data_folder() -> Result<PathBuf, RegistryError> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let data = set("XDG_DATA_HOME").or_else(|| set("HOME").map(|home| home.join(".local/share")));
    Ok(data.ok_or(RegistryError::NoHome)?.join("pegbox"))
}

fn write(
    folder: &Path,
    package: &Package,
    image: &[u8],
    rest: &[u8],
    evidence: &Evidence,
) -> Result<(), RegistryError> {
    let parent = folder.parent().unwrap_or(Path::new("."));
    let draft = Draft::new(parent).map_err(RegistryError::disk(parent))?;
    let signatures = serde_json::to_vec(evidence)
        .map_err(|fault| RegistryError::Signature { fault: fault.to_string() })?;
    let mut files: Vec<(&str, &[u8])> =
        package.files().iter().map(|file| (&*file.name, &*file.bytes)).collect();
    files.extend([(IMAGE, image), (REST, rest), (SIGNATURES, &*signatures)]);
    files.sort();
    // For people, in the form of `sha256sum --check`; what counts is the chain from the digest downwards.
    let sums: String = files
        .iter()
        .map(|(name, bytes)| format!("{}  {name}\n", digest::of(bytes).replace("sha256:", "")))
        .collect();
    files.push((SUMS, sums.as_bytes()));
    for (name, bytes) in files {
        draft.write(name, bytes).map_err(RegistryError::disk(&folder.join(name)))?;
    }
    draft.publish(folder).map_err(RegistryError::disk(folder))
}

/// Reads a package's folder and believes nothing but the digest of its OCI manifest.
///
/// # Errors
/// A file is missing, changed, too large, a symbolic link, or one too many.
pub(crate) fn open(folder: &Path, expected: &str) -> Result<Stored, RegistryError> {
    let about = fs::symlink_metadata(folder).map_err(RegistryError::disk(folder))?;
    if !about.is_dir() {
        return Err(RegistryError::Package {
            path: folder.to_owned(),
            fault: "is not a folder".to_owned(),
            help: None,
        });
    }
    let shown = |name: &str| folder.join(name).display().to_string();
    let image = read_inside(folder, Path::new(IMAGE), limits::MANIFEST)?;
    verify(&shown(IMAGE), expected, &image)?;
    let summary = read_component_image(&image)?;
    let rest = read_inside(folder, Path::new(REST), limits::MANIFEST)?;
    verify(&shown(REST), &summary.package, &rest)?;
    let listed = read_package_image(&rest)?;
    let mut files = Vec::new();
    let component = (Role::Component, COMPONENT.to_owned(), summary.component);
    let others = listed.into_iter().map(|listed| (listed.role, listed.name, listed.descriptor));
    for (role, name, descriptor) in [component].into_iter().chain(others) {
        let bytes = read_inside(folder, Path::new(&name), role.limit())?;
        descriptor.verify(&shown(&name), &bytes)?;
        files.push(PackagedFile { role, name, bytes });
    }
    let package = Package::from_files(files)?;
    let about = &package.manifest().plugin;
    if about.name != summary.name || about.version != summary.version {
        return Err(RegistryError::Layout {
            what: shown(IMAGE),
            fault: format!(
                "it speaks of {}@{}, the manifest of {}",
                summary.name,
                summary.version,
                package.manifest()
            ),
        });
    }
    refuse_strangers(folder, &package)?;
    let evidence = read_signatures(folder)?;
    Ok(Stored { package, folder: folder.to_owned(), digest: expected.to_owned(), evidence, image, rest })
}

/// A file that no digest speaks of could be anything.
fn refuse_strangers(folder: &Path, package: &Package) -> Result<(), RegistryError> {
    for entry in fs::read_dir(folder).map_err(RegistryError::disk(folder))? {
        let entry = entry.map_err(RegistryError::disk(folder))?;
        let name = entry.file_name();
        let is_known = RESERVED.iter().any(|known| name == *known)
            || package.files().iter().any(|file| name == *file.name);
        if !is_known {
            return Err(RegistryError::Package {
                path: entry.path(),
                fault: "does not belong to the package".to_owned(),
                help: Some("delete it".to_owned()),
            });
        }
    }
    Ok(())
}

fn read_signatures(folder: &Path) -> Result<Evidence, RegistryError> {
    let limit = limits::SIGNATURE * limits::LAYERS as u64;
    let bytes = match read_inside(folder, Path::new(SIGNATURES), limit) {
        Err(RegistryError::Disk { fault, .. }) if fault.kind() == ErrorKind::NotFound => {
            return Ok(Evidence::default());
        }
        other => other?,
    };
    let broken = |fault: serde_json::Error| RegistryError::Package {
        path: folder.join(SIGNATURES),
        fault: format!("these are no signatures: {fault}"),
        help: Some("delete the package's folder, and pull it again".to_owned()),
    };
    let evidence: Evidence = serde_json::from_slice(&bytes).map_err(broken)?;
    for envelope in &evidence.envelopes {
        parse_envelope(&envelope.to_bytes()?)?;
    }
    Ok(evidence)
}

fn verify(what: &str, expected: &str, bytes: &[u8]) -> Result<(), RegistryError> {
    let actual = digest::of(bytes);
    if actual == expected {
        return Ok(());
    }
    Err(RegistryError::Tampered { what: what.to_owned(), expected: expected.to_owned(), actual })
}
