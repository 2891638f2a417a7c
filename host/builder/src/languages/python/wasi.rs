//! Plugins that may use some of WASI.
//!
//! componentize-py replaces *every* import from WASI by a stub: what Python's own library wants, which no plugin may
//! have, and what the plugin's manifest asks for as well. So the interfaces that the manifest asks for go through it
//! under another namespace of the same length, and get their own name back in the finished component.

use std::path::{Path, PathBuf};

use wasmparser::{Parser, Payload};

use super::folders;
use crate::error::BuildError;

const WASI: &str = "wasi:";
const DISGUISE: &str = "wazi:";

/// Copies the WIT in `wit` to `folder`, with WASI's packages under the other namespace. Returns `folder`.
pub(super) fn disguised(wit: &Path, folder: &Path) -> Result<PathBuf, BuildError> {
    folders::copy(
        wit,
        folder,
        |_| true,
        |content| String::from_utf8_lossy(&content).replace(WASI, DISGUISE).into_bytes(),
    )?;
    Ok(folder.to_owned())
}

/// The component with WASI's imports under their own names.
pub(super) fn revealed(mut component: Vec<u8>) -> Result<Vec<u8>, BuildError> {
    let places = disguised_imports(&component)
        .map_err(|fault| BuildError::Component { fault: fault.to_string(), help: None })?;
    for place in places {
        component[place..place + WASI.len()].copy_from_slice(WASI.as_bytes());
    }
    Ok(component)
}

/// Where in `component` the names of such imports begin: of the component's own, not of what is nested in it.
fn disguised_imports(component: &[u8]) -> wasmparser::Result<Vec<usize>> {
    let mut places = Vec::new();
    let mut nesting = 0;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => nesting += 1,
            Payload::End(_) if nesting > 0 => nesting -= 1,
            Payload::ComponentImportSection(imports) if nesting == 0 => {
                for import in imports {
                    let name = import?.name.name;
                    if name.starts_with(DISGUISE) {
                        // A slice of `component`.
                        places.push(name.as_ptr().addr() - component.as_ptr().addr());
                    }
                }
            }
            _ => {}
        }
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn imports_of_the_component_itself_get_their_name_back() {
        let component = wat::parse_str(
            r#"(component
                (component (import "wazi:inner/x@0.2.0" (func)))
                (import "wazi:clocks/wall-clock@0.2.0" (instance))
                (import "pegbox:plugin/types@0.1.1" (instance))
                (import "wazi:random/random@0.2.0" (instance)))"#,
        )
        .unwrap();
        let revealed = revealed(component).unwrap();
        let text = String::from_utf8_lossy(&revealed);
        assert!(text.contains("wasi:clocks/wall-clock") && text.contains("wasi:random/random"));
        assert!(text.contains("wazi:inner/x"));
        assert_eq!(text.matches(DISGUISE).count(), 1);
    }

    #[test]
    fn the_disguise_is_as_long_as_the_name() {
        assert_eq!(WASI.len(), DISGUISE.len());
        let folder = tempfile::tempdir().unwrap();
        let (wit, copied) = (folder.path().join("wit"), folder.path().join("copied"));
        fs::create_dir_all(wit.join("deps")).unwrap();
        fs::write(wit.join("deps/io.wit"), "package wasi:io@0.2.0;\n").unwrap();
        disguised(&wit, &copied).unwrap();
        assert_eq!(fs::read_to_string(copied.join("deps/io.wit")).unwrap(), "package wazi:io@0.2.0;\n");
    }
}
