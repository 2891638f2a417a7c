//! Text to token ids, with the crate `tokenizers` and the model's own tokenizer.json.

use serde::{Deserialize, Serialize};
use tokenizers::{PaddingParams, PostProcessor, Tokenizer, TruncationDirection};

use crate::error::DataError;
use crate::parallel;

/// Texts that one thread tokenizes before it takes the next.
const CHUNK: usize = 256;

/// What becomes of a text with more tokens than the model is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OverLong {
    /// Its end is cut off; counted and reported.
    #[default]
    Truncate,
    /// It leaves the training part. In the validation and test parts it is truncated instead, because a
    /// score must be over all rows.
    Drop,
    /// The preparation fails.
    Fail,
}

/// How texts become token ids.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct TokenSettings {
    /// Tokens a row, special tokens included.
    pub max_length: usize,
    pub over_long: OverLong,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self { max_length: 128, over_long: OverLong::Truncate }
    }
}

/// The token ids of one text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Encoded {
    /// At most the maximal length, special tokens included.
    pub ids: Vec<u32>,
    /// Of the same length.
    pub type_ids: Vec<u32>,
    /// The tokens before truncation, special tokens included.
    pub full_length: usize,
}

/// A tokenizer that truncates to one length and never pads, whatever its file says.
pub struct TextTokenizer {
    tokenizer: Tokenizer,
    max_length: usize,
    /// Special tokens that each row gets.
    special: usize,
    pad_id: u32,
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
        let special = tokenizer.get_post_processor().map_or(0, |processor| processor.added_tokens(false));
        if max_length <= special {
            return Err(failed(format!(
                "max-length = {max_length} leaves no room beside its {special} special tokens"
            )));
        }
        Ok(Self { tokenizer, max_length, special, pad_id })
    }

    /// The id that pads rows.
    pub fn pad_id(&self) -> u32 {
        self.pad_id
    }

    pub fn max_length(&self) -> usize {
        self.max_length
    }

    /// Entries of the vocabulary, added tokens included; every id is below it in a sound file.
    pub fn vocabulary_size(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    /// The ids of `text` with special tokens, or why not.
    pub fn encode(&self, text: &str) -> Result<Encoded, String> {
        let told = |error: tokenizers::Error| error.to_string();
        // The crate's own truncation stops reading the text early, and then nobody knows what was lost: so
        // the tokens are counted and cut here, and the special tokens come after.
        let mut encoding = self.tokenizer.encode_fast(text, false).map_err(told)?;
        let full_length = encoding.len() + self.special;
        encoding.truncate(self.max_length - self.special, 0, TruncationDirection::Right);
        let encoding = self.tokenizer.post_process(encoding, None, true).map_err(told)?;
        Ok(Encoded {
            ids: encoding.get_ids().to_vec(),
            type_ids: encoding.get_type_ids().to_vec(),
            full_length,
        })
    }

    /// The ids of all `texts`, in order, over `threads` threads (0: one a core); or the number of the first
    /// text that failed, and why. `done` is told how many texts were finished in a chunk.
    pub fn encode_all(
        &self,
        texts: &[&str],
        threads: usize,
        done: impl Fn(usize) + Sync,
    ) -> Result<Vec<Encoded>, (usize, String)> {
        let chunks: Vec<&[&str]> = texts.chunks(CHUNK).collect();
        let encoded = parallel::ordered(
            chunks.len(),
            parallel::threads(threads),
            || Ok(()),
            |(), number| {
                let chunk = chunks.get(number).copied().unwrap_or_default();
                let encoded: Result<Vec<Encoded>, (usize, String)> = chunk
                    .iter()
                    .enumerate()
                    .map(|(row, text)| self.encode(text).map_err(|error| (number * CHUNK + row, error)))
                    .collect();
                done(chunk.len());
                encoded
            },
        )?;
        Ok(encoded.into_iter().flatten().collect())
    }
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
    fn all_threads_give_the_same_in_order() {
        let tokenizer = TextTokenizer::from_bytes(TINY.as_bytes(), "tiny", 64).unwrap();
        let texts: Vec<String> = (0..1000).map(|row| "world ".repeat(row % 17)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let encoded = tokenizer.encode_all(&texts, 4, |_| ()).unwrap();
        assert!(encoded.iter().enumerate().all(|(row, encoded)| encoded.ids.len() == row % 17 + 2));
    }

    #[test]
    fn a_bad_file_and_a_length_without_room_are_refused() {
        let error = TextTokenizer::from_bytes(b"{\"model\": 3}", "tiny", 64).err().unwrap();
        assert!(error.to_string().starts_with("the tokenizer tiny: "), "{error}");
        let error = TextTokenizer::from_bytes(TINY.as_bytes(), "tiny", 2).err().unwrap();
        assert!(error.to_string().contains("leaves no room beside its 2 special tokens"), "{error}");
    }
}
