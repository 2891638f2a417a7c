//! `pegbox models inspect`: what a base model is.

use std::path::Path;

use clap::Args;
use pegbox_hub::{BaseModel, Facts, Request};
use serde::Serialize;

use super::parameters::{Parameters, headers};
use super::print_json;
use crate::console::{megabytes, print};
use crate::report::Report;
use crate::session::Session;
use crate::stages::base;

#[derive(Debug, Args)]
pub struct Inspect {
    /// `hf:org/name@revision`, `pypi:package==version`, `https://...#sha256=...`, a folder or a GGUF file
    pub source: String,
    /// Also every tensor
    #[arg(long)]
    pub tensors: bool,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

/// Everything that is known of a model without running it.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Inspected<'a> {
    source: &'a str,
    #[serde(flatten)]
    facts: &'a Facts,
    parameters: &'a Parameters,
    licence: Option<&'a str>,
    bytes: u64,
    revision: Option<&'a str>,
    digest: &'a str,
    folder: &'a Path,
}

pub fn run(session: &Session, arguments: &Inspect) -> Result<(), Box<Report>> {
    let model = base::fetch(session, &arguments.source, Path::new("."), &Request::default())?;
    let facts = Facts::of(&model.weights)?;
    let headers = headers(&model.weights)?;
    let parameters = Parameters::of(&headers);
    if arguments.json {
        return print_json(&Inspected {
            source: &arguments.source,
            facts: &facts,
            parameters: &parameters,
            licence: model.licence.as_deref(),
            bytes: model.bytes(),
            revision: model.revision.as_deref(),
            digest: &model.digest,
            folder: &model.folder,
        });
    }
    print(&shown(&arguments.source, &model, &facts, &parameters));
    if arguments.tensors {
        for header in &headers {
            print(&format!("  {:<64} {:<5} {:?}\n", header.name, header.dtype, header.shape));
        }
    }
    Ok(())
}

fn shown(source: &str, model: &BaseModel, facts: &Facts, parameters: &Parameters) -> String {
    let unknown = || "not stated".to_string();
    let number = |value: Option<u64>| value.map_or_else(unknown, |value| value.to_string());
    let shared = facts.key_value_heads.map_or(String::new(), |heads| format!(", {heads} of keys and values"));
    let tasks = match &facts.tasks[..] {
        [] => "nothing that Pegbox knows of".to_string(),
        tasks => tasks.join(", "),
    };
    let labels = match &facts.labels[..] {
        [] => "none".to_string(),
        labels => format!("{}: {}", labels.len(), labels.join(", ")),
    };
    let template = if facts.chat_template { ", a chat template" } else { "" };
    let mut lines = vec![
        (
            "architecture",
            format!(
                "{} ({}), {} layers, hidden size {}, {} heads{shared}",
                facts.architecture.clone().unwrap_or_else(unknown),
                facts.model_type.clone().unwrap_or_else(unknown),
                number(facts.layers),
                number(facts.hidden_size),
                number(facts.heads),
            ),
        ),
        ("parameters", parameters.shown()),
        ("context", facts.context.map_or_else(unknown, |tokens| format!("{tokens} tokens"))),
        ("serves", tasks),
        ("labels", labels),
        (
            "tokenizer",
            format!(
                "{}, vocabulary of {}{template}",
                facts.tokenizer.clone().unwrap_or_else(unknown),
                number(facts.vocabulary)
            ),
        ),
        ("licence", model.licence.clone().unwrap_or_else(unknown)),
        ("size", megabytes(model.bytes())),
    ];
    lines.extend(model.revision.clone().map(|commit| ("revision", commit)));
    lines.push(("digest", model.digest.clone()));
    lines.push(("folder", model.folder.display().to_string()));
    let lines: String = lines.iter().map(|(name, value)| format!("  {name:<13} {value}\n")).collect();
    format!("{source}\n{lines}")
}
