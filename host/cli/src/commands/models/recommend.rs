//! `pegbox models recommend`: which known models suit a recipe, and why.

use clap::Args;
use pegbox_hub::{Advice, Facts, KnownModel, Licences, Need, Stored, catalogue, recommend};
use pegbox_recipe::Recipe;
use serde::Serialize;

use super::parameters::{Parameters, headers};
use super::{print_json, sample};
use crate::arguments::RecipeArgument;
use crate::console::print;
use crate::report::Report;
use crate::session::Session;
use crate::stages::{memory, settings};

#[derive(Debug, Args)]
pub struct Recommend {
    #[command(flatten)]
    pub recipe: RecipeArgument,
    /// Memory of the device in GB; on a CPU what is free by default
    #[arg(long, value_name = "GB", value_parser = clap::value_parser!(u32).range(1..))]
    pub memory: Option<u32>,
    /// Also the models that something speaks against
    #[arg(long)]
    pub all: bool,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Recommended {
    task: &'static str,
    language: Option<&'static str>,
    /// About, of 95% of the sampled texts.
    tokens: u64,
    max_length: u64,
    memory: Option<u64>,
    models: Vec<Advice>,
}

pub fn run(session: &Session, arguments: &Recommend) -> Result<(), Box<Report>> {
    let recipe = Recipe::load(&arguments.recipe.recipe)?;
    let sample = sample::take(&recipe)?;
    let accelerated = session.global.device != "cpu";
    let memory = match arguments.memory {
        Some(gigabytes) => Some(u64::from(gigabytes) * 1_000_000_000),
        None if accelerated => None,
        None => memory::free(),
    };
    let licences = recipe.policy.licences.as_deref().map(Licences::parse).transpose();
    let licences =
        licences.map_err(|entry| Report::usage(format!("`{entry}` is not a licence in SPDX's list")))?;
    let task = settings::task(&recipe).name();
    let need = Need {
        task,
        language: sample.language,
        tokens: recipe.model.max_length,
        memory,
        accelerated,
        licences: licences.as_ref(),
    };
    let mut models = recommend(known(session), &need);
    let refused = models.iter().filter(|advice| !advice.suits).count();
    if !arguments.all {
        models.retain(|advice| advice.suits);
    }
    if arguments.json {
        return print_json(&Recommended {
            task,
            language: sample.language,
            tokens: sample.tokens,
            max_length: need.tokens,
            memory,
            models,
        });
    }
    let language =
        need.language.map_or("a language that cannot be told".to_string(), |code| format!("`{code}`"));
    let memory = memory.map_or(String::new(), |bytes| format!(" with {:.1} GB", bytes as f64 / 1e9));
    print(&format!(
        "{}: {} sampled texts in {language}, 95% of at most about {} tokens; max-length {}; on {}{memory}\n",
        need.task, sample.rows, sample.tokens, need.tokens, session.global.device,
    ));
    for (place, advice) in models.iter().enumerate() {
        print(&shown(place + 1, advice));
    }
    if !arguments.all && refused > 0 {
        print(&format!("something speaks against {refused} more; `--all` shows them, and what\n"));
    }
    print("Facts, not quality: how well a model learns, training it on your data shows.\n");
    Ok(())
}

/// The catalogue and what is here; a model of the catalogue that is here is named once.
fn known(session: &Session) -> Vec<KnownModel> {
    let mut models = catalogue();
    for stored in session.models.stored() {
        let listed = models.iter_mut().find(|model| model.source == stored.source);
        match listed {
            Some(model) => model.here = true,
            None => models.push(of_stored(stored)),
        }
    }
    models
}

fn of_stored(stored: Stored) -> KnownModel {
    let facts = Facts::of(&stored.weights).unwrap_or_default();
    let parameters = headers(&stored.weights).ok().map(|headers| Parameters::of(&headers).trainable);
    KnownModel {
        source: stored.source,
        model_type: facts.model_type,
        parameters: parameters.map(|count| count as f64 / 1e6),
        context: facts.context,
        licence: stored.licence,
        languages: stored
            .languages
            .iter()
            .map(|language| match language.as_str() {
                "multilingual" => "many".to_string(),
                other => other.to_string(),
            })
            .collect(),
        domain: None,
        page: None,
        here: true,
    }
}

fn shown(place: usize, advice: &Advice) -> String {
    let model = &advice.model;
    let size = model.parameters.map_or("size not known".to_string(), |millions| format!("{millions:.1} M"));
    let licence = model.licence.as_deref().unwrap_or("licence not stated");
    let against = match &advice.against[..] {
        [] => String::new(),
        against => format!("    against it: {}\n", against.join("; ")),
    };
    format!("{place:>2}. {}, {size}, {licence}\n    {}\n{against}", model.source, advice.reasons.join("; "))
}
