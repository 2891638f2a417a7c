//! `pegbox models pull`: a model brought here, and pinned where a recipe asks for it.

use std::path::{Path, PathBuf};

use clap::Args;
use pegbox_hub::Request;
use pegbox_recipe::Recipe;

use crate::report::Report;
use crate::session::Session;
use crate::stages::{base, lock};

#[derive(Debug, Args)]
pub struct Pull {
    /// `hf:org/name@revision`, `pypi:package==version` or `https://...#sha256=...`
    #[arg(required_unless_present = "recipe")]
    pub source: Option<String>,
    /// The model of this recipe, under its [policy], pinned in the pegbox.lock beside it
    #[arg(long, value_name = "RECIPE", conflicts_with = "source")]
    pub recipe: Option<PathBuf>,
    /// Move the pin to where the recipe's branch or tag stands now
    #[arg(long, requires = "recipe")]
    pub update: bool,
}

pub fn run(session: &Session, arguments: &Pull) -> Result<(), Box<Report>> {
    let Some(path) = &arguments.recipe else {
        let source = arguments.source.as_deref().unwrap_or_default();
        let model =
            base::fetch(session, source, Path::new("."), &Request { anew: true, ..Request::default() })?;
        session.console.say(format!("model: it lies in {}", model.folder.display()));
        return Ok(());
    };
    let recipe = Recipe::load(path)?;
    let before = lock::pinned_revision(&recipe)?;
    let pinned = before.as_deref().filter(|_| !arguments.update);
    let model = base::of_recipe(session, &recipe, pinned, true)?;
    let written = lock::pin_model(&recipe, &model)?;
    session.console.say(match (&before, &model.revision) {
        (Some(before), Some(now)) if before != now => {
            format!("pegbox.lock: moved from commit {} to {}", base::short(before), base::short(now))
        }
        _ if written => format!("pegbox.lock: the base model is {}", model.digest),
        _ => "pegbox.lock: unchanged".to_string(),
    });
    Ok(())
}
