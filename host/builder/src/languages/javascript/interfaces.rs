//! What a plugin's world imports, as modules of JavaScript name it.
//!
//! The engine brings imports of WASI that a plugin must not have; `componentize-qjs` stubs whatever is called
//! `wasi:`. So that those of the plugin's permissions stay, their package has another name of the same kind while the
//! component is made.

use std::collections::BTreeMap;
use std::path::Path;

use wit_parser::{Resolve, WorldId, WorldItem};

use crate::error::BuildError;

pub const WASI: &str = "wasi:";
pub const STAND_IN: &str = "pegbox-wasi:";

/// The interfaces that `world` imports: `pegbox:plugin/tensors`, and what the engine knows it by,
/// `pegbox:plugin/tensors@0.1.1`.
pub fn imported(resolve: &Resolve, world: WorldId) -> BTreeMap<String, String> {
    let imports = resolve.worlds[world].imports.values();
    let names = imports.filter_map(|item| match item {
        WorldItem::Interface { id, .. } => resolve.id_of(*id),
        _ => None,
    });
    names.map(|name| (without_version(&name).to_owned(), renamed(&name))).collect()
}

pub fn without_version(name: &str) -> &str {
    name.split('@').next().unwrap_or(name)
}

fn renamed(text: &str) -> String {
    text.replace(WASI, STAND_IN)
}

/// Copies the world in `from` to the new folder `to`, with WASI under its other name.
pub fn write_renamed(from: &Path, to: &Path) -> Result<(), BuildError> {
    std::fs::create_dir_all(to).map_err(BuildError::file("made", to))?;
    for entry in std::fs::read_dir(from).map_err(BuildError::file("read", from))? {
        let entry = entry.map_err(BuildError::file("read", from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            write_renamed(&source, &target)?;
        } else {
            let text = std::fs::read_to_string(&source).map_err(BuildError::file("read", &source))?;
            std::fs::write(&target, renamed(&text)).map_err(BuildError::file("written", &target))?;
        }
    }
    Ok(())
}

/// The whole contract and WASI, whatever this plugin's world has of them.
pub fn everything(wit: &Path) -> Result<Resolve, BuildError> {
    let mut resolve = Resolve::default();
    resolve
        .push_dir(wit)
        .map_err(|error| BuildError::Component { fault: format!("{error:#}"), help: None })?;
    Ok(resolve)
}
