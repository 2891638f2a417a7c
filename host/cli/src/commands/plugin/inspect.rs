//! `pegbox plugin inspect`: what a plugin is, may do and can be told.

use std::path::PathBuf;

use clap::Args;
use pegbox_runtime::{Limits, LoadOptions, Trust};

use super::folder_of;
use crate::console::print;
use crate::report::Report;
use crate::session::Session;

#[derive(Debug, Args)]
pub struct Inspect {
    /// `team/name` or `team/name@requirement`
    pub plugin: String,
    /// The recipe whose plugin folders are searched
    #[arg(long, default_value = crate::recipe::FILE_NAME)]
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
    let about = &manifest.plugin;
    let kinds: Vec<String> = about.kinds.iter().map(|kind| format!("{kind:?}").to_lowercase()).collect();
    let identity = plugin.identity();
    let Limits { deadline_ms, memory_mib, .. } = plugin.limits();
    let fields = match manifest.records.fields.as_slice() {
        [] => "none".to_string(),
        fields => fields.join(", "),
    };
    let runs = match identity.trust {
        Trust::Sandboxed => "in the sandbox, with no permissions",
        Trust::Native => "outside the sandbox",
        Trust::BuiltIn => "as a part of Pegbox",
    };
    // What a recipe pins to run the library instead.
    let native = manifest.native.as_ref().and_then(|native| native.digest.as_deref());
    let native = native.map_or(String::new(), |digest| format!("\n  native     {digest}"));
    print(&format!(
        "{manifest}\n  {}\n  kinds      {}\n  licence    {}\n  contract   {}\n  digest     {}{native}\n  runs       {runs}\n  \
         reads      {fields}\n  limits     {deadline_ms} ms a call, {memory_mib} MiB\n  config     {}\n",
        about.summary,
        kinds.join(", "),
        about.licence,
        about.contract,
        identity.digest.as_deref().unwrap_or("none"),
        schema.replace('\n', "\n             "),
    ));
    Ok(())
}
