//! The registry that the tests of sharing push to: Debian's `docker-registry`, started by the tests themselves.

use crate::process::{self, say};
use anyhow::{Context, Result, bail};
use std::process::{Command, Stdio};

const PROGRAM: &str = "docker-registry";

/// Installs it where it is missing and that is possible without asking for a password.
pub fn install() -> Result<()> {
    if is_there() {
        eprintln!("  {PROGRAM} is there");
        return Ok(());
    }
    say("Installing Debian's docker-registry (tests push plugins to it, on this machine only)");
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
        command
    };
    process::run(apt().args(["update", "--quiet"])).context("Debian's package lists cannot be fetched")?;
    process::run(apt().args(["install", "--yes", "--quiet", "--no-install-recommends", PROGRAM]))
        .with_context(|| format!("install the package `{PROGRAM}` by hand"))?;
    if !is_there() {
        bail!("{PROGRAM} was installed, but does not start");
    }
    Ok(())
}

fn is_there() -> bool {
    let mut command = Command::new(PROGRAM);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
