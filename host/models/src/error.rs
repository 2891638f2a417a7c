//! What can be wrong with a model.

use std::path::PathBuf;

use pegbox_weights::WeightsError;

/// Errors say what, where, and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error(transparent)]
    File(#[from] WeightsError),

    #[error("{}: {what}", path.display())]
    Config { path: PathBuf, what: String },

    #[error(
        "{}: the weights do not fit the configuration{}{}",
        path.display(),
        list("missing", missing),
        list("of another shape", misshapen)
    )]
    Weights { path: PathBuf, missing: Vec<String>, misshapen: Vec<String> },

    #[error("token id {id} at row {row}, position {position} is not in the vocabulary of {vocabulary}")]
    TokenId { id: u32, row: usize, position: usize, vocabulary: usize },

    #[error("a row of {tokens} tokens is longer than the model's {limit} positions")]
    TooLong { tokens: usize, limit: usize },

    #[error("token type {kind} in row {row}: the model has {types} token types")]
    TokenType { kind: u32, row: usize, types: usize },

    #[error(
        "a batch of {ids} token ids has {types} token types: there must be one mask value and one type a token"
    )]
    Ragged { ids: usize, types: usize },

    #[error("a batch needs at least one row and one token")]
    EmptyBatch,

    #[error("a batch has {inputs} rows to read and {targets} to write: there must be one of each a pair")]
    Pairs { inputs: usize, targets: usize },

    #[error(
        "label {label} at row {row}, position {position} is neither -100 nor in the vocabulary of {vocabulary}"
    )]
    Label { label: i32, row: usize, position: usize, vocabulary: usize },

    #[error("{places} places are not a part of {rows} rows of {tokens} tokens, as many of each row")]
    Places { places: usize, rows: usize, tokens: usize },

    #[error("a {model} has no head for `{task}`: it serves {known}")]
    Head { model: String, task: &'static str, known: String },

    #[error("a {model} cannot be given {given}")]
    Batch { model: String, given: &'static str },

    #[error("generation goes on with {rows} rows, which the rows before do not give")]
    DecoderRows { rows: usize },

    #[error("{what}")]
    Adapter { what: String, help: Option<String> },

    #[error("device `{name}`: {what}")]
    Device { name: String, what: String },
}

impl ModelError {
    /// How to mend it, where there is one usual way.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::File(error) => Some(error.help()),
            Self::Config { .. } => Some("compare config.json with the one published with the model".into()),
            Self::Weights { .. } => Some(
                "config.json and model.safetensors must come from the same model; `pegbox models inspect` lists the tensors".into(),
            ),
            Self::TokenId { .. } | Self::Label { .. } => Some("tokenizer.json and config.json must come from the same model".into()),
            Self::TokenType { .. } => Some("encode single texts: this model cannot tell so many apart".into()),
            Self::TooLong { .. } => Some("set `max-length` in [model] to at most the model's positions".into()),
            Self::Head { .. } => Some("choose another `source` or another `task` in [model]; `pegbox models list` shows which go together".into()),
            Self::Adapter { help, .. } => help.clone(),
            Self::Ragged { .. }
            | Self::Places { .. }
            | Self::Batch { .. }
            | Self::EmptyBatch
            | Self::Pairs { .. }
            | Self::DecoderRows { .. }
            | Self::Device { .. } => None,
        }
    }
}

fn list(title: &str, names: &[String]) -> String {
    match names {
        [] => String::new(),
        few if few.len() <= 4 => format!("; {title}: {}", few.join(", ")),
        _ => format!("; {title}: {} and {} more", names[..4].join(", "), names.len() - 4),
    }
}
