//! New tokenizers from texts: byte-level BPE as GPT-2 has it, WordPiece as BERT has it, Unigram as SentencePiece
//! has it. The same texts and settings give the same file, byte for byte, on any number of cores.

/// Which characters are kept.
mod alphabet;
/// Pairs of symbols merged, the most frequent first: BPE and WordPiece.
mod merges;
/// What stands around the model in a tokenizer.json.
mod shape;
/// Pieces with probabilities.
mod unigram;

use std::path::Path;

use serde_json::{Value, json};
use tokenizers::{Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, Tokenizer};

use crate::corpus::Corpus;
use crate::error::VocabularyError;
use crate::folder::{self, CONFIG, SPECIAL_TOKENS, TOKENIZER};
use crate::words::{self, Words};
use alphabet::Alphabet;
use shape::Shape;

/// What a vocabulary is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Byte-level BPE: nothing is unknown, and decoding gives back every byte.
    Bpe,
    /// WordPiece: the longest piece first, continuing pieces begin with `##`.
    WordPiece,
    /// Unigram: the likeliest pieces, a word begins with `▁`.
    Unigram,
}

/// How a tokenizer is trained.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrainSettings {
    pub kind: Kind,
    /// Tokens, special ones included; fewer come out of texts that have no more to learn from.
    pub size: usize,
    /// BPE and WordPiece: how often a pair must occur to be merged. Unigram: how often a word must occur to be
    /// learned from.
    pub min_frequency: u64,
    /// Special tokens besides those of the kind, in order.
    pub special: Vec<String>,
    /// All text is lowered first.
    pub lowercase: bool,
    /// Characters that are kept, the most frequent; the others become unknown. BPE keeps all bytes.
    pub alphabet: usize,
}

impl TrainSettings {
    /// As the field does it: each pair at least twice, a thousand characters.
    pub fn new(kind: Kind, size: usize) -> Self {
        Self { kind, size, min_frequency: 2, special: Vec::new(), lowercase: false, alphabet: 1000 }
    }
}

/// A trained tokenizer, not yet written.
pub struct Trained {
    tokenizer: String,
    config: Value,
    special: Value,
    /// Tokens, special ones included.
    pub size: usize,
    /// Texts that it was trained on.
    pub texts: u64,
    /// Different words in them.
    pub words: usize,
    /// Words that were too long to learn from, each as often as it occurs.
    pub too_long: u64,
}

/// A word that is longer has no structure worth learning, and the EM of Unigram loses itself in it. Characters.
const LONGEST_WORD: usize = 256;

/// Trains a tokenizer.
///
/// # Errors
/// Files that cannot be read, texts without words, a size with no room for the characters.
pub fn train(corpus: &Corpus<'_>, settings: &TrainSettings) -> Result<Trained, VocabularyError> {
    let shape = Shape::of(settings)?;
    let Words { mut counts, texts } = count(corpus, &shape)?;
    let words = counts.len();
    let mut too_long = 0;
    counts.retain(|(word, count)| {
        let fits = word.chars().nth(LONGEST_WORD).is_none();
        too_long += if fits { 0 } else { *count };
        fits
    });
    if counts.is_empty() {
        return Err(VocabularyError::NoWords);
    }
    let model = match settings.kind {
        Kind::Bpe => bpe(&counts, settings, &shape)?,
        Kind::WordPiece => word_piece(&counts, settings, &shape)?,
        Kind::Unigram => unigram(counts, settings, &shape)?,
    };
    let made = |error: tokenizers::Error| VocabularyError::Tokenizer {
        path: TOKENIZER.into(),
        what: error.to_string(),
    };
    let whole = serde_json::to_vec(&shape.around(model)).unwrap_or_default();
    let tokenizer = Tokenizer::from_bytes(whole).map_err(made)?;
    Ok(Trained {
        size: tokenizer.get_vocab_size(true),
        tokenizer: tokenizer.to_string(true).map_err(made)?,
        config: shape.config(),
        special: shape.special_tokens_map(),
        texts,
        words,
        too_long,
    })
}

impl Trained {
    /// Writes the tokenizer's folder: tokenizer.json, tokenizer_config.json and special_tokens_map.json.
    ///
    /// # Errors
    /// The disk's; a folder that holds anything but a tokenizer.
    pub fn write(&self, to: &Path) -> Result<(), VocabularyError> {
        let json = |value: &Value| format!("{value:#}\n").into_bytes();
        folder::write(
            to,
            &[
                (TOKENIZER, self.tokenizer.clone().into_bytes()),
                (CONFIG, json(&self.config)),
                (SPECIAL_TOKENS, json(&self.special)),
            ],
        )
    }
}

fn count(corpus: &Corpus<'_>, shape: &Shape) -> Result<Words, VocabularyError> {
    words::count(corpus, |text, add| {
        let mut text = PreTokenizedString::from(text);
        if let Some(normalizer) = &shape.normalizer {
            text.normalize(|text| normalizer.normalize(text))?;
        }
        shape.pre_tokenizer.pre_tokenize(&mut text)?;
        for (word, _, _) in text.get_splits(OffsetReferential::Normalized, OffsetType::Byte) {
            add(word);
        }
        Ok(())
    })
}

fn bpe(words: &[(String, u64)], settings: &TrainSettings, shape: &Shape) -> Result<Value, VocabularyError> {
    let alphabet = Alphabet::of_bytes();
    let room = room(settings, shape, alphabet.len())?;
    let learned = merges::learn(words, &alphabet, None, room, settings.min_frequency);
    let tokens = shape.special().iter().chain(&learned.tokens);
    Ok(json!({
        "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
        "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
        "vocab": ids(tokens), "merges": learned.merges,
    }))
}

fn word_piece(
    words: &[(String, u64)],
    settings: &TrainSettings,
    shape: &Shape,
) -> Result<Value, VocabularyError> {
    let alphabet = Alphabet::of_words(words, settings.alphabet).with_continuing(words, shape::CONTINUES);
    let room = room(settings, shape, alphabet.len())?;
    let learned = merges::learn(words, &alphabet, Some(shape::CONTINUES), room, settings.min_frequency);
    let tokens = shape.special().iter().chain(&learned.tokens);
    Ok(json!({
        "type": "WordPiece", "unk_token": shape.unknown(), "continuing_subword_prefix": shape::CONTINUES,
        "max_input_chars_per_word": 100, "vocab": ids(tokens),
    }))
}

fn unigram(
    mut words: Vec<(String, u64)>,
    settings: &TrainSettings,
    shape: &Shape,
) -> Result<Value, VocabularyError> {
    let alphabet = Alphabet::of_words(&words, settings.alphabet);
    room(settings, shape, alphabet.len())?;
    words.retain(|(_, count)| *count >= settings.min_frequency);
    let words = alphabet.split(&words);
    if words.is_empty() {
        return Err(VocabularyError::NoWords);
    }
    let pieces = unigram::learn(&words, &alphabet, shape.special(), shape.unknown(), settings.size)?;
    let special = shape.special().iter().map(|token| json!([token, 0.0]));
    let pieces = pieces.iter().map(|(piece, score)| json!([piece, score]));
    let unknown = shape.special().iter().position(|token| token == shape.unknown());
    Ok(json!({
        "type": "Unigram", "unk_id": unknown, "byte_fallback": false,
        "vocab": special.chain(pieces).collect::<Vec<_>>(),
    }))
}

/// Tokens that may be learned beside the special ones and the characters.
fn room(settings: &TrainSettings, shape: &Shape, characters: usize) -> Result<usize, VocabularyError> {
    let needed = shape.special().len() + characters + 1;
    let what = match settings.kind {
        Kind::Bpe => "the 256 bytes, the special tokens and one merge",
        _ => "the characters, the special tokens and one piece more",
    };
    settings.size.checked_sub(needed).map(|room| room + 1).ok_or(VocabularyError::TooSmall {
        size: settings.size,
        needed,
        what,
    })
}

/// Tokens numbered from 0.
fn ids<'t>(tokens: impl Iterator<Item = &'t String>) -> Value {
    // A merge may spell a special token: that one has its id already.
    let mut ids = serde_json::Map::new();
    for token in tokens {
        let id = ids.len();
        ids.entry(token.clone()).or_insert_with(|| id.into());
    }
    Value::Object(ids)
}

#[cfg(test)]
mod tests;
