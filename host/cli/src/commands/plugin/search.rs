//! `pegbox plugin search`: what a registry has.

use clap::Args;

use super::sharing::RegistryArguments;
use crate::console::print;
use crate::report::Report;
use crate::session::Session;

#[derive(Debug, Args)]
pub struct Search {
    /// A part of the name; everything by default
    #[arg(default_value = "")]
    pub text: String,
    #[command(flatten)]
    pub registry: RegistryArguments,
}

pub fn run(session: &Session, arguments: &Search) -> Result<(), Box<Report>> {
    let registry = arguments.registry.connect()?;
    let found = registry.search(&arguments.text)?;
    if found.is_empty() {
        session.console.say(format!(
            "no plugin in {} has a name with `{}`",
            registry.place(),
            arguments.text
        ));
    }
    for plugin in found {
        let name = format!("{}@{}", plugin.name, plugin.version);
        print(&format!(
            "{name:<40} {:<20} {:<20} {}\n",
            plugin.kinds.join(", "),
            plugin.licence,
            plugin.summary
        ));
    }
    Ok(())
}
