//! JavaScript and TypeScript plugins. esbuild bundles the author's file, the SDK and what `package.json` brings;
//! `componentize-qjs` puts the bundle into a component with the QuickJS engine, evaluated up to its first call.
//!
//! Why QuickJS and not SpiderMonkey (`componentize-js`): without a JIT, which WebAssembly does not allow, the smaller
//! engine is the faster one here. plugin-api/javascript/README.md has the figures.

/// Handles that a call was lent.
mod borrows;
/// The module that a component is made from.
mod entry;
/// From what the engine's tool makes to a plugin's component.
mod finish;
/// What a plugin's world imports.
mod interfaces;
/// The WIT as TypeScript sees it.
mod types;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use wit_parser::{Resolve, WorldId};

use crate::error::BuildError;
use crate::job::Job;
use crate::templates::Template;
use crate::tools::Tools;
use crate::world::WORLD;

pub(crate) const TEMPLATES: &[Template] = &[
    Template { name: "javascript", aliases: &["js"], folder: "javascript", source: "plugin.js" },
    Template { name: "typescript", aliases: &["ts"], folder: "typescript", source: "plugin.ts" },
];

/// Each names the one program for this machine that it needs, and nothing else, by exact version.
const PACKAGES: [&str; 2] = ["componentize-qjs@0.4.5", "esbuild@0.28.2"];

pub(crate) fn versions(_: &Tools) -> Result<String, BuildError> {
    Ok(PACKAGES.join("\n"))
}

pub(crate) fn build(job: &Job) -> Result<Vec<u8>, BuildError> {
    require_packages(job)?;
    let tools = job.tools.node_packages(&PACKAGES)?;
    let node = job.tools.node()?;
    let (resolve, world) = world(&job.wit)?;
    let (work, everything) = typed(job)?;
    interfaces::write_renamed(&job.wit, &work.wit)?;

    let source =
        job.source.strip_prefix(job.folder).unwrap_or(&job.source).to_string_lossy().replace('\\', "/");
    write(&work.entry, entry::text(job.manifest, &job.source, &source).as_bytes())?;
    write(
        &work.job,
        work.job_text(job, &tools, &interfaces::imported(&resolve, world), &everything).as_bytes(),
    )?;
    let script = job.sdk.join("javascript/build.mjs");
    job.tools
        .run(Command::new(node).arg(script).arg(&work.job).current_dir(job.folder))
        .map_err(|error| work.fault(&job.source).unwrap_or(error))?;

    let component = fs::read(&work.component).map_err(BuildError::file("read", &work.component))?;
    finish::finish(&component, &borrows::lenders(&resolve, world))
        .map_err(|fault| BuildError::Component { fault, help: None })
}

pub(crate) fn write_for_editors(job: &Job) -> Result<(), BuildError> {
    typed(job).map(|_| ())
}

/// A new folder of work with the SDK and the types of the contract, which are returned too.
fn typed(job: &Job) -> Result<(Work, Resolve), BuildError> {
    let work = Work::new(job)?;
    let everything = interfaces::everything(&job.sdk.join("wit"))?;
    write(&work.folder.join("wit.d.ts"), types::declarations(&everything).as_bytes())?;
    Ok((work, everything))
}

/// What the author's `package.json` names must be there: fetching it is a decision of the author's.
fn require_packages(job: &Job) -> Result<(), BuildError> {
    let file = job.folder.join("package.json");
    let Ok(text) = fs::read_to_string(&file) else { return Ok(()) };
    let package: Value = serde_json::from_str(&text).map_err(|error| BuildError::Source {
        file: file.clone(),
        fault: error.to_string(),
        help: None,
    })?;
    let needs_some =
        package.get("dependencies").and_then(Value::as_object).is_some_and(|all| !all.is_empty());
    if needs_some && !job.folder.join("node_modules").is_dir() {
        return Err(BuildError::Source {
            file,
            fault: "its dependencies are not installed".to_owned(),
            help: Some("run `npm install --ignore-scripts` in the plugin's folder".to_owned()),
        });
    }
    Ok(())
}

fn world(wit: &Path) -> Result<(Resolve, WorldId), BuildError> {
    let mut resolve = Resolve::default();
    let world = resolve
        .push_dir(wit)
        .and_then(|(package, _)| resolve.select_world(&[package], Some(WORLD)))
        .map_err(|error| BuildError::Component { fault: format!("{error:#}"), help: None })?;
    Ok((resolve, world))
}

/// `target/pegbox/javascript`: what an author's editor reads stays there from build to build.
struct Work {
    folder: PathBuf,
    /// The SDK: what an editor shows of `pegbox-plugin`.
    sdk: PathBuf,
    wit: PathBuf,
    entry: PathBuf,
    job: PathBuf,
    component: PathBuf,
    /// A mistake in the plugin, if there is one.
    fault: PathBuf,
}

impl Work {
    fn new(job: &Job) -> Result<Self, BuildError> {
        let folder = job.work.join("javascript");
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(BuildError::file("removed", &folder))?;
        }
        let sdk = folder.join("pegbox-plugin");
        copy(&job.sdk.join("javascript/pegbox-plugin"), &sdk)?;
        Ok(Self {
            sdk,
            wit: folder.join("wit"),
            entry: folder.join("entry.js"),
            job: folder.join("job.json"),
            component: folder.join("made.wasm"),
            fault: folder.join("fault.json"),
            folder,
        })
    }

    /// What build.mjs found wrong with the author's `source`.
    fn fault(&self, source: &Path) -> Option<BuildError> {
        let text = fs::read_to_string(&self.fault).ok()?;
        let said: Value = serde_json::from_str(&text).ok()?;
        let text_of = |key| said.get(key).and_then(Value::as_str).map(str::to_owned);
        Some(BuildError::Source { file: source.to_owned(), fault: text_of("fault")?, help: text_of("help") })
    }

    /// What build.mjs is told.
    fn job_text(
        &self,
        job: &Job,
        tools: &Path,
        interfaces: &BTreeMap<String, String>,
        everything: &Resolve,
    ) -> String {
        let all = everything.interfaces.iter().filter_map(|(id, _)| everything.id_of(id));
        let permissions: BTreeMap<String, &str> = all
            .filter_map(|name| {
                Some((interfaces::without_version(&name).to_owned(), crate::world::permission_of(&name)?))
            })
            .collect();
        json!({
            "tools": tools,
            "entry": self.entry,
            "sdk": self.sdk,
            "folder": job.folder,
            "wit": self.wit,
            "world": WORLD,
            "interfaces": interfaces,
            "permissions": permissions,
            "bundle": self.folder.join("bundle.js"),
            "component": self.component,
            "fault": self.fault,
        })
        .to_string()
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), BuildError> {
    fs::create_dir_all(to).map_err(BuildError::file("made", to))?;
    for entry in fs::read_dir(from).map_err(BuildError::file("read", from))? {
        let entry = entry.map_err(BuildError::file("read", from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target)?;
        } else {
            fs::copy(&source, &target).map_err(BuildError::file("copied", &source))?;
        }
    }
    Ok(())
}

fn write(path: &Path, content: &[u8]) -> Result<(), BuildError> {
    pegbox_durable::write_file(path, content).map_err(BuildError::file("written", path))
}
