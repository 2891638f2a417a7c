//! A tokenizer.json at hand.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tokenizers::{PaddingParams, Tokenizer};

use crate::error::VocabularyError;
use crate::folder::TOKENIZER;

/// A tokenizer as it stands in a file. What it encodes is never truncated or padded, whatever the file says.
pub struct TokenizerFile {
    path: PathBuf,
    json: Value,
    tokenizer: Tokenizer,
}

impl TokenizerFile {
    /// Reads `path`: a tokenizer.json, or a folder that holds one.
    ///
    /// # Errors
    /// The file cannot be read, or is no tokenizer.
    pub fn open(path: &Path) -> Result<Self, VocabularyError> {
        let path = if path.is_dir() { path.join(TOKENIZER) } else { path.to_owned() };
        let bytes = fs::read(&path).map_err(VocabularyError::io(&path, "read"))?;
        Self::from_bytes(&bytes, &path)
    }

    /// From the bytes of a tokenizer.json; `path` is for errors.
    ///
    /// # Errors
    /// They are no tokenizer.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self, VocabularyError> {
        let failed = |what: String| VocabularyError::Tokenizer { path: path.to_owned(), what };
        let json = serde_json::from_slice(bytes).map_err(|error| failed(format!("not JSON: {error}")))?;
        let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(|error| failed(error.to_string()))?;
        tokenizer.with_padding(None::<PaddingParams>);
        tokenizer.with_truncation(None).map_err(|error| failed(error.to_string()))?;
        Ok(Self { path: path.to_owned(), json, tokenizer })
    }

    /// Where it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Different tokens.
    pub fn vocabulary_size(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    /// The tokenizer, to encode and decode with.
    pub fn into_tokenizer(self) -> Tokenizer {
        self.tokenizer
    }

    /// The tokenizer.json.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.json.to_string().into_bytes()
    }

    pub(crate) fn json(&self) -> &Value {
        &self.json
    }

    pub(crate) fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Every token and its id.
    pub(crate) fn vocabulary(&self) -> HashMap<String, u32> {
        self.tokenizer.get_vocab(true)
    }

    /// The file beside it, where there is one.
    pub(crate) fn beside(&self, name: &str) -> Result<Option<Vec<u8>>, VocabularyError> {
        let path = self.path.with_file_name(name);
        if !path.is_file() {
            return Ok(None);
        }
        fs::read(&path).map(Some).map_err(VocabularyError::io(path, "read"))
    }

    pub(crate) fn failed(&self, what: impl ToString) -> VocabularyError {
        VocabularyError::Tokenizer { path: self.path.clone(), what: what.to_string() }
    }

    pub(crate) fn unextendable(&self, what: impl Into<String>) -> VocabularyError {
        VocabularyError::Unextendable { path: self.path.clone(), what: what.into() }
    }
}
