//! Text out of tokens, one at a time.

use tokenizers::Tokenizer;

/// A tokenizer that could not turn ids into text.
#[derive(Debug, thiserror::Error)]
#[error("the tokenizer cannot decode token {token}: {what}")]
pub struct StreamError {
    pub token: u32,
    pub what: String,
}

/// What a tokenizer puts where bytes are no character.
const REPLACEMENT: char = '\u{fffd}';

/// Tokens that wait at most. A character has four bytes and so waits for four tokens; each of them may also hold the
/// end of one character and the beginning of the next.
const LONGEST_WAIT: usize = 16;

/// Decodes tokens as they come. A piece of text is given out once it can no longer change: the bytes of a
/// character that several tokens make up wait until it is whole, so that no replacement character appears early.
/// The pieces joined are what the tokenizer makes of all the tokens at once, if their bytes are text; bytes that never
/// become characters are given out as replacement characters after a while.
///
/// A tokenizer may decode a token otherwise at the beginning of a text (SentencePiece drops its space there), so a
/// few tokens that are out already are decoded again before each new one, as in the streams of Hugging Face's
/// `tokenizers` and text-generation-inference.
#[derive(Clone)]
pub struct TextStream<'t> {
    tokenizer: &'t Tokenizer,
    skip_special_tokens: bool,
    /// Tokens whose text is out, and then those whose text is not.
    tokens: Vec<u32>,
    /// How many of them are out.
    out: usize,
}

impl<'t> TextStream<'t> {
    /// `skip_special_tokens`: whether tokens such as an end of sequence have no text.
    pub fn new(tokenizer: &'t Tokenizer, skip_special_tokens: bool) -> Self {
        Self { tokenizer, skip_special_tokens, tokens: Vec::new(), out: 0 }
    }

    /// The text that `token` completes, often none.
    ///
    /// # Errors
    /// The tokenizer's decoder fails.
    pub fn push(&mut self, token: u32) -> Result<String, StreamError> {
        self.tokens.push(token);
        let text = self.pending(token)?;
        let hopeless = self.tokens.len() - self.out > LONGEST_WAIT;
        if text.is_empty() || (text.ends_with(REPLACEMENT) && !hopeless) {
            return Ok(String::new());
        }
        self.tokens.drain(..self.out);
        self.out = self.tokens.len();
        Ok(text)
    }

    /// The text of what still waits: replacement characters where a character never became whole.
    ///
    /// # Errors
    /// The tokenizer's decoder fails.
    pub fn finish(&mut self) -> Result<String, StreamError> {
        let Some(last) = self.tokens.last().copied() else {
            return Ok(String::new());
        };
        let text = self.pending(last)?;
        self.tokens.clear();
        self.out = 0;
        Ok(text)
    }

    /// The text of the tokens that are not out.
    fn pending(&self, token: u32) -> Result<String, StreamError> {
        let decode = |tokens: &[u32]| {
            self.tokenizer
                .decode(tokens, self.skip_special_tokens)
                .map_err(|error| StreamError { token, what: error.to_string() })
        };
        let before = decode(self.tokens.get(..self.out).unwrap_or_default())?;
        let mut text = decode(&self.tokens)?;
        // What is out stays out, even where a tokenizer would now write it otherwise.
        let mut start = before.len().min(text.len());
        while !text.is_char_boundary(start) {
            start += 1;
        }
        Ok(text.split_off(start))
    }
}
