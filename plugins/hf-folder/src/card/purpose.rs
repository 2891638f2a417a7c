//! What a model is for, told by the class that config.json names.

use serde_json::{Map, Value};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    Classification,
    MultiLabel,
    Regression,
    Tagging,
    MaskedLm,
    Embeddings,
    /// Goes on with a text.
    Generation,
    /// Writes a text for a text.
    Seq2Seq,
}

impl Purpose {
    pub fn of(config: &Map<String, Value>) -> Self {
        let class = config.get("architectures").and_then(|list| list.get(0)).and_then(Value::as_str);
        match class.unwrap_or_default() {
            class if class.ends_with("ForTokenClassification") => Self::Tagging,
            class if class.ends_with("ForMaskedLM") => Self::MaskedLm,
            class if class.ends_with("ForCausalLM") || class.ends_with("LMHeadModel") => Self::Generation,
            class if class.ends_with("ForConditionalGeneration") => Self::Seq2Seq,
            class if class.ends_with("Model") => Self::Embeddings,
            _ => match config.get("problem_type").and_then(Value::as_str) {
                Some("multi_label_classification") => Self::MultiLabel,
                Some("regression") => Self::Regression,
                _ => Self::Classification,
            },
        }
    }

    /// The Hub's name of the task.
    pub fn pipeline(self) -> &'static str {
        match self {
            Self::Classification | Self::MultiLabel | Self::Regression => "text-classification",
            Self::Tagging => "token-classification",
            Self::MaskedLm => "fill-mask",
            Self::Embeddings => "sentence-similarity",
            // The Hub has no other name for it any more: https://github.com/huggingface/huggingface.js/pull/1590.
            Self::Generation | Self::Seq2Seq => "text-generation",
        }
    }

    /// "A text classifier with 3 classes".
    pub fn describe(self, labels: usize) -> String {
        match self {
            Self::Classification => format!("A text classifier with {labels} classes"),
            Self::MultiLabel => format!("A text classifier with {labels} labels, any number of them a text"),
            Self::Regression => "A text regressor".to_owned(),
            Self::Tagging => format!("A tagger of tokens with {labels} tags"),
            Self::MaskedLm => "A masked language model".to_owned(),
            Self::Embeddings => "A model of sentence embeddings".to_owned(),
            Self::Generation => "A language model".to_owned(),
            Self::Seq2Seq => "A sequence-to-sequence model".to_owned(),
        }
    }

    /// Python that uses it; `limit` is what cuts long texts, as more arguments of a call.
    pub fn usage(self, limit: &str) -> String {
        match self {
            Self::Classification => classifier(limit),
            // One number a label, none of them for the others' sake.
            Self::MultiLabel => classifier(&format!(", top_k=None, function_to_apply=\"sigmoid\"{limit}")),
            Self::Regression => classifier(&format!(", function_to_apply=\"none\"{limit}")),
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
            Self::Generation => "from transformers import pipeline\n\n\
                 write = pipeline(\"text-generation\", model=\"path/to/this/folder\")\n\
                 print(write(\"some text\", max_new_tokens=64))"
                .to_owned(),
            Self::Seq2Seq => format!(
                "from transformers import AutoModelForSeq2SeqLM, AutoTokenizer\n\n\
                 tokenizer = AutoTokenizer.from_pretrained(\"path/to/this/folder\")\n\
                 model = AutoModelForSeq2SeqLM.from_pretrained(\"path/to/this/folder\")\n\
                 read = tokenizer(\"some text\", return_tensors=\"pt\"{limit})\n\
                 written = model.generate(read.input_ids, max_new_tokens=64)\n\
                 print(tokenizer.decode(written[0], skip_special_tokens=True))"
            ),
        }
    }
}

fn classifier(arguments: &str) -> String {
    format!(
        "from transformers import pipeline\n\n\
         classify = pipeline(\"text-classification\", model=\"path/to/this/folder\")\n\
         print(classify(\"some text\"{arguments}))"
    )
}
