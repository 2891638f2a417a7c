//! A plugin ready to be shared: its files, each with its role. The same inputs give the same bytes.

use std::fs;
use std::path::{Component as PathPart, Path, PathBuf};

use pegbox_manifest::{FILE_NAME, Manifest, digest};
use wasmparser::{KnownCustom, Parser, Payload};

use crate::error::RegistryError;
use crate::image::{is_file_name, shown};
use crate::{dependencies, limits, provenance, sbom, sources};

/// What a file of a package is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    Manifest,
    Component,
    Native,
    Readme,
    Licence,
    Sbom,
    Provenance,
}

/// One file of a package.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PackagedFile {
    pub role: Role,
    pub name: String,
    pub bytes: Vec<u8>,
}

/// A plugin's files. There is always a manifest and a component, and every digest in the manifest is right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Package {
    manifest: Manifest,
    files: Vec<PackagedFile>,
}

/// A program that took part in a build.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Tool {
    pub name: String,
    pub version: String,
}

/// What built a plugin.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    /// The version of Pegbox.
    pub pegbox: String,
    /// Compilers and the like, beyond those whose names stand in the component itself.
    pub tools: Vec<Tool>,
}

/// The component's name in every package.
pub(crate) const COMPONENT: &str = "plugin.wasm";
const README: &str = "README.md";
const SBOM: &str = "sbom.cdx.json";
const PROVENANCE: &str = "provenance.json";
/// Licence files begin so.
const LICENCES: [&str; 3] = ["LICENCE", "LICENSE", "COPYING"];
/// Files that a store puts beside a package's own.
pub(crate) const RESERVED: [&str; 4] =
    ["oci-manifest.json", "oci-package.json", "signatures.json", "SHA256SUMS"];

impl Role {
    pub(crate) const ALL: [Self; 7] = [
        Self::Manifest,
        Self::Component,
        Self::Native,
        Self::Readme,
        Self::Licence,
        Self::Sbom,
        Self::Provenance,
    ];

    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Manifest => "application/vnd.pegbox.plugin.manifest.v1+toml",
            Self::Component => "application/wasm",
            Self::Native => "application/vnd.pegbox.plugin.native.v1",
            Self::Readme => "text/markdown",
            Self::Licence => "text/plain",
            Self::Sbom => "application/vnd.cyclonedx+json",
            Self::Provenance => "application/vnd.in-toto+json",
        }
    }

    pub(crate) fn limit(self) -> u64 {
        match self {
            Self::Manifest | Self::Readme | Self::Licence => limits::TEXT,
            Self::Component => limits::COMPONENT,
            Self::Native => limits::NATIVE,
            Self::Sbom | Self::Provenance => limits::DOCUMENT,
        }
    }

    fn takes(self, name: &str) -> bool {
        match self {
            Self::Manifest => name == FILE_NAME,
            Self::Component => name == COMPONENT,
            Self::Readme => name == README,
            Self::Sbom => name == SBOM,
            Self::Provenance => name == PROVENANCE,
            Self::Licence => LICENCES.iter().any(|stem| name.starts_with(stem)),
            Self::Native => {
                let fixed = [FILE_NAME, COMPONENT, README, SBOM, PROVENANCE];
                let is_taken = |taken: &&str| taken.eq_ignore_ascii_case(name);
                !fixed.iter().chain(&RESERVED).any(is_taken) && !Self::Licence.takes(name)
            }
        }
    }
}

impl Package {
    /// Packs the plugin in `folder`, which must be built.
    ///
    /// # Errors
    /// The manifest cannot be used; the component is missing, too large, a symbolic link, not a component, or
    /// not what a digest in the manifest says; a lock file makes no sense.
    pub fn pack(folder: &Path, origin: &Origin) -> Result<Self, RegistryError> {
        let mut manifest = Manifest::read(folder)?;
        manifest.check()?;
        let mut files = Vec::new();
        let Some(component) = &mut manifest.component else {
            return Err(RegistryError::Package {
                path: folder.join(FILE_NAME),
                fault: "a plugin without a component cannot be shared".to_owned(),
                help: Some("a native library travels beside a component, for those who trust it".to_owned()),
            });
        };
        let bytes = read_binary(folder, &component.path, component.digest.as_deref(), Role::Component)?;
        let tools = producers(&folder.join(&component.path), &bytes)?;
        component.path = PathBuf::from(COMPONENT);
        component.digest = Some(digest::of(&bytes));
        files.push(PackagedFile { role: Role::Component, name: COMPONENT.to_owned(), bytes });
        if let Some(native) = &mut manifest.native {
            let bytes = read_binary(folder, &native.path, native.digest.as_deref(), Role::Native)?;
            let name = file_name(&folder.join(&native.path))?;
            native.path = PathBuf::from(&name);
            native.digest = Some(digest::of(&bytes));
            files.push(PackagedFile { role: Role::Native, name, bytes });
        }
        files.extend(texts(folder)?);
        let origin = with_tools(origin, tools);
        let sources = sources::of(folder)?;
        let dependencies = dependencies::of(folder)?;
        let binaries: Vec<&PackagedFile> =
            files.iter().filter(|file| matches!(file.role, Role::Component | Role::Native)).collect();
        let statement = provenance::of(&manifest, &binaries, &sources, &dependencies, &origin);
        let parts = sbom::of(&manifest, &binaries, &dependencies, &origin);
        files.push(PackagedFile { role: Role::Provenance, name: PROVENANCE.to_owned(), bytes: statement });
        files.push(PackagedFile { role: Role::Sbom, name: SBOM.to_owned(), bytes: parts });
        // How it was built concerns nobody who runs it; provenance.json says it to those who want to know.
        manifest.build = None;
        let text = toml::to_string(&manifest).map_err(|fault| RegistryError::Package {
            path: folder.join(FILE_NAME),
            fault: fault.to_string(),
            help: None,
        })?;
        files.push(PackagedFile {
            role: Role::Manifest,
            name: FILE_NAME.to_owned(),
            bytes: text.into_bytes(),
        });
        Self::from_files(files)
    }

    /// Files from outside, whose digests are right: their names, sizes and manifest are checked here.
    ///
    /// # Errors
    /// What is missing, is there twice, has a name that its role does not take, is too large, or does not have
    /// the digest that the manifest gives.
    pub(crate) fn from_files(mut files: Vec<PackagedFile>) -> Result<Self, RegistryError> {
        let fail = |fault: String| RegistryError::Layout { what: "the package".to_owned(), fault };
        files.sort_by(|a, b| (a.role, &a.name).cmp(&(b.role, &b.name)));
        check_names(&files.iter().map(|file| (file.role, &*file.name)).collect::<Vec<_>>())?;
        if let Some(file) = files.iter().find(|file| file.bytes.len() as u64 > file.role.limit()) {
            return Err(RegistryError::TooLarge { what: file.name.clone(), limit: file.role.limit() });
        }
        let find = |role| files.iter().find(|file| file.role == role);
        let text = find(Role::Manifest).ok_or_else(|| fail("there is no manifest".to_owned()))?;
        let text =
            std::str::from_utf8(&text.bytes).map_err(|_| fail("the manifest is not UTF-8".to_owned()))?;
        let manifest = Manifest::parse(text, Path::new(FILE_NAME))?;
        for (role, binary) in [(Role::Component, &manifest.component), (Role::Native, &manifest.native)] {
            match (binary, find(role)) {
                (Some(binary), Some(file)) => {
                    if binary.path != Path::new(&file.name) {
                        return Err(fail(format!(
                            "the manifest names `{}`, the file is `{}`",
                            binary.path.display(),
                            file.name
                        )));
                    }
                    let actual = digest::of(&file.bytes);
                    if binary.digest.as_ref() != Some(&actual) {
                        return Err(RegistryError::Tampered {
                            what: file.name.clone(),
                            expected: binary.digest.clone().unwrap_or_else(|| "none".to_owned()),
                            actual,
                        });
                    }
                }
                (None, None) if role == Role::Native => {}
                (None, _) => return Err(fail(format!("the manifest names no {role:?}"))),
                (_, None) => return Err(fail(format!("there is no {role:?}"))),
            }
        }
        Ok(Self { manifest, files })
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// In order of roles.
    pub fn files(&self) -> &[PackagedFile] {
        &self.files
    }

    /// The first file of a role.
    pub fn file(&self, role: Role) -> Option<&PackagedFile> {
        self.files.iter().find(|file| file.role == role)
    }

    /// The OCI manifest that a push publishes: what other tools sign, such as `cosign sign-blob`.
    ///
    /// # Errors
    /// The component's types cannot be read.
    pub fn oci_manifest(&self) -> Result<Vec<u8>, RegistryError> {
        Ok(crate::layout::images(self)?.0.manifest)
    }

    /// The component's bytes.
    pub fn component(&self) -> &[u8] {
        self.file(Role::Component).map_or(&[], |file| &file.bytes)
    }
}

/// Before anything of a package is fetched: whether its files can lie side by side in one folder.
///
/// # Errors
/// A name that is no plain one, or that its role does not take; a name or a role that is there twice.
pub(crate) fn check_names(files: &[(Role, &str)]) -> Result<(), RegistryError> {
    let fail = |fault: String| Err(RegistryError::Layout { what: "the package".to_owned(), fault });
    for (index, (role, name)) in files.iter().enumerate() {
        if !is_file_name(name) || !role.takes(name) {
            return fail(format!("`{}` is no name for the {role:?}", shown(name)));
        }
        let is_same = |(other, taken): &(Role, &str)| {
            taken.eq_ignore_ascii_case(name) || other == role && *role != Role::Licence
        };
        if files[..index].iter().any(is_same) {
            return fail(format!("`{name}` is there twice"));
        }
    }
    Ok(())
}

/// Reads a file that the manifest names, and checks it against the digest that stands there.
fn read_binary(
    folder: &Path,
    path: &Path,
    expected: Option<&str>,
    role: Role,
) -> Result<Vec<u8>, RegistryError> {
    let bytes = read_inside(folder, path, role.limit())?;
    match expected {
        Some(expected) if digest::of(&bytes) != expected => Err(RegistryError::Tampered {
            what: folder.join(path).display().to_string(),
            expected: expected.to_owned(),
            actual: digest::of(&bytes),
        }),
        _ => Ok(bytes),
    }
}

/// Reads a regular file that lies in `folder` itself: no part of its path is a symbolic link.
pub(crate) fn read_inside(folder: &Path, path: &Path, limit: u64) -> Result<Vec<u8>, RegistryError> {
    let mut place = folder.to_owned();
    let mut size = 0;
    for part in path.components() {
        let fail = |fault: &str| RegistryError::Package {
            path: folder.join(path),
            fault: fault.to_owned(),
            help: Some("put the file itself into the plugin's folder".to_owned()),
        };
        let PathPart::Normal(part) = part else { return Err(fail("leaves its folder")) };
        place.push(part);
        let about = fs::symlink_metadata(&place).map_err(RegistryError::disk(&place))?;
        if about.is_symlink() {
            return Err(fail("is a symbolic link"));
        }
        size = about.len();
    }
    if size > limit {
        return Err(RegistryError::TooLarge { what: place.display().to_string(), limit });
    }
    fs::read(&place).map_err(RegistryError::disk(&place))
}

/// README and licences.
fn texts(folder: &Path) -> Result<Vec<PackagedFile>, RegistryError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(RegistryError::disk(folder))? {
        let path = entry.map_err(RegistryError::disk(folder))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let is_of = |role: &Role| role.takes(name) && is_file_name(name) && !path.is_dir();
        let Some(role) = [Role::Readme, Role::Licence].into_iter().find(is_of) else { continue };
        let bytes = read_inside(folder, Path::new(name), role.limit())?;
        // Some registries take no blob without bytes.
        if bytes.is_empty() {
            continue;
        }
        found.push(PackagedFile { role, name: name.to_owned(), bytes });
    }
    Ok(found)
}

fn file_name(path: &Path) -> Result<String, RegistryError> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if is_file_name(name) && Role::Native.takes(name) {
        return Ok(name.to_owned());
    }
    Err(RegistryError::Package {
        path: path.to_owned(),
        fault: "the native library's name does not fit beside the other files".to_owned(),
        help: Some("use letters, digits, `.`, `_` and `-`".to_owned()),
    })
}

/// The languages and tools that the component says it was made with. Also the place where bytes that are no
/// component are noticed.
fn producers(path: &Path, component: &[u8]) -> Result<Vec<Tool>, RegistryError> {
    let fail = |fault: String| RegistryError::Package {
        path: path.to_owned(),
        fault: format!("is not a WebAssembly component: {fault}"),
        help: Some("build it with `pegbox plugin build`".to_owned()),
    };
    if !Parser::is_component(component) {
        return Err(fail("its first bytes are others".to_owned()));
    }
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        let Payload::CustomSection(section) = payload.map_err(|fault| fail(fault.to_string()))? else {
            continue;
        };
        // A section that is not as it should be says nothing, and does no harm.
        let KnownCustom::Producers(fields) = section.as_known() else { continue };
        for field in fields.into_iter().flatten() {
            for value in field.values.into_iter().flatten() {
                let version = if value.version.is_empty() { "unknown" } else { value.version };
                found.push(Tool { name: value.name.to_owned(), version: version.to_owned() });
            }
        }
    }
    Ok(found)
}

fn with_tools(origin: &Origin, found: Vec<Tool>) -> Origin {
    let mut tools: Vec<Tool> = origin.tools.iter().cloned().chain(found).collect();
    tools.sort();
    tools.dedup();
    Origin { pegbox: origin.pegbox.clone(), tools }
}
