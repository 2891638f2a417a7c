//! An extended tokenizer beside the model that it was made for.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::VocabularyError;
use crate::folder::TOKENIZER;
use crate::tokenizer::TokenizerFile;

/// The file of a tokenizer's folder that records how the embeddings of added tokens begin:
/// `{"format": 1, "tokens": [{"id": 30522, "token": "metformin", "pieces": [2777, 14192, 2378]}, ...]}`.
pub const RECORD: &str = "added-vocabulary.json";

const FORMAT: u32 = 1;

/// A token that a vocabulary gets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddedToken {
    pub id: u32,
    pub token: String,
    /// The ids that it was split into before. Its embedding begins as the mean of theirs.
    pub pieces: Vec<u32>,
}

/// [`RECORD`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    format: u32,
    /// By rising id.
    pub tokens: Vec<AddedToken>,
}

impl Record {
    pub(crate) fn new(tokens: Vec<AddedToken>) -> Self {
        Self { format: FORMAT, tokens }
    }

    /// Reads and checks it: ids rise, and each token begins from tokens before it.
    pub(crate) fn parse(bytes: &[u8], path: &Path) -> Result<Self, VocabularyError> {
        let wrong = |what: String| VocabularyError::Extension {
            path: path.to_owned(),
            what,
            help: "the file is written by `pegbox tokenizer extend`; make the folder again",
        };
        let record: Self = serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
        if record.format != FORMAT {
            return Err(wrong(format!("format {} is not known, only {FORMAT}", record.format)));
        }
        if !record.tokens.is_sorted_by(|a, b| a.id < b.id) {
            return Err(wrong("the ids do not rise".to_owned()));
        }
        for token in &record.tokens {
            if token.pieces.is_empty() || token.pieces.iter().any(|piece| *piece >= token.id) {
                return Err(wrong(format!("`{}` does not begin from tokens before it", token.token)));
            }
        }
        Ok(record)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

/// An extended tokenizer, checked against the tokenizer of the model.
#[derive(Clone, Debug)]
pub struct Extension {
    pub folder: PathBuf,
    /// tokenizer.json
    pub tokenizer: Vec<u8>,
    /// The tokens that the model does not know yet, by rising id.
    pub tokens: Vec<AddedToken>,
    /// `sha256:` and 64 hex digits, of the tokenizer and the record.
    pub digest: String,
}

impl Extension {
    /// Reads `folder` for a model whose tokenizer is `base`.
    ///
    /// # Errors
    /// The folder has no tokenizer, or one in which an id of the model means another token, or a token that the model
    /// does not know and [`RECORD`] does not tell the beginning of.
    pub fn open(folder: &Path, base: &TokenizerFile) -> Result<Self, VocabularyError> {
        let extended = TokenizerFile::open(&folder.join(TOKENIZER))?;
        let wrong = |what: String, help| VocabularyError::Extension { path: folder.to_owned(), what, help };
        let (known, vocabulary) = (base.vocabulary(), extended.vocabulary());
        let moved = known.iter().filter(|(token, id)| vocabulary.get(*token) != Some(*id));
        if let Some((token, id)) = moved.min_by_key(|(_, id)| **id) {
            return Err(wrong(
                format!("this is another vocabulary than the model's, where id {id} is `{token}`"),
                "a model keeps the vocabulary that it was trained with; `pegbox tokenizer extend` adds to it",
            ));
        }
        let record_bytes = extended.beside(RECORD)?;
        let record = match &record_bytes {
            Some(bytes) => Record::parse(bytes, &folder.join(RECORD))?,
            None => Record::new(Vec::new()),
        };
        let tokens: Vec<AddedToken> =
            record.tokens.into_iter().filter(|token| !known.contains_key(&token.token)).collect();
        let recorded: HashMap<&str, u32> =
            tokens.iter().map(|token| (token.token.as_str(), token.id)).collect();
        let unrecorded = vocabulary
            .iter()
            .filter(|(token, id)| !known.contains_key(*token) && recorded.get(token.as_str()) != Some(*id));
        if let Some((token, id)) = unrecorded.min_by_key(|(_, id)| **id) {
            return Err(wrong(
                format!("nothing says how the embedding of `{token}` (id {id}) begins"),
                "added-vocabulary.json, which `pegbox tokenizer extend` writes, must lie beside tokenizer.json",
            ));
        }
        if let Some(token) = tokens.iter().find(|token| !vocabulary.contains_key(&token.token)) {
            return Err(wrong(
                format!("added-vocabulary.json has `{}`, which tokenizer.json lacks", token.token),
                "both files must come from one run of `pegbox tokenizer extend`",
            ));
        }
        let mut rows: HashSet<u32> = known.values().copied().collect();
        for token in &tokens {
            if let Some(piece) = token.pieces.iter().find(|piece| !rows.contains(*piece)) {
                return Err(wrong(
                    format!("`{}` begins from the id {piece}, which the model does not have", token.token),
                    "the folder was made for another model",
                ));
            }
            rows.insert(token.id);
        }
        let bytes = std::fs::read(extended.path()).map_err(VocabularyError::io(extended.path(), "read"))?;
        let mut hasher = Sha256::new();
        for part in [bytes.as_slice(), record_bytes.as_deref().unwrap_or_default()] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let digest = format!("sha256:{:x}", hasher.finalize());
        Ok(Self { folder: folder.to_owned(), tokenizer: bytes, tokens, digest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(record: &str) -> Result<Record, String> {
        Record::parse(record.as_bytes(), Path::new(RECORD)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_record_is_checked() {
        let good = r#"{"format": 1, "tokens": [{"id": 7, "token": "x", "pieces": [1, 2]}, {"id": 9, "token": "y", "pieces": [7]}]}"#;
        let record = parse(good).unwrap();
        assert_eq!(record.tokens[1].pieces, [7]);
        assert_eq!(Record::parse(&record.to_bytes(), Path::new(RECORD)).unwrap(), record);
        for (from, to, fault) in [
            ("\"format\": 1", "\"format\": 2", "format 2 is not known, only 1"),
            ("\"id\": 9", "\"id\": 7", "the ids do not rise"),
            ("[7]", "[9]", "`y` does not begin from tokens before it"),
            ("[7]", "[]", "`y` does not begin from tokens before it"),
            ("\"token\"", "\"tokn\"", "unknown field `tokn`"),
        ] {
            assert!(good.contains(from));
            let error = parse(&good.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(fault), "{error}");
        }
    }
}
