//! Rust plugins: a crate with the SDK, compiled by cargo to a core module without an operating system.

/// The author's Cargo.toml and .cargo/config.toml.
mod package;
/// Which compiler builds plugins.
pub(crate) mod toolchain;

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};
use std::process::Command;

use package::Package;
pub(crate) use package::WRITTEN_BY;
use toolchain::{TARGET, Toolchain};

use crate::encode;
use crate::error::BuildError;
use crate::job::Job;
use crate::templates::Template;
use crate::tools::Tools;

pub(crate) const TEMPLATES: &[Template] =
    &[Template { name: "rust", aliases: &["rs"], folder: "rust", source: "src/lib.rs" }];

pub(crate) fn versions(tools: &Tools) -> Result<String, BuildError> {
    Ok(Toolchain::find(tools)?.version())
}

pub(crate) fn has_sources_elsewhere(job: &Job) -> Result<bool, BuildError> {
    Ok(Package::read(job.folder)?.has_sources_elsewhere())
}

pub(crate) fn build(job: &Job) -> Result<Vec<u8>, BuildError> {
    let package = package(job)?;
    let toolchain = Toolchain::find(job.tools)?;
    job.tools.say(&format!("compiling with {toolchain}"));
    let mut command = cargo(job, &package);
    command.args(["--target", TARGET]);
    toolchain.apply(&mut command, &[(&job.sdk, "pegbox")]);
    let module = compile(job, &mut command, &format!("{TARGET}/release/{}.wasm", package.library))?;
    encode::component(&module)
}

/// Where the author's crate finds the SDK.
pub(crate) fn write_for_editors(job: &Job) -> Result<(), BuildError> {
    package(job).map(|_| ())
}

/// The shared library for this machine.
pub(crate) fn build_native(job: &Job) -> Result<Vec<u8>, BuildError> {
    let package = package(job)?;
    let file = format!("{DLL_PREFIX}{}{DLL_SUFFIX}", package.library);
    let mut command = cargo(job, &package);
    // A component may abort: that is a trap. In a native library it would end the host, where the SDK catches a panic
    // that unwinds. The environment wins over the author's profile.
    command.env("CARGO_PROFILE_RELEASE_PANIC", "unwind");
    compile(job, &mut command, &format!("release/{file}"))
}

/// The author's crate, which agrees with plugin.toml and finds the SDK.
fn package(job: &Job) -> Result<Package, BuildError> {
    let package = Package::read(job.folder)?;
    package.agrees(job.manifest)?;
    package.point_to_sdk(&job.sdk)?;
    Ok(package)
}

fn cargo(job: &Job, package: &Package) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--release", "--lib", "--manifest-path"]).arg(job.folder.join("Cargo.toml"));
    command.args(package.patches(&job.sdk)).current_dir(job.folder);
    command
}

/// Runs cargo and reads what it made. All plugins share one folder of builds, so that the SDK and the standard
/// library are compiled once; the lock keeps another plugin of the same name from coming between.
fn compile(job: &Job, command: &mut Command, file: &str) -> Result<Vec<u8>, BuildError> {
    let target = target_folder(job.tools);
    let _alone = job.tools.lock("rust")?;
    job.tools.run(command.arg("--target-dir").arg(&target))?;
    let path: &Path = &target.join(file);
    std::fs::read(path).map_err(BuildError::file("read", path))
}

fn target_folder(tools: &Tools) -> PathBuf {
    tools.folder().join("rust-target")
}
