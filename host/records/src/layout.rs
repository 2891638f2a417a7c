//! How rows are made: fields, or one of the conventions of instruction and preference data.

/// Lists of turns, and what is made of them.
pub(crate) mod chat;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What the fields of a row mean. Each layout but [`Layout::Fields`] makes the values of some roles in its
/// own way; every other role of the schema is read by name beside them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Every role is a field of its own.
    Fields,
    /// `instruction`, `input`, `output`, `system`. The prompt is the instruction, then, where there is an
    /// input, a blank line and the input.
    Alpaca,
    /// `conversations`: a list of `from` (`human`, `gpt`, `system`) and `value`; also `system`.
    ShareGpt,
    /// `messages`: a list of `role` (`user`, `assistant`, `system`) and `content`.
    Messages,
    /// `prompt` and `completion`.
    PromptCompletion,
    /// `chosen` and `rejected`, with `prompt`, or `instruction` and `input`, or `question`; or as lists of
    /// messages, whose common beginning is the prompt.
    Preference,
}

impl Layout {
    pub const ALL: [Self; 6] = [
        Self::Fields,
        Self::Alpaca,
        Self::ShareGpt,
        Self::Messages,
        Self::PromptCompletion,
        Self::Preference,
    ];

    /// As the recipe writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fields => "fields",
            Self::Alpaca => "alpaca",
            Self::ShareGpt => "share-gpt",
            Self::Messages => "messages",
            Self::PromptCompletion => "prompt-completion",
            Self::Preference => "preference",
        }
    }

    /// The roles that it makes.
    pub fn roles(self) -> &'static [&'static str] {
        match self {
            Self::Fields => &[],
            Self::Alpaca => &["prompt", "completion", "system"],
            Self::ShareGpt | Self::Messages => &["messages", "prompt", "completion", "system"],
            Self::PromptCompletion => &["prompt", "completion"],
            Self::Preference => &["prompt", "chosen", "rejected"],
        }
    }

    /// The layout of rows that all have these fields; the value says whether it is a list.
    pub(crate) fn of_fields(fields: &BTreeMap<String, bool>) -> Self {
        let has = |name: &str| fields.contains_key(name);
        let is_list = |name: &str| fields.get(name) == Some(&true);
        if has("chosen") && has("rejected") {
            Self::Preference
        } else if is_list("messages") {
            Self::Messages
        } else if is_list("conversations") {
            Self::ShareGpt
        } else if has("instruction") && has("output") {
            Self::Alpaca
        } else if has("prompt") && has("completion") {
            Self::PromptCompletion
        } else {
            Self::Fields
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
