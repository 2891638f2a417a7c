//! `pegbox plugin`: one file a command, its arguments beside it.

/// `pegbox plugin bench`
mod bench;
/// `pegbox plugin build`
mod build;
/// `pegbox plugin inspect`
mod inspect;
/// `pegbox plugin keys`
mod keys;
/// `pegbox plugin list`
mod list;
/// `pegbox plugin new`
mod new;
/// `pegbox plugin pull`
mod pull;
/// `pegbox plugin push`
mod push;
/// `pegbox plugin run`
mod run;
/// `pegbox plugin search`
mod search;
/// What the commands that share plugins have in common.
mod sharing;
/// `pegbox plugin test`
mod test;
/// What the commands that try plugins have in common.
mod trying;
/// `pegbox plugin vendor`
mod vendor;
/// `pegbox plugin versions`
mod versions;
/// `pegbox plugin watch`
mod watch;
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
    /// Make a folder with a plugin that builds and passes its tests
    New(new::New),
    /// Make plugin.wasm from a plugin's sources
    Build(build::Build),
    /// Run the cases in a plugin's folder `tests`
    Test(test::Test),
    /// Try a plugin on a sample of real data
    Run(run::RunPlugin),
    /// Measure a plugin: calls, bytes, memory, loading
    Bench(bench::BenchPlugin),
    /// Build and test again whenever a source changes
    Watch(watch::WatchPlugin),
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

impl PluginCommand {
    /// Whether it talks to a registry.
    fn needs_network(&self) -> bool {
        matches!(self, Self::Push(_) | Self::Pull(_) | Self::Search(_) | Self::Versions(_) | Self::Yank(_))
    }
}

pub fn run(session: &Session, command: PluginCommand) -> Result<(), Box<Report>> {
    if session.global.offline && command.needs_network() {
        return Err(Report::usage("this command talks to a registry, and Pegbox is offline")
            .help("leave out --offline; `pegbox plugin vendor` keeps plugins beside the recipe for later"));
    }
    match command {
        PluginCommand::New(arguments) => new::run(&arguments),
        PluginCommand::Build(arguments) => build::run(session, &arguments),
        PluginCommand::Test(arguments) => test::run(session, &arguments),
        PluginCommand::Run(arguments) => run::run(session, &arguments),
        PluginCommand::Bench(arguments) => bench::run(session, &arguments),
        PluginCommand::Watch(arguments) => watch::run(session, &arguments),
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
