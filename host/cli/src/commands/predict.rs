//! `pegbox predict`: labels, numbers, vectors or answers for texts, or tags for their words.

use std::fs;
use std::io::Read;

use pegbox_data::TextTokenizer;
use pegbox_generation::GenerationSettings;
use pegbox_models::{Head, Model, Problem};
use pegbox_train::{Entity, Prediction, Tagged, Writing, predict, tag, write};
use serde_json::json;

use crate::arguments::Predict;
use crate::console::print;
use crate::report::Report;
use crate::session::Session;
use crate::stages::trained::Trained;
use crate::stages::{runs, trained};
use pegbox_recipe::Recipe;

/// Texts that are computed together.
const BATCH: usize = 32;

pub fn run(session: &Session, arguments: &Predict) -> Result<(), Box<Report>> {
    let path = match &arguments.model {
        Some(path) => path.clone(),
        None => runs::find(&Recipe::load(&arguments.recipe)?, None)?.path().to_path_buf(),
    };
    let trained = trained::load(session, &path, arguments.base.as_deref())?;
    let Trained { model, tokenizer, labels, writing, weights } = &trained;
    session.console.say(format!("predict: {}", weights.display()));
    let texts = texts(arguments)?;
    if model.head() == Head::MaskedLm {
        return Err(Report::new(format!("{} is a masked language model", path.display()))
            .help("it is a base model for other tasks: name its folder as `source` in [model]"));
    }
    if matches!(model.head(), Head::CausalLm | Head::Seq2Seq) {
        return answers(model, tokenizer, writing, &texts, arguments.json);
    }
    if matches!(model.head(), Head::Tokens { .. }) {
        let found = tag(model, tokenizer, labels, &texts, BATCH)?;
        for (text, tagged) in texts.iter().zip(&found) {
            print(&match arguments.json {
                true => tags_as_json(text, tagged, arguments.logits),
                false => tags_as_text(text, tagged),
            });
        }
        return Ok(());
    }
    let found = predict(model, tokenizer, labels, &texts, arguments.top as usize, BATCH)?;
    for (text, prediction) in texts.iter().zip(&found) {
        print(&match model.head() {
            Head::Sequence { problem: Problem::Regression, .. } => {
                numbers(text, "value", prediction, arguments.json)
            }
            Head::Embedding { .. } => numbers(text, "vector", prediction, true),
            _ if arguments.json => as_json(text, prediction, arguments.logits),
            _ => as_text(text, prediction),
        });
    }
    Ok(())
}

/// Writes what the model answers to each text, always the likeliest token, as soon as those of a batch are done.
fn answers(
    model: &Model,
    tokenizer: &TextTokenizer,
    writing: &Writing,
    texts: &[String],
    json: bool,
) -> Result<(), Box<Report>> {
    let settings = GenerationSettings {
        max_new_tokens: Some(writing.max_tokens),
        eos_token_id: writing.end.clone(),
        ..GenerationSettings::default()
    };
    let encode = |text: &String| match model.head() {
        Head::Seq2Seq => tokenizer.source(text),
        _ => tokenizer.prompt(text),
    };
    for texts in texts.chunks(BATCH) {
        let prompts = texts.iter().map(encode).collect::<Result<Vec<_>, String>>();
        let prompts = prompts.map_err(|what| Report::new(format!("a text cannot be tokenized: {what}")))?;
        for (text, answer) in texts.iter().zip(write(model, &prompts, &settings, Some(tokenizer))?) {
            print(&match json {
                true => format!("{}\n", json!({ "text": text, "answer": answer.text })),
                false => format!("{text}\n  {}\n", answer.text.replace('\n', "\n  ")),
            });
        }
    }
    Ok(())
}

fn texts(arguments: &Predict) -> Result<Vec<String>, Box<Report>> {
    if !arguments.texts.is_empty() {
        return Ok(arguments.texts.clone());
    }
    let lines = match &arguments.file {
        Some(path) => fs::read_to_string(path)
            .map_err(|error| Report::usage(format!("cannot read {}: {error}", path.display())))?,
        None => {
            let mut lines = String::new();
            std::io::stdin()
                .read_to_string(&mut lines)
                .map_err(|error| Report::new(format!("cannot read the standard input: {error}")))?;
            lines
        }
    };
    Ok(lines.lines().filter(|line| !line.trim().is_empty()).map(str::to_string).collect())
}

/// A model's own numbers: a value, or the vector of a text.
fn numbers(text: &str, name: &str, prediction: &Prediction, json: bool) -> String {
    let logits = &prediction.logits;
    if !json {
        let logits: Vec<String> = logits.iter().map(f32::to_string).collect();
        return format!("{text}\n  {}\n", logits.join(" "));
    }
    let value = if let [one] = &logits[..] { json!(one) } else { json!(logits) };
    format!("{}\n", json!({ "text": text, name: value }))
}

fn as_json(text: &str, prediction: &Prediction, logits: bool) -> String {
    let labels: Vec<_> = prediction
        .top
        .iter()
        .map(|likely| json!({ "label": likely.class, "probability": likely.probability }))
        .collect();
    let mut object = json!({ "text": text, "labels": labels });
    if logits {
        object["logits"] = json!(prediction.logits);
    }
    format!("{object}\n")
}

fn as_text(text: &str, prediction: &Prediction) -> String {
    let mut lines = format!("{text}\n");
    for likely in &prediction.top {
        lines.push_str(&format!("  {:>6.2}%  {}\n", likely.probability * 100.0, likely.class));
    }
    lines
}

fn tags_as_json(text: &str, tagged: &Tagged, logits: bool) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let entities: Vec<_> = tagged
        .entities
        .iter()
        .map(|entity| json!({ "type": entity.kind, "words": [entity.first, entity.end], "text": named(&words, entity) }))
        .collect();
    let tags: Vec<_> = tagged.words.iter().map(|word| word.as_ref().map(|word| &word.tag)).collect();
    let probabilities: Vec<_> =
        tagged.words.iter().map(|word| word.as_ref().map(|word| word.probability)).collect();
    let mut object =
        json!({ "text": text, "tags": tags, "probabilities": probabilities, "entities": entities });
    if logits {
        let logits: Vec<_> = tagged.words.iter().map(|word| word.as_ref().map(|word| &word.logits)).collect();
        object["logits"] = json!(logits);
    }
    format!("{object}\n")
}

fn tags_as_text(text: &str, tagged: &Tagged) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut lines = format!("{text}\n");
    for entity in &tagged.entities {
        lines.push_str(&format!("  {:<16} {}\n", entity.kind, named(&words, entity)));
    }
    lines
}

/// The words of an entity.
fn named(words: &[&str], entity: &Entity) -> String {
    words.get(entity.first..entity.end).unwrap_or_default().join(" ")
}
