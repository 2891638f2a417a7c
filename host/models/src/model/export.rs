//! config.json of a trained model, written for Transformers and read back.

use serde_json::{Map, Value, json};

use super::ModelConfig;
use crate::encoder::{Architecture, EncoderConfig};
use crate::head::{Head, Pooling, Problem, SentencePooling};

/// Names of a model's outputs, index = id.
pub type Labels = Vec<String>;

/// The key of config.json under which stands what Transformers has no name for.
const OWN: &str = "pegbox";

impl ModelConfig {
    /// config.json of the trained model, as Transformers' `AutoModelFor...` of the head reads it. `labels` are empty
    /// where the outputs have no names.
    pub fn trained(&self, head: Head, labels: &[String]) -> Map<String, Value> {
        let mut config = match self {
            Self::Encoder(config) => of_encoder(config, head, labels),
            Self::Gpt2(config) => config.for_generation(),
            Self::Llama(config) => config.for_generation(),
            Self::T5(config) => config.for_generation(),
        };
        for name in ["torch_dtype", "dtype"] {
            if config.contains_key(name) {
                config.insert(name.into(), "float32".into());
            }
        }
        // How the weights were stored before they were trained.
        config.remove("quantization_config");
        let own = match head {
            Head::Sequence { pooling: Pooling::Mean, .. } => json!({ "pooling": "mean" }),
            // The layer that means is one of the model's, which config.json counts.
            Head::Sequence { .. } => json!({ "pooling": "cls" }),
            Head::Embedding { pooling, normalise } => {
                json!({ "sentence-pooling": pooling, "normalise": normalise })
            }
            Head::Tokens { .. } | Head::MaskedLm | Head::CausalLm | Head::Seq2Seq => json!({}),
        };
        config.insert(OWN.into(), own);
        config
    }

    /// The head of a trained model, by the class that config.json names.
    ///
    /// # Errors
    /// It names none that has a head, or labels that make no sense; the error is one sentence.
    pub fn trained_head(&self) -> Result<Head, String> {
        let source = self.source();
        let class = source.get("architectures").and_then(|list| list.get(0)).and_then(Value::as_str);
        let class = class.ok_or("it names no class (`architectures`)")?;
        let head = match self {
            Self::Encoder(_) => head_of_encoder(source, class)?,
            Self::Gpt2(_) | Self::Llama(_) => {
                (class.ends_with("ForCausalLM") || class.ends_with("LMHeadModel")).then_some(Head::CausalLm)
            }
            Self::T5(_) => (class.ends_with("ForConditionalGeneration") || class == "T5WithLMHeadModel")
                .then_some(Head::Seq2Seq),
        };
        head.ok_or_else(|| format!("its class is `{class}`, whose head is not known here"))
    }
}

fn of_encoder(encoder: &EncoderConfig, head: Head, labels: &[String]) -> Map<String, Value> {
    let mut config = encoder.source.clone();
    config.insert("model_type".into(), encoder.architecture.model_type.into());
    config.insert("architectures".into(), json!([class(encoder.architecture, head)]));
    config.remove("problem_type");
    if let Head::Sequence { problem, .. } = head {
        config.insert("problem_type".into(), problem.name().into());
    }
    let unnamed: Labels;
    let labels = match head {
        // Transformers takes two outputs for granted where it is not told their names.
        Head::Sequence { outputs, .. } if labels.is_empty() => {
            unnamed = (0..outputs).map(|id| format!("LABEL_{id}")).collect();
            &unnamed
        }
        Head::Sequence { .. } | Head::Tokens { .. } => labels,
        Head::MaskedLm | Head::Embedding { .. } | Head::CausalLm | Head::Seq2Seq => &[],
    };
    if !labels.is_empty() {
        let ids = labels.iter().enumerate();
        let id2label: Map<String, Value> =
            ids.clone().map(|(id, label)| (id.to_string(), label.clone().into())).collect();
        let label2id: Map<String, Value> = ids.map(|(id, label)| (label.clone(), id.into())).collect();
        config.insert("id2label".into(), id2label.into());
        config.insert("label2id".into(), label2id.into());
    }
    config
}

/// None for a class whose head is not known.
fn head_of_encoder(source: &Map<String, Value>, class: &str) -> Result<Option<Head>, String> {
    let own = |name: &str| source.get(OWN).and_then(|own| own.get(name));
    Ok(Some(if class.ends_with("ForSequenceClassification") {
        let problem = source.get("problem_type").and_then(Value::as_str);
        Head::Sequence {
            outputs: labels(source)?.len(),
            pooling: match own("pooling").and_then(Value::as_str) {
                Some("mean") => Pooling::Mean,
                _ => Pooling::Cls,
            },
            problem: match problem {
                Some(name) => Problem::of(name).ok_or_else(|| format!("problem_type `{name}` is unknown"))?,
                None => Problem::SingleLabel,
            },
        }
    } else if class.ends_with("ForTokenClassification") {
        Head::Tokens { classes: labels(source)?.len() }
    } else if class.ends_with("ForMaskedLM") {
        Head::MaskedLm
    } else if class.ends_with("Model") {
        let pooling = own("sentence-pooling").cloned();
        let pooling = pooling.and_then(|pooling| serde_json::from_value(pooling).ok());
        Head::Embedding {
            pooling: pooling.unwrap_or(SentencePooling::Mean),
            normalise: own("normalise").and_then(Value::as_bool).unwrap_or(true),
        }
    } else {
        return Ok(None);
    }))
}

/// The names of a model's outputs, in the order of the ids: `id2label`, whose ids must be 0, 1, 2 and so on; without
/// it `LABEL_0` and so on for `num_labels` or two, as Transformers has it.
///
/// # Errors
/// A gap; the error is one sentence.
pub fn labels(config: &Map<String, Value>) -> Result<Labels, String> {
    let Some(map) = config.get("id2label").and_then(Value::as_object) else {
        let count = config.get("num_labels").and_then(Value::as_u64).unwrap_or(2).min(1 << 20);
        return Ok((0..count).map(|id| format!("LABEL_{id}")).collect());
    };
    if map.is_empty() {
        return Err("`id2label` is empty".into());
    }
    (0..map.len())
        .map(|id| {
            let label = map.get(&id.to_string()).and_then(Value::as_str);
            label.map(str::to_string).ok_or_else(|| format!("`id2label` has no label for id {id}"))
        })
        .collect()
}

/// The class in Transformers.
fn class(architecture: &Architecture, head: Head) -> String {
    let kind = match head {
        Head::Sequence { .. } => "ForSequenceClassification",
        Head::Tokens { .. } => "ForTokenClassification",
        Head::MaskedLm => "ForMaskedLM",
        // An encoder has no other.
        Head::Embedding { .. } | Head::CausalLm | Head::Seq2Seq => "Model",
    };
    format!("{}{kind}", architecture.class)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(model_type: &str) -> ModelConfig {
        let config = json!({
            "model_type": model_type, "vocab_size": 50, "hidden_size": 12, "num_hidden_layers": 2, "dtype": "float16",
            "num_attention_heads": 3, "intermediate_size": 20, "max_position_embeddings": 16, "type_vocab_size": 1,
            "problem_type": "regression",
        });
        ModelConfig::from_json(config.as_object().cloned().unwrap_or_default()).unwrap()
    }

    #[test]
    fn every_head_is_read_back() {
        let names = ["a", "b", "c"].map(String::from);
        let problem = Problem::MultiLabel;
        let heads = [
            (
                Head::Sequence { outputs: 3, pooling: Pooling::Mean, problem },
                "RobertaForSequenceClassification",
            ),
            (Head::Tokens { classes: 3 }, "RobertaForTokenClassification"),
            (Head::MaskedLm, "RobertaForMaskedLM"),
            (Head::Embedding { pooling: SentencePooling::Max, normalise: false }, "RobertaModel"),
        ];
        for (head, class) in heads {
            let trained = config("roberta").trained(head, &names);
            assert_eq!(trained["architectures"], json!([class]));
            assert_eq!(trained["dtype"], "float32");
            let again = ModelConfig::from_json(trained).unwrap();
            let named = matches!(head, Head::Sequence { .. } | Head::Tokens { .. });
            assert_eq!(again.source().contains_key("id2label"), named);
            assert_eq!(again.trained_head(), Ok(head));
            assert_eq!(
                again.source().contains_key("problem_type"),
                class.ends_with("ForSequenceClassification")
            );
        }
        assert_eq!(
            config("xlm-roberta").trained(Head::MaskedLm, &[])["architectures"],
            json!(["XLMRobertaForMaskedLM"])
        );
    }

    #[test]
    fn decoders_and_pairs_are_read_back_by_their_classes() {
        let config = |value: Value| ModelConfig::from_json(value.as_object().cloned().unwrap()).unwrap();
        let gpt2 = json!({ "model_type": "gpt2", "vocab_size": 9, "n_embd": 4, "n_layer": 1, "n_head": 2,
            "n_positions": 8, "torch_dtype": "float16", "quantization_config": {} });
        let llama = |family: &str| {
            json!({ "model_type": family, "vocab_size": 9, "hidden_size": 8, "intermediate_size": 8,
                "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 8, "head_dim": 4 })
        };
        let t5 = json!({ "model_type": "t5", "vocab_size": 9, "d_model": 4, "d_kv": 2, "d_ff": 4, "num_layers": 1,
            "num_heads": 2 });
        for (source, class, head, tied) in [
            (gpt2, "GPT2LMHeadModel", Head::CausalLm, true),
            (llama("llama"), "LlamaForCausalLM", Head::CausalLm, false),
            (llama("mistral"), "MistralForCausalLM", Head::CausalLm, false),
            (llama("qwen2"), "Qwen2ForCausalLM", Head::CausalLm, false),
            (llama("qwen3"), "Qwen3ForCausalLM", Head::CausalLm, false),
            (t5, "T5ForConditionalGeneration", Head::Seq2Seq, true),
        ] {
            let trained = config(source.clone()).trained(head, &[]);
            assert_eq!(trained["architectures"], json!([class]));
            assert_eq!(
                (&trained["model_type"], &trained["tie_word_embeddings"]),
                (&source["model_type"], &json!(tied))
            );
            assert!(!trained.contains_key("quantization_config"));
            assert!(trained.get("torch_dtype").is_none_or(|dtype| dtype == "float32"));
            assert_eq!(config(trained.into()).trained_head(), Ok(head));
            let mut other = source.as_object().cloned().unwrap();
            other.insert("architectures".into(), json!(["OtherForSequenceClassification"]));
            assert!(config(other.into()).trained_head().unwrap_err().contains("not known here"));
        }
    }

    #[test]
    fn labels_come_in_the_order_of_their_ids() {
        let map: Map<_, _> = (0..12).map(|id| (id.to_string(), format!("l{id}").into())).collect();
        let config = Map::from_iter([("id2label".to_string(), Value::Object(map))]);
        assert_eq!(labels(&config).unwrap()[10], "l10");
        let gap = json!({ "id2label": { "0": "a", "2": "b" } });
        assert!(labels(gap.as_object().unwrap()).unwrap_err().contains("id 1"));
        assert_eq!(labels(&Map::new()).unwrap(), ["LABEL_0", "LABEL_1"]);
    }
}
