//! One file a command.

/// `pegbox chat`
mod chat;
/// `pegbox check`
mod check;
/// `pegbox eval`
mod eval;
/// `pegbox export`
mod export;
/// `pegbox generate`
mod generate;
/// `pegbox init`
mod init;
/// `pegbox merge`
mod merge;
/// `pegbox models`
mod models;
/// `pegbox plan`
mod plan;
/// `pegbox plugin`
mod plugin;
/// `pegbox predict`
mod predict;
/// `pegbox prepare`
mod prepare;
/// `pegbox resume`
mod resume;
/// `pegbox run`
mod run;
/// `pegbox schema`
mod schema;
/// `pegbox tokenizer`
mod tokenizer;
/// `pegbox train`
mod train;

pub use models::ModelsCommand;
pub use plugin::{Guard, PluginCommand};
pub use schema::Document;
pub use tokenizer::TokenizerCommand;

use crate::arguments::{Command, RunArgument};
use crate::plugins::RecipePlugins;
use crate::report::Report;
use crate::session::Session;
use crate::stages::base::{self, Base};
use crate::stages::training::Material;
use crate::stages::{dataset, runs};
use pegbox_recipe::Recipe;

use pegbox_data::Prepared;
use pegbox_train::RunFolder;

pub fn run(session: &Session, command: Command) -> Result<(), Box<Report>> {
    match command {
        Command::Init(arguments) => init::run(session, &arguments),
        Command::Check(arguments) => check::run(session, &Recipe::load(&arguments.recipe)?),
        Command::Plan(arguments) => plan::run(session, &arguments),
        Command::Prepare(arguments) => prepare::run(session, &Recipe::load(&arguments.recipe)?),
        Command::Train(arguments) => train::run(session, &Recipe::load(&arguments.recipe)?),
        Command::Resume(arguments) => resume::run(session, &arguments),
        Command::Eval(arguments) => eval::run(session, &arguments),
        Command::Export(arguments) => export::run(session, &arguments),
        Command::Merge(arguments) => merge::run(session, &arguments),
        Command::Predict(arguments) => predict::run(session, &arguments),
        Command::Chat(arguments) => chat::run(session, &arguments),
        Command::Generate(arguments) => generate::run(session, &arguments),
        Command::Run(arguments) => run::run(session, &Recipe::load(&arguments.recipe)?),
        Command::Plugin(command) => plugin::run(session, command),
        Command::Tokenizer(command) => tokenizer::run(session, command),
        Command::Schema { document } => schema::run(document),
        Command::Models(command) => models::run(session, command),
    }
}

/// Base model, plugins and dataset: what every command about training begins with.
struct Ground {
    recipe: Recipe,
    base: Base,
    plugins: RecipePlugins,
    prepared: Prepared,
    prepare: crate::console::Outcome,
}

impl Ground {
    /// Plugins come first: what is wrong with them shows in a moment, a model may take minutes to fetch.
    fn new(session: &Session, recipe: Recipe) -> Result<Self, Box<Report>> {
        let plugins = RecipePlugins::load(session, &recipe)?;
        plugins.try_all()?;
        let base = base::bring(session, &recipe)?;
        let (prepared, prepare) =
            dataset::bring(session, &recipe, &base.tokenizer, base.chat.as_ref(), &plugins)?;
        Ok(Self { recipe, base, plugins, prepared, prepare })
    }

    fn material<'a>(&'a self, session: &'a Session) -> Material<'a> {
        Material {
            session,
            recipe: &self.recipe,
            base: &self.base,
            plugins: &self.plugins,
            dataset: &self.prepared.dataset,
        }
    }
}

/// The recipe and the run that a command is about.
fn ground_and_run(session: &Session, arguments: &RunArgument) -> Result<(Ground, RunFolder), Box<Report>> {
    let recipe = Recipe::load(&arguments.recipe.recipe)?;
    let run = runs::find(&recipe, arguments.run.as_deref())?;
    Ok((Ground::new(session, recipe)?, run))
}
