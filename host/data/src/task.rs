//! What a row is to the model.

use std::borrow::Cow;

use pegbox_records::{Record, Schema};
use serde::{Deserialize, Serialize};

use crate::tokenize::readable;

/// The role of a whole conversation.
pub(crate) const MESSAGES: &str = "messages";

/// What the model learns from a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// The label of a text: the roles `text` and `label`.
    #[default]
    Classification,
    /// Any number of labels of a text: the roles `text` and `label`, labels with one space between them.
    MultiLabel,
    /// A number for a text: the roles `text` and `label`.
    Regression,
    /// A tag for each token: the roles `tokens` and `tags`, words with one space between them.
    Tagging,
    /// Tokens that are hidden: the role `text`.
    MaskedLm,
    /// What follows a prompt: the roles `prompt` and `completion`; or what the assistant says in a conversation: the
    /// role `messages`, a JSON list of objects with `role` and `content`.
    Generation,
    /// A text for a text, by an encoder and a decoder: the roles `source` and `target`.
    #[serde(rename = "seq2seq")]
    Seq2Seq,
}

impl Task {
    /// As the recipe writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Classification => "classification",
            Self::MultiLabel => "multi-label",
            Self::Regression => "regression",
            Self::MaskedLm => "masked-lm",
            Self::Tagging => "tagging",
            Self::Generation => "generation",
            Self::Seq2Seq => "seq2seq",
        }
    }

    /// The roles that each row must have beside a label.
    pub fn roles(self, schema: &Schema) -> &'static [&'static str] {
        match self {
            _ if self.converses(schema) => &[MESSAGES],
            Self::Classification | Self::MaskedLm => &["text"],
            Self::MultiLabel | Self::Regression => &["text", "label"],
            Self::Tagging => &["tokens", "tags"],
            Self::Generation => &["prompt", "completion"],
            Self::Seq2Seq => &["source", "target"],
        }
    }

    /// The roles that make the text of a row.
    pub fn texts(self, schema: &Schema) -> &'static [&'static str] {
        match self {
            _ if self.converses(schema) => &[MESSAGES],
            Self::Classification | Self::MultiLabel | Self::Regression | Self::MaskedLm => &["text"],
            Self::Tagging => &["tokens"],
            Self::Generation => &["prompt", "completion"],
            Self::Seq2Seq => &["source", "target"],
        }
    }

    /// Whether a row is a whole conversation.
    pub(crate) fn converses(self, schema: &Schema) -> bool {
        self == Self::Generation && schema.role(MESSAGES).is_some()
    }

    /// What is written, as a person reads it; none where the record lacks it.
    pub(crate) fn text<'r>(self, schema: &Schema, record: &'r Record) -> Option<Cow<'r, str>> {
        let values = self
            .texts(schema)
            .iter()
            .map(|role| record.values.get(schema.role(role)?).and_then(Option::as_deref));
        let values = values.collect::<Option<Vec<&'r str>>>()?;
        Some(match values.as_slice() {
            [one] if self.converses(schema) => readable(one).map_or(Cow::Borrowed(*one), Cow::Owned),
            [one] => Cow::Borrowed(*one),
            several => Cow::Owned(several.join("\n")),
        })
    }
}

impl Task {
    /// The role that holds several names with one space between them, one of which a row's classes are.
    pub(crate) fn names(self) -> Option<&'static str> {
        match self {
            Self::Tagging => Some("tags"),
            Self::MultiLabel => Some("label"),
            Self::Classification | Self::Regression | Self::MaskedLm | Self::Generation | Self::Seq2Seq => {
                None
            }
        }
    }

    /// What a row of that name is about, where rows are divided evenly: the type of an entity's tag, `person` of
    /// `B-person` and none of `O`; a label itself.
    pub(crate) fn kind(self, name: &str) -> Option<&str> {
        match self {
            Self::Tagging if name == "O" => None,
            Self::Tagging => Some(name.split_once('-').map_or(name, |(_, kind)| kind)),
            _ => Some(name),
        }
    }
}
