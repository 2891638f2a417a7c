use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::generated;
use crate::plugin::{About, Code, Plugin, find, sources};
use crate::prelude::prelude;

/// Where [`prelude`] goes in a module's text: after its imports, before its functions.
const MARK: &str = "(;prelude;)";

/// Builds the plugin `name` into `folder/<name>/` (manifest, component, digest filled in), so that
/// `folder` serves as a plugin folder. Returns the plugin's folder.
///
/// # Errors
/// There is no such plugin, its text is wrong, or `folder` cannot be written to.
pub fn build(name: &str, folder: &Path) -> Result<PathBuf> {
    build_with(name, folder, &[])
}

/// As [`build`], with words of the plugin's text and manifest replaced first: an address that only the test knows.
///
/// # Errors
/// As [`build`].
pub fn build_with(name: &str, folder: &Path, words: &[(&str, &str)]) -> Result<PathBuf> {
    let mut plugin = find(name)?;
    for (word, meant) in words {
        plugin.manifest = plugin.manifest.replace(word, meant);
        if let Code::Module(text) = &mut plugin.code {
            *text = text.replace(word, meant);
        }
    }
    write(&plugin, folder)
}

/// Writes `plugin` as a plugin folder inside `folder`.
pub fn write(plugin: &Plugin, folder: &Path) -> Result<PathBuf> {
    let component = bytes(plugin).with_context(|| plugin.name.clone())?;
    let target = folder.join(&plugin.name);
    fs::create_dir_all(&target)?;
    fs::write(target.join("plugin.wasm"), &component)?;
    let path = "path = \"plugin.wasm\"\n";
    let digest: String = Sha256::digest(&component).iter().map(|byte| format!("{byte:02x}")).collect();
    let manifest = plugin.manifest.replace(path, &format!("{path}digest = \"sha256:{digest}\"\n"));
    fs::write(target.join("plugin.toml"), manifest)?;
    Ok(target)
}

fn bytes(plugin: &Plugin) -> Result<Vec<u8>> {
    match &plugin.code {
        Code::Component(text) => Ok(wat::parse_str(text)?),
        Code::Generated(recipe) => generated::bytes(recipe),
        Code::Module(text) => {
            let about = plugin.about()?;
            let text = text.replace(MARK, &prelude(&about, &plugin.schema, text));
            component(wat::parse_str(format!("(module {text})"))?, &about, &plugin.imports)
        }
    }
}

/// Wraps a core module for the worlds of its kinds. `imports` is WIT with a world `extra`.
fn component(mut module: Vec<u8>, about: &About, imports: &str) -> Result<Vec<u8>> {
    let contract = &about.contract;
    let wit = sources().join("../../wit");
    let mut resolve = Resolve::default();
    resolve.push_dir(if contract == "0.1.0" { wit.join("since-0.1.0") } else { wit })?;
    let includes: String =
        about.kinds.iter().map(|kind| format!("include pegbox:plugin/{kind}@{contract}; ")).collect();
    let extra = if imports.is_empty() { "" } else { "include extra; " };
    let package = format!("package hostile:plugin;\nworld plugin {{ {includes}{extra}}}\n{imports}");
    let package = resolve.push_str("plugin.wit", &package)?;
    let world = resolve.select_world(&[package], Some("plugin"))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    ComponentEncoder::default().validate(true).module(&module)?.encode()
}
