//! `pegbox plugin versions`: the versions of a plugin that a registry has.

use clap::Args;

use super::sharing::RegistryArguments;
use crate::console::print;
use crate::report::Report;

#[derive(Debug, Args)]
pub struct Versions {
    /// `team/name`
    pub plugin: String,
    #[command(flatten)]
    pub registry: RegistryArguments,
}

pub fn run(arguments: &Versions) -> Result<(), Box<Report>> {
    for entry in arguments.registry.connect()?.versions(&arguments.plugin)? {
        print(&format!("{}{}\n", entry.version, if entry.yanked { " (yanked)" } else { "" }));
    }
    Ok(())
}
