//! `pegbox plugin vendor`: copies the pinned plugins beside the recipe, for places without a network.

use std::path::PathBuf;

use clap::Args;
use pegbox_registry::{Store, VENDOR_FOLDER, read_pins, vendor};

use super::folder_of;
use super::pull::restore;
use super::sharing::RegistryArguments;
use crate::console::print;
use crate::report::Report;
use crate::session::Session;

#[derive(Debug, Args)]
pub struct Vendor {
    /// The recipe whose pegbox.lock pins the plugins
    #[arg(default_value = pegbox_recipe::FILE_NAME)]
    pub recipe: PathBuf,
    #[command(flatten)]
    pub registry: RegistryArguments,
}

pub fn run(session: &Session, arguments: &Vendor) -> Result<(), Box<Report>> {
    let folder = folder_of(&arguments.recipe);
    restore(session, &folder, &arguments.registry, false)?;
    let done = vendor(&folder, &read_pins(&folder)?, &Store::locate()?)?;
    if done.written.is_empty() {
        session.console.say("pegbox.lock pins no plugin from a registry; `pegbox plugin pull` does");
    }
    for path in &done.written {
        print(&format!("{}\n", path.display()));
    }
    for path in &done.stale {
        session.console.say(format!("{} is pinned no more; delete it", path.display()));
    }
    if !done.written.is_empty() {
        session.console.say(format!("keep {VENDOR_FOLDER} and pegbox.lock under version control"));
    }
    Ok(())
}
