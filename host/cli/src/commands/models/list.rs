//! `pegbox models list`: the models that are on this machine.

use clap::Args;
use pegbox_hub::{Facts, Stored};
use serde::Serialize;

use super::parameters::{Parameters, headers, millions};
use super::print_json;
use crate::console::{megabytes, print};
use crate::report::Report;
use crate::session::Session;
use crate::stages::base::short;

#[derive(Debug, Args)]
pub struct List {
    /// One JSON list
    #[arg(long)]
    pub json: bool,
}

/// A model that needs no network, as far as its files can be understood.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Listed {
    source: String,
    model_type: Option<String>,
    parameters: Option<u64>,
    licence: Option<String>,
    bytes: u64,
    revision: Option<String>,
    folder: std::path::PathBuf,
    /// Whether it lies in the cache of Hugging Face's tools.
    shared: bool,
}

pub fn run(session: &Session, arguments: &List) -> Result<(), Box<Report>> {
    let stored = session.models.stored();
    let listed: Vec<Listed> = stored.into_iter().map(Listed::of).collect();
    if arguments.json {
        return print_json(&listed);
    }
    if listed.is_empty() {
        session.console.say("models: none is here yet; `pegbox models pull` brings one");
        return Ok(());
    }
    let sources = listed.iter().map(Listed::name).collect::<Vec<_>>();
    let width = sources.iter().map(String::len).max().unwrap_or(0);
    for (model, source) in listed.iter().zip(sources) {
        let place = if model.shared { "kept by Hugging Face's tools" } else { "" };
        let line = format!(
            "{source:<width$}  {:<12} {:>9}  {:>10}  {:<14} {place}",
            model.model_type.as_deref().unwrap_or("?"),
            model.parameters.map_or("?".to_string(), millions),
            megabytes(model.bytes),
            model.licence.as_deref().unwrap_or("not stated"),
        );
        print(&format!("{}\n", line.trim_end()));
    }
    Ok(())
}

impl Listed {
    fn of(stored: Stored) -> Self {
        // A model that is damaged is listed all the same: it takes its place on the disk.
        let parameters = headers(&stored.weights).ok().map(|headers| Parameters::of(&headers).trainable);
        let facts = Facts::of(&stored.weights).unwrap_or_default();
        Self {
            source: stored.source,
            model_type: facts.model_type,
            parameters,
            licence: stored.licence,
            bytes: stored.bytes,
            revision: stored.revision,
            folder: stored.folder,
            shared: stored.shared,
        }
    }

    /// The source, and the commit where the source does not say it.
    fn name(&self) -> String {
        match &self.revision {
            Some(commit) if !self.source.contains(commit.as_str()) => {
                format!("{} ({})", self.source, short(commit))
            }
            _ => self.source.clone(),
        }
    }
}
