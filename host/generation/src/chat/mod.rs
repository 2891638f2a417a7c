//! Conversations as the text that a model was trained on: the `chat_template` beside its tokenizer, rendered as
//! Transformers' `apply_chat_template` renders it.

/// What a template is given.
mod conversation;
/// What can go wrong.
mod error;
/// Values as JSON text, as Python writes it.
mod json;
/// Strings and numbers as Python has them.
mod python;
/// Where a tokenizer keeps its template.
mod source;
/// The template language as Transformers has it.
mod template;

pub use conversation::{Conversation, Message};
pub use error::ChatError;
pub use minijinja::Value;
pub use source::{ChatTemplates, SpecialTokens, TemplateSource};
pub use template::{ChatTemplate, Rendered};
