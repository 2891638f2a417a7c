//! `cargo xtask bench`: the measurements behind docs/benchmarks.md, on this machine, which should be quiet.

use crate::process::{self, cargo, root, say, target_dir};
use crate::{guest, parity, templates};
use anyhow::Result;
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Options {
    #[command(subcommand)]
    part: Option<Part>,
    /// Leave PyTorch out; without this, an environment with it is made on first use (several GB).
    #[arg(long)]
    no_torch: bool,
    /// Compare the languages of plugins only.
    #[arg(long, conflicts_with = "cleaners_only")]
    languages_only: bool,
    /// Compare the first-party cleaners as WebAssembly and native only.
    #[arg(long)]
    cleaners_only: bool,
    /// Pairs of runs in each comparison.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
}

#[derive(Subcommand)]
enum Part {
    /// Prepare a dirty corpus, against Hugging Face `datasets`; an environment with it is made on first use.
    Data(DataOptions),
}

#[derive(Args)]
struct DataOptions {
    /// Rows of the corpus.
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Rows for `datasets`, if all would take too long; Pegbox is measured on as many, too.
    #[arg(long)]
    peer_rows: Option<u64>,
    /// Rows of the run that shows how memory grows; 0 for none.
    #[arg(long, default_value_t = 5_000_000)]
    memory_rows: u64,
    /// Leave `datasets` out.
    #[arg(long)]
    no_peer: bool,
}

pub fn run(options: &Options) -> Result<()> {
    let root = root()?;
    if let Some(Part::Data(options)) = &options.part {
        return data(&root, options);
    }
    let plugins = guest::build_plugins(&guest::Options { native: true })?;
    if options.cleaners_only {
        return cleaners(&root, &plugins);
    }
    say("The benchmark programs");
    process::run(
        cargo().args(["build", "--release", "--workspace", "--bins", "--examples"]).current_dir(&root),
    )?;
    let built = target_dir(&root).join("release");
    let mut command = Command::new(built.join("pegbox-bench"));
    command.arg("--plugins").arg(&plugins);
    command.arg("--step").arg(built.join("examples/step"));
    say("The templates of every language");
    templates::run(&root)?;
    command.arg("--templates").arg(templates::folder(&root));
    if options.languages_only {
        command.arg("--languages-only");
    } else if !options.no_torch {
        command.arg("--python").arg(parity::python(&root)?);
    }
    command.args(["--torch-step", "bench/python/torch_step.py"]);
    command.args(["--texts", "examples/support-intents/data/train.jsonl.gz"]);
    command.args(["--page", "docs/benchmarks.md"]).arg("--rounds").arg(options.rounds.to_string());
    say("Measurements (minutes; let nothing else run)");
    process::run(command.current_dir(&root))?;
    if options.languages_only {
        return Ok(());
    }
    cleaners(&root, &plugins)
}

fn cleaners(root: &Path, plugins: &Path) -> Result<()> {
    say("The benchmark program");
    process::run(cargo().args(["build", "--release", "--workspace", "--bins"]).current_dir(root))?;
    let mut command = Command::new(target_dir(root).join("release/pegbox-bench"));
    command.arg("cleaners").arg("--plugins").arg(plugins).args(["--page", "docs/benchmarks.md"]);
    say("The cleaners (minutes)");
    process::run(command.current_dir(root))?;
    Ok(())
}

fn data(root: &Path, options: &DataOptions) -> Result<()> {
    let plugins = guest::build_plugins(&guest::Options { native: false })?;
    say("The benchmark program, and Pegbox");
    process::run(cargo().args(["build", "--release", "--workspace", "--bins"]).current_dir(root))?;
    let built = target_dir(root).join("release");
    let mut command = Command::new(built.join("pegbox-bench"));
    command.arg("data").arg("--pegbox").arg(built.join("pegbox")).arg("--plugins").arg(plugins);
    if !options.no_peer {
        command.arg("--python").arg(data_python(root)?);
    }
    command.args(["--peer", "bench/python/data_peer.py", "--page", "docs/benchmarks.md"]);
    command.arg("--folder").arg(target_dir(root).join("bench-data"));
    command.args(["--rows", &options.rows.to_string(), "--memory-rows", &options.memory_rows.to_string()]);
    if let Some(rows) = options.peer_rows {
        command.args(["--peer-rows", &rows.to_string()]);
    }
    say("Measurements (minutes, with `datasets` an hour or more; let nothing else run)");
    process::run(command.current_dir(root))?;
    Ok(())
}

/// A Python with `datasets` and what else bench/python/data_peer.txt names: `PEGBOX_DATA_PYTHON`, else a virtual
/// environment under the target folder, made on first use.
fn data_python(root: &Path) -> Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("PEGBOX_DATA_PYTHON") {
        return Ok(chosen.into());
    }
    let environment = target_dir(root).join("data-venv");
    let python = environment.join("bin/python");
    // Written last, so that a stopped installation is not taken for a whole one.
    let complete = environment.join("complete");
    if !complete.exists() {
        say("An environment with Hugging Face datasets (600 MB)");
        process::run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
        // Every package is named: nothing is resolved, and no torch comes in.
        let install = ["-m", "pip", "install", "--quiet", "--no-deps", "-r", "bench/python/data_peer.txt"];
        process::run(Command::new(&python).args(install).current_dir(root))?;
        std::fs::write(&complete, "")?;
    }
    Ok(python)
}
