//! `cargo xtask parity`: what needs PyTorch and Hugging Face Transformers, and therefore stays out of
//! `cargo xtask test`.

use crate::process::{self, root, say, target_dir};
use anyhow::{Context, Result};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[derive(Args)]
pub struct Options {
    /// Write the fixtures under tests/parity anew.
    #[arg(long)]
    fixtures: bool,
    /// Open an exported folder in Transformers and compare its logits with `pegbox predict`'s.
    #[arg(long, value_name = "FOLDER")]
    export: Option<PathBuf>,
    /// JSON Lines with the rows to compare (plain or .gz).
    #[arg(long, value_name = "FILE", default_value = "examples/support-intents/data/test.jsonl.gz")]
    rows: PathBuf,
}

pub fn run(options: &Options) -> Result<()> {
    let root = root()?;
    let python = python(&root)?;
    if options.fixtures {
        say("Parity fixtures, from small random checkpoints of Transformers");
        for script in ["make_bert_fixtures.py", "make_decoder_fixtures.py", "make_t5_fixtures.py"] {
            let script = Path::new("tests/parity").join(script);
            process::run(Command::new(&python).arg(script).current_dir(&root))?;
        }
    }
    if let Some(folder) = &options.export {
        say("The exported folder in Transformers, against `pegbox predict`");
        process::run(
            Command::new(&python)
                .arg("tests/parity/check_export.py")
                .arg(target_dir(&root).join("release/pegbox"))
                .arg(folder)
                .arg(&options.rows)
                .current_dir(&root),
        )?;
    }
    Ok(())
}

/// A Python with torch and transformers: `PEGBOX_PYTHON`, else a virtual environment under the target
/// folder, made on first use.
pub fn python(root: &Path) -> Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("PEGBOX_PYTHON") {
        return Ok(chosen.into());
    }
    let environment = target_dir(root).join("parity-venv");
    let python = environment.join("bin/python");
    if !has_torch(&python) {
        say("PyTorch and Transformers are missing: making a virtual environment for them (several GB;\n   \
             set PEGBOX_PYTHON to a Python that has torch and transformers to use that one instead)");
        process::run(Command::new("python3").arg("-m").arg("venv").arg(&environment))
            .context("python3 with its venv module is needed to compare with PyTorch")?;
        process::run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args([
            "torch",
            "transformers",
            "safetensors",
            "tokenizers",
            "numpy",
        ]))?;
    }
    Ok(python)
}

fn has_torch(python: &Path) -> bool {
    Command::new(python)
        .args(["-c", "import torch, transformers"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
