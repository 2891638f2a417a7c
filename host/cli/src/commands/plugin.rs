//! `pegbox plugin`: one file a command, its arguments beside it.

/// `pegbox plugin inspect`
mod inspect;
/// `pegbox plugin keys`
mod keys;
/// `pegbox plugin list`
mod list;
/// `pegbox plugin pull`
mod pull;
/// `pegbox plugin push`
mod push;
/// `pegbox plugin search`
mod search;
/// What the commands that share plugins have in common.
mod sharing;
/// `pegbox plugin vendor`
mod vendor;
/// `pegbox plugin versions`
mod versions;
/// `pegbox plugin yank`
mod yank;

use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::arguments::RecipeArgument;
use crate::report::Report;
use crate::session::Session;

pub use sharing::Guard;

#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// The plugins that a recipe in this place would find
    List(RecipeArgument),
    /// What a plugin is, may do and can be told
    Inspect(inspect::Inspect),
    /// Publish a built plugin in an OCI registry
    Push(push::Push),
    /// Bring plugins from a registry and pin them in pegbox.lock
    Pull(pull::Pull),
    /// Plugins of a registry
    Search(search::Search),
    /// Versions of one plugin in a registry
    Versions(versions::Versions),
    /// Keep the pinned plugins beside the recipe, to work without a registry
    Vendor(vendor::Vendor),
    /// Withdraw a version: it stays where it is pinned, and is not chosen any more
    Yank(yank::Yank),
    /// Keys that sign plugins, and keys that are trusted
    #[command(subcommand)]
    Keys(keys::Keys),
}

pub fn run(session: &Session, command: PluginCommand) -> Result<(), Box<Report>> {
    match command {
        PluginCommand::List(arguments) => list::run(session, &arguments.recipe),
        PluginCommand::Inspect(arguments) => inspect::run(session, &arguments),
        PluginCommand::Push(arguments) => push::run(session, &arguments),
        PluginCommand::Pull(arguments) => pull::run(session, &arguments),
        PluginCommand::Search(arguments) => search::run(session, &arguments),
        PluginCommand::Versions(arguments) => versions::run(&arguments),
        PluginCommand::Vendor(arguments) => vendor::run(session, &arguments),
        PluginCommand::Yank(arguments) => yank::run(session, &arguments),
        PluginCommand::Keys(command) => keys::run(session, &command),
    }
}

/// The folder of a recipe that need not be there.
fn folder_of(recipe: &Path) -> PathBuf {
    if recipe.is_dir() {
        return recipe.to_path_buf();
    }
    match recipe.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}
