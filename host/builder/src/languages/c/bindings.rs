//! C bindings of the plugin's world, by wit-bindgen.

use std::path::Path;

use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::Resolve;

use crate::error::BuildError;
use crate::world::WORLD;

/// The object with the world's types: linked in, it says what the core module imports and exports.
pub(crate) const TYPE_OBJECT: &str = "plugin_component_type.o";

/// Writes `plugin.h`, `plugin.c` and [`TYPE_OBJECT`] to `folder`.
///
/// # Errors
/// The world in `wit` makes no sense, or the disk fails.
pub(crate) fn write(wit: &Path, folder: &Path) -> Result<(), BuildError> {
    let files =
        generate(wit).map_err(|fault| BuildError::Component { fault: format!("{fault:#}"), help: None })?;
    for (name, content) in files.iter() {
        let path = folder.join(name);
        std::fs::write(&path, content).map_err(BuildError::file("written", path))?;
    }
    Ok(())
}

fn generate(wit: &Path) -> Result<Files, Box<dyn std::error::Error>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit)?;
    let world = resolve.select_world(&[package], Some(WORLD))?;
    let mut files = Files::default();
    wit_bindgen_c::Opts::default().build().generate(&mut resolve, world, &mut files)?;
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pegbox_manifest::{CONTRACT, Manifest};

    use super::*;
    use crate::embedded::SDK;

    /// The header of a plugin of every kind with every permission.
    fn header() -> String {
        let folder = tempfile::tempdir().unwrap();
        let manifest = format!(
            "[plugin]\nname = \"a/b\"\nversion = \"0.1.0\"\ncontract = \"{CONTRACT}\"\n\
             kinds = [\"cleaner\", \"validator\", \"loss\", \"metric\", \"exporter\"]\n\
             licence = \"MIT\"\nsummary = \"x\"\n[component]\npath = \"plugin.wasm\"\n\
             [records]\nfields = [\"text\"]\n[permissions]\nlog = true\nclock = true\nrandom = true\n\
             read = [\"a\"]\nenvironment = [\"A\"]\nnetwork = [\"example.org\"]\n"
        );
        let manifest = Manifest::parse(&manifest, Path::new("plugin.toml")).unwrap();
        let wit = folder.path().join("wit");
        crate::world::write(&wit, &manifest).unwrap();
        write(&wit, folder.path()).unwrap();
        assert!(folder.path().join(TYPE_OBJECT).is_file());
        std::fs::read_to_string(folder.path().join("plugin.h")).unwrap()
    }

    fn identifiers(text: &str) -> BTreeSet<&str> {
        text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).collect()
    }

    #[test]
    fn every_generated_name_that_the_sdks_use_is_generated() {
        let header = header();
        let generated = identifiers(&header);
        let starts =
            ["pegbox_plugin_", "exports_pegbox_plugin_", "wasi_", "WASI_", "plugin_list_", "plugin_tuple2_"];
        let mut used = 0;
        for (path, content) in
            SDK.iter().filter(|(path, _)| path.starts_with("c/") || path.starts_with("zig/"))
        {
            let names = identifiers(str::from_utf8(content).unwrap());
            // A name that ends like this is the beginning of one.
            for name in names.into_iter().filter(|name| starts.iter().any(|start| name.starts_with(start))) {
                if name.ends_with('_') {
                    continue;
                }
                assert!(generated.contains(name), "{path} uses {name}");
                used += 1;
            }
        }
        assert!(used > 200, "{used}");
    }
}
