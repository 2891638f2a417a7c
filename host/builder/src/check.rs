//! Whether a component is what its manifest says: before anybody runs it, while its author is looking.

use pegbox_manifest::{CONTRACT, Kind, Manifest};
use wit_component::DecodedWasm;

use crate::error::BuildError;
use crate::world;

/// # Errors
/// It is no component, exports other kinds, or imports more than the manifest asks for.
pub(crate) fn agrees(component: &[u8], manifest: &Manifest) -> Result<(), BuildError> {
    let fail = |fault, help| Err(BuildError::Component { fault, help });
    let (imports, exports) = match interfaces(component) {
        Ok(interfaces) => interfaces,
        Err(fault) => return fail(fault, None),
    };
    for kind in Kind::ALL {
        let exported = exports.contains(&format!("pegbox:plugin/{}@{CONTRACT}", interface(kind)));
        let declared = manifest.plugin.kinds.contains(&kind);
        let help = "make `kinds` in plugin.toml and what the code exports agree".to_owned();
        match (exported, declared) {
            (true, false) => {
                return fail(format!("the code is a {kind}, and plugin.toml does not say so"), Some(help));
            }
            (false, true) => {
                return fail(format!("plugin.toml says {kind}, and the code is none"), Some(help));
            }
            _ => {}
        }
    }
    let allowed = |import: &String| world::allows(manifest, import);
    if let Some(import) = imports.iter().find(|import| !allowed(import)) {
        let help = world::permission_of(import)
            .map(|permission| format!("ask for it in plugin.toml, under [permissions]: `{permission}`"));
        return fail(format!("the code imports `{import}`, and plugin.toml does not ask for it"), help);
    }
    Ok(())
}

/// The names of the interfaces that a component imports and exports.
fn interfaces(component: &[u8]) -> Result<(Vec<String>, Vec<String>), String> {
    let decoded = wit_component::decode(component).map_err(|error| format!("{error:#}"))?;
    let DecodedWasm::Component(resolve, world) = decoded else {
        return Err("it is a WIT package".to_owned());
    };
    let world = &resolve.worlds[world];
    let imports = world.imports.keys().map(|key| resolve.name_world_key(key)).collect();
    let exports = world.exports.keys().map(|key| resolve.name_world_key(key)).collect();
    Ok((imports, exports))
}

/// The contract's interface of a kind.
fn interface(kind: Kind) -> &'static str {
    match kind {
        Kind::Cleaner => "cleaning",
        Kind::Validator => "validation",
        Kind::Loss => "objective",
        Kind::Metric => "measurement",
        Kind::Exporter => "exporting",
    }
}
