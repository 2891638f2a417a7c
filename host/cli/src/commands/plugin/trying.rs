//! What `test`, `run`, `bench` and `watch` have in common: finding the plugin, building it, saying what went wrong.

use std::path::{Path, PathBuf};

use pegbox_builder::{BuildError, Origin, Tools};
use pegbox_manifest::{FILE_NAME, Manifest};
use pegbox_runtime::{LoadError, Resolved};
use pegbox_workshop::WorkshopError;
use serde_json::Value;

use crate::report::{Excerpt, Report, USAGE};
use crate::session::Session;

/// A plugin's folder, built if its sources are newer than what was built; or `team/name`, as a recipe here would find
/// it.
pub fn find(session: &Session, plugin: &str) -> Result<Resolved, Box<Report>> {
    let folder = Path::new(plugin);
    if folder.join(FILE_NAME).is_file() {
        return built(session, folder);
    }
    if folder.is_dir() || !plugin.contains('/') || plugin.starts_with(['.', '/']) {
        return Err(Report::usage(format!("{plugin} is no plugin's folder: it has no {FILE_NAME}"))
            .help("`pegbox plugin new` makes one; or name an installed plugin, `team/name`"));
    }
    Ok(session.plugin_folders(Path::new(".")).resolve(plugin)?)
}

/// The plugin in `folder`, built.
pub fn built(session: &Session, folder: &Path) -> Result<Resolved, Box<Report>> {
    let manifest = Manifest::read(folder).map_err(LoadError::from)?;
    // Without instructions to build, somebody else has built it.
    if manifest.build.is_some() {
        let console = session.console;
        let tools = Tools::of_user(move |line| console.say(line)).map_err(of_build)?;
        let done = pegbox_builder::build(folder, &Default::default(), &tools).map_err(of_build)?;
        if done.origin != Origin::UpToDate {
            session.console.say(format!("built {} in {:.1} s", done.plugin, done.took.as_secs_f64()));
        }
    }
    Ok(Resolved { manifest: Manifest::read(folder).map_err(LoadError::from)?, folder: folder.to_owned() })
}

/// JSON on the command line, or in a file.
pub fn config(given: Option<&str>) -> Result<Value, Box<Report>> {
    let Some(given) = given else { return Ok(Value::Object(serde_json::Map::new())) };
    let text = if given.trim_start().starts_with('{') {
        given.to_owned()
    } else {
        std::fs::read_to_string(given).map_err(|error| {
            Report::usage(format!("cannot read the configuration {given}: {error}"))
                .help("--config takes a JSON object, or a file with one")
        })?
    };
    let value: Value = serde_json::from_str(&text)
        .map_err(|error| Report::usage(format!("the configuration is not JSON: {error}")))?;
    if value.is_object() { Ok(value) } else { Err(Report::usage("the configuration is not a JSON object")) }
}

/// What a build or `test --bless` writes: no change of the author's.
pub fn outputs(folder: &Path, manifest: &Manifest) -> Vec<PathBuf> {
    let binaries = [&manifest.component, &manifest.native];
    binaries.into_iter().flatten().map(|binary| folder.join(&binary.path)).collect()
}

pub fn of_build(error: BuildError) -> Box<Report> {
    let mut report = Report::new(error.to_string());
    report.help.extend(error.help());
    report
}

impl From<WorkshopError> for Box<Report> {
    fn from(error: WorkshopError) -> Self {
        let help = error.help();
        match error {
            WorkshopError::Load(error) => error.into(),
            WorkshopError::Plugin(error) => error.into(),
            WorkshopError::Model(error) => error.into(),
            WorkshopError::Data(error) => error.into(),
            WorkshopError::Export(error) => error.into(),
            WorkshopError::Case { file, text, span, fault, .. } => {
                let file = file.display().to_string();
                let mut report = match span {
                    Some(span) => {
                        let mut report = Report::usage(format!("{file}: {fault}"));
                        report.excerpts.push(Excerpt::new(&file, &text, span, None));
                        report
                    }
                    None => Report::usage(format!("{file}: {fault}")),
                };
                report.help.extend(help);
                report
            }
            error => {
                let mut report = Report::new(error.to_string());
                report.help.extend(help);
                report.exit = USAGE;
                report
            }
        }
    }
}
