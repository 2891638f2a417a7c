//! README.md: the model card, with the front matter that the Hugging Face Hub reads.

/// The YAML between the dashes.
mod front_matter;
/// What a model is for.
mod purpose;

use serde_json::{Map, Value};

use crate::configuration::Configuration;
use crate::escape::{block, code, plain};
use crate::provenance::Provenance;
use purpose::Purpose;

/// All that the card is made from.
pub struct Facts<'a> {
    pub configuration: &'a Configuration,
    /// config.json.
    pub config: &'a Map<String, Value>,
    /// Index = class id.
    pub labels: &'a [String],
    /// `{part: {metric: score}}`
    pub metrics: &'a Map<String, Value>,
    pub provenance: &'a Provenance,
}

pub fn write(facts: &Facts) -> String {
    let sections = [
        introduction(facts),
        usage(facts),
        classes(facts),
        evaluation(facts),
        provenance(facts),
        recipe(facts),
    ];
    format!(
        "{}\n{}",
        front_matter::write(facts),
        sections.into_iter().flatten().collect::<Vec<_>>().join("\n")
    )
}

impl Facts<'_> {
    /// The model's name.
    fn name(&self) -> String {
        match (&self.configuration.name, self.provenance.base()) {
            (Some(name), _) => name.clone(),
            (None, Some(base)) => format!("{base}, fine-tuned"),
            (None, None) => "Fine-tuned model".to_owned(),
        }
    }

    fn licence(&self) -> Option<&str> {
        self.configuration.licence.as_deref().or(self.provenance.licence.as_deref())
    }

    /// Every part that was evaluated, with its scores that are numbers.
    fn scores(&self) -> impl Iterator<Item = (&str, Vec<(&str, f64)>)> {
        self.metrics.iter().filter_map(|(part, scores)| {
            let scores = scores.as_object()?.iter();
            Some((
                part.as_str(),
                scores.filter_map(|(name, score)| Some((name.as_str(), score.as_f64()?))).collect(),
            ))
        })
    }

    fn pegbox_setting(&self, name: &str) -> Option<&Value> {
        self.config.get("pegbox")?.get(name)
    }
}

fn introduction(facts: &Facts) -> Option<String> {
    let from = facts.provenance.base().map(|base| format!(", fine-tuned from {}", code(&base)));
    let by = facts.provenance.pegbox.as_ref().map_or(String::new(), |version| format!(" {}", plain(version)));
    Some(format!(
        "# {}\n\n{}{}, made with Pegbox{by}.\n",
        plain(&facts.name()),
        Purpose::of(facts.config).describe(facts.labels.len()),
        from.unwrap_or_default(),
    ))
}

fn usage(facts: &Facts) -> Option<String> {
    let most = facts.pegbox_setting("max-length").and_then(Value::as_u64);
    let limit = most.map_or(String::new(), |most| format!(", truncation=True, max_length={most}"));
    let mut text =
        format!("## How to use it\n\n{}", block("python", &Purpose::of(facts.config).usage(&limit)));
    if facts.pegbox_setting("pooling").and_then(Value::as_str) == Some("mean") {
        text += "\nThis model averages over a text's tokens. Transformers' own class looks at the first token instead, so \
                 its answers differ; `pegbox predict --model path/to/this/folder` gives the model's.\n";
    }
    Some(text)
}

fn classes(facts: &Facts) -> Option<String> {
    let list: Vec<String> = facts.labels.iter().map(|label| code(label)).collect();
    (!list.is_empty()).then(|| format!("## Classes\n\nIn the order of their ids: {}\n", list.join(", ")))
}

fn evaluation(facts: &Facts) -> Option<String> {
    let mut text = "## Evaluation\n\n| part | metric | score |\n| --- | --- | --- |\n".to_owned();
    let mut any = false;
    for (part, scores) in facts.scores() {
        for (metric, score) in scores {
            text += &format!("| {} | {} | {score:.4} |\n", plain(part), plain(metric));
            any = true;
        }
    }
    any.then_some(text)
}

fn provenance(facts: &Facts) -> Option<String> {
    let from = facts.provenance;
    let mut text = "## What it was made from\n\n".to_owned();
    let mut line = |what: &str, value: Option<String>| {
        if let Some(value) = value {
            text += &format!("- {what}: {value}\n");
        }
    };
    let digest = |digest: &Option<String>| {
        digest.as_ref().map_or(String::new(), |digest| format!(", {}", code(digest)))
    };
    line("Base model", from.base().map(|base| code(&base) + &digest(&from.source_digest)));
    line(
        "Its licence",
        Some(from.licence.as_ref().map_or("it states none".to_owned(), |licence| plain(licence))),
    );
    for (path, digest) in &from.files {
        line("Data", Some(format!("{}, {}", code(path), code(digest))));
    }
    for plugin in &from.plugins {
        let name = format!("{} {}", plugin.name, plugin.version);
        line("Plugin", Some(code(&name) + &digest(&plugin.digest)));
    }
    line("Seed", from.seed.map(|seed| seed.to_string()));
    line("Optimizer steps", from.step.map(|step| step.to_string()));
    line("Pegbox", from.pegbox.as_ref().map(|version| plain(version)));
    text += "\n`pegbox-provenance.json` says the same to programs.\n";
    Some(text)
}

fn recipe(facts: &Facts) -> Option<String> {
    let recipe = facts.provenance.recipe.as_ref()?;
    Some(format!("## Recipe\n\n{}", block("toml", recipe)))
}
