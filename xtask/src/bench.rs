//! `cargo xtask bench`: the measurements behind docs/benchmarks.md.

use crate::process::{self, cargo, root};
use anyhow::Result;
use clap::Args;

#[derive(Args)]
pub struct Options {
    /// What the benchmark program is to do; its own `--help` tells.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub fn run(options: &Options) -> Result<()> {
    let root = root()?;
    process::run(
        cargo()
            .args(["run", "--release", "--package", "pegbox-bench", "--"])
            .args(&options.arguments)
            .current_dir(&root),
    )?;
    Ok(())
}
