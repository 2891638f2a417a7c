//! The YAML between the dashes (<https://huggingface.co/docs/hub/model-cards>). Every text is quoted.

use super::{Facts, Purpose};
use crate::escape::yaml;

pub fn write(facts: &Facts) -> String {
    let configuration = facts.configuration;
    let mut text = "---\n".to_owned();
    let mut line = |key: &str, value: Option<&str>| {
        if let Some(value) = value {
            text += &format!("{key}: {}\n", yaml(value));
        }
    };
    line("license", facts.licence());
    // The Hub knows models and datasets by its own names only: these come from the recipe or not at all.
    line("base_model", configuration.base_model.as_deref());
    line("library_name", Some("transformers"));
    line("pipeline_tag", Some(Purpose::of(facts.config).pipeline()));
    text += &list("language", &configuration.language);
    text += &list("datasets", &configuration.datasets);
    text += &list("tags", &["pegbox".to_owned()]);
    text += &model_index(facts);
    text + "---\n"
}

fn list(key: &str, values: &[String]) -> String {
    if values.is_empty() {
        return String::new();
    }
    let lines: String = values.iter().map(|value| format!("- {}\n", yaml(value))).collect();
    format!("{key}:\n{lines}")
}

/// The scores, one result for each part of the data.
fn model_index(facts: &Facts) -> String {
    let mut results = String::new();
    for (part, scores) in facts.scores().filter(|(_, scores)| !scores.is_empty()) {
        let dataset = facts.configuration.datasets.first().map_or("the recipe's data", String::as_str);
        results += &format!(
            "  - task:\n      type: {2}\n    dataset:\n      type: {0}\n      name: {0}\n      split: {1}\n    metrics:\n",
            yaml(dataset),
            yaml(part),
            Purpose::of(facts.config).pipeline(),
        );
        for (metric, score) in scores {
            results += &format!("    - type: {}\n      value: {score}\n", yaml(metric));
        }
    }
    if results.is_empty() {
        return results;
    }
    format!("model-index:\n- name: {}\n  results:\n{results}", yaml(&facts.name()))
}
