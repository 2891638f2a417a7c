//! The registry that the tests of sharing push to: Debian's `docker-registry`, started by the tests themselves.

use crate::debian;
use anyhow::Result;

const PROGRAM: &str = "docker-registry";

pub fn install() -> Result<()> {
    debian::install(PROGRAM, PROGRAM, "--version", "tests push plugins to it, on this machine only")
}
