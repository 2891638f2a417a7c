//! Starting other programs, and saying so.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The repository's root: the folder that holds the workspace's Cargo.toml.
///
/// It is looked up at run time, not baked in at build time, so that a moved clone keeps working.
pub fn root() -> Result<PathBuf> {
    let start = std::env::current_dir().context("the current folder cannot be read")?;
    let root = start
        .ancestors()
        .find(|folder| folder.join("wit/worlds.wit").is_file())
        .with_context(|| format!("{} is not inside a Pegbox clone", start.display()))?;
    Ok(root.to_path_buf())
}

/// Where cargo puts what it builds, honouring `CARGO_TARGET_DIR`.
pub fn target_dir(root: &Path) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root.join(folder),
        None => root.join("target"),
    }
}

/// cargo as this process was started by it.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs `command` with its output on this terminal; an exit status other than 0 is an error.
pub fn run(command: &mut Command) -> Result<Duration> {
    let shown = show(command);
    eprintln!("  $ {shown}");
    let start = Instant::now();
    let status = command.status().with_context(|| format!("`{shown}` could not be started"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(start.elapsed())
}

/// Runs `command` and returns what it wrote to standard output.
pub fn output(command: &mut Command) -> Result<String> {
    let shown = show(command);
    let output = command.output().with_context(|| format!("`{shown}` could not be started"))?;
    if !output.status.success() {
        bail!("`{shown}` failed ({})\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{shown}` printed invalid UTF-8"))
}

/// Tells the reader what comes next and why.
pub fn say(what: &str) {
    eprintln!("\n== {what}");
}

fn show(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ")
}
