//! `cargo xtask quickstart`: from a fresh clone to a fine-tuned, exported model and one prediction.

use crate::guest;
use crate::process::{self, cargo, root, say, target_dir};
use anyhow::Result;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const EXAMPLE: &str = "examples/support-intents";
const SENTENCE: &str = "I was charged twice for the same coffee, can I get one of the payments back?";

fn stages(root: &Path) -> Result<Vec<(&'static str, Duration)>> {
    let mut stages = Vec::new();

    say("1/4  The host: the `pegbox` program, optimised (minutes the first time, seconds after that)");
    stages.push((
        "build the host",
        process::run(cargo().args(["build", "--release", "--workspace", "--bins"]).current_dir(root))?,
    ));

    say("2/4  The first-party plugins: Rust crates, compiled to WebAssembly components");
    let start = Instant::now();
    let plugins = guest::build_plugins(&guest::Options { native: false })?;
    stages.push(("build the plugins", start.elapsed()));

    say("3/4  The recipe: prepare, train, evaluate and export (the base model is fetched once)");
    let recipe = root.join(EXAMPLE).join("pegbox.toml");
    stages.push(("pegbox run", process::run(pegbox(root, &plugins).arg("run").arg(&recipe))?));

    say("4/4  One prediction with the exported model");
    stages.push((
        "pegbox predict",
        process::run(
            pegbox(root, &plugins)
                .args(["predict", "--model"])
                .arg(root.join(EXAMPLE).join("out/hf"))
                .arg(SENTENCE),
        )?,
    ));
    Ok(stages)
}

pub fn run() -> Result<()> {
    let root = root()?;
    let stages = stages(&root)?;
    say("Done. Seconds per step");
    for (name, took) in &stages {
        eprintln!("  {:>8.1}  {name}", took.as_secs_f64());
    }
    eprintln!(
        "\nThe recipe is {EXAMPLE}/pegbox.toml; the model, ready for Hugging Face Transformers, is in\n\
         {EXAMPLE}/out/hf. Run this again: whatever has not changed comes from the caches."
    );
    Ok(())
}

fn pegbox(root: &Path, plugins: &Path) -> Command {
    let mut command = Command::new(target_dir(root).join("release/pegbox"));
    command.arg("--plugins").arg(plugins).current_dir(root);
    command
}
