//! A component that was checked and compiled, ready to make instances of.

use std::path::Path;
use std::sync::Arc;

use pegbox_plugin_abi::lifecycle::{Description, Kind};
use wasmtime::component::types::{Component as ComponentType, ComponentItem};
use wasmtime::component::{Component, InstancePre};

use super::bindings::pegbox::plugin::types as wit;
use super::instance::{self, Live};
use super::state::HostState;
use crate::engine::Runtime;
use crate::error::PluginError;
use crate::identity::PluginIdentity;
use crate::load_error::LoadError;
use crate::services::Scene;
use pegbox_manifest::CONTRACT;
use pegbox_manifest::Limits;

/// The largest component file.
pub const MAX_FILE_MIB: u64 = 64;

/// Shared by all instances of one plugin.
pub struct Program {
    pub runtime: Runtime,
    pub identity: Arc<PluginIdentity>,
    pub limits: Limits,
    pub pre: InstancePre<HostState>,
}

impl Program {
    /// Compiles the component and checks its imports and exports against the worlds of `kinds`. `file`
    /// is for errors only.
    ///
    /// # Errors
    /// Not a component; an import that its kinds may not have; a missing export; functions of another
    /// shape than the contract's.
    pub fn new(
        runtime: &Runtime,
        identity: Arc<PluginIdentity>,
        limits: Limits,
        kinds: &[Kind],
        file: &Path,
        bytes: &[u8],
    ) -> Result<Self, LoadError> {
        check_header(file, bytes)?;
        let component = runtime.compile(bytes).map_err(|error| LoadError::NotAComponent {
            file: file.to_owned(),
            fault: format!("{error:#}"),
            help: None,
        })?;
        check_imports(runtime, &identity, kinds, &component)?;
        check_exports(runtime, &identity, kinds, &component.component_type())?;
        let pre = runtime.linker().instantiate_pre(&component).map_err(|error| LoadError::Link {
            plugin: identity.to_string(),
            fault: format!("{error:#}"),
            help: Some(format!("this host serves contract {CONTRACT}; build the plugin against it")),
        })?;
        Ok(Self { runtime: runtime.clone(), identity, limits, pre })
    }

    /// What the component says of itself, from an instance that is made for this.
    ///
    /// # Errors
    /// The call fails.
    pub fn describe(&self) -> Result<Description, PluginError> {
        let mut live: Live<()> = instance::start(self)?;
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
    runtime: &Runtime,
    identity: &PluginIdentity,
    kinds: &[Kind],
    component: &Component,
) -> Result<(), LoadError> {
    for (import, _) in component.component_type().imports(runtime.engine()) {
        let allowed = contract_interface(import)
            .is_some_and(|interface| kinds.iter().any(|kind| importable(*kind).contains(&interface)));
        if !allowed {
            let kinds: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
            return Err(LoadError::Import {
                plugin: identity.to_string(),
                import: import.to_owned(),
                kinds: kinds.join(" and "),
            });
        }
    }
    Ok(())
}

fn check_exports(
    runtime: &Runtime,
    identity: &PluginIdentity,
    kinds: &[Kind],
    component: &ComponentType,
) -> Result<(), LoadError> {
    let exports: Vec<&str> = component
        .exports(runtime.engine())
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
