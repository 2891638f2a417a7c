//! Which known models suit a recipe, and why. Facts only: how well a model learns shows when it is trained.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::family::Family;
use crate::licence::Licences;

/// Bytes that training takes for each parameter in float32 with AdamW: the parameter, its gradient, two moments.
const TRAINED_BYTES: f64 = 16.0;
/// Stands for around a hundred languages.
const MANY: &str = "many";

/// What is known of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KnownModel {
    /// As a recipe would name it.
    pub source: String,
    pub model_type: Option<String>,
    /// Millions.
    pub parameters: Option<f64>,
    /// Tokens.
    pub context: Option<u64>,
    pub licence: Option<String>,
    /// By ISO 639-1; `many` for around a hundred. Empty where it is not known.
    #[serde(default)]
    pub languages: Vec<String>,
    /// What its texts were about, where they were about one thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The page that states the facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Whether it needs no network.
    #[serde(default)]
    pub here: bool,
}

/// The models that Pegbox knows of without having them.
pub fn catalogue() -> Vec<KnownModel> {
    #[derive(Deserialize)]
    struct Catalogue {
        model: Vec<KnownModel>,
    }
    // A test reads it: what is compiled in can be read.
    toml::from_str::<Catalogue>(include_str!("catalogue.toml")).map(|read| read.model).unwrap_or_default()
}

/// What a recipe asks of a model.
#[derive(Debug, Clone, Copy)]
pub struct Need<'a> {
    /// As recipes call it.
    pub task: &'a str,
    /// Of most of its texts, by ISO 639-1, where it can be told.
    pub language: Option<&'a str>,
    /// Tokens that the model must see at once.
    pub tokens: u64,
    /// Bytes of the device's memory, where it is known.
    pub memory: Option<u64>,
    /// Whether the device is a GPU: then a large model that fits is no burden.
    pub accelerated: bool,
    pub licences: Option<&'a Licences>,
}

/// A model, and what speaks for and against it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Advice {
    pub model: KnownModel,
    /// Nothing known speaks against it.
    pub suits: bool,
    pub reasons: Vec<String>,
    pub against: Vec<String>,
}

/// The models that serve the task: first those that suit, each group in the order of how closely their languages fit,
/// then of their size, the smaller first on a CPU and the larger first on a GPU.
pub fn recommend(models: Vec<KnownModel>, need: &Need<'_>) -> Vec<Advice> {
    let serves = |model: &KnownModel| {
        let family = model.model_type.as_deref().and_then(Family::of);
        family.is_some_and(|family| family.tasks().contains(&need.task))
    };
    let mut advice: Vec<Advice> =
        models.into_iter().filter(serves).map(|model| consider(model, need)).collect();
    advice.sort_by_key(|advice| {
        let model = &advice.model;
        // In thousands, so that they can be compared; what is not known comes last.
        let size = model.parameters.map_or(i64::MAX, |millions| (millions * 1e3) as i64);
        let size = if need.accelerated && size < i64::MAX { -size } else { size };
        let stranger = model.languages.is_empty();
        let many = model.languages.iter().any(|language| language == MANY);
        (
            !advice.suits,
            stranger,
            many,
            model.domain.is_some(),
            size,
            Reverse(model.here),
            model.source.clone(),
        )
    });
    advice
}

fn consider(model: KnownModel, need: &Need<'_>) -> Advice {
    let (mut reasons, mut against) = (Vec::new(), Vec::new());
    let family = model.model_type.as_deref().and_then(Family::of);
    if let (Some(family), Some(model_type)) = (family, &model.model_type) {
        reasons.push(format!("{} ({model_type}), for {}", family.named(), need.task));
    }
    match language(&model, need) {
        Some(Ok(reason)) => reasons.push(reason),
        Some(Err(what)) => against.push(what),
        None => {}
    }
    match model.context {
        Some(context) if context < need.tokens => {
            against.push(format!("sees {context} tokens, the recipe's max-length is {}", need.tokens));
        }
        Some(context) => reasons.push(format!("sees {context} tokens")),
        None => {}
    }
    match (memory(&model), need.memory) {
        (Some(bytes), Some(memory)) if bytes > memory as f64 => {
            let (bytes, memory) = (gigabytes(bytes), gigabytes(memory as f64));
            against.push(format!(
                "full training needs {bytes} for weights, gradients and AdamW, there are {memory}"
            ));
        }
        (Some(bytes), Some(_)) => {
            reasons.push(format!("full training needs {} and the activations", gigabytes(bytes)));
        }
        _ => {}
    }
    if let Some(licences) = need.licences {
        match &model.licence {
            Some(licence) if licences.allow(licence) => reasons.push(format!("{licence} is allowed")),
            Some(licence) => against.push(format!("{licence} is not in [policy].licences")),
            None => against.push("its licence is not known".to_string()),
        }
    }
    if let Some(domain) = &model.domain {
        reasons.push(format!("trained on texts about {domain}"));
    }
    if model.here {
        reasons.push("is here already".to_string());
    }
    Advice { suits: against.is_empty(), model, reasons, against }
}

/// What its languages say for or against it, if they are known.
fn language(model: &KnownModel, need: &Need<'_>) -> Option<Result<String, String>> {
    let wanted = need.language.filter(|_| !model.languages.is_empty())?;
    let shown = model.languages.join(", ");
    if model.languages.iter().any(|language| language == wanted) {
        return Some(Ok(format!("knows the data's language, {wanted}")));
    }
    match model.languages.iter().any(|language| language == MANY) {
        true => Some(Ok(format!("knows many languages, {wanted} probably among them"))),
        false => Some(Err(format!("knows {shown}, the data is in {wanted}"))),
    }
}

fn memory(model: &KnownModel) -> Option<f64> {
    Some(model.parameters? * 1e6 * TRAINED_BYTES)
}

fn gigabytes(bytes: f64) -> String {
    format!("{:.1} GB", bytes / 1e9)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::source::Source;

    const NEED: Need<'_> = Need {
        task: "classification",
        language: Some("en"),
        tokens: 128,
        memory: Some(8_000_000_000),
        accelerated: false,
        licences: None,
    };

    fn names(need: &Need<'_>) -> Vec<String> {
        let advice = recommend(catalogue(), need);
        advice.into_iter().filter(|advice| advice.suits).map(|advice| advice.model.source).collect()
    }

    #[test]
    fn the_catalogue_can_be_read_and_holds_facts_of_known_architectures() {
        let models = catalogue();
        assert!(models.len() > 10);
        for model in models {
            Source::parse(&model.source, Path::new("/")).unwrap();
            assert!(Family::of(model.model_type.as_deref().unwrap()).is_some(), "{}", model.source);
            assert_eq!(crate::licence::spdx(model.licence.as_deref().unwrap()), model.licence);
            assert!(model.page.is_some() && !model.languages.is_empty() && !model.here, "{}", model.source);
        }
    }

    #[test]
    fn english_classifiers_on_a_cpu_come_small_ones_first() {
        let names = names(&NEED);
        assert!(names[0].contains("MiniLM") || names[0].contains("minilm"), "{names:?}");
        assert!(names.iter().all(|name| !name.contains("t5") && !name.contains("gpt2")), "{names:?}");
        assert!(names.last().unwrap().contains("xlm-roberta"), "{names:?}");
        let on_gpu = self::names(&Need { accelerated: true, ..NEED });
        assert_eq!(on_gpu[0], "hf:FacebookAI/roberta-base");
    }

    #[test]
    fn what_speaks_against_a_model_is_said() {
        let german = recommend(catalogue(), &Need { language: Some("de"), ..NEED });
        assert_eq!(german[0].model.source, "hf:distilbert/distilbert-base-multilingual-cased");
        let english =
            german.iter().find(|advice| advice.model.source == "hf:FacebookAI/roberta-base").unwrap();
        assert_eq!(english.against, ["knows en, the data is in de"]);

        let large = recommend(catalogue(), &Need { task: "generation", tokens: 4096, ..NEED });
        let against = |name: &str| {
            large.iter().find(|advice| advice.model.source.ends_with(name)).unwrap().against.join("; ")
        };
        assert_eq!(against("gpt2"), "sees 1024 tokens, the recipe's max-length is 4096");
        assert!(
            against("Mistral-7B-v0.3").contains("full training needs 116.0 GB"),
            "{}",
            against("Mistral-7B-v0.3")
        );

        let licences = Licences::parse(&["MIT".to_string()]).unwrap();
        let allowed = names(&Need { licences: Some(&licences), ..NEED });
        assert_eq!(allowed, ["hf:FacebookAI/roberta-base", "hf:FacebookAI/xlm-roberta-base"]);
    }

    #[test]
    fn a_model_of_which_little_is_known_comes_last_among_those_that_suit() {
        let mine = KnownModel {
            source: "mine".into(),
            model_type: Some("bert".into()),
            parameters: None,
            context: None,
            licence: None,
            languages: Vec::new(),
            domain: None,
            page: None,
            here: true,
        };
        let advice = recommend(vec![mine].into_iter().chain(catalogue()).collect(), &NEED);
        let suiting: Vec<_> = advice.iter().filter(|advice| advice.suits).collect();
        assert_eq!(suiting.last().unwrap().model.source, "mine");
        assert_eq!(suiting.last().unwrap().reasons.last().unwrap(), "is here already");
    }
}
