//! `pegbox check`: what would go wrong, found in seconds: plugins and their configurations, a sample of the data
//! through the whole preparation, and one batch of the longest rows forward and backward on this device.

use std::collections::HashMap;
use std::fs;

use pegbox_data::{BatchPlan, Dataset, Part, PrepareJob, RowTarget};
use pegbox_train::probe;
use serde_json::Value;

use crate::console::{megabytes, print};
use crate::plugins::RecipePlugins;
use crate::report::Report;
use crate::session::Session;
use crate::stages::base;
use crate::stages::dataset;
use crate::stages::training::{Material, duration};
use pegbox_recipe::Recipe;

/// Data files up to this many bytes altogether are prepared whole, into the cache, so that the work is not lost.
const WHOLE_BYTES: u64 = 16 << 20;
/// Of larger files, this many rows each are looked at.
const SAMPLE_ROWS: u64 = 4000;
const SHOWN_ROWS: usize = 3;
const SHOWN_TOKENS: usize = 24;

pub fn run(session: &Session, recipe: &Recipe) -> Result<(), Box<Report>> {
    let console = session.console;
    console.say(format!("check: recipe {}", recipe.path.display()));
    let plugins = RecipePlugins::load(session, recipe)?;
    plugins.try_all()?;
    for plugin in plugins.used() {
        let identity = plugin.identity();
        console.say(format!("check: plugin {identity} runs, its configuration is right"));
        let granted = recipe.grants.get(&identity.name).cloned().unwrap_or_default();
        let asked = &plugin.manifest().permissions;
        if !asked.is_empty() {
            console.say(format!("check: plugin {identity} may: {}", asked.lines().join(", ")));
        }
        let unused = granted.without(asked);
        if !unused.is_empty() {
            console.say(format!(
                "check: the recipe grants {identity} what it does not ask for: {}",
                unused.lines().join(", ")
            ));
        }
    }
    for name in recipe
        .grants
        .keys()
        .filter(|name| !plugins.used().iter().any(|plugin| plugin.identity().name == **name))
    {
        console.say(format!("check: the recipe grants {name} something, but does not use it"));
    }
    let base = base::bring(session, recipe)?;

    let mut job = dataset::job(session, recipe, &base.tokenizer, base.chat.as_ref(), &plugins)?;
    let bytes: u64 =
        job.sources.iter().filter_map(|source| fs::metadata(&source.path).ok()).map(|meta| meta.len()).sum();
    let sample = tempfile::tempdir()
        .map_err(|error| Report::new(format!("cannot make a temporary folder: {error}")))?;
    let whole = bytes <= WHOLE_BYTES;
    let cache = if whole { session.datasets() } else { sample.path().join("dataset") };
    if !whole {
        take_sample(&mut job);
        console.say(format!("check: of each data file only the first {SAMPLE_ROWS} rows"));
    }
    let (prepared, _) = dataset::prepare_job(session, &job, &cache)?;
    print(&super::prepare::summary(&prepared.report));
    print(&first_rows(&prepared.dataset, &base.tokenizer)?);

    let material = Material { session, recipe, base: &base, plugins: &plugins, dataset: &prepared.dataset };
    let stage = console.stage("check");
    let training = material.job()?;
    let batching = training.batching;
    let measured = probe(training).map_err(|error| {
        let records = prepared.dataset.origins(error.record_ids());
        Box::<Report>::from(error).records(records)
    })?;
    let lengths = prepared.dataset.train()?.lengths();
    let plan = BatchPlan::epoch(&lengths, &batching, recipe.train.seed, 0);
    let padded = plan.positions(&lengths);
    let epoch = measured.seconds * padded as f64 / (measured.tokens.max(1)) as f64;
    let memory = measured.peak_memory.map_or("not known here".to_string(), megabytes);
    let of_sample = if whole { "" } else { " of the sample" };
    stage.finish(&format!(
        "one step of {} rows and {} tokens forward and backward on {} in {:.2} s, loss {:.4}, gradient norm {:.3}",
        measured.rows,
        measured.tokens,
        session.global.device,
        measured.seconds,
        measured.loss,
        measured.gradient_norm,
    ));
    console.say(format!("check: peak memory {memory}; an epoch{of_sample} takes about {}", duration(epoch)));
    console.say("check: all is well");
    Ok(())
}

/// Limits the job to the beginnings of its files. Findings of a sample stop nothing: a label that is rare in it need not
/// be rare.
fn take_sample(job: &mut PrepareJob) {
    job.reading.limit = Some(SAMPLE_ROWS);
    for validator in &mut job.validators {
        validator.fail_on = None;
    }
    // A small test file may hold labels that the sample's training part lacks.
    job.sources.retain(|source| source.part == Part::Train);
}

/// The first training rows as the model sees them.
fn first_rows(dataset: &Dataset, tokenizer: &[u8]) -> Result<String, Box<Report>> {
    let names = token_names(tokenizer);
    let train = dataset.train()?;
    let mut text = String::from("first rows as tokens\n");
    for example in (0..SHOWN_ROWS).filter_map(|row| train.example(row)) {
        let label = learned(example.target, dataset.labels().names(), &names);
        let tokens = shown(example.ids.iter().copied(), &names);
        text.push_str(&format!("  {label} ({} tokens): {tokens}\n", example.ids.len()));
    }
    Ok(text)
}

/// The first of some tokens.
fn shown(mut ids: impl Iterator<Item = u32>, names: &HashMap<u32, String>) -> String {
    let name = |id: u32| names.get(&id).cloned().unwrap_or_else(|| id.to_string());
    let mut tokens: Vec<String> = ids.by_ref().take(SHOWN_TOKENS).map(name).collect();
    tokens.extend(ids.next().map(|_| "...".to_owned()));
    tokens.join(" ")
}

/// What is to be learned of a row; `tokens` are the names of the vocabulary's.
fn learned(target: RowTarget<'_>, names: &[String], tokens: &HashMap<u32, String>) -> String {
    let name = |id: usize| names.get(id).map_or("?", String::as_str);
    match target {
        RowTarget::Completion(labels) | RowTarget::Text(labels) => {
            format!("writes {} after", shown(labels.iter().filter_map(|id| u32::try_from(*id).ok()), tokens))
        }
        RowTarget::Class(id) => name(id as usize).to_owned(),
        RowTarget::Tokens(labels) => {
            let ids = labels.iter().filter_map(|label| usize::try_from(*label).ok());
            ids.take(SHOWN_TOKENS).map(name).collect::<Vec<_>>().join(" ")
        }
        RowTarget::Values(values) if names.is_empty() => {
            values.iter().map(f32::to_string).collect::<Vec<_>>().join(" ")
        }
        RowTarget::Values(values) => {
            let holding = values.iter().enumerate().filter(|(_, value)| **value > 0.5);
            let holding: Vec<&str> = holding.map(|(id, _)| name(id)).collect();
            if holding.is_empty() { "no label".to_owned() } else { holding.join(", ") }
        }
        RowTarget::Nothing => "text".to_owned(),
    }
}

/// Token id to token, from the bytes of tokenizer.json.
fn token_names(tokenizer: &[u8]) -> HashMap<u32, String> {
    let Ok(tokenizer) = serde_json::from_slice::<Value>(tokenizer) else { return HashMap::new() };
    let mut names = HashMap::new();
    match tokenizer.pointer("/model/vocab") {
        // WordPiece and BPE: token to id.
        Some(Value::Object(vocabulary)) => {
            for (token, id) in vocabulary {
                names.extend(id.as_u64().map(|id| (id as u32, token.clone())));
            }
        }
        // Unigram: pairs of token and score, the index is the id.
        Some(Value::Array(pieces)) => {
            for (id, piece) in pieces.iter().enumerate() {
                let token = piece.get(0).and_then(Value::as_str);
                names.extend(token.map(|token| (id as u32, token.to_string())));
            }
        }
        _ => {}
    }
    for added in tokenizer.get("added_tokens").and_then(Value::as_array).into_iter().flatten() {
        if let (Some(id), Some(token)) =
            (added.get("id").and_then(Value::as_u64), added.get("content").and_then(Value::as_str))
        {
            names.insert(id as u32, token.to_string());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_names_come_from_every_kind_of_tokenizer() {
        let words =
            br#"{"model": {"vocab": {"a": 0, "b": 5}}, "added_tokens": [{"id": 7, "content": "[X]"}]}"#;
        let names = token_names(words);
        assert_eq!((names[&5].as_str(), names[&7].as_str()), ("b", "[X]"));
        assert_eq!(token_names(br#"{"model": {"vocab": [["p", -1.0], ["q", -2.0]]}}"#)[&1], "q");
        assert!(token_names(b"nonsense").is_empty());
    }
}
