//! `pegbox plugin inspect`: what a plugin is, may do and can be told.

use std::path::PathBuf;

use clap::Args;
use pegbox_runtime::{Limits, LoadOptions, Manifest, Plugin, Trust};

use super::folder_of;
use crate::console::print;
use crate::report::Report;
use crate::session::Session;

#[derive(Debug, Args)]
pub struct Inspect {
    /// `team/name` or `team/name@requirement`
    pub plugin: String,
    /// The recipe whose plugin folders are searched
    #[arg(long, default_value = pegbox_recipe::FILE_NAME)]
    pub recipe: PathBuf,
    /// The JSON Schema of the configuration, and nothing else
    #[arg(long)]
    pub schema: bool,
}

pub fn run(session: &Session, arguments: &Inspect) -> Result<(), Box<Report>> {
    let found = session.plugin_folders(&folder_of(&arguments.recipe)).resolve(&arguments.plugin)?;
    let manifest = &found.manifest;
    if manifest.component.is_none() {
        // A native library runs no earlier than a recipe trusts it.
        print(&format!("{manifest}\n  native only; a recipe needs trust = \"native\" and its digest\n"));
        if let Some(digest) = manifest.native.as_ref().and_then(|native| native.digest.as_ref()) {
            print(&format!("  digest     {digest}\n"));
        }
        return Ok(());
    }
    let plugin = session.runtime()?.look(&found, &LoadOptions::default())?;
    let schema = &plugin.description().configuration_schema;
    let schema = serde_json::from_str::<serde_json::Value>(schema)
        .map_or_else(|_| schema.clone(), |value| format!("{value:#}"));
    if arguments.schema {
        print(&format!("{schema}\n"));
        return Ok(());
    }
    print(&format!("{manifest}\n"));
    for (name, lines) in facts(manifest, &plugin, &schema) {
        for (number, line) in lines.iter().enumerate() {
            let name = if number == 0 { name } else { "" };
            print(&format!("  {name:<12} {line}\n"));
        }
    }
    Ok(())
}

/// Names and what there is to say, a line each.
fn facts(manifest: &Manifest, plugin: &Plugin, schema: &str) -> Vec<(&'static str, Vec<String>)> {
    let about = &manifest.plugin;
    let one = |text: String| vec![text];
    let or_none = |lines: Vec<String>| if lines.is_empty() { vec!["none".to_owned()] } else { lines };
    let runs = match plugin.identity().trust {
        Trust::Sandboxed => "in the sandbox",
        Trust::Native => "outside the sandbox",
        Trust::BuiltIn => "as a part of Pegbox",
    };
    let surface = plugin.surface().cloned().unwrap_or_default();
    let digest = plugin.identity().digest.clone().unwrap_or_else(|| "none".to_owned());
    // What a recipe pins to run the library instead.
    let native = manifest.native.as_ref().and_then(|native| native.digest.clone());
    let mut facts = vec![
        ("summary", one(about.summary.clone())),
        ("kinds", one(about.kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", "))),
        ("licence", one(about.licence.clone())),
        ("contract", one(about.contract.to_string())),
        ("digest", one(digest)),
        ("size", one(format!("{} KB", surface.size.div_ceil(1024)))),
        ("runs", one(runs.to_owned())),
        ("reads", or_none(manifest.records.fields.clone())),
        ("asks for", or_none(manifest.permissions.lines())),
        ("imports", or_none(surface.imports)),
        ("exports", or_none(surface.exports)),
        ("limits", limits(plugin.limits())),
        ("config", schema.lines().map(str::to_owned).collect()),
    ];
    if let Some(native) = native {
        facts.insert(5, ("native", one(native)));
    }
    facts
}

fn limits(limits: &Limits) -> Vec<String> {
    let Limits { deadline_ms, memory_mib, copy_mib, tensors, tensor_mib, stack_kib, .. } = limits;
    let Limits { table_elements, instances, log_lines, output_mib, module_mib, .. } = limits;
    vec![
        format!(
            "a call: {deadline_ms} ms, {copy_mib} MiB returned, {stack_kib} KiB of stack, {log_lines} log lines a second"
        ),
        format!("an instance: {memory_mib} MiB, {table_elements} table elements, {instances} core instances"),
        format!("tensors: {tensors} handles, {tensor_mib} MiB; an export: {output_mib} MiB"),
        format!(
            "the component: {module_mib} MiB, {} s and {} MiB to compile",
            limits.compile_seconds, limits.compile_mib
        ),
    ]
}
