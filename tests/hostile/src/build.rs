use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::prelude::prelude;

/// What the builder needs of a manifest.
#[derive(Deserialize)]
struct Manifest {
    plugin: About,
}

#[derive(Deserialize)]
pub struct About {
    pub name: String,
    pub version: String,
    pub kinds: Vec<String>,
}

/// Where [`prelude`] goes in a module's text: after its imports, before its functions.
const MARK: &str = "(;prelude;)";

/// Builds the plugin `name` into `folder/<name>/` (manifest, component, digest filled in), so that
/// `folder` serves as a plugin folder. Returns the plugin's folder.
///
/// # Errors
/// There is no such plugin, its text is wrong, or `folder` cannot be written to.
pub fn build(name: &str, folder: &Path) -> Result<PathBuf> {
    let source = sources().join(name);
    let manifest = std::fs::read_to_string(source.join("plugin.toml"))
        .with_context(|| format!("there is no hostile plugin `{name}`"))?;
    let Manifest { plugin } = toml::from_str(&manifest)?;
    let text = std::fs::read_to_string(source.join("plugin.wat"))?;
    let imports = std::fs::read_to_string(source.join("imports.wit")).unwrap_or_default();

    let text = format!("(module {})", text.replace(MARK, &prelude(&plugin)));
    let module = wat::parse_str(&text).with_context(|| format!("{name}/plugin.wat"))?;
    let component = component(module, &plugin.kinds, &imports).with_context(|| name.to_owned())?;

    let target = folder.join(name);
    std::fs::create_dir_all(&target)?;
    std::fs::write(target.join("plugin.wasm"), &component)?;
    let path = "path = \"plugin.wasm\"\n";
    let digest: String = Sha256::digest(&component).iter().map(|byte| format!("{byte:02x}")).collect();
    let manifest = manifest.replace(path, &format!("{path}digest = \"sha256:{digest}\"\n"));
    std::fs::write(target.join("plugin.toml"), manifest)?;
    Ok(target)
}

/// The names of all plugins.
///
/// # Errors
/// The folder of sources cannot be read.
pub fn all() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(sources())? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins")
}

/// Wraps a core module for the worlds of `kinds`. `imports` is WIT: packages that a plugin imports though
/// it may not, and a line `world` with these imports.
fn component(mut module: Vec<u8>, kinds: &[String], imports: &str) -> Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    resolve.push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/since-0.1.0"))?;
    let includes: String = kinds.iter().map(|kind| format!("include pegbox:plugin/{kind}@0.1.0; ")).collect();
    let extra = if imports.is_empty() { "" } else { "include extra; " };
    let package = format!("package hostile:plugin;\nworld plugin {{ {includes}{extra}}}\n{imports}");
    let package = resolve.push_str("plugin.wit", &package)?;
    let world = resolve.select_world(&[package], Some("plugin"))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    ComponentEncoder::default().validate(true).module(&module)?.encode()
}
