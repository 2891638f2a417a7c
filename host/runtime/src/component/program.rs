//! A component that was checked and compiled, ready to make instances of.

use std::path::Path;
use std::sync::Arc;

use pegbox_manifest::{CONTRACT, Limits, Manifest};
use pegbox_plugin_abi::lifecycle::{Description, Kind};
use wasmtime::Engine;
use wasmtime::component::types::{Component as ComponentType, ComponentItem};
use wasmtime::component::{Component, InstancePre};

use super::bindings::pegbox::plugin::types as wit;
use super::capabilities;
use super::instance::{self, Live};
use super::state::HostState;
use crate::compile::CompileError;
use crate::engine::{Runtime, Stage};
use crate::error::{PluginError, clean_text};
use crate::grants::Grants;
use crate::identity::PluginIdentity;
use crate::load_error::LoadError;
use crate::services::Scene;

/// Bytes of a name or a reason that a component chose.
const MAX_NAME: usize = 200;
const MAX_REASON: usize = 2000;

/// Shared by all instances of one plugin.
pub struct Program {
    pub runtime: Runtime,
    pub engine: Engine,
    pub identity: Arc<PluginIdentity>,
    pub limits: Limits,
    pub granted: Grants,
    /// The fields of records that it sees.
    pub fields: Vec<String>,
    pub pre: InstancePre<HostState>,
    pub surface: Surface,
}

/// What a component imports and exports, by name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Surface {
    pub imports: Vec<String>,
    pub exports: Vec<String>,
    /// Of the component, in bytes.
    pub size: u64,
}

impl Program {
    /// Compiles the component and checks its imports and exports against the worlds of its kinds and the
    /// permissions that its manifest asks for. `file` is for errors only.
    ///
    /// # Errors
    /// Not a component; too slow or too large to compile; an import that it may not have; a missing export;
    /// functions of another shape than the contract's.
    pub fn new(
        runtime: &Runtime,
        identity: Arc<PluginIdentity>,
        limits: Limits,
        granted: Grants,
        manifest: &Manifest,
        file: &Path,
        bytes: &[u8],
    ) -> Result<Self, LoadError> {
        check_header(file, bytes)?;
        let Stage { engine, linker } = runtime.stage(limits.stack_kib)?;
        let component = runtime
            .compile(&engine, bytes, identity.digest.as_deref().unwrap_or_default(), &limits)
            .map_err(|error| not_compiled(&identity, file, &limits, error))?;
        check_imports(&engine, &identity, manifest, &component)?;
        check_exports(&engine, &identity, &manifest.plugin.kinds, &component.component_type())?;
        let pre = linker.instantiate_pre(&component).map_err(|error| LoadError::Link {
            plugin: identity.to_string(),
            fault: clean_text(&format!("{error:#}"), MAX_REASON),
            help: Some(format!("this host serves contract {CONTRACT}; build the plugin against it")),
        })?;
        let itself = component.component_type();
        let surface = Surface {
            imports: itself.imports(&engine).map(|(name, _)| clean_text(name, MAX_NAME)).collect(),
            exports: itself.exports(&engine).map(|(name, _)| clean_text(name, MAX_NAME)).collect(),
            size: bytes.len() as u64,
        };
        let fields = manifest.records.fields.clone();
        Ok(Self { runtime: runtime.clone(), engine, identity, limits, granted, fields, pre, surface })
    }

    /// What the component says of itself, from an instance that is made for this.
    ///
    /// # Errors
    /// The call fails.
    pub fn describe(&self) -> Result<Description, PluginError> {
        // It is asked before anybody trusts it: nothing stands behind its imports.
        let mut live: Live<()> = instance::start(self, &Grants::default())?;
        let found = instance::run(self, "lifecycle.describe", &mut live.store, Scene::Records, |store| {
            let description = live.lifecycle.call_describe(store)?;
            Ok(Ok(description))
        });
        let description = found.map_err(|failed| failed.error)?;
        Ok(Description {
            name: description.name,
            version: description.version,
            kinds: description.kinds.into_iter().map(kind).collect(),
            configuration_schema: description.configuration_schema,
        })
    }
}

fn not_compiled(identity: &PluginIdentity, file: &Path, limits: &Limits, error: CompileError) -> LoadError {
    let plugin = identity.to_string();
    match error {
        CompileError::Invalid(fault) => {
            let fault = clean_text(&fault, MAX_REASON);
            LoadError::NotAComponent { file: file.to_owned(), fault, help: None }
        }
        CompileError::DoesNotFit(fault) => {
            LoadError::DoesNotFit { plugin, fault: clean_text(&fault, MAX_REASON) }
        }
        CompileError::TooSlow => LoadError::Compile {
            plugin,
            fault: "takes longer to compile than it may",
            key: "compile-seconds",
            limit: limits.compile_seconds,
        },
        CompileError::TooLarge => LoadError::Compile {
            plugin,
            fault: "needs more memory to compile than it may, or brings the compiler down",
            key: "compile-mib",
            limit: limits.compile_mib,
        },
        CompileError::Broken(error) => LoadError::Engine { fault: format!("the compiler: {error}") },
    }
}

fn kind(kind: wit::Kind) -> Kind {
    match kind {
        wit::Kind::Cleaner => Kind::Cleaner,
        wit::Kind::Validator => Kind::Validator,
        wit::Kind::Loss => Kind::Loss,
        wit::Kind::Metric => Kind::Metric,
        wit::Kind::Exporter => Kind::Exporter,
    }
}

/// Tells the likely mistakes from one another. Also the reason why no compiled code is ever taken from
/// outside: it does not begin like this.
fn check_header(file: &Path, bytes: &[u8]) -> Result<(), LoadError> {
    let fail = |fault: &str, help: Option<&str>| {
        Err(LoadError::NotAComponent {
            file: file.to_owned(),
            fault: fault.to_owned(),
            help: help.map(str::to_owned),
        })
    };
    match bytes.get(..8) {
        Some([0, b'a', b's', b'm', _, _, 1, 0]) => Ok(()),
        Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => fail(
            "it is a core module",
            Some("wrap it with `wasm-tools component new`, or build it with `cargo xtask plugins`"),
        ),
        _ => fail("it does not begin with `\\0asm`", None),
    }
}

/// The interfaces of the contract that a plugin of that kind may import.
fn importable(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Cleaner | Kind::Validator => &["types", "records"],
        Kind::Loss | Kind::Metric => &["types", "tensors", "steps"],
        Kind::Exporter => &["types", "artifacts"],
    }
}

/// The interface that a plugin of that kind exports.
fn exported(kind: Kind) -> &'static str {
    match kind {
        Kind::Cleaner => "cleaning",
        Kind::Validator => "validation",
        Kind::Loss => "objective",
        Kind::Metric => "measurement",
        Kind::Exporter => "exporting",
    }
}

/// The interface in `pegbox:plugin/tensors@0.1.0`.
fn contract_interface(name: &str) -> Option<&str> {
    let name = name.strip_prefix("pegbox:plugin/")?;
    Some(name.split_once('@').map_or(name, |(interface, _)| interface))
}

fn check_imports(
    engine: &Engine,
    identity: &PluginIdentity,
    manifest: &Manifest,
    component: &Component,
) -> Result<(), LoadError> {
    let kinds = &manifest.plugin.kinds;
    for (import, item) in component.component_type().imports(engine) {
        let of_kind = contract_interface(import)
            .is_some_and(|interface| kinds.iter().any(|kind| importable(*kind).contains(&interface)));
        let permissions = capabilities::permissions_for(import);
        let asked = permissions.is_some_and(|names| {
            names.iter().any(|name| capabilities::asks_for(&manifest.permissions, name))
        });
        // Interfaces name each other's types; types alone let nobody do anything.
        if of_kind || asked || (permissions.is_some() && has_types_only(engine, &item.ty)) {
            continue;
        }
        return Err(LoadError::Import {
            plugin: identity.to_string(),
            import: clean_text(import, MAX_NAME),
            kinds: kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(" and "),
            permission: permissions.and_then(|names| names.first().copied()),
        });
    }
    Ok(())
}

fn has_types_only(engine: &Engine, item: &ComponentItem) -> bool {
    let ComponentItem::ComponentInstance(instance) = item else { return false };
    instance
        .exports(engine)
        .all(|(_, export)| matches!(export.ty, ComponentItem::Type(_) | ComponentItem::Resource(_)))
}

fn check_exports(
    engine: &Engine,
    identity: &PluginIdentity,
    kinds: &[Kind],
    component: &ComponentType,
) -> Result<(), LoadError> {
    let exports: Vec<&str> = component
        .exports(engine)
        .filter(|(_, export)| matches!(export.ty, ComponentItem::ComponentInstance(_)))
        .filter_map(|(name, _)| contract_interface(name))
        .collect();
    let wanted = kinds.iter().map(|kind| (kind.name(), exported(*kind)));
    for (kind, interface) in wanted.chain([("plugin", "lifecycle")]) {
        if !exports.contains(&interface) {
            return Err(LoadError::MissingExport {
                plugin: identity.to_string(),
                kind,
                interface: format!("pegbox:plugin/{interface}@{CONTRACT}"),
            });
        }
    }
    Ok(())
}
