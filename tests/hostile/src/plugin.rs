use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow};
use serde::Deserialize;

use crate::family;

/// A plugin as its author wrote it.
#[derive(Clone)]
pub struct Plugin {
    pub name: String,
    pub manifest: String,
    pub code: Code,
    /// The JSON Schema that `describe` gives.
    pub schema: Vec<u8>,
    /// WIT: packages that it imports though it may not, and a world `extra` with these imports.
    pub imports: String,
    pub scenario: Scenario,
}

/// What the component is made of.
#[derive(Clone)]
pub enum Code {
    /// A core module's fields, with a mark for the prelude.
    Module(String),
    /// A whole component in text format.
    Component(String),
    /// Bytes that [`crate::generated`] makes.
    Generated(String),
}

/// How a plugin is run, and what must come of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// Stands in what the host says, or in what it lets pass.
    pub expect: String,
    /// The recipe's `limits`.
    #[serde(default)]
    pub limits: toml::Table,
    /// The recipe's `[grants]`; none is what a recipe says by default.
    #[serde(default)]
    pub grants: toml::Table,
    /// Compiled in a process of its own, with a limit on time and memory.
    #[serde(default)]
    pub own_process: bool,
}

#[derive(Deserialize)]
struct Manifest {
    plugin: About,
}

/// What the prelude needs of a manifest.
#[derive(Deserialize)]
pub struct About {
    pub name: String,
    pub version: String,
    pub kinds: Vec<String>,
    pub contract: String,
}

impl Plugin {
    pub fn about(&self) -> Result<About> {
        let Manifest { plugin } = toml::from_str(&self.manifest)?;
        Ok(plugin)
    }
}

/// The names of all plugins: first those with a folder, then the families.
///
/// # Errors
/// The sources cannot be read.
pub fn all() -> Result<Vec<String>> {
    Ok(plugins()?.into_iter().map(|plugin| plugin.name).collect())
}

/// How the plugin `name` is to be run.
///
/// # Errors
/// There is no such plugin.
pub fn scenario(name: &str) -> Result<Scenario> {
    find(name).map(|plugin| plugin.scenario)
}

pub fn find(name: &str) -> Result<Plugin> {
    plugins()?
        .into_iter()
        .find(|plugin| plugin.name == name)
        .ok_or_else(|| anyhow!("there is no hostile plugin `{name}`"))
}

pub fn sources() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Plugins that misbehave in like ways.
pub struct Family {
    pub name: String,
    pub plugins: Vec<String>,
}

/// All plugins by family; those with a folder are the family `plugins`.
///
/// # Errors
/// The sources cannot be read.
pub fn families() -> Result<Vec<Family>> {
    let of = |name: &str, plugins: Vec<Plugin>| Family {
        name: name.to_owned(),
        plugins: plugins.into_iter().map(|plugin| plugin.name).collect(),
    };
    let read = read_all()?;
    Ok(read.into_iter().map(|(name, plugins)| of(&name, plugins)).collect())
}

fn plugins() -> Result<Vec<Plugin>> {
    Ok(read_all()?.into_iter().flat_map(|(_, plugins)| plugins).collect())
}

/// What tests ask for again and again.
static READ: OnceLock<Vec<(String, Vec<Plugin>)>> = OnceLock::new();

fn read_all() -> Result<Vec<(String, Vec<Plugin>)>> {
    if let Some(read) = READ.get() {
        return Ok(read.clone());
    }
    let mut single = Vec::new();
    for folder in entries(&sources().join("plugins"))? {
        single.push(read_folder(&folder).with_context(|| folder.display().to_string())?);
    }
    let mut families = vec![("plugins".to_owned(), single)];
    for file in entries(&sources().join("families"))? {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        families.push((name, family::read(&file).with_context(|| file.display().to_string())?));
    }
    Ok(READ.get_or_init(|| families).clone())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>();
    entries.map(|mut entries| {
        entries.sort();
        entries
    })
}

fn read_folder(folder: &Path) -> Result<Plugin> {
    Ok(Plugin {
        name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        manifest: fs::read_to_string(folder.join("plugin.toml"))?,
        code: Code::Module(fs::read_to_string(folder.join("plugin.wat"))?),
        schema: b"{}".to_vec(),
        imports: fs::read_to_string(folder.join("imports.wit")).unwrap_or_default(),
        scenario: toml::from_str(&fs::read_to_string(folder.join("scenario.toml"))?)?,
    })
}
