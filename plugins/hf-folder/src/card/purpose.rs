//! What a model is for, told by the class that config.json names.

use serde_json::{Map, Value};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    Classification,
    Tagging,
    MaskedLm,
    Embeddings,
}

impl Purpose {
    pub fn of(config: &Map<String, Value>) -> Self {
        let class = config.get("architectures").and_then(|list| list.get(0)).and_then(Value::as_str);
        match class.unwrap_or_default() {
            class if class.ends_with("ForTokenClassification") => Self::Tagging,
            class if class.ends_with("ForMaskedLM") => Self::MaskedLm,
            class if class.ends_with("Model") => Self::Embeddings,
            _ => Self::Classification,
        }
    }

    /// The Hub's name of the task.
    pub fn pipeline(self) -> &'static str {
        match self {
            Self::Classification => "text-classification",
            Self::Tagging => "token-classification",
            Self::MaskedLm => "fill-mask",
            Self::Embeddings => "sentence-similarity",
        }
    }

    /// "A text classifier with 3 classes".
    pub fn describe(self, labels: usize) -> String {
        match self {
            Self::Classification => format!("A text classifier with {labels} classes"),
            Self::Tagging => format!("A tagger of tokens with {labels} tags"),
            Self::MaskedLm => "A masked language model".to_owned(),
            Self::Embeddings => "A model of sentence embeddings".to_owned(),
        }
    }

    /// Python that uses it; `limit` is what cuts long texts, as more arguments of a call.
    pub fn usage(self, limit: &str) -> String {
        match self {
            Self::Classification => format!(
                "from transformers import pipeline\n\n\
                 classify = pipeline(\"text-classification\", model=\"path/to/this/folder\")\n\
                 print(classify(\"some text\"{limit}))"
            ),
            Self::Tagging => "from transformers import pipeline\n\n\
                 tag = pipeline(\"token-classification\", model=\"path/to/this/folder\", aggregation_strategy=\"first\")\n\
                 print(tag(\"some text\"))"
                .to_owned(),
            Self::MaskedLm => "from transformers import pipeline\n\n\
                 fill = pipeline(\"fill-mask\", model=\"path/to/this/folder\")\n\
                 print(fill(f\"some {fill.tokenizer.mask_token} text\"))"
                .to_owned(),
            Self::Embeddings => format!(
                "from transformers import AutoModel, AutoTokenizer\n\n\
                 tokenizer = AutoTokenizer.from_pretrained(\"path/to/this/folder\")\n\
                 model = AutoModel.from_pretrained(\"path/to/this/folder\")\n\
                 states = model(**tokenizer(\"some text\", return_tensors=\"pt\"{limit})).last_hidden_state"
            ),
        }
    }
}
