//! What editors and type checkers read: the SDK, and the bindings of every kind and permission, whatever this plugin
//! is. In `target/pegbox/typings`, where the template's pyproject.toml has them look.

use std::fs;
use std::path::Path;
use std::process::Command;

use pegbox_manifest::{Kind, Manifest, Permissions};

use super::{folders, names_of_types};
use crate::error::BuildError;
use crate::job::Job;
use crate::world::{self, WORLD};

/// Writes them, if this version of the SDK has not done so.
pub(super) fn write(job: &Job, tools: &Path, stage: &Path) -> Result<(), BuildError> {
    let folder = job.work.join("typings");
    let mark = folder.join("written-from");
    // The SDK's folder is named by what is in it.
    let from = format!("{}\n{}\n", job.sdk.display(), super::TOOL);
    if fs::read_to_string(&mark).is_ok_and(|written| written == from) {
        return Ok(());
    }
    folders::empty(&folder)?;
    let wit = stage.join("typings-wit");
    world::write(&wit, &of_everything(job.manifest))?;
    let mut command = Command::new(tools.join("componentize-py"));
    command.arg("--quiet").arg("--wit-path").arg(&wit).args(["--world", WORLD]);
    command.args(names_of_types(&wit)?).arg("bindings").arg(&folder);
    job.tools.ask(&mut command)?;
    folders::add(&job.sdk.join("python"), &folder, |_| true, |content| content)?;
    fs::write(&mark, from).map_err(BuildError::file("written", &mark))
}

/// A plugin that is everything and asks for everything.
fn of_everything(manifest: &Manifest) -> Manifest {
    let some = || vec!["x".to_owned()];
    let mut everything = manifest.clone();
    everything.plugin.kinds = vec![Kind::Cleaner, Kind::Validator, Kind::Loss, Kind::Metric, Kind::Exporter];
    everything.permissions = Permissions {
        read_tensors: true,
        log: true,
        clock: true,
        random: true,
        read: some(),
        environment: some(),
        network: some(),
    };
    everything
}
