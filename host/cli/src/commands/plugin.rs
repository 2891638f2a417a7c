//! `pegbox plugin`: one file a command, its arguments beside it.

/// `pegbox plugin inspect`
mod inspect;
/// `pegbox plugin list`
mod list;

use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::arguments::RecipeArgument;
use crate::report::Report;
use crate::session::Session;

#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// The plugins that a recipe in this place would find
    List(RecipeArgument),
    /// What a plugin is, may do and can be told
    Inspect(inspect::Inspect),
}

pub fn run(session: &Session, command: PluginCommand) -> Result<(), Box<Report>> {
    match command {
        PluginCommand::List(arguments) => list::run(session, &arguments.recipe),
        PluginCommand::Inspect(arguments) => inspect::run(session, &arguments),
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
