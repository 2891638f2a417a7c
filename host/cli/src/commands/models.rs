//! `pegbox models`: one file a command, its arguments beside it.

/// `pegbox models inspect`
mod inspect;
/// `pegbox models list`
mod list;
/// Parameters, counted by what the weights' headers say.
mod parameters;
/// `pegbox models pull`
mod pull;
/// `pegbox models recommend`
mod recommend;
/// The recipe's data, as far as the choice of a model depends on it.
mod sample;

use clap::Subcommand;

use crate::console::print;
use crate::report::Report;
use crate::session::Session;

#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// The models that are on this machine: in Pegbox's cache and in that of Hugging Face's tools
    List(list::List),
    /// Bring a model here, or a recipe's model, and pin it in pegbox.lock
    Pull(pull::Pull),
    /// A model's architecture, size, tensors, labels, licence and tokenizer
    Inspect(inspect::Inspect),
    /// The known models that suit a recipe's task, data, licences and device, and why
    Recommend(recommend::Recommend),
}

pub fn run(session: &Session, command: ModelsCommand) -> Result<(), Box<Report>> {
    match command {
        ModelsCommand::List(arguments) => list::run(session, &arguments),
        ModelsCommand::Pull(arguments) => pull::run(session, &arguments),
        ModelsCommand::Inspect(arguments) => inspect::run(session, &arguments),
        ModelsCommand::Recommend(arguments) => recommend::run(session, &arguments),
    }
}

fn print_json(value: &impl serde::Serialize) -> Result<(), Box<Report>> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Report::new(error.to_string()))?;
    print(&format!("{text}\n"));
    Ok(())
}
