//! What the recipe may say.

use pegbox_plugin::Element;
use serde::Deserialize;

pub const SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "dtype": {
      "enum": ["float32", "float16", "bfloat16"],
      "default": "float32",
      "description": "Number format of the weights"
    },
    "name": {
      "type": "string",
      "minLength": 1,
      "description": "The model's name in its card; without it, the base model's with an addition"
    },
    "licence": {
      "type": "string",
      "minLength": 1,
      "description": "The model's licence in its card, as the Hugging Face Hub names licences; without it, the base model's"
    },
    "language": {
      "type": "array",
      "items": { "type": "string", "minLength": 2 },
      "description": "Languages of the texts, ISO 639-1 codes, for the card"
    },
    "base-model": {
      "type": "string",
      "pattern": "^[^/\\s]+/[^/\\s]+$",
      "description": "The base model's name on the Hugging Face Hub, `owner/name`, for the card"
    },
    "datasets": {
      "type": "array",
      "items": { "type": "string", "minLength": 1 },
      "description": "Names of the datasets on the Hugging Face Hub, for the card"
    }
  }
}"#;

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Configuration {
    pub dtype: Dtype,
    pub name: Option<String>,
    pub licence: Option<String>,
    pub language: Vec<String>,
    pub base_model: Option<String>,
    pub datasets: Vec<String>,
}

/// Number format of the weights.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    #[default]
    Float32,
    Float16,
    BFloat16,
}

impl Dtype {
    /// As PyTorch and Transformers write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Float16 => "float16",
            Self::BFloat16 => "bfloat16",
        }
    }

    pub fn element(self) -> Element {
        match self {
            Self::Float32 => Element::Float32,
            Self::Float16 => Element::Float16,
            Self::BFloat16 => Element::BFloat16,
        }
    }
}
