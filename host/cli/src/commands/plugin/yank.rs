//! `pegbox plugin yank`: marks a version as not to be chosen any more.

use clap::Args;
use pegbox_manifest::PluginReference;
use pegbox_registry::RegistryError;

use super::sharing::RegistryArguments;
use crate::report::Report;
use crate::session::Session;

#[derive(Debug, Args)]
pub struct Yank {
    /// `team/name@1.2.3`, which must fit one version only
    pub plugin: String,
    /// Why, for those who ask
    #[arg(long, default_value = "")]
    pub reason: String,
    #[command(flatten)]
    pub registry: RegistryArguments,
}

pub fn run(session: &Session, arguments: &Yank) -> Result<(), Box<Report>> {
    let wrong = || {
        Report::usage(format!("`{}` does not name one version", arguments.plugin))
            .help("write `team/name@1.2.3`")
    };
    let (name, version) = arguments.plugin.split_once('@').ok_or_else(wrong)?;
    PluginReference::parse(&format!("{name}@={version}")).map_err(RegistryError::from)?;
    let published = arguments.registry.connect()?;
    let versions = published.versions(name)?;
    let entry = versions.iter().find(|entry| entry.version.to_string() == version).ok_or_else(wrong)?;
    published.yank(name, &entry.version, &arguments.reason)?;
    session.console.say(format!("{name}@{version} is yanked; who pins it may keep it"));
    Ok(())
}
