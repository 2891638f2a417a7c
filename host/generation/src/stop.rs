//! Where an answer ends besides the end-of-sequence tokens.

use tokenizers::Tokenizer;

use crate::settings::GenerationSettings;
use crate::stream::{StreamError, TextStream};

/// The strings and tokens that end an answer.
pub(crate) struct Stops<'s> {
    strings: &'s [String],
    /// Stop strings that are one token of the vocabulary, such as `<|im_end|>`: they have no text where special
    /// tokens are skipped.
    tokens: Vec<(u32, &'s str)>,
}

impl<'s> Stops<'s> {
    pub(crate) fn new(settings: &'s GenerationSettings, tokenizer: Option<&Tokenizer>) -> Self {
        let strings = settings.stop_strings.as_slice();
        let token = |string: &'s String| Some((tokenizer?.token_to_id(string)?, string.as_str()));
        Self { strings, tokens: strings.iter().filter_map(token).collect() }
    }

    fn by_token(&self, token: u32) -> Option<&'s str> {
        self.tokens.iter().find(|(id, _)| *id == token).map(|(_, string)| *string)
    }

    /// The earliest place where a stop string begins, and which.
    fn find(&self, text: &str) -> Option<(usize, &'s str)> {
        let places =
            self.strings.iter().filter_map(|string| Some((text.find(string.as_str())?, string.as_str())));
        places.min_by_key(|(place, _)| *place)
    }

    /// Bytes at the end of `text` that may be the beginning of a stop string.
    fn undecided(&self, text: &str) -> usize {
        let longest = |string: &String| {
            string
                .char_indices()
                .map(|(at, _)| at)
                .rev()
                .find(|at| text.ends_with(string.get(..*at).unwrap_or("")))
        };
        self.strings.iter().filter_map(longest).max().unwrap_or(0)
    }
}

/// The text of an answer as it grows. What may be the beginning of a stop string is held back.
#[derive(Clone)]
pub(crate) struct Answer<'t> {
    stream: TextStream<'t>,
    held: String,
    pub(crate) text: String,
}

impl<'t> Answer<'t> {
    pub(crate) fn new(tokenizer: &'t Tokenizer) -> Self {
        Self { stream: TextStream::new(tokenizer, true), held: String::new(), text: String::new() }
    }

    /// Adds a token. Gives the text that is certain now, and the stop string that ends the answer before it.
    pub(crate) fn push<'s>(
        &mut self,
        token: u32,
        stops: &Stops<'s>,
    ) -> Result<(String, Option<&'s str>), StreamError> {
        if let Some(stop) = stops.by_token(token) {
            let text = self.finish()?;
            return Ok((text, Some(stop)));
        }
        self.held.push_str(&self.stream.push(token)?);
        if let Some((place, stop)) = stops.find(&self.held) {
            self.held.truncate(place);
            return Ok((self.give(place), Some(stop)));
        }
        let certain = self.held.len() - stops.undecided(&self.held);
        Ok((self.give(certain), None))
    }

    /// The rest of an answer that ended otherwise.
    pub(crate) fn finish(&mut self) -> Result<String, StreamError> {
        self.held.push_str(&self.stream.finish()?);
        Ok(self.give(self.held.len()))
    }

    fn give(&mut self, length: usize) -> String {
        let rest = self.held.split_off(length);
        let text = std::mem::replace(&mut self.held, rest);
        self.text.push_str(&text);
        text
    }
}
