//! Programs of Debian that the tests need.

use crate::process::{self, say};
use anyhow::{Context, Result, bail};
use std::process::{Command, Stdio};

/// Installs `package` where its `program` is missing and that is possible without asking for a password. `why` says
/// what the tests need it for; `version` is the argument with which it only tells its version.
pub fn install(package: &str, program: &str, version: &str, why: &str) -> Result<()> {
    if starts(program, version) {
        eprintln!("  {program} is there");
        return Ok(());
    }
    say(&format!("Installing Debian's {package} ({why})"));
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
        command
    };
    process::run(apt().args(["update", "--quiet"])).context("Debian's package lists cannot be fetched")?;
    process::run(apt().args(["install", "--yes", "--quiet", "--no-install-recommends", package]))
        .with_context(|| format!("install the package `{package}` by hand"))?;
    if !starts(program, version) {
        bail!("{program} was installed, but does not start");
    }
    Ok(())
}

fn starts(program: &str, version: &str) -> bool {
    let mut command = Command::new(program);
    command.arg(version).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
