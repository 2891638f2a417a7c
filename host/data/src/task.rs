//! What a row is to the model.

use std::borrow::Cow;

use pegbox_records::{Record, Schema};
use serde::{Deserialize, Serialize};

/// What the model learns from a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// The label of a text: the roles `text` and `label`.
    #[default]
    Classification,
    /// A tag for each token: the roles `tokens` and `tags`, words with one space between them.
    Tagging,
    /// What follows a prompt: the roles `prompt` and `completion`.
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
            Self::Tagging => "tagging",
            Self::Generation => "generation",
            Self::Seq2Seq => "seq2seq",
        }
    }

    /// The roles that each row must have beside a label.
    pub fn roles(self) -> &'static [&'static str] {
        match self {
            Self::Classification => &["text"],
            Self::Tagging => &["tokens", "tags"],
            Self::Generation => &["prompt", "completion"],
            Self::Seq2Seq => &["source", "target"],
        }
    }

    /// The roles that make the text of a row.
    pub fn texts(self) -> &'static [&'static str] {
        match self {
            Self::Classification => &["text"],
            Self::Tagging => &["tokens"],
            Self::Generation => &["prompt", "completion"],
            Self::Seq2Seq => &["source", "target"],
        }
    }

    /// What is written, as a person reads it; none where the record lacks it.
    pub(crate) fn text<'r>(self, schema: &Schema, record: &'r Record) -> Option<Cow<'r, str>> {
        let values =
            self.texts().iter().map(|role| record.values.get(schema.role(role)?).and_then(Option::as_deref));
        let values = values.collect::<Option<Vec<&'r str>>>()?;
        Some(match values.as_slice() {
            [one] => Cow::Borrowed(*one),
            several => Cow::Owned(several.join("\n")),
        })
    }
}

/// The type of an entity's tag: `person` of `B-person`; none of `O`.
pub(crate) fn entity(tag: &str) -> Option<&str> {
    if tag == "O" { None } else { Some(tag.split_once('-').map_or(tag, |(_, kind)| kind)) }
}
