//! What can go wrong.

/// Settings that contradict themselves or mean nothing.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("generation_config.json is not what was expected: {0}")]
    Json(#[from] serde_json::Error),
    #[error("`{name}` is {value}; expected {expected}")]
    Value { name: &'static str, value: String, expected: &'static str },
    #[error("{count} answers a prompt without sampling or beams would be one answer {count} times")]
    OneAnswer { count: usize },
    #[error("{count} answers a prompt were asked for, of a search with {beams} beams")]
    Beams { count: usize, beams: usize },
    #[error("stop strings were given, but no tokenizer to find them with")]
    NoTokenizer,
}

impl SettingsError {
    /// What the user can do about it.
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::OneAnswer { .. } => "set do_sample, or num_beams",
            Self::Beams { .. } => "num_return_sequences may be num_beams at most",
            Self::NoTokenizer => "give the model's tokenizer, or end by token ids (eos_token_id)",
            Self::Json(_) => "its fields are those of Transformers' GenerationConfig",
            Self::Value { .. } => return None,
        })
    }
}

/// Why nothing more was generated. `E` is the decoder's error.
#[derive(Debug, thiserror::Error)]
pub enum GenerationError<E: std::error::Error + Send + Sync + 'static> {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("prompt {prompt} has no tokens; a model needs at least one to begin with")]
    EmptyPrompt { prompt: usize },
    #[error("prompt {prompt} has {length} tokens and leaves no room for an answer; the limit is {limit}")]
    TooLong { prompt: usize, length: usize, limit: usize },
    #[error("the model failed")]
    Model(#[source] E),
    #[error("the model gave {got} scores for {rows} rows of {vocabulary}; it is not this model's decoder")]
    Shape { rows: usize, vocabulary: usize, got: usize },
    #[error(
        "the scores for prompt {prompt} are no numbers after {tokens} tokens; the weights are broken or overflow"
    )]
    NotANumber { prompt: usize, tokens: usize },
    #[error(
        "no token may follow in the answer to prompt {prompt} after {tokens} tokens: every one is forbidden"
    )]
    NothingLeft { prompt: usize, tokens: usize },
    #[error(transparent)]
    Stream(#[from] crate::stream::StreamError),
}
