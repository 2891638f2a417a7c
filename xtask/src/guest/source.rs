//! The plugins' source folders.

use anyhow::{Context, Result, bail};
use std::path::Path;

/// One plugin's folder: a crate with a manifest beside its Cargo.toml.
pub struct Source {
    /// The folder's name.
    pub name: String,
    /// The crate's name.
    pub package: String,
    /// The crate's name as its build's file has it.
    pub library: String,
    /// The text of plugin.toml.
    pub manifest: String,
}

/// Every folder below `plugins` that has a plugin.toml, by name.
pub fn all(plugins: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    let entries =
        std::fs::read_dir(plugins).with_context(|| format!("{} cannot be read", plugins.display()))?;
    for entry in entries {
        let folder = entry?.path();
        if folder.join("plugin.toml").is_file() {
            sources.push(read(&folder)?);
        }
    }
    if sources.is_empty() {
        bail!("no folder under {} has a plugin.toml", plugins.display());
    }
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(sources)
}

fn read(folder: &Path) -> Result<Source> {
    let text = |name: &str| {
        let file = folder.join(name);
        std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))
    };
    let cargo: toml::Table =
        text("Cargo.toml")?.parse().with_context(|| format!("{}/Cargo.toml", folder.display()))?;
    let package = cargo
        .get("package")
        .and_then(|package| package.get("name")?.as_str())
        .with_context(|| format!("{}/Cargo.toml has no package name", folder.display()))?
        .to_owned();
    Ok(Source {
        name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        library: package.replace('-', "_"),
        package,
        manifest: text("plugin.toml")?,
    })
}
