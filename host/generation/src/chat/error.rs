//! What can go wrong.

use minijinja::ErrorKind;

/// `Display` is one line; [`ChatError::help`] says how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    #[error("there is no chat template: the tokenizer's files hold none")]
    NoTemplate,
    #[error("{file} is not what was expected: {source}")]
    Json { file: String, source: serde_json::Error },
    #[error("the chat template is no template, line {line}: {what}")]
    Syntax { line: usize, what: String },
    /// The template called `raise_exception`.
    #[error("the chat template refuses the conversation: {0}")]
    Refused(String),
    #[error("the chat template failed at line {line}: {what}")]
    Failed { line: usize, what: String },
    #[error("the chat template does more work than any conversation needs, and was stopped at line {line}")]
    OutOfFuel { line: usize },
    #[error("the chat template wrote more than {limit} bytes, and was stopped")]
    TooLong { limit: usize },
    #[error("message {place}: {what}")]
    Message { place: usize, what: &'static str },
    #[error("the conversation is empty; expected at least one message")]
    Empty,
    #[error("the last message cannot be continued: {0}")]
    NotContinued(&'static str),
}

/// What `raise_exception` raises.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Raised(pub String);

impl ChatError {
    /// What the user can do about it.
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoTemplate => {
                "base models have none: take the model's instruct or chat version, or name a template of your own"
            }
            Self::Refused(_) => "many models want user and assistant in turns, and some no system message",
            Self::OutOfFuel { .. } | Self::TooLong { .. } => {
                "a chat template is a program that came with the model; look at it before you trust the model"
            }
            Self::NotContinued(_) => "end the conversation with an assistant's message that has text",
            Self::Syntax { .. } | Self::Failed { .. } => {
                "expected a template for Jinja2 as Transformers runs it; does it render there?"
            }
            Self::Json { .. } | Self::Message { .. } | Self::Empty => return None,
        })
    }

    pub(crate) fn of(error: &minijinja::Error) -> Self {
        let line = error.line().unwrap_or(0);
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(inner) = cause {
            if let Some(Raised(message)) = inner.downcast_ref() {
                return Self::Refused(message.clone());
            }
            cause = inner.source();
        }
        let what = || error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
        match error.kind() {
            ErrorKind::SyntaxError => Self::Syntax { line, what: what() },
            ErrorKind::OutOfFuel => Self::OutOfFuel { line },
            kind => Self::Failed {
                line,
                what: error.detail().map_or(kind.to_string(), |d| format!("{kind}: {d}")),
            },
        }
    }
}
