//! Builds every plugin under `plugins/` into `target/pegbox-plugins`, which then serves as a plugin folder:
//! `<name>/plugin.toml` with digests filled in, `<name>/plugin.wasm`, and the native library where it is
//! wanted.

mod folder;
mod source;

use crate::process::{self, cargo, root, say, target_dir};
use anyhow::{Context, Result};
use folder::Artifact;
use pegbox_builder::{RUST_TARGET as TARGET, RustToolchain, Tools};
use source::Source;
use std::path::{Path, PathBuf};
use wit_component::ComponentEncoder;

/// Which builds of the plugins are wanted.
pub struct Options {
    /// The native libraries too.
    pub native: bool,
}

/// The profile in the workspace's Cargo.toml: one optimised unit for each plugin.
const PROFILE: &str = "guest";

/// Returns the folder of built plugins.
pub fn build_plugins(options: &Options) -> Result<PathBuf> {
    let root = root()?;
    let sources = source::all(&root.join("plugins"))?;
    let modules = build_modules(&root, &sources)?;
    let libraries = if options.native { Some(build_libraries(&root, &sources)?) } else { None };

    let folder = target_dir(&root).join("pegbox-plugins");
    for source in &sources {
        let component = component(&modules.join(format!("{}.wasm", source.library)))
            .with_context(|| format!("{} does not become a component", source.name))?;
        let mut artifacts = vec![Artifact::component(component)];
        if let Some(libraries) = &libraries {
            artifacts.push(Artifact::native(libraries, &source.library)?);
        }
        folder::write(&folder.join(&source.name), &source.manifest, &artifacts)?;
        report(&source.name, &artifacts);
    }
    eprintln!("  {} plugins are in {}", sources.len(), folder.display());
    Ok(folder)
}

/// Compiles the core modules. The guests have a target folder of their own, so that a compiler which builds
/// its standard library does so once, and the host's builds stay untouched.
fn build_modules(root: &Path, sources: &[Source]) -> Result<PathBuf> {
    let toolchain = RustToolchain::find(&Tools::of_user(|line| eprintln!("  {line}"))?)?;
    let target = target_dir(root).join("guests");
    say(&format!("Plugins as WebAssembly: {toolchain}"));
    let mut command = cargo();
    command.arg("build").args(["--profile", PROFILE, "--target", TARGET]).args(packages(sources));
    command.current_dir(root).env("CARGO_TARGET_DIR", &target);
    toolchain.apply(&mut command, &[(root, "pegbox")]);
    process::run(&mut command)?;
    Ok(target.join(TARGET).join(PROFILE))
}

/// Compiles the native libraries, beside the host's other builds.
fn build_libraries(root: &Path, sources: &[Source]) -> Result<PathBuf> {
    say("Plugins as native libraries");
    process::run(cargo().args(["build", "--release"]).args(packages(sources)).current_dir(root))?;
    Ok(target_dir(root).join("release"))
}

fn packages(sources: &[Source]) -> impl Iterator<Item = &str> {
    sources.iter().flat_map(|source| ["--package", &source.package])
}

/// Wraps a core module. Its own sections say which parts of the contract it imports and exports.
fn component(module: &Path) -> Result<Vec<u8>> {
    let module = std::fs::read(module).with_context(|| format!("{} cannot be read", module.display()))?;
    ComponentEncoder::default().validate(true).module(&module)?.encode()
}

fn report(name: &str, artifacts: &[Artifact]) {
    let built: Vec<String> = artifacts
        .iter()
        .map(|artifact| format!("{} {:.0} KB", artifact.file, artifact.content.len() as f64 / 1024.0))
        .collect();
    eprintln!("  {name}: {}", built.join(", "));
}
