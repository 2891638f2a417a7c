//! A text as it was meant: words, and personal data among them.

use serde::{Deserialize, Serialize};

/// Kinds of personal data that are planted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PiiKind {
    Email,
    Phone,
    Card,
    Iban,
    Ip,
}

impl PiiKind {
    pub const ALL: [Self; 5] = [Self::Email, Self::Phone, Self::Card, Self::Iban, Self::Ip];

    /// What stands for it in a clean text.
    pub fn placeholder(self) -> &'static str {
        match self {
            Self::Email => "[EMAIL]",
            Self::Phone => "[PHONE]",
            Self::Card => "[CARD]",
            Self::Iban => "[IBAN]",
            Self::Ip => "[IP]",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "emails",
            Self::Phone => "phones",
            Self::Card => "cards",
            Self::Iban => "IBANs",
            Self::Ip => "IP addresses",
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    Word(String),
    Pii {
        kind: PiiKind,
        value: String,
        /// The sign behind it, or none.
        after: String,
    },
}

/// Pieces, with a space between any two.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Text(pub Vec<Piece>);

impl Text {
    /// Without personal data.
    pub fn of_words(words: &str) -> Self {
        Self(words.split_whitespace().map(|word| Piece::Word(word.to_owned())).collect())
    }

    pub fn push(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The pieces as they were written.
    pub fn written(&self) -> Vec<String> {
        let piece = |piece: &Piece| match piece {
            Piece::Word(word) => word.clone(),
            Piece::Pii { value, after, .. } => format!("{value}{after}"),
        };
        self.0.iter().map(piece).collect()
    }

    /// What perfect cleaning would leave.
    pub fn clean(&self) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Word(word) => word.clone(),
            Piece::Pii { kind, after, .. } => format!("{}{after}", kind.placeholder()),
        };
        self.0.iter().map(piece).collect::<Vec<_>>().join(" ")
    }

    pub fn pii(&self) -> impl Iterator<Item = (PiiKind, &str)> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Word(_) => None,
            Piece::Pii { kind, value, .. } => Some((*kind, value.as_str())),
        })
    }
}
