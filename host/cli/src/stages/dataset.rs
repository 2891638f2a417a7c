//! The prepared dataset.

use std::path::Path;

use pegbox_data::{
    BatchSettings, BatchSize, CacheOutcome, DataError, Part, PrepareJob, Prepared, Schema, SourceFile, Task,
    TemplateSource, TokenSettings, prepare,
};
use pegbox_records::sources;

use super::settings;
use crate::console::Outcome;
use crate::plugins::RecipePlugins;
use crate::report::Report;
use crate::session::Session;
use pegbox_recipe::{Batch, Recipe};

/// Reads, cleans, validates, splits and tokenizes, unless the cache holds the result.
pub fn bring(
    session: &Session,
    recipe: &Recipe,
    tokenizer: &[u8],
    chat: Option<&TemplateSource>,
    plugins: &RecipePlugins,
) -> Result<(Prepared, Outcome), Box<Report>> {
    let job = job(session, recipe, tokenizer, chat, plugins)?;
    prepare_job(session, &job, &session.datasets())
}

pub fn prepare_job(
    session: &Session,
    job: &PrepareJob,
    cache: &Path,
) -> Result<(Prepared, Outcome), Box<Report>> {
    let stage = session.console.stage("prepare");
    let prepared = prepare(job, cache, &stage)?;
    let dataset = &prepared.dataset;
    let of_what = match job.task {
        Task::Classification | Task::MultiLabel => format!(", {} labels", dataset.labels().len()),
        Task::Tagging => format!(", {} tags", dataset.labels().len()),
        Task::Regression | Task::MaskedLm | Task::Generation | Task::Seq2Seq => String::new(),
    };
    let result = format!(
        "{} training, {} validation and {} test rows{of_what}",
        dataset.len(Part::Train),
        dataset.len(Part::Validation),
        dataset.len(Part::Test),
    );
    let outcome = match &prepared.outcome {
        CacheOutcome::Loaded => stage.unchanged(&result),
        CacheOutcome::Built => stage.finish(&result),
        CacheOutcome::Rebuilt { damage } => {
            stage.say(format!("prepare: the cached dataset was damaged ({damage}) and was made again"));
            stage.finish(&result)
        }
    };
    Ok((prepared, outcome))
}

/// What the recipe asks of the data.
pub fn job(
    session: &Session,
    recipe: &Recipe,
    tokenizer: &[u8],
    chat: Option<&TemplateSource>,
    plugins: &RecipePlugins,
) -> Result<PrepareJob, Box<Report>> {
    let data = &recipe.data;
    let files = |part: Part, patterns: &[String]| -> Result<Vec<SourceFile>, Box<Report>> {
        let paths = sources::expand(&recipe.folder, patterns)?;
        Ok(paths.into_iter().map(|path| SourceFile { part, path }).collect())
    };
    let mut sources = files(Part::Train, &data.train)?;
    sources.extend(files(Part::Validation, &data.validation)?);
    sources.extend(files(Part::Test, &data.test)?);
    let fields = data.fields.iter().map(|(role, name)| (role.as_str(), name.as_str()));
    let schema = Schema::new(fields).map_err(DataError::from)?;
    Ok(PrepareJob {
        task: settings::task(recipe),
        sources,
        schema: schema.clone(),
        reading: settings::reading(data),
        cleaners: plugins.clean_stages(recipe),
        annotations: settings::annotations(data),
        duplicates: settings::duplicates(data, settings::task(recipe), &schema),
        validators: plugins.validate_stages(recipe),
        suspects: data.suspects.map(settings::suspects),
        split: settings::split(data),
        leakage: settings::leakage(data, &recipe.folder)?,
        balance: settings::balance(data),
        tokenizer: tokenizer.to_vec(),
        tokens: TokenSettings { chat: chat.cloned(), ..settings::tokens(recipe) },
        batching: batching(recipe),
        threads: session.global.threads.unwrap_or(0) as usize,
    })
}

/// How rows become batches.
pub fn batching(recipe: &Recipe) -> BatchSettings {
    let size = match recipe.train.batch {
        Batch::Tokens(tokens) => BatchSize::Tokens(tokens as usize),
        Batch::Rows(rows) => BatchSize::Rows(rows as usize),
        Batch::Packed(tokens) => BatchSize::Packed(tokens as usize),
    };
    BatchSettings::new(size)
}
