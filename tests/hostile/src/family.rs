use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use toml::Table;

use crate::generated;
use crate::plugin::{Code, Plugin, Scenario};

/// The mark in a family's module where a plugin's own lines go.
const BODY: &str = "{{body}}";

/// One file of `families/`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Family {
    kinds: Vec<String>,
    /// What they have in common: a module with a mark for each one's `body`.
    #[serde(default)]
    module: String,
    #[serde(default)]
    permissions: Table,
    /// Interfaces that they import beyond their kind's, such as `wasi:random/random@0.2.12`.
    #[serde(default)]
    imports: Vec<String>,
    #[serde(default)]
    limits: Table,
    plugin: Vec<Member>,
}

/// What a plugin of a family says for itself.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Member {
    name: String,
    summary: String,
    expect: String,
    /// Its lines in the family's module, or instead of that a module, a component, or what makes its bytes.
    body: Option<String>,
    module: Option<String>,
    component: Option<String>,
    generated: Option<String>,
    /// The text of its JSON Schema, or `generated:` and what makes it.
    #[serde(default)]
    schema: Option<String>,
    permissions: Option<Table>,
    /// As `permissions`, unless it says something else.
    grants: Option<Table>,
    imports: Option<Vec<String>>,
    limits: Option<Table>,
    #[serde(default)]
    own_process: bool,
}

pub fn read(file: &Path) -> Result<Vec<Plugin>> {
    let mut family: Family = toml::from_str(&fs::read_to_string(file)?)?;
    let members = std::mem::take(&mut family.plugin);
    members
        .into_iter()
        .map(|member| {
            let name = member.name.clone();
            plugin(&family, member).with_context(|| name)
        })
        .collect()
}

fn plugin(family: &Family, member: Member) -> Result<Plugin> {
    let permissions = member.permissions.as_ref().unwrap_or(&family.permissions).clone();
    let imports = member.imports.as_ref().unwrap_or(&family.imports);
    let lines: String = imports.iter().map(|import| format!("import {import}; ")).collect();
    let schema = match member.schema.as_deref() {
        None => b"{}".to_vec(),
        Some(text) => match text.strip_prefix("generated:") {
            Some(recipe) => generated::schema(recipe)?,
            None => text.as_bytes().to_vec(),
        },
    };
    Ok(Plugin {
        manifest: manifest(family, &member, &permissions)?,
        code: code(family, &member)?,
        schema,
        imports: if imports.is_empty() { String::new() } else { format!("world extra {{ {lines}}}") },
        scenario: Scenario {
            expect: member.expect,
            limits: member.limits.unwrap_or_else(|| family.limits.clone()),
            grants: member.grants.unwrap_or(permissions),
            own_process: member.own_process,
        },
        name: member.name,
    })
}

fn code(family: &Family, member: &Member) -> Result<Code> {
    Ok(match (&member.body, &member.module, &member.component, &member.generated) {
        (Some(body), None, None, None) => Code::Module(family.module.replace(BODY, body)),
        (None, Some(module), None, None) => Code::Module(module.clone()),
        (None, None, Some(component), None) => Code::Component(component.clone()),
        (None, None, None, Some(recipe)) => Code::Generated(recipe.clone()),
        (None, None, None, None) => Code::Module(family.module.clone()),
        _ => bail!("more than one of body, module, component, generated"),
    })
}

fn manifest(family: &Family, member: &Member, permissions: &Table) -> Result<String> {
    let kinds = &family.kinds;
    let reads_records = kinds.iter().any(|kind| kind == "cleaner" || kind == "validator");
    let records = if reads_records { "[records]\nfields = [\"text\"]\n" } else { "" };
    let permissions = match permissions.is_empty() {
        true => String::new(),
        false => format!("[permissions]\n{}", toml::to_string(permissions)?),
    };
    Ok(format!(
        "[plugin]\nname = \"hostile/{}\"\nversion = \"0.1.0\"\nkinds = {kinds:?}\ncontract = \"0.1.1\"\n\
        licence = \"MIT OR Apache-2.0\"\nsummary = {:?}\n[component]\npath = \"plugin.wasm\"\n{records}{permissions}",
        member.name, member.summary,
    ))
}
