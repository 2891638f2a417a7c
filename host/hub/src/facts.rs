//! What the small files of a model say of it: its config and its tokenizer.

use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::error::HubError;
use crate::family::Family;
use crate::gguf;

/// What is known of a model without its weights. What its files do not say is `None`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Facts {
    /// Such as `BertForMaskedLM`.
    pub architecture: Option<String>,
    /// Such as `bert`.
    pub model_type: Option<String>,
    /// The tasks that the architecture serves; empty for one that Pegbox does not know.
    pub tasks: Vec<&'static str>,
    pub layers: Option<u64>,
    pub hidden_size: Option<u64>,
    pub heads: Option<u64>,
    /// Heads of keys and values, where several heads of queries share one.
    pub key_value_heads: Option<u64>,
    /// Tokens that the model sees at once.
    pub context: Option<u64>,
    /// Classes that it was trained for.
    pub labels: Vec<String>,
    /// Such as `WordPiece`.
    pub tokenizer: Option<String>,
    pub vocabulary: Option<u64>,
    /// Whether it brings a chat template.
    pub chat_template: bool,
}

impl Facts {
    /// Of a model as [`crate::BaseModel::weights`] names it: a folder in the form of Hugging Face Transformers, or a GGUF
    /// file.
    ///
    /// # Errors
    /// config.json cannot be read, or is no JSON object; a GGUF file that is damaged, or of an architecture that is not
    /// known.
    pub fn of(weights: &Path) -> Result<Self, HubError> {
        if weights.is_file() { gguf::facts(weights) } else { Self::of_folder(weights) }
    }

    fn of_folder(folder: &Path) -> Result<Self, HubError> {
        let config = read(&folder.join("config.json"))?;
        let mut facts = Self::of_config(&config);
        facts.read_tokenizer(folder)?;
        let tokenizer_config = optional(&folder.join("tokenizer_config.json"))?;
        let template = tokenizer_config.as_ref().and_then(|config| config.get("chat_template"));
        facts.chat_template = template.is_some_and(|template| !template.is_null())
            || ["chat_template.jinja", "chat_template.json"].iter().any(|name| folder.join(name).is_file());
        // T5 knows no positions of its own; its tokenizer says for how many tokens it was trained.
        let trained_for = || tokenizer_config.as_ref()?.get("model_max_length")?.as_u64();
        // Transformers writes 10^30 where there is no limit.
        facts.context = facts.context.or_else(|| trained_for().filter(|tokens| *tokens < 1 << 32));
        Ok(facts)
    }

    pub(crate) fn of_config(config: &Value) -> Self {
        let number = |names: &[&str]| names.iter().find_map(|name| config.get(*name)?.as_u64());
        let text = |value: &Value| value.as_str().map(str::to_string);
        let model_type = config.get("model_type").and_then(text);
        let family = model_type.as_deref().and_then(Family::of);
        let positions = number(&["max_position_embeddings", "n_positions", "n_ctx"]);
        // RoBERTa counts its positions from the one after the padding's.
        let offset = matches!(model_type.as_deref(), Some("roberta" | "xlm-roberta"))
            .then(|| config.get("pad_token_id").and_then(Value::as_u64).unwrap_or(1).saturating_add(1));
        let heads = number(&["num_attention_heads", "n_heads", "n_head", "num_heads"]);
        let names = config.get("id2label").and_then(Value::as_object);
        let mut labels: Vec<(u64, String)> = names
            .into_iter()
            .flatten()
            .filter_map(|(id, label)| Some((id.parse().ok()?, label.as_str()?.to_string())))
            // What Transformers writes where a model was never trained to classify.
            .filter(|(_, label)| !label.starts_with("LABEL_"))
            .collect();
        labels.sort();
        Self {
            architecture: config.get("architectures").and_then(|list| list.get(0)).and_then(text),
            tasks: family.map(|family| family.tasks().to_vec()).unwrap_or_default(),
            layers: number(&["num_hidden_layers", "n_layers", "n_layer", "num_layers"]),
            hidden_size: number(&["hidden_size", "dim", "n_embd", "d_model"]),
            key_value_heads: number(&["num_key_value_heads"]).filter(|count| Some(*count) != heads),
            heads,
            context: positions.map(|positions| positions.saturating_sub(offset.unwrap_or(0))),
            labels: labels.into_iter().map(|(_, label)| label).collect(),
            vocabulary: number(&["vocab_size"]),
            model_type,
            ..Self::default()
        }
    }

    fn read_tokenizer(&mut self, folder: &Path) -> Result<(), HubError> {
        let Some(tokenizer) = optional(&folder.join("tokenizer.json"))? else {
            let files = [
                ("vocab.txt", "WordPiece, as vocab.txt"),
                ("vocab.json", "BPE, as vocab.json and merges.txt"),
                ("spiece.model", "SentencePiece"),
                ("sentencepiece.bpe.model", "SentencePiece"),
                ("tokenizer.model", "SentencePiece"),
            ];
            let found = files.iter().find(|(name, _)| folder.join(name).is_file());
            self.tokenizer = found.map(|(_, kind)| kind.to_string());
            return Ok(());
        };
        self.tokenizer = tokenizer.pointer("/model/type").and_then(Value::as_str).map(str::to_string);
        let size = match tokenizer.pointer("/model/vocab") {
            Some(Value::Object(map)) => Some(map.len()),
            Some(Value::Array(list)) => Some(list.len()),
            _ => None,
        };
        self.vocabulary = size.map(|size| size as u64).or(self.vocabulary);
        Ok(())
    }
}

fn optional(path: &Path) -> Result<Option<Value>, HubError> {
    if path.is_file() { read(path).map(Some) } else { Ok(None) }
}

fn read(path: &Path) -> Result<Value, HubError> {
    let bytes = fs::read(path).map_err(HubError::io(path, "read"))?;
    let wrong = |what: String| HubError::io(path, "understand")(io::Error::other(what));
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    if value.is_object() { Ok(value) } else { Err(wrong("it is no JSON object".into())) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_family_names_its_sizes_differently() {
        let roberta = Facts::of_config(&json!({
            "model_type": "roberta", "architectures": ["RobertaForMaskedLM"], "max_position_embeddings": 514,
            "pad_token_id": 1, "num_hidden_layers": 12, "num_attention_heads": 12, "hidden_size": 768,
            "id2label": {"0": "LABEL_0", "1": "LABEL_1"},
        }));
        assert_eq!((roberta.context, roberta.layers, roberta.labels.len()), (Some(512), Some(12), 0));
        assert_eq!(roberta.tasks, ["classification", "tagging", "embedding", "masked-lm"]);
        let gpt2 = Facts::of_config(
            &json!({ "model_type": "gpt2", "n_layer": 12, "n_embd": 768, "n_positions": 1024 }),
        );
        assert_eq!((gpt2.context, gpt2.hidden_size, gpt2.tasks), (Some(1024), Some(768), vec!["generation"]));
        let qwen = json!({ "model_type": "qwen2", "num_attention_heads": 14, "num_key_value_heads": 2 });
        assert_eq!(Facts::of_config(&qwen).key_value_heads, Some(2));
        let tagger = json!({ "model_type": "bert", "id2label": {"1": "b", "0": "a", "10": "c"} });
        assert_eq!(Facts::of_config(&tagger).labels, ["a", "b", "c"]);
        assert!(Facts::of_config(&json!({ "model_type": "mamba" })).tasks.is_empty());
        let hostile =
            json!({ "model_type": 7, "vocab_size": -1, "id2label": [], "max_position_embeddings": "x" });
        assert_eq!(Facts::of_config(&hostile), Facts::default());
    }

    #[test]
    fn a_t5_has_the_context_of_its_tokenizer() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("config.json", r#"{"model_type": "t5", "vocab_size": 32128}"#);
        write("spiece.model", "");
        write("tokenizer_config.json", r#"{"model_max_length": 512, "chat_template": null}"#);
        let facts = Facts::of_folder(folder.path()).unwrap();
        assert_eq!((facts.context, facts.vocabulary, facts.chat_template), (Some(512), Some(32128), false));
        assert_eq!(facts.tokenizer.as_deref(), Some("SentencePiece"));
        write("config.json", "[]");
        assert!(Facts::of_folder(folder.path()).unwrap_err().to_string().ends_with("it is no JSON object"));
    }
}
