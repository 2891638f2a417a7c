//! Tokens as text.

use serde::Deserialize;

/// Where there are spaces between tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pieces {
    /// Before each token that begins with U+2581, as SentencePiece writes a space.
    #[default]
    SentencePiece,
    /// Before each token that does not begin with `##`.
    WordPiece,
    /// Between all.
    Words,
}

impl Pieces {
    pub fn text(self, tokens: &[&str]) -> String {
        match self {
            Self::SentencePiece => tokens.concat().replace('\u{2581}', " ").trim().to_owned(),
            Self::WordPiece => {
                let piece = |token: &&str| match token.strip_prefix("##") {
                    Some(rest) => rest.to_owned(),
                    None => format!(" {token}"),
                };
                tokens.iter().map(piece).collect::<String>().trim().to_owned()
            }
            Self::Words => tokens.join(" "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces() {
        assert_eq!(Pieces::SentencePiece.text(&["\u{2581}in", "put", "\u{2581}s"]), "input s");
        assert_eq!(Pieces::WordPiece.text(&["in", "##put", "s"]), "input s");
        assert_eq!(Pieces::Words.text(&["in", "put"]), "in put");
        assert_eq!(Pieces::Words.text(&[]), "");
    }
}
