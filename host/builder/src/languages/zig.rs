//! Zig plugins: the author's file is a module beside the SDK's, and the C bindings of the plugin's world come in between.
//! There is no C library and no operating system.

/// What the code is to know of the manifest.
mod manifest;

use std::ffi::OsString;
use std::path::Path;

use crate::encode;
use crate::error::BuildError;
use crate::job::Job;
use crate::languages::c::zig::{PACKAGE, Zig, from_folder};
use crate::languages::c::{bindings, strip};
use crate::templates::Template;
use crate::tools::Tools;

pub(crate) const TEMPLATES: &[Template] =
    &[Template { name: "zig", aliases: &[], folder: "zig", source: "plugin.zig" }];

const TARGET: &str = "wasm32-freestanding";

/// Fast, with the checks of bounds and overflow: a mistake ends the call rather than giving wrong data.
const MODE: &str = "-OReleaseSafe";

pub(crate) fn versions(_: &Tools) -> Result<String, BuildError> {
    Ok(PACKAGE.to_owned())
}

pub(crate) fn build(job: &Job) -> Result<Vec<u8>, BuildError> {
    let zig = Zig::find(job.tools)?;
    write_modules(job, &zig)?;
    let module = compile(job, &zig)?;
    encode::component(&strip::without_debugging(&module))
}

pub(crate) fn write_for_editors(job: &Job) -> Result<(), BuildError> {
    write_modules(job, &Zig::find(job.tools)?)
}

/// The modules that are made of the world and the manifest.
fn write_modules(job: &Job, zig: &Zig) -> Result<(), BuildError> {
    bindings::write(&job.wit, &job.work)?;
    manifest::write(job.manifest, &job.work)?;
    translate(job, zig)
}

/// The bindings' header as a module of Zig.
fn translate(job: &Job, zig: &Zig) -> Result<(), BuildError> {
    let header = job.work.join("plugin.h");
    let text = job.tools.ask(zig.command(job, "translate-c").args(["-target", TARGET]).arg(header))?;
    let path = job.work.join("bindings.zig");
    std::fs::write(&path, text).map_err(BuildError::file("written", path))
}

fn compile(job: &Job, zig: &Zig) -> Result<Vec<u8>, BuildError> {
    let sdk = job.sdk.join("zig");
    let core = job.work.join("core.wasm");
    let work = from_folder(job, &job.work);
    let mut command = zig.command(job, "build-exe");
    command.args(["--name", "core", "-target", TARGET, MODE, "-fno-entry", "--export=cabi_realloc"]);
    command.args(["--stack", "262144"]).arg(joined("-femit-bin=", from_folder(job, &core)));
    // The root module: the bindings' C, and the SDK's root.
    command.arg("-I").arg(sdk.join("c")).arg(work.join("plugin.c")).arg(work.join(bindings::TYPE_OBJECT));
    module(&mut command, "root", &sdk.join("root.zig"), &["pegbox", "plugin"]);
    module(&mut command, "plugin", from_folder(job, &job.source), &["pegbox"]);
    module(&mut command, "pegbox", &sdk.join("pegbox.zig"), &["bindings", "manifest"]);
    module(&mut command, "bindings", &work.join("bindings.zig"), &[]);
    module(&mut command, "manifest", &work.join(manifest::NAME), &[]);
    job.tools.run(&mut command)?;
    std::fs::read(&core).map_err(BuildError::file("read", core))
}

/// A module with the modules that it may import.
fn module(command: &mut std::process::Command, name: &str, file: &Path, imports: &[&str]) {
    for import in imports {
        command.args(["--dep", import]);
    }
    command.arg(joined(&format!("-M{name}="), file));
}

fn joined(option: &str, path: &Path) -> OsString {
    let mut text = OsString::from(option);
    text.push(path);
    text
}
