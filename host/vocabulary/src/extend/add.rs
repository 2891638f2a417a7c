//! The extended tokenizer.

use std::path::Path;

use rayon::prelude::*;
use serde_json::{Map, Value, json};
use tokenizers::{Decoder, Model, PreTokenizedString, PreTokenizer, Tokenizer};
use tokenizers::{OffsetReferential, OffsetType};

use super::Proposal;
use super::scheme::Scheme;
use crate::error::VocabularyError;
use crate::extension::{AddedToken, RECORD, Record};
use crate::folder::{self, CONFIG, SPECIAL_TOKENS, TOKENIZER};
use crate::tokenizer::TokenizerFile;

/// A tokenizer with added tokens, not yet written.
pub struct Extended {
    tokenizer: String,
    config: Option<Value>,
    special: Option<Vec<u8>>,
    record: Record,
    /// How many tokens are new.
    pub added: usize,
}

/// Adds `proposals` to `base`, with the ids that follow its own. Tokens that were added to `base` before, and no model
/// knows yet, stay on record.
///
/// # Errors
/// A tokenizer whose other texts would not be tokenized as before.
pub fn add(base: &TokenizerFile, proposals: &[Proposal]) -> Result<Extended, VocabularyError> {
    let scheme = Scheme::of(base)?;
    let known = base.vocabulary();
    let first = known.values().max().map_or(0, |last| last + 1);
    let new: Vec<AddedToken> = (first..)
        .zip(proposals)
        .map(|(id, proposal)| AddedToken {
            id,
            token: proposal.token.clone(),
            pieces: proposal.pieces.clone(),
        })
        .collect();
    let mut json = base.json().clone();
    let done = match scheme {
        Scheme::WordPiece => add_to_tokenizer(&mut json, &new),
        Scheme::ByteLevelBpe => {
            check_merges(base)?;
            add_to_model(&mut json, &new)
        }
    };
    done.ok_or_else(|| base.failed("the file has no vocabulary where one is expected"))?;

    let bytes = serde_json::to_vec(&json).unwrap_or_default();
    let tokenizer = Tokenizer::from_bytes(bytes).map_err(|error| base.failed(error))?;
    let expected =
        known.iter().map(|(token, id)| (token, *id)).chain(new.iter().map(|new| (&new.token, new.id)));
    for (token, id) in expected {
        if tokenizer.token_to_id(token) != Some(id) {
            return Err(base.unextendable(format!("its ids have gaps, and `{token}` would not keep {id}")));
        }
    }
    let mut record = match base.beside(RECORD)? {
        Some(bytes) => Record::parse(&bytes, &base.path().with_file_name(RECORD))?,
        None => Record::new(Vec::new()),
    };
    let added = new.len();
    let config = config(base, scheme, &new)?;
    record.tokens.extend(new);
    Ok(Extended {
        tokenizer: tokenizer.to_string(true).map_err(|error| base.failed(error))?,
        config,
        special: base.beside(SPECIAL_TOKENS)?,
        record,
        added,
    })
}

impl Extended {
    /// Writes the tokenizer's folder, with the record of the added tokens.
    ///
    /// # Errors
    /// The disk's; a folder that holds anything but a tokenizer.
    pub fn write(&self, to: &Path) -> Result<(), VocabularyError> {
        let mut files =
            vec![(TOKENIZER, self.tokenizer.clone().into_bytes()), (RECORD, self.record.to_bytes())];
        files.extend(self.config.as_ref().map(|config| (CONFIG, format!("{config:#}\n").into_bytes())));
        files.extend(self.special.clone().map(|special| (SPECIAL_TOKENS, special)));
        folder::write(to, &files)
    }

    /// As it will be read from its folder.
    ///
    /// # Errors
    /// None that a tokenizer that was just made could have.
    pub fn tokenizer(&self) -> Result<TokenizerFile, VocabularyError> {
        TokenizerFile::from_bytes(self.tokenizer.as_bytes(), Path::new(TOKENIZER))
    }
}

fn as_added_token(token: &AddedToken) -> Map<String, Value> {
    let flags = json!({
        "content": token.token, "single_word": true, "lstrip": false, "rstrip": false, "normalized": true,
        "special": false,
    });
    flags.as_object().cloned().unwrap_or_default()
}

fn add_to_tokenizer(json: &mut Value, new: &[AddedToken]) -> Option<()> {
    let list = json.as_object_mut()?.entry("added_tokens").or_insert_with(|| json!([])).as_array_mut()?;
    list.extend(new.iter().map(|token| {
        let mut entry = as_added_token(token);
        entry.insert("id".into(), token.id.into());
        Value::Object(entry)
    }));
    Some(())
}

fn add_to_model(json: &mut Value, new: &[AddedToken]) -> Option<()> {
    // A token that stands beside the vocabulary is numbered after it, so it must come into it to keep its number.
    let before: Vec<(String, Value)> = json
        .get("added_tokens")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|token| Some((token.get("content")?.as_str()?.to_owned(), token.get("id")?.clone())))
        .collect();
    let model = json.get_mut("model")?.as_object_mut()?;
    model.insert("ignore_merges".into(), true.into());
    let vocabulary = model.get_mut("vocab")?.as_object_mut()?;
    for (token, id) in before {
        vocabulary.entry(token).or_insert(id);
    }
    vocabulary.extend(new.iter().map(|token| (token.token.clone(), token.id.into())));
    Some(())
}

/// With `ignore_merges`, a word that is in the vocabulary is one token. Where the merges make something else of such
/// a word, texts that hold it would change.
fn check_merges(base: &TokenizerFile) -> Result<(), VocabularyError> {
    let tokenizer = base.tokenizer();
    let model = tokenizer.get_model();
    let (Some(decoder), Some(pre_tokenizer)) = (tokenizer.get_decoder(), tokenizer.get_pre_tokenizer())
    else {
        return Ok(());
    };
    let added = tokenizer.get_added_vocabulary();
    let differs = |token: &str, id: u32| -> Option<bool> {
        let pieces = model.tokenize(token).ok()?;
        if pieces.len() == 1 && pieces.first().is_some_and(|piece| piece.id == id) {
            return Some(false);
        }
        let mut text = PreTokenizedString::from(decoder.decode(vec![token.to_owned()]).ok()?);
        pre_tokenizer.pre_tokenize(&mut text).ok()?;
        let words = text.get_splits(OffsetReferential::Normalized, OffsetType::Byte);
        Some(words.len() == 1 && words.first().is_some_and(|(word, _, _)| *word == token))
    };
    let vocabulary: Vec<(String, u32)> =
        model.get_vocab().into_iter().filter(|(token, _)| !added.get_vocab().contains_key(token)).collect();
    let found = vocabulary.par_iter().filter(|(token, id)| differs(token, *id) == Some(true));
    match found.map(|(token, _)| token).min() {
        None => Ok(()),
        Some(token) => Err(base.unextendable(format!(
            "its merges never make the token `{token}`, and texts that hold it would change"
        ))),
    }
}

/// tokenizer_config.json, where there was one or one is needed.
fn config(
    base: &TokenizerFile,
    scheme: Scheme,
    new: &[AddedToken],
) -> Result<Option<Value>, VocabularyError> {
    let before = match base.beside(CONFIG)? {
        Some(bytes) => Some(serde_json::from_slice::<Map<String, Value>>(&bytes).map_err(|error| {
            VocabularyError::Tokenizer {
                path: base.path().with_file_name(CONFIG),
                what: format!("not a JSON object: {error}"),
            }
        })?),
        None => None,
    };
    let config = match scheme {
        Scheme::WordPiece => before.map(|mut config| {
            if let Some(decoder) = config.get_mut("added_tokens_decoder").and_then(Value::as_object_mut) {
                let entry = |token: &AddedToken| (token.id.to_string(), Value::Object(as_added_token(token)));
                decoder.extend(new.iter().map(entry));
            }
            config
        }),
        Scheme::ByteLevelBpe => Some(generic_class(base, before.unwrap_or_default())),
    };
    Ok(config.map(Value::Object))
}

/// Transformers builds the tokenizers of some classes from vocabulary and merges alone; the generic one takes all of
/// tokenizer.json, but not the special tokens that a class has without naming them.
fn generic_class(base: &TokenizerFile, mut config: Map<String, Value>) -> Map<String, Value> {
    const GPT2: &str = "<|endoftext|>";
    let class = config.insert("tokenizer_class".into(), "PreTrainedTokenizerFast".into());
    let is_gpt2 = class.as_ref().and_then(Value::as_str).is_none_or(|class| class.starts_with("GPT2"));
    if is_gpt2 && base.tokenizer().token_to_id(GPT2).is_some() {
        for part in ["bos_token", "eos_token", "unk_token"] {
            config.entry(part).or_insert_with(|| GPT2.into());
        }
    }
    config
}
