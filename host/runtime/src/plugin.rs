//! A loaded plugin: checked, described, and ready to make instances of, one for each worker thread.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use pegbox_manifest::{Binary, LimitOverrides, Limits, Manifest, Permissions, digest};
use pegbox_plugin_abi::lifecycle::{Description, Kind};
use semver::Version;
use serde_json::Value;

use crate::component::{
    ComponentCleaner, ComponentExporter, ComponentLoss, ComponentMetric, ComponentValidator, Program, Surface,
};
use crate::configuration::Schema;
use crate::engine::Runtime;
use crate::error::{Cause, MAX_NAME, PluginError, clean_text};
use crate::grants::Grants;
use crate::identity::{PluginIdentity, Trust};
use crate::kinds::{Cleaner, Exporter, Loss, Metric, Validator};
use crate::load_error::LoadError;
use crate::native::{Library, NativeCleaner, NativeExporter, NativeLoss, NativeMetric, NativeValidator};
use crate::resolve::Resolved;

/// What a recipe says beside a plugin's name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LoadOptions {
    pub limits: LimitOverrides,
    pub grants: Grants,
    pub trust: TrustLevel,
    /// `sha256:...` that the component must have, from the recipe or the lock file.
    pub digest: Option<String>,
}

/// Whether the recipe lets native code run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum TrustLevel {
    /// Only the component runs.
    #[default]
    Sandboxed,
    /// The shared library with this digest runs, with all that the host may do.
    Native { digest: String },
}

/// A loaded plugin. Cheap to clone, and shared between threads.
#[derive(Clone)]
pub struct Plugin(Arc<Loaded>);

struct Loaded {
    manifest: Manifest,
    identity: Arc<PluginIdentity>,
    description: Description,
    limits: Limits,
    schema: Schema,
    body: Body,
}

enum Body {
    Component(Arc<Program>),
    Native(Arc<Library>),
}

impl Runtime {
    /// Loads a plugin: checks its manifest, digest and imports, compiles it, and asks it what it is.
    ///
    /// # Errors
    /// Anything that makes the plugin unfit to run; nothing of it has run then but `describe`.
    pub fn load(&self, found: &Resolved, options: &LoadOptions) -> Result<Plugin, LoadError> {
        if options.trust == TrustLevel::Sandboxed {
            check_grants(&found.manifest, &options.grants.permissions)?;
        }
        self.look(found, options)
    }

    /// Loads a plugin to look at it, whatever it asks for: what is not granted is refused when it is used.
    ///
    /// # Errors
    /// As [`Runtime::load`], but for permissions.
    pub fn look(&self, found: &Resolved, options: &LoadOptions) -> Result<Plugin, LoadError> {
        let manifest = &found.manifest;
        manifest.check()?;
        let limits = Limits::settle(&manifest.plugin.kinds, &manifest.limits, &options.limits)
            .map_err(|source| LoadError::Limit { plugin: manifest.to_string(), source })?;
        let (body, identity) = match &options.trust {
            TrustLevel::Sandboxed => self.load_component(found, options, limits)?,
            TrustLevel::Native { digest } => self.load_library(found, digest, limits)?,
        };
        let description = match &body {
            Body::Component(program) => program.describe()?,
            Body::Native(library) => library.describe()?,
        };
        agree(manifest, &description)?;
        let schema = Schema::parse(&description.configuration_schema)
            .map_err(|fault| LoadError::Schema { plugin: manifest.to_string(), fault })?;
        let manifest = manifest.clone();
        Ok(Plugin(Arc::new(Loaded { manifest, identity, description, limits, schema, body })))
    }

    fn load_component(
        &self,
        found: &Resolved,
        options: &LoadOptions,
        limits: Limits,
    ) -> Result<(Body, Arc<PluginIdentity>), LoadError> {
        let manifest = &found.manifest;
        let Some(binary) = &manifest.component else {
            return Err(LoadError::NoBuild { plugin: manifest.to_string(), wanted: "WebAssembly" });
        };
        let file = found.folder.join(&binary.path);
        let bytes = read_inside(found, &file, limits.module_mib)?;
        let digest = verified(&file, &bytes, binary, options.digest.as_deref())?;
        let identity = identity(manifest, digest, Trust::Sandboxed);
        let permissions = asked(manifest).within(&options.grants.permissions);
        let granted = Grants { permissions, root: options.grants.root.clone() };
        let program = Program::new(self, Arc::clone(&identity), limits, granted, manifest, &file, &bytes)?;
        Ok((Body::Component(Arc::new(program)), identity))
    }

    fn load_library(
        &self,
        found: &Resolved,
        pinned: &str,
        limits: Limits,
    ) -> Result<(Body, Arc<PluginIdentity>), LoadError> {
        let manifest = &found.manifest;
        let Some(binary) = &manifest.native else {
            return Err(LoadError::NoBuild { plugin: manifest.to_string(), wanted: "native" });
        };
        let file = found.folder.join(&binary.path);
        let bytes = read_inside(found, &file, MAX_LIBRARY_MIB)?;
        let digest = verified(&file, &bytes, binary, Some(pinned))?;
        let identity = identity(manifest, digest, Trust::Native);
        let library = Library::load(self, Arc::clone(&identity), limits, &file, &bytes)?;
        Ok((Body::Native(Arc::new(library)), identity))
    }
}

impl Plugin {
    pub fn identity(&self) -> &Arc<PluginIdentity> {
        &self.0.identity
    }

    pub fn manifest(&self) -> &Manifest {
        &self.0.manifest
    }

    pub fn description(&self) -> &Description {
        &self.0.description
    }

    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// What the component imports and exports; none of a native library.
    pub fn surface(&self) -> Option<&Surface> {
        match &self.0.body {
            Body::Component(program) => Some(&program.surface),
            Body::Native(_) => None,
        }
    }

    /// Checks a configuration against the plugin's JSON Schema. Each maker below does so too.
    ///
    /// # Errors
    /// [`Cause::Configuration`] with the first fault and its place.
    pub fn check_configuration(&self, configuration: &Value) -> Result<(), PluginError> {
        self.0.schema.check(configuration).map_err(|cause| self.error("lifecycle.configure", cause))
    }

    /// A new instance as a cleaner.
    ///
    /// # Errors
    /// The plugin is none, or its schema or itself refuses the configuration.
    pub fn cleaner(&self, configuration: &Value) -> Result<Box<dyn Cleaner>, PluginError> {
        let json = self.prepare(Kind::Cleaner, configuration)?;
        Ok(match &self.0.body {
            Body::Component(program) => Box::new(ComponentCleaner::new(Arc::clone(program), json)?),
            Body::Native(library) => Box::new(NativeCleaner::new(Arc::clone(library), &json)?),
        })
    }

    /// A new instance as a validator.
    ///
    /// # Errors
    /// As [`Plugin::cleaner`].
    pub fn validator(&self, configuration: &Value) -> Result<Box<dyn Validator>, PluginError> {
        let json = self.prepare(Kind::Validator, configuration)?;
        Ok(match &self.0.body {
            Body::Component(program) => Box::new(ComponentValidator::new(Arc::clone(program), json)?),
            Body::Native(library) => Box::new(NativeValidator::new(Arc::clone(library), &json)?),
        })
    }

    /// A new instance as a loss.
    ///
    /// # Errors
    /// As [`Plugin::cleaner`].
    pub fn loss(&self, configuration: &Value) -> Result<Box<dyn Loss>, PluginError> {
        let json = self.prepare(Kind::Loss, configuration)?;
        Ok(match &self.0.body {
            Body::Component(program) => Box::new(ComponentLoss::new(Arc::clone(program), json)?),
            Body::Native(library) => Box::new(NativeLoss::new(Arc::clone(library), &json)?),
        })
    }

    /// A new instance as a metric.
    ///
    /// # Errors
    /// As [`Plugin::cleaner`].
    pub fn metric(&self, configuration: &Value) -> Result<Box<dyn Metric>, PluginError> {
        let json = self.prepare(Kind::Metric, configuration)?;
        Ok(match &self.0.body {
            Body::Component(program) => Box::new(ComponentMetric::new(Arc::clone(program), json)?),
            Body::Native(library) => Box::new(NativeMetric::new(Arc::clone(library), &json)?),
        })
    }

    /// A new instance as an exporter.
    ///
    /// # Errors
    /// As [`Plugin::cleaner`].
    pub fn exporter(&self, configuration: &Value) -> Result<Box<dyn Exporter>, PluginError> {
        let json = self.prepare(Kind::Exporter, configuration)?;
        Ok(match &self.0.body {
            Body::Component(program) => Box::new(ComponentExporter::new(Arc::clone(program), json)?),
            Body::Native(library) => Box::new(NativeExporter::new(Arc::clone(library), &json)?),
        })
    }

    fn prepare(&self, kind: Kind, configuration: &Value) -> Result<String, PluginError> {
        let kinds = &self.0.manifest.plugin.kinds;
        if !kinds.contains(&kind) {
            let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
            let what = format!("it is used as a {kind}, but is a {}", names.join(" and a "));
            return Err(self.error("lifecycle.configure", Cause::Contract { what, help: None }));
        }
        self.check_configuration(configuration)?;
        Ok(configuration.to_string())
    }

    fn error(&self, call: &'static str, cause: Cause) -> PluginError {
        PluginError::new(Arc::clone(&self.0.identity), call, cause)
    }
}

fn identity(manifest: &Manifest, digest: String, trust: Trust) -> Arc<PluginIdentity> {
    Arc::new(PluginIdentity {
        name: manifest.plugin.name.clone(),
        version: manifest.plugin.version.clone(),
        digest: Some(digest),
        trust,
    })
}

fn check_grants(manifest: &Manifest, granted: &Permissions) -> Result<(), LoadError> {
    let missing = manifest.permissions.without(granted);
    if missing.is_empty() {
        return Ok(());
    }
    let name = manifest.plugin.name.clone();
    Err(LoadError::NotGranted { plugin: manifest.to_string(), name, missing: missing.lines() })
}

/// What a plugin may be given. Reading tensors was every plugin's right in contract 0.1.0, so one that was built
/// for it could not ask; it needs the grant all the same.
fn asked(manifest: &Manifest) -> Permissions {
    let mut asked = manifest.permissions.clone();
    asked.read_tensors |= manifest.plugin.contract == Version::new(0, 1, 0);
    asked
}

/// A library is code that the recipe trusts; it is only not to fill the memory.
const MAX_LIBRARY_MIB: u64 = 4096;

/// Reads a plugin's file, but not one that is too large, and none that a symbolic link brings in from elsewhere: a
/// package could make us read a device that never ends, or show what is none of its own.
fn read_inside(found: &Resolved, file: &Path, limit_mib: u64) -> Result<Vec<u8>, LoadError> {
    let fail = |fault: io::Error| match fault.kind() {
        io::ErrorKind::NotFound => LoadError::NotBuilt {
            plugin: found.manifest.to_string(),
            folder: found.folder.clone(),
            file: file.to_owned(),
        },
        _ => LoadError::Read { file: file.to_owned(), fault },
    };
    let real = file.canonicalize().map_err(fail)?;
    let folder = found.folder.canonicalize().map_err(fail)?;
    // Asked before it is opened: to open a pipe is to wait for whoever writes to it.
    if !real.starts_with(&folder) || !real.metadata().map_err(fail)?.is_file() {
        return Err(LoadError::Outside { plugin: found.manifest.to_string(), file: file.to_owned() });
    }
    let opened = File::open(&real).map_err(fail)?;
    let size = opened.metadata().map_err(fail)?.len();
    let too_large =
        |size: u64| LoadError::TooLarge { file: file.to_owned(), mib: size.div_ceil(1 << 20), limit_mib };
    if size > limit_mib << 20 {
        return Err(too_large(size));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    opened.take((limit_mib << 20) + 1).read_to_end(&mut bytes).map_err(fail)?;
    // It may have grown since.
    if bytes.len() as u64 > limit_mib << 20 { Err(too_large(bytes.len() as u64)) } else { Ok(bytes) }
}

/// The digest of `bytes`, which must be what the manifest and the recipe say.
fn verified(file: &Path, bytes: &[u8], binary: &Binary, pinned: Option<&str>) -> Result<String, LoadError> {
    let found = digest::of(bytes);
    let vouched = [(pinned, "the recipe or the lock file"), (binary.digest.as_deref(), "plugin.toml")];
    for (expected, by) in vouched {
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            let (file, expected) = (file.to_owned(), expected.to_owned());
            return Err(LoadError::Tampered { file, by, expected, found });
        }
    }
    Ok(found)
}

/// One more than there are.
const MAX_KINDS: usize = 6;

/// The manifest is what people read before they trust a plugin, so it must tell the truth.
fn agree(manifest: &Manifest, itself: &Description) -> Result<(), LoadError> {
    let disagrees = |what, says: String, itself: String| {
        Err(LoadError::Disagrees { plugin: manifest.to_string(), what, manifest: says, itself })
    };
    let about = &manifest.plugin;
    if itself.name != about.name {
        return disagrees("its name is", about.name.clone(), clean_text(&itself.name, MAX_NAME));
    }
    if itself.version != about.version.to_string() {
        let version = clean_text(&itself.version, MAX_NAME);
        return disagrees("its version is", about.version.to_string(), version);
    }
    let sorted = |kinds: &[Kind]| {
        // Each is there once, so more than there are is wrong, and need not all be shown.
        let mut kinds: Vec<Kind> = kinds.iter().copied().take(MAX_KINDS).collect();
        kinds.sort_unstable();
        kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")
    };
    let (says, found) = (sorted(&about.kinds), sorted(&itself.kinds));
    if says == found { Ok(()) } else { disagrees("its kinds are", says, found) }
}
