//! `cargo xtask bench`: the measurements behind docs/benchmarks.md, on this machine, which should be quiet.

use crate::process::{self, cargo, root, say, target_dir};
use crate::{guest, parity, templates};
use anyhow::Result;
use clap::Args;

#[derive(Args)]
pub struct Options {
    /// Leave PyTorch out; without this, an environment with it is made on first use (several GB).
    #[arg(long)]
    no_torch: bool,
    /// Compare the languages of plugins only.
    #[arg(long)]
    languages_only: bool,
    /// Pairs of runs in each comparison.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
}

pub fn run(options: &Options) -> Result<()> {
    let root = root()?;
    let plugins = guest::build_plugins(&guest::Options { native: true })?;
    say("The benchmark programs");
    process::run(
        cargo().args(["build", "--release", "--workspace", "--bins", "--examples"]).current_dir(&root),
    )?;
    let built = target_dir(&root).join("release");
    let mut command = std::process::Command::new(built.join("pegbox-bench"));
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
    Ok(())
}
