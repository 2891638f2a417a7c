//! Text to token ids, with the crate `tokenizers` and the model's own tokenizer.json.

/// Conversations, by the model's chat template.
mod chat;
mod words;

pub(crate) use chat::readable;
pub use words::WordCache;

use chat::Chat;
use pegbox_generation::chat::TemplateSource;

use pegbox_sampling::lengths::{Fitted, OverLong, Side, Special, cut};
use serde::{Deserialize, Serialize};
use tokenizers::{ModelWrapper, PaddingParams, Tokenizer, TruncationDirection};

use crate::error::DataError;

/// How texts become token ids.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct TokenSettings {
    /// Tokens a row, special tokens included.
    pub max_length: usize,
    /// What becomes of longer texts. [`OverLong::Drop`] and [`OverLong::Split`] are for training rows: in the
    /// validation and test parts these are truncated instead, because a score must be over all rows, each once.
    pub over_long: OverLong,
    /// Of what is to be written, where that is a text of its own ([`crate::Task::Seq2Seq`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetSettings>,
    /// How conversations become texts, where [`crate::Task::Generation`] learns from them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat: Option<TemplateSource>,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self { max_length: 128, over_long: OverLong::Truncate(Side::Right), target: None, chat: None }
    }
}

/// How the texts that are to be written become token ids.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct TargetSettings {
    /// Tokens of a target, the one that ends it included.
    pub max_length: usize,
    /// What becomes of longer ones; they cannot be split.
    pub over_long: OverLong,
}

impl Default for TargetSettings {
    fn default() -> Self {
        Self { max_length: 128, over_long: OverLong::Truncate(Side::Right) }
    }
}

/// The token ids of one text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Encoded {
    /// At most the maximal length, special tokens included.
    pub ids: Vec<u32>,
    /// Of the same length.
    pub type_ids: Vec<u32>,
    /// Of the same length, where tokens have labels; the tokens of the target, where there is one; else empty.
    pub labels: Vec<i32>,
    /// The tokens before truncation, special tokens included.
    pub full_length: usize,
}

/// A tokenizer that truncates to one length and never pads, whatever its file says.
pub struct TextTokenizer {
    tokenizer: Tokenizer,
    max_length: usize,
    /// Special tokens that each row gets.
    special: Special,
    /// The special tokens before a text.
    prefix: Vec<u32>,
    /// What ends a generated text.
    end: Vec<u32>,
    pad_id: u32,
    /// Where texts may be taken word by word: the special tokens behind a text.
    suffix: Option<Vec<u32>>,
    /// Where texts are what is said in conversations.
    chat: Option<Chat>,
}

impl TextTokenizer {
    /// From the bytes of a tokenizer.json; `name` is for errors. The truncation and the padding that the
    /// file brings are overridden: many published files have the length of their own evaluation baked in.
    pub fn from_bytes(bytes: &[u8], name: &str, max_length: usize) -> Result<Self, DataError> {
        let failed = |what: String| DataError::Tokenizer { name: name.to_owned(), what };
        let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(|error| failed(error.to_string()))?;
        let pad_id = pad_id(&tokenizer);
        tokenizer.with_padding(None::<PaddingParams>);
        tokenizer.with_truncation(None).map_err(|error| failed(error.to_string()))?;
        let special = special(&tokenizer).map_err(|error| failed(error.to_string()))?;
        let around = special.prefix + special.suffix;
        if max_length <= around {
            return Err(failed(format!(
                "max-length = {max_length} leaves no room beside its {around} special tokens"
            )));
        }
        let (prefix, mut end) =
            self::around(&tokenizer, special).map_err(|error| failed(error.to_string()))?;
        let plain = one_type(&tokenizer).map_err(|error| failed(error.to_string()))?;
        let suffix = (plain && words::separable(&tokenizer)).then(|| end.clone());
        if end.is_empty() {
            end.extend(ENDS.iter().find_map(|token| tokenizer.token_to_id(token)));
        }
        Ok(Self { tokenizer, max_length, special, prefix, end, pad_id, suffix, chat: None })
    }

    /// The id that pads rows.
    pub fn pad_id(&self) -> u32 {
        self.pad_id
    }

    pub fn max_length(&self) -> usize {
        self.max_length
    }

    /// The id that stands for a hidden token, where the tokenizer has one.
    pub fn mask_id(&self) -> Option<u32> {
        ["[MASK]", "<mask>"].iter().find_map(|token| self.tokenizer.token_to_id(token))
    }

    /// The ids of the special tokens, ascending.
    pub fn special_ids(&self) -> Vec<u32> {
        let added = self.tokenizer.get_added_tokens_decoder();
        let mut ids: Vec<u32> = added.iter().filter(|(_, token)| token.special).map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids
    }

    /// The ids that end a text that is written: the special tokens behind a text, else the usual one.
    pub fn end_ids(&self) -> &[u32] {
        &self.end
    }

    /// The id that stands for what is not in the vocabulary, where the tokenizer has one.
    pub fn unknown_id(&self) -> Option<u32> {
        let id = |token: &str| self.tokenizer.token_to_id(token);
        match self.tokenizer.get_model() {
            ModelWrapper::WordLevel(model) => id(&model.unk_token),
            ModelWrapper::WordPiece(model) => id(&model.unk_token),
            ModelWrapper::BPE(model) => model.unk_token.as_deref().and_then(id),
            ModelWrapper::Unigram(_) => id("<unk>"),
        }
    }

    /// The tokenizer itself, which makes texts of ids again.
    pub fn inner(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Entries of the vocabulary, added tokens included; every id is below it in a sound file.
    pub fn vocabulary_size(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    /// The ids of `text` with special tokens, cut at its end where it is too long; or why not.
    pub fn encode(&self, text: &str) -> Result<Encoded, String> {
        let told = |error: tokenizers::Error| error.to_string();
        // The crate's own truncation stops reading the text early, and then nobody knows what was lost: so
        // the tokens are counted and cut here, and the special tokens come after.
        let mut encoding = self.tokenizer.encode_fast(text, false).map_err(told)?;
        let around = self.special.prefix + self.special.suffix;
        let full_length = encoding.len() + around;
        encoding.truncate(self.max_length - around, 0, TruncationDirection::Right);
        let encoding = self.tokenizer.post_process(encoding, None, true).map_err(told)?;
        Ok(Encoded {
            ids: encoding.get_ids().to_vec(),
            type_ids: encoding.get_type_ids().to_vec(),
            labels: Vec::new(),
            full_length,
        })
    }

    /// The rows that a text becomes, by the policy for texts that are too long.
    pub fn rows(&self, text: &str, policy: OverLong, cache: &mut WordCache) -> Result<Rows, String> {
        if let Some(suffix) = &self.suffix {
            let mut ids = self.prefix.clone();
            words::encode(&self.tokenizer, text, cache, &mut ids).map_err(|error| error.to_string())?;
            ids.extend(suffix);
            return self.fit(&ids, &vec![0; ids.len()], &[], self.special, policy);
        }
        let whole = self.tokenizer.encode_fast(text, true).map_err(|error| error.to_string())?;
        self.fit(whole.get_ids(), whole.get_type_ids(), &[], self.special, policy)
    }

    /// The rows that tagged words become. The first piece of a word gets the word's label, every other token
    /// [`IGNORED`].
    pub fn tagged_rows(&self, words: &[&str], labels: &[i32], policy: OverLong) -> Result<Rows, String> {
        let whole = self.tokenizer.encode(words, true).map_err(|error| error.to_string())?;
        let mut before = None;
        let of_tokens: Vec<i32> = whole
            .get_word_ids()
            .iter()
            .map(|word| {
                let begins = word.is_some() && *word != before;
                before = *word;
                let label = word.filter(|_| begins).and_then(|word| labels.get(word as usize));
                label.copied().unwrap_or(IGNORED)
            })
            .collect();
        self.fit(whole.get_ids(), whole.get_type_ids(), &of_tokens, self.special, policy)
    }

    /// The rows that a prompt and its completion become: a line each, and the end of the text. The labels of the
    /// completion's tokens, and of the end, are their ids; those of the prompt are [`IGNORED`].
    pub fn completion_rows(&self, prompt: &str, completion: &str, policy: OverLong) -> Result<Rows, String> {
        let mut ids = self.prompt(prompt)?;
        let asked = ids.len();
        ids.extend(self.plain(completion)?);
        ids.extend(&self.end);
        let label = |(place, id): (usize, &u32)| if place < asked { IGNORED } else { *id as i32 };
        let labels: Vec<i32> = ids.iter().enumerate().map(label).collect();
        let special = Special { prefix: self.prefix.len(), suffix: self.end.len() };
        self.fit(&ids, &vec![0; ids.len()], &labels, special, policy)
    }

    /// The ids of a prompt as [`Self::completion_rows`] has them before its completion, whatever their number.
    /// With a chat template, as [`Self::conversation_rows`] has what one user says.
    pub fn prompt(&self, prompt: &str) -> Result<Vec<u32>, String> {
        if let Some(chat) = &self.chat {
            return self.plain(&chat.prompt(prompt)?);
        }
        let mut ids = self.prefix.clone();
        ids.extend(self.plain(&format!("{prompt}\n"))?);
        Ok(ids)
    }

    /// The ids of a text as [`Self::pair_rows`] has them, cut at its end where it is too long.
    pub fn source(&self, text: &str) -> Result<Vec<u32>, String> {
        let (ids, special) = self.ended(text)?;
        let rows = self.fit(&ids, &vec![0; ids.len()], &[], special, OverLong::Truncate(Side::Right))?;
        rows.rows.into_iter().next().map(|row| row.ids).ok_or_else(|| "it has no tokens".to_owned())
    }

    /// The ids of a text alone.
    fn plain(&self, text: &str) -> Result<Vec<u32>, String> {
        let encoded = self.tokenizer.encode_fast(text, false).map_err(|error| error.to_string())?;
        Ok(encoded.get_ids().to_vec())
    }

    /// The row that a text and its target become, each with its special tokens and an end; none where either is too
    /// long and dropped. The labels are the target's ids.
    pub fn pair_rows(
        &self,
        source: &str,
        target: &str,
        policy: OverLong,
        targets: TargetSettings,
    ) -> Result<Rows, String> {
        let (ids, special) = self.ended(target)?;
        let written = cut(0, ids.len(), targets.max_length, special, targets.over_long)
            .map_err(|error| format!("{error} (target)"))?;
        let labels: Vec<u32> = match written {
            Fitted::Whole => ids,
            Fitted::Dropped => Vec::new(),
            Fitted::Pieces(pieces) => match pieces.as_slice() {
                [one] => one.of(&ids),
                _ => return Err("a text and its target cannot be split".to_owned()),
            },
        };
        let (ids, special) = self.ended(source)?;
        let mut rows = self.fit(&ids, &vec![0; ids.len()], &[], special, policy)?;
        match rows.rows.as_mut_slice() {
            [] => {}
            _ if labels.is_empty() => rows.rows.clear(),
            [row] => row.labels = labels.into_iter().map(|id| id as i32).collect(),
            _ => return Err("a text and its target cannot be split".to_owned()),
        }
        Ok(rows)
    }

    /// The ids of a text with its special tokens, and a token that ends it where none of them does.
    fn ended(&self, text: &str) -> Result<(Vec<u32>, Special), String> {
        let encoding = self.tokenizer.encode_fast(text, true).map_err(|error| error.to_string())?;
        let (mut ids, mut special) = (encoding.get_ids().to_vec(), self.special);
        if special.suffix == 0 {
            ids.extend(&self.end);
            special.suffix = self.end.len();
        }
        Ok((ids, special))
    }

    fn fit(
        &self,
        ids: &[u32],
        type_ids: &[u32],
        labels: &[i32],
        special: Special,
        policy: OverLong,
    ) -> Result<Rows, String> {
        let full_length = ids.len();
        let fitted =
            cut(0, full_length, self.max_length, special, policy).map_err(|error| error.to_string())?;
        let rows = match fitted {
            Fitted::Whole => vec![Encoded {
                ids: ids.to_vec(),
                type_ids: type_ids.to_vec(),
                labels: labels.to_vec(),
                full_length,
            }],
            Fitted::Dropped => Vec::new(),
            Fitted::Pieces(pieces) => pieces
                .iter()
                .map(|piece| Encoded {
                    ids: piece.of(ids),
                    type_ids: piece.of(type_ids),
                    labels: if labels.is_empty() { Vec::new() } else { piece.of(labels) },
                    full_length,
                })
                .collect(),
        };
        Ok(Rows { rows, full_length })
    }
}

/// The label of a token that is not to be learned, as Transformers has it.
pub const IGNORED: i32 = -100;

/// What a text becomes: no row if it is dropped, several if it is split.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rows {
    pub rows: Vec<Encoded>,
    /// The tokens before anything is cut, special tokens included.
    pub full_length: usize,
}

/// The special tokens before and behind a text.
fn around(tokenizer: &Tokenizer, special: Special) -> tokenizers::Result<(Vec<u32>, Vec<u32>)> {
    let encoding = tokenizer.encode("a", true)?;
    let ids = encoding.get_ids();
    let behind = ids.get(ids.len().saturating_sub(special.suffix)..).unwrap_or_default();
    Ok((ids.get(..special.prefix).unwrap_or_default().to_vec(), behind.to_vec()))
}

/// Whether all tokens of a single text, special ones too, are of type 0.
fn one_type(tokenizer: &Tokenizer) -> tokenizers::Result<bool> {
    Ok(tokenizer.encode("a", true)?.get_type_ids().iter().all(|kind| *kind == 0))
}

/// The usual names of the token that ends a text.
const ENDS: [&str; 6] = ["<|im_end|>", "<|eot_id|>", "<|endoftext|>", "</s>", "<eos>", "[SEP]"];

/// How many special tokens stand before and behind a text.
fn special(tokenizer: &Tokenizer) -> tokenizers::Result<Special> {
    let encoding = tokenizer.encode("a", true)?;
    let mask = encoding.get_special_tokens_mask();
    let prefix = mask.iter().take_while(|special| **special == 1).count();
    let suffix = mask.iter().skip(prefix).rev().take_while(|special| **special == 1).count();
    Ok(Special { prefix, suffix })
}

/// The id of padding: what the file pads with, else the usual names, else 0. Padded positions are masked, so
/// nothing but the range of the id matters.
fn pad_id(tokenizer: &Tokenizer) -> u32 {
    if let Some(padding) = tokenizer.get_padding() {
        return padding.pad_id;
    }
    ["[PAD]", "<pad>", "<|pad|>", "<|endoftext|>"]
        .iter()
        .find_map(|token| tokenizer.token_to_id(token))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A WordPiece tokenizer with fixed padding to 16 and truncation to 16 baked in.
    pub(crate) const TINY: &str = include_str!("tokenize/tiny.json");

    fn rows(tokenizer: &TextTokenizer, text: &str, policy: OverLong) -> Result<Rows, String> {
        tokenizer.rows(text, policy, &mut WordCache::default())
    }

    #[test]
    fn baked_in_padding_and_truncation_are_overridden() {
        let tokenizer = TextTokenizer::from_bytes(TINY.as_bytes(), "tiny", 64).unwrap();
        let short = tokenizer.encode("hello world").unwrap();
        assert_eq!(short.ids, [2, 4, 5, 3]);
        assert_eq!((short.type_ids, short.full_length), (vec![0; 4], 4));
        let long = tokenizer.encode(&"hello ".repeat(40)).unwrap();
        assert_eq!((long.ids.len(), long.full_length), (42, 42));
        assert_eq!(tokenizer.pad_id(), 0);
        assert_eq!(tokenizer.vocabulary_size(), 8);
    }

    #[test]
    fn truncation_keeps_the_special_tokens_and_counts_what_is_lost() {
        let tokenizer = TextTokenizer::from_bytes(TINY.as_bytes(), "tiny", 5).unwrap();
        let cut = tokenizer.encode(&"hello ".repeat(40)).unwrap();
        assert_eq!(cut.ids, [2, 4, 4, 4, 3]);
        assert_eq!(cut.full_length, 42);
    }

    #[test]
    fn every_policy_for_long_texts() {
        let tokenizer = TextTokenizer::from_bytes(TINY.as_bytes(), "tiny", 5).unwrap();
        let long = "hello world hello hello world";
        let ids = |policy| -> Vec<Vec<u32>> {
            rows(&tokenizer, long, policy).unwrap().rows.into_iter().map(|row| row.ids).collect()
        };
        assert_eq!(ids(OverLong::Truncate(Side::Right)), [[2, 4, 5, 4, 3]]);
        assert_eq!(ids(OverLong::Truncate(Side::Left)), [[2, 4, 4, 5, 3]]);
        assert_eq!(ids(OverLong::Split { stride: 1 }), [[2, 4, 5, 4, 3], [2, 4, 4, 5, 3]]);
        assert!(ids(OverLong::Drop).is_empty());
        assert!(rows(&tokenizer, long, OverLong::Fail).is_err());
        assert_eq!(rows(&tokenizer, "hello", OverLong::Fail).unwrap().rows[0].ids, [2, 4, 3]);
        assert_eq!(rows(&tokenizer, long, OverLong::Drop).unwrap(), Rows { rows: vec![], full_length: 7 });
        assert_eq!(
            tokenizer.encode(long).unwrap(),
            rows(&tokenizer, long, OverLong::Truncate(Side::Right)).unwrap().rows[0]
        );
    }

    #[test]
    fn tags_stand_at_the_first_piece_and_completions_are_learned() {
        let tokenizer = TextTokenizer::from_bytes(TINY.as_bytes(), "tiny", 8).unwrap();
        let policy = OverLong::Truncate(Side::Right);
        let tagged = tokenizer.tagged_rows(&["hello", "world", "hello"], &[1, 0, 2], policy).unwrap();
        assert_eq!(tagged.rows[0].ids, [2, 4, 5, 4, 3]);
        assert_eq!(tagged.rows[0].labels, [IGNORED, 1, 0, 2, IGNORED]);
        let row = &tokenizer.completion_rows("hello", "world world", policy).unwrap().rows[0];
        assert_eq!(row.ids, [2, 4, 5, 5, 3]);
        assert_eq!(tokenizer.prompt("hello").unwrap(), [2, 4]);
        assert_eq!((tokenizer.end_ids(), tokenizer.unknown_id()), (&[3][..], Some(1)));
        assert_eq!(row.labels, [IGNORED, IGNORED, 5, 5, 3]);
    }

    #[test]
    fn a_text_and_its_target_have_their_own_lengths_and_policies() {
        let tokenizer = TextTokenizer::from_bytes(TINY.as_bytes(), "tiny", 6).unwrap();
        let (right, left) = (OverLong::Truncate(Side::Right), OverLong::Truncate(Side::Left));
        let pair = |source: &str, policy, max_length, over_long| {
            let targets = TargetSettings { max_length, over_long };
            tokenizer.pair_rows(source, "world world hello", policy, targets)
        };
        let row = &pair("hello world", right, 9, right).unwrap().rows[0];
        assert_eq!((&row.ids[..], &row.type_ids[..]), (&[2, 4, 5, 3][..], &[0; 4][..]));
        assert_eq!(row.labels, [2, 5, 5, 4, 3]);
        assert_eq!(tokenizer.source("hello world").unwrap(), row.ids);
        assert_eq!(tokenizer.source(&"hello ".repeat(9)).unwrap().len(), 6);
        assert_eq!(pair("hello", right, 4, right).unwrap().rows[0].labels, [2, 5, 5, 3]);
        assert_eq!(pair("hello", right, 4, left).unwrap().rows[0].labels, [2, 5, 4, 3]);
        assert!(pair("hello", right, 4, OverLong::Drop).unwrap().rows.is_empty());
        assert!(pair("hello", right, 4, OverLong::Fail).unwrap_err().ends_with("(target)"));
        assert!(pair(&"hello ".repeat(9), OverLong::Drop, 9, right).unwrap().rows.is_empty());
        let split = OverLong::Split { stride: 0 };
        assert!(pair(&"hello ".repeat(9), split, 9, right).unwrap_err().contains("cannot be split"));
    }

    #[test]
    fn what_no_special_token_ends_is_ended() {
        let plain = serde_json::json!({
            "version": "1.0",
            "added_tokens": [{ "id": 0, "content": "</s>", "single_word": false, "lstrip": false,
                "rstrip": false, "normalized": false, "special": true }],
            "pre_tokenizer": { "type": "Whitespace" },
            "model": { "type": "WordLevel", "vocab": { "</s>": 0, "a": 1, "b": 2 }, "unk_token": "a" }
        });
        let tokenizer = TextTokenizer::from_bytes(plain.to_string().as_bytes(), "plain", 3).unwrap();
        let rows = tokenizer
            .pair_rows("b b b", "b", OverLong::Truncate(Side::Right), TargetSettings::default())
            .unwrap();
        assert_eq!((&rows.rows[0].ids[..], &rows.rows[0].labels[..]), (&[2, 2, 0][..], &[2, 0][..]));
        assert_eq!(rows.full_length, 4);
    }

    #[test]
    fn a_bad_file_and_a_length_without_room_are_refused() {
        let error = TextTokenizer::from_bytes(b"{\"model\": 3}", "tiny", 64).err().unwrap();
        assert!(error.to_string().starts_with("the tokenizer tiny: "), "{error}");
        let error = TextTokenizer::from_bytes(TINY.as_bytes(), "tiny", 2).err().unwrap();
        assert!(error.to_string().contains("leaves no room beside its 2 special tokens"), "{error}");
    }
}
