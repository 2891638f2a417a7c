//! `pegbox predict`: labels for texts.

use std::fs;
use std::io::Read;

use pegbox_train::{Prediction, predict};
use serde_json::json;

use crate::arguments::Predict;
use crate::console::print;
use crate::report::Report;
use crate::session::Session;
use crate::stages::{classifier, runs};
use pegbox_recipe::Recipe;

/// Texts that are computed together.
const BATCH: usize = 32;

pub fn run(session: &Session, arguments: &Predict) -> Result<(), Box<Report>> {
    let path = match &arguments.model {
        Some(path) => path.clone(),
        None => runs::find(&Recipe::load(&arguments.recipe)?, None)?.path().to_path_buf(),
    };
    let model = classifier::load(session, &path)?;
    session.console.say(format!("predict: {}", model.weights.display()));
    let texts = texts(arguments)?;
    let top = arguments.top as usize;
    let found = predict(&model.bert, &model.tokenizer, &model.labels, &texts, top, BATCH)?;
    for (text, prediction) in texts.iter().zip(&found) {
        print(&match arguments.json {
            true => as_json(text, prediction, arguments.logits),
            false => as_text(text, prediction),
        });
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
