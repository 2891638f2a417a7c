//! What stands around the model in a tokenizer.json, and the files beside it.

use serde_json::{Map, Value, json};
use tokenizers::{NormalizerWrapper, PreTokenizerWrapper};

use super::{Kind, TrainSettings};
use crate::error::VocabularyError;

/// What a piece of WordPiece begins with that continues a word.
pub(super) const CONTINUES: &str = "##";

/// Normaliser, pre-tokenizer and special tokens that fit a kind of model.
pub(super) struct Shape {
    kind: Kind,
    normalizer_json: Value,
    pub normalizer: Option<NormalizerWrapper>,
    pre_tokenizer_json: Value,
    pub pre_tokenizer: PreTokenizerWrapper,
    special: Vec<String>,
}

impl Shape {
    pub fn of(settings: &TrainSettings) -> Result<Self, VocabularyError> {
        let kind = settings.kind;
        let normalizer_json = normalizer(kind, settings.lowercase);
        let pre_tokenizer_json = pre_tokenizer(kind);
        let failed = |error: serde_json::Error| VocabularyError::Tokenizer {
            path: "tokenizer.json".into(),
            what: error.to_string(),
        };
        Ok(Self {
            kind,
            normalizer: serde_json::from_value(normalizer_json.clone()).map_err(failed)?,
            normalizer_json,
            pre_tokenizer: serde_json::from_value(pre_tokenizer_json.clone()).map_err(failed)?,
            pre_tokenizer_json,
            special: special(settings)?,
        })
    }

    /// Special tokens in the order of their ids, from 0.
    pub fn special(&self) -> &[String] {
        &self.special
    }

    /// The token of what is not in the vocabulary; empty for a kind that knows everything.
    pub fn unknown(&self) -> &'static str {
        match self.kind {
            Kind::Bpe => "",
            Kind::WordPiece => "[UNK]",
            Kind::Unigram => "<unk>",
        }
    }

    /// The whole tokenizer.json around `model`.
    pub fn around(&self, model: Value) -> Value {
        let added: Vec<Value> = self
            .special
            .iter()
            .enumerate()
            .map(|(id, token)| {
                json!({ "id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
                        "normalized": false, "special": true })
            })
            .collect();
        json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
            "normalizer": self.normalizer_json, "pre_tokenizer": self.pre_tokenizer_json,
            "post_processor": self.post_processor(), "decoder": self.decoder(), "model": model,
        })
    }

    fn post_processor(&self) -> Value {
        let id = |token: &str| self.special.iter().position(|special| special == token);
        let token = |token: &str, kind: u32| json!({ "SpecialToken": { "id": token, "type_id": kind } });
        let sequence = |name: &str, kind: u32| json!({ "Sequence": { "id": name, "type_id": kind } });
        let about =
            |token: &str| (token.to_owned(), json!({ "id": token, "ids": [id(token)], "tokens": [token] }));
        match self.kind {
            Kind::Bpe => byte_level(),
            Kind::WordPiece => json!({
                "type": "TemplateProcessing",
                "single": [token("[CLS]", 0), sequence("A", 0), token("[SEP]", 0)],
                "pair": [token("[CLS]", 0), sequence("A", 0), token("[SEP]", 0), sequence("B", 1),
                         token("[SEP]", 1)],
                "special_tokens": Map::from_iter(["[CLS]", "[SEP]"].map(about)),
            }),
            Kind::Unigram => json!({
                "type": "TemplateProcessing",
                "single": [sequence("A", 0), token("</s>", 0)],
                "pair": [sequence("A", 0), token("</s>", 0), sequence("B", 0), token("</s>", 0)],
                "special_tokens": Map::from_iter(["</s>"].map(about)),
            }),
        }
    }

    fn decoder(&self) -> Value {
        match self.kind {
            Kind::Bpe => byte_level(),
            Kind::WordPiece => json!({ "type": "WordPiece", "prefix": CONTINUES, "cleanup": true }),
            Kind::Unigram => metaspace(),
        }
    }

    /// tokenizer_config.json. The generic class takes everything from tokenizer.json; a class with a name of its own
    /// would build parts of it anew.
    pub fn config(&self) -> Value {
        let mut config = self.named();
        config.insert("tokenizer_class".into(), "PreTrainedTokenizerFast".into());
        config.insert("clean_up_tokenization_spaces".into(), false.into());
        let inputs = match self.kind {
            Kind::WordPiece => json!(["input_ids", "token_type_ids", "attention_mask"]),
            _ => json!(["input_ids", "attention_mask"]),
        };
        config.insert("model_input_names".into(), inputs);
        Value::Object(config)
    }

    pub fn special_tokens_map(&self) -> Value {
        Value::Object(self.named())
    }

    /// Which token plays which part.
    fn named(&self) -> Map<String, Value> {
        let parts: &[(&str, &str)] = match self.kind {
            Kind::Bpe => {
                &[("bos_token", "<|endoftext|>"), ("eos_token", "<|endoftext|>"), ("pad_token", "<|pad|>")]
            }
            Kind::WordPiece => &[
                ("pad_token", "[PAD]"),
                ("unk_token", "[UNK]"),
                ("cls_token", "[CLS]"),
                ("sep_token", "[SEP]"),
                ("mask_token", "[MASK]"),
            ],
            Kind::Unigram => &[("pad_token", "<pad>"), ("eos_token", "</s>"), ("unk_token", "<unk>")],
        };
        let mut named: Map<String, Value> =
            parts.iter().map(|(part, token)| ((*part).to_owned(), (*token).into())).collect();
        let own = self.special.iter().skip(of_kind(self.kind).len());
        let own: Vec<Value> = own.map(|token| token.clone().into()).collect();
        if !own.is_empty() {
            named.insert("additional_special_tokens".into(), own.into());
        }
        named
    }
}

fn of_kind(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Bpe => &["<|endoftext|>", "<|pad|>"],
        Kind::WordPiece => &["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
        Kind::Unigram => &["<pad>", "</s>", "<unk>"],
    }
}

fn special(settings: &TrainSettings) -> Result<Vec<String>, VocabularyError> {
    let mut special: Vec<String> = of_kind(settings.kind).iter().map(|token| (*token).to_owned()).collect();
    for token in &settings.special {
        let wrong = |what| VocabularyError::Special { token: token.clone(), what };
        if token.trim().is_empty() {
            return Err(wrong("is empty"));
        }
        if special.contains(token) {
            return Err(wrong("is there already"));
        }
        special.push(token.clone());
    }
    Ok(special)
}

fn normalizer(kind: Kind, lowercase: bool) -> Value {
    let lower = lowercase.then(|| json!({ "type": "Lowercase" }));
    match kind {
        // Without one, decoding gives back the text.
        Kind::Bpe => lower.unwrap_or(Value::Null),
        Kind::WordPiece => json!({
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
            "lowercase": lowercase,
        }),
        Kind::Unigram => {
            let steps = [
                json!({ "type": "NFKC" }),
                json!({ "type": "Replace", "pattern": { "Regex": "\\s+" }, "content": " " }),
                json!({ "type": "Strip", "strip_left": true, "strip_right": true }),
            ];
            let steps: Vec<Value> = steps.into_iter().chain(lower).collect();
            json!({ "type": "Sequence", "normalizers": steps })
        }
    }
}

fn pre_tokenizer(kind: Kind) -> Value {
    match kind {
        Kind::Bpe => byte_level(),
        Kind::WordPiece => json!({ "type": "BertPreTokenizer" }),
        Kind::Unigram => metaspace(),
    }
}

fn byte_level() -> Value {
    json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true })
}

fn metaspace() -> Value {
    json!({ "type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true })
}
