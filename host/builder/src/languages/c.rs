//! C and C++ plugins: compiled with zig, which brings clang, a C library and libc++ for WebAssembly, so that there is
//! nothing to install. The bindings are generated from the plugin's world at each build.

/// C bindings of the plugin's world.
pub(super) mod bindings;
/// What the code is to know of the manifest.
mod header;
/// Core modules without debugging sections.
pub(super) mod strip;
/// The compiler.
pub(super) mod zig;

use std::path::{Path, PathBuf};

use zig::{Zig, from_folder};

use crate::encode;
use crate::error::BuildError;
use crate::job::Job;
use crate::templates::Template;
use crate::tools::Tools;

pub(crate) const TEMPLATES: &[Template] = &[
    Template { name: "c", aliases: &[], folder: "c", source: "plugin.c" },
    Template { name: "c++", aliases: &["cpp", "cxx"], folder: "cpp", source: "plugin.cpp" },
];

/// For code and libraries alike: the C library is compiled once for each set of these. A reactor is a module whose
/// functions are called one by one. (The stack lies at the bottom of the memory: what overflows it traps.)
const FLAGS: [&str; 4] = ["--target=wasm32-wasi", "-mexec-model=reactor", "-O2", "-Wl,-z,stack-size=262144"];

/// What is wrong for certain, though C allows it.
const MISTAKES: [&str; 3] = ["-Werror=format", "-Werror=incompatible-pointer-types", "-Werror=return-type"];

pub(crate) fn versions(_: &Tools) -> Result<String, BuildError> {
    Ok(zig::PACKAGE.to_owned())
}

pub(crate) fn build(job: &Job) -> Result<Vec<u8>, BuildError> {
    let zig = Zig::find(job.tools)?;
    write_for_editors(job)?;
    let object = compile(job, &zig)?;
    let module = link(job, &zig, &object)?;
    let module = std::fs::read(&module).map_err(BuildError::file("read", module))?;
    encode::component(&strip::without_debugging(&module))
}

/// The headers that the author's file includes.
pub(crate) fn write_for_editors(job: &Job) -> Result<(), BuildError> {
    bindings::write(&job.wit, &job.work)?;
    header::write(job.manifest, &job.work)
}

/// The author's file alone: what the compiler says is about that.
fn compile(job: &Job, zig: &Zig) -> Result<PathBuf, BuildError> {
    let object = job.work.join("plugin.o");
    let mut command = zig.command(job, driver(job));
    command.args(FLAGS).args(MISTAKES);
    if is_cpp(&job.source) {
        command.args(["-std=c++23", "-fno-exceptions", "-fno-rtti"]);
    } else {
        command.arg("-std=gnu23");
    }
    command.args(include_paths(job)).arg("-c").arg(from_folder(job, &job.source));
    job.tools.run(command.arg("-o").arg(from_folder(job, &object)))?;
    Ok(object)
}

/// The author's code, the SDK's and the bindings.
fn link(job: &Job, zig: &Zig, object: &Path) -> Result<PathBuf, BuildError> {
    let module = job.work.join("core.wasm");
    let mut command = zig.command(job, driver(job));
    command
        .args(FLAGS)
        .args(include_paths(job))
        .arg(from_folder(job, object))
        .args([job.sdk.join("c/pegbox.c"), job.sdk.join("c/src/bindings.c")]);
    command.arg(from_folder(job, &job.work.join(bindings::TYPE_OBJECT)));
    if is_cpp(&job.source) {
        command.arg(job.sdk.join("c/pegbox.cpp"));
    }
    let linked = job.tools.run(command.arg("-o").arg(from_folder(job, &module)));
    linked.map_err(|error| missing_function(job, error))?;
    Ok(module)
}

/// The linker's complaint about a function that the SDK calls and nobody wrote, in the author's words.
fn missing_function(job: &Job, error: BuildError) -> BuildError {
    let BuildError::Failed { output, .. } = &error else { return error };
    let missing = undefined_symbols(output);
    if missing.is_empty() {
        return error;
    }
    let kinds: Vec<String> = job.manifest.plugin.kinds.iter().map(ToString::to_string).collect();
    let declared = job.sdk.join("c/include/pegbox/kinds.h");
    BuildError::Source {
        file: job.source.clone(),
        fault: format!("there is no {}", missing.join(", no ")),
        help: Some(format!(
            "plugin.toml says {}; {} declares what each kind defines",
            kinds.join(", "),
            declared.display()
        )),
    }
}

/// `wasm-ld: error: plugin.o: undefined symbol: name`, each name once.
fn undefined_symbols(output: &str) -> Vec<String> {
    let mut names: Vec<String> = output
        .lines()
        .filter_map(|line| line.split_once("undefined symbol: "))
        .map(|(_, name)| format!("`{}`", name.trim()))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// `c++` has the headers of libc++, and links it.
fn driver(job: &Job) -> &'static str {
    if is_cpp(&job.source) { "c++" } else { "cc" }
}

fn is_cpp(source: &Path) -> bool {
    source.extension().is_some_and(|extension| extension != "c")
}

fn include_paths(job: &Job) -> [String; 2] {
    [&job.sdk.join("c/include"), from_folder(job, &job.work)].map(|folder| format!("-I{}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linkers_complaint_names_each_symbol_once() {
        let output = "wasm-ld: error: a.o: undefined symbol: loss_compute\n\
                      wasm-ld: error: b.o: undefined symbol: configure\n\
                      wasm-ld: error: c.o: undefined symbol: loss_compute\nnote: more";
        assert_eq!(undefined_symbols(output), ["`configure`", "`loss_compute`"]);
        assert!(undefined_symbols("plugin.c:1:1: error: expected identifier").is_empty());
    }
}
