//! Which parameters stay as they are.

use std::collections::HashSet;

use glob::Pattern;

use pegbox_models::adapter::{is_adapters, is_of};
use pegbox_models::{Depth, ModelConfig};

use crate::error::{Fault, TrainError};
use crate::settings::{Freeze, FrozenLayers};

impl Freeze {
    /// Those of `names`, the parameters of a model of `config`, that are trained.
    ///
    /// # Errors
    /// A pattern that is none or that fits no parameter, a layer that the model does not have, or nothing is left to
    /// train.
    pub fn trained(&self, config: &ModelConfig, names: &[String]) -> Result<HashSet<String>, TrainError> {
        let mut trained: HashSet<String> =
            names.iter().filter(|name| self.may_train(name)).cloned().collect();
        for pattern in &self.patterns {
            let refuse = |what: String| {
                TrainError::from(Fault::Freeze {
                    pattern: pattern.clone(),
                    what,
                    example: names.first().cloned(),
                })
            };
            let glob = Pattern::new(pattern).map_err(|error| refuse(format!("is no pattern: {error}")))?;
            let frozen: Vec<&String> = names.iter().filter(|name| glob.matches(name)).collect();
            if frozen.is_empty() {
                return Err(refuse("fits no parameter of the model".into()));
            }
            for name in frozen {
                trained.remove(name);
            }
        }
        if let Some(layers) = &self.layers {
            let highest = match layers {
                FrozenLayers::Lowest(count) => *count,
                FrozenLayers::Numbers(numbers) => {
                    numbers.iter().max().map_or(0, |number| number.saturating_add(1))
                }
            };
            let count = u32::try_from(config.layers()).unwrap_or(u32::MAX);
            if highest > count {
                return Err(Fault::FreezeLayers { wanted: highest, count }.into());
            }
            trained.retain(|name| match (layers, config.depth_of(name)) {
                (FrozenLayers::Lowest(count), Depth::Layer(layer)) => layer >= *count as usize,
                (FrozenLayers::Lowest(_), depth) => depth != Depth::Below,
                (FrozenLayers::Numbers(numbers), depth) => {
                    !numbers.iter().any(|number| depth == Depth::Layer(*number as usize))
                }
            });
        }
        if trained.is_empty() {
            return Err(Fault::NothingToTrain.into());
        }
        Ok(trained)
    }

    /// Whether nothing but a pattern or a layer's number keeps a parameter from being trained: with adapters it is they
    /// and the modules that are trained whole.
    pub fn may_train(&self, name: &str) -> bool {
        let Some(saved) = &self.adapter else { return true };
        is_adapters(name) || saved.iter().any(|module| is_of(name, module))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn freeze(patterns: &[&str]) -> Result<Vec<String>, TrainError> {
        let patterns = patterns.iter().map(|pattern| pattern.to_string()).collect();
        trained(&Freeze { patterns, ..Freeze::default() })
    }

    fn trained(freeze: &Freeze) -> Result<Vec<String>, TrainError> {
        let names = [
            "bert.embeddings.word.weight",
            "bert.encoder.layer.0.a",
            "bert.encoder.layer.1.a",
            "classifier.weight",
        ];
        let names: Vec<String> = names.map(str::to_string).to_vec();
        let config = serde_json::json!({
            "vocab_size": 30, "hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 2,
            "intermediate_size": 20, "max_position_embeddings": 16,
        });
        let config = ModelConfig::from_json(config.as_object().unwrap().clone()).unwrap();
        let mut trained: Vec<String> = freeze.trained(&config, &names)?.into_iter().collect();
        trained.sort();
        Ok(trained)
    }

    #[test]
    fn layers_by_number_and_from_below() {
        let layers = |layers| trained(&Freeze { layers: Some(layers), ..Freeze::default() });
        assert_eq!(layers(FrozenLayers::Lowest(1)).unwrap(), ["bert.encoder.layer.1.a", "classifier.weight"]);
        assert_eq!(layers(FrozenLayers::Lowest(0)).unwrap().len(), 3, "the embeddings alone");
        assert_eq!(
            layers(FrozenLayers::Numbers(vec![1])).unwrap(),
            ["bert.embeddings.word.weight", "bert.encoder.layer.0.a", "classifier.weight"]
        );
        let error = layers(FrozenLayers::Lowest(3)).unwrap_err();
        assert!(error.to_string().contains("2 layers"), "{error}");
    }

    #[test]
    fn with_adapters_only_they_and_the_saved_modules_are_trained() {
        let freeze = Freeze { adapter: Some(vec!["classifier".into()]), ..Freeze::default() };
        assert_eq!(trained(&freeze).unwrap(), ["classifier.weight"]);
        assert!(freeze.may_train("base_model.model.bert.encoder.layer.0.a.lora_A.weight"));
        assert!(!freeze.may_train("classifier2.weight"));
    }

    #[test]
    fn patterns_are_globs_over_names() {
        assert_eq!(
            freeze(&["bert.embeddings.*", "bert.encoder.layer.[0].*"]).unwrap(),
            ["bert.encoder.layer.1.a", "classifier.weight"]
        );
        assert_eq!(freeze(&[]).unwrap().len(), 4);
    }

    #[test]
    fn a_pattern_that_fits_nothing_is_an_error() {
        let error = freeze(&["encoder.layer.0.*"]).unwrap_err();
        assert!(error.to_string().contains("`encoder.layer.0.*`"), "{error}");
        assert!(freeze(&["*"]).unwrap_err().to_string().contains("nothing"), "everything frozen");
    }
}
