//! A model folder's tokenizer, in whichever format it is.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use super::{sentence_piece, vocab_txt};
use crate::error::VocabularyError;
use crate::folder::{CONFIG, TOKENIZER};

/// Formats besides tokenizer.json, the likeliest first. XLM-RoBERTa's `sentencepiece.bpe.model` is none of them: its
/// ids are not the model's.
const STORED: [&str; 3] = ["vocab.txt", "tokenizer.model", "spiece.model"];

/// The bytes of the tokenizer.json of the model in `folder`: the file's, or made of a vocabulary in another format.
///
/// # Errors
/// There is no tokenizer, or none that is understood.
pub fn tokenizer_of(folder: &Path) -> Result<Vec<u8>, VocabularyError> {
    let read = |path: &Path| fs::read(path).map_err(VocabularyError::io(path, "read"));
    let whole = folder.join(TOKENIZER);
    let Some(path) = STORED.iter().map(|name| folder.join(name)).find(|path| path.is_file()) else {
        return read(&whole);
    };
    if whole.is_file() {
        return read(&whole);
    }
    let bytes = read(&path)?;
    let stored = match path.file_name().is_some_and(|name| name == STORED[0]) {
        true => {
            let config = folder.join(CONFIG);
            let config = if config.is_file() { object(&read(&config)?, &config)? } else { Map::new() };
            vocab_txt(&bytes, &config, &path)?
        }
        false => sentence_piece(&bytes, &path)?,
    };
    Ok(stored.tokenizer(&path)?.to_bytes())
}

fn object(bytes: &[u8], path: &Path) -> Result<Map<String, Value>, VocabularyError> {
    let failed = |error: serde_json::Error| VocabularyError::Tokenizer {
        path: path.to_owned(),
        what: format!("no JSON object: {error}"),
    };
    serde_json::from_slice(bytes).map_err(failed)
}
