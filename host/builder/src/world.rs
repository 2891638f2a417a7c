//! The WIT world of one plugin: what its kinds export and import, and the interfaces that its permissions stand for.
//! Whatever a language's tools make of it can therefore not import more than the manifest says.

use std::path::Path;

use pegbox_manifest::{CONTRACT, Manifest, Permissions};

use crate::embedded::SDK;
use crate::error::BuildError;

/// Its name, in the package `pegbox:build`.
pub(crate) const WORLD: &str = "plugin";

/// Writes the package to `folder`: `world.wit`, and the packages that it names in `deps/`.
pub(crate) fn write(folder: &Path, manifest: &Manifest) -> Result<(), BuildError> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(BuildError::file("removed", folder))?;
    }
    let imports = imports(&manifest.permissions);
    let uses_wasi = imports.iter().any(|import| import.starts_with("wasi:"));
    for (path, content) in SDK {
        let Some(name) = path.strip_prefix("wit/") else { continue };
        match name.strip_prefix("deps/") {
            None => put(&folder.join("deps/pegbox-plugin").join(name), content)?,
            Some(package) if uses_wasi && package.ends_with(".wit") => {
                put(&folder.join("deps").join(package), content)?;
            }
            Some(_) => {}
        }
    }
    put(&folder.join("world.wit"), text(manifest, &imports).as_bytes())
}

fn text(manifest: &Manifest, imports: &[String]) -> String {
    let about = &manifest.plugin;
    let includes = about.kinds.iter().map(|kind| format!("    include pegbox:plugin/{kind}@{CONTRACT};\n"));
    let imports = imports.iter().map(|interface| format!("    import {interface};\n"));
    let body: String = includes.chain(imports).collect();
    format!(
        "package pegbox:build;\n\n/// {}: written from its plugin.toml by `pegbox plugin build`.\nworld {WORLD} {{\n{body}}}\n",
        about.name
    )
}

/// The interfaces that permissions stand for. `read-tensors` has none of its own: it is about functions that every
/// plugin with tensors imports.
fn imports(permissions: &Permissions) -> Vec<String> {
    let mut imports = Vec::new();
    if permissions.log {
        imports.push(format!("pegbox:plugin/logging@{CONTRACT}"));
    }
    let mut wasi = |asked: bool, names: &[&str]| {
        if asked {
            imports.extend(names.iter().map(|name| format!("wasi:{name}@{}", wasi_version())));
        }
    };
    wasi(permissions.clock, &["clocks/wall-clock", "clocks/monotonic-clock"]);
    wasi(permissions.random, &["random/random"]);
    wasi(!permissions.environment.is_empty(), &["cli/environment"]);
    wasi(!permissions.read.is_empty(), &["filesystem/types", "filesystem/preopens"]);
    wasi(!permissions.network.is_empty(), &["http/types", "http/outgoing-handler"]);
    imports
}

/// Whether a component with this manifest may import an interface. What a permission's interfaces use for their
/// types comes with them.
pub(crate) fn allows(manifest: &Manifest, import: &str) -> bool {
    let asked = &manifest.permissions;
    let package = import.split(['/', '@']).next().unwrap_or(import);
    match package {
        "pegbox:plugin" => !import.contains("/logging@") || asked.log,
        "wasi:clocks" => asked.clock || !asked.read.is_empty() || !asked.network.is_empty(),
        "wasi:random" => asked.random,
        "wasi:cli" => import.contains("/environment@") && !asked.environment.is_empty(),
        "wasi:filesystem" => !asked.read.is_empty(),
        "wasi:http" => !asked.network.is_empty(),
        "wasi:io" => imports(asked).iter().any(|import| import.starts_with("wasi:")),
        _ => false,
    }
}

/// The line of `[permissions]` that an interface needs.
pub(crate) fn permission_of(import: &str) -> Option<&'static str> {
    const LINES: [(&str, &str); 6] = [
        ("pegbox:plugin/logging@", "log = true"),
        ("wasi:clocks/", "clock = true"),
        ("wasi:random/", "random = true"),
        ("wasi:cli/environment@", "environment = [\"NAME\"]"),
        ("wasi:filesystem/", "read = [\"folder\"]"),
        ("wasi:http/", "network = [\"host\"]"),
    ];
    LINES.iter().find(|(start, _)| import.starts_with(start)).map(|(_, line)| *line)
}

/// The version of the WASI packages that this program carries.
fn wasi_version() -> &'static str {
    SDK.iter()
        .find(|(path, _)| *path == "wit/deps/io.wit")
        .and_then(|(_, content)| str::from_utf8(content).ok())
        .and_then(|text| text.lines().find_map(|line| line.strip_prefix("package wasi:io@")))
        .map_or("", |version| version.trim_end_matches(';'))
}

fn put(path: &Path, content: &[u8]) -> Result<(), BuildError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(BuildError::file("made", folder))?;
    std::fs::write(path, content).map_err(BuildError::file("written", path))
}

#[cfg(test)]
mod tests {
    use wit_parser::Resolve;

    use super::*;

    fn imports_of(more: &str, kinds: &str) -> (Vec<String>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "[plugin]\nname = \"a/b\"\nversion = \"0.1.0\"\nkinds = {kinds}\ncontract = \"{CONTRACT}\"\n\
             licence = \"MIT\"\nsummary = \"x\"\n[component]\npath = \"plugin.wasm\"\n\
             [records]\nfields = [\"text\"]\n{more}\n"
        );
        let manifest = Manifest::parse(&text, Path::new("plugin.toml")).unwrap();
        write(folder.path(), &manifest).unwrap();
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(folder.path()).unwrap();
        let world = &resolve.worlds[resolve.select_world(&[package], Some(WORLD)).unwrap()];
        let names = |items: &wit_parser::IndexMap<wit_parser::WorldKey, wit_parser::WorldItem>| {
            items.keys().map(|key| resolve.name_world_key(key)).collect()
        };
        (names(&world.imports), names(&world.exports))
    }

    #[test]
    fn without_permissions_there_is_the_contract_alone() {
        let (imports, exports) = imports_of("", "[\"cleaner\", \"validator\"]");
        assert!(imports.iter().all(|import| import.starts_with("pegbox:plugin/")), "{imports:?}");
        assert!(!imports.iter().any(|import| import.contains("logging")), "{imports:?}");
        let exported = |name: &str| exports.contains(&format!("pegbox:plugin/{name}@{CONTRACT}"));
        assert!(exported("lifecycle") && exported("cleaning") && exported("validation"), "{exports:?}");
        assert_eq!(exports.len(), 3);
    }

    #[test]
    fn each_permission_brings_its_interfaces() {
        for (asked, interface) in [
            ("log = true", "pegbox:plugin/logging@"),
            ("clock = true", "wasi:clocks/wall-clock@"),
            ("random = true", "wasi:random/random@"),
            ("environment = [\"HOME\"]", "wasi:cli/environment@"),
            ("read = [\"lexicons\"]", "wasi:filesystem/preopens@"),
            ("network = [\"example.org\"]", "wasi:http/outgoing-handler@"),
        ] {
            let (imports, _) = imports_of(&format!("[permissions]\n{asked}"), "[\"loss\"]");
            assert!(imports.iter().any(|import| import.starts_with(interface)), "{asked}: {imports:?}");
            let others = imports_of("", "[\"loss\"]").0.len();
            assert!(imports.len() > others);
        }
    }
}
