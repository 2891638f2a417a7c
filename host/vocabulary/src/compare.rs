//! Tokenizers side by side on the same texts.

use std::cmp::Ordering;
use std::collections::HashSet;

use rayon::prelude::*;
use regex::Regex;
use serde::Serialize;
use serde_json::Value;

use crate::corpus::{Corpus, Text};
use crate::error::VocabularyError;
use crate::tokenizer::TokenizerFile;
use crate::words::Fault;

/// Texts that one thread works on before it takes the next.
const CHUNK: usize = 64;
/// Texts with fewer words differ by chance.
const LEAST_WORDS: u64 = 5;
/// Of a text, what is kept to be shown. Characters.
const SHOWN: usize = 200;

/// What the comparison found. A word is a run of letters, digits and marks, whatever the tokenizer.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Comparison {
    pub texts: u64,
    /// UTF-8.
    pub bytes: u64,
    pub words: u64,
    pub tokenizers: Vec<Measured>,
    /// The texts whose numbers of tokens differ the most, a word.
    pub differing: Vec<Differing>,
}

/// What one tokenizer makes of the texts, without the tokens that begin and end a text.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Measured {
    pub name: String,
    /// Different tokens.
    pub vocabulary: usize,
    pub tokens: u64,
    /// Fertility (Rust et al. 2021): tokens that a word becomes, 1 at best. Tokens between words don't count.
    pub tokens_per_word: f64,
    /// Of the words, those that are one token.
    pub whole_words: f64,
    /// Of the tokens, those that stand for something unknown.
    pub unknown: f64,
    pub bytes_per_token: f64,
}

/// A text that the tokenizers see differently.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Differing {
    /// `train.jsonl:8811`.
    pub origin: String,
    /// Its beginning.
    pub text: String,
    /// By each tokenizer.
    pub tokens: Vec<u64>,
}

/// Compares `tokenizers`, each with the name that it is to have, on the texts of `corpus`; keeps `shown` texts that
/// differ the most.
///
/// # Errors
/// Files that cannot be read, texts without words, a text that a tokenizer fails on.
pub fn compare(
    corpus: &Corpus<'_>,
    tokenizers: &[(String, TokenizerFile)],
    shown: usize,
) -> Result<Comparison, VocabularyError> {
    let side = Side::new(tokenizers)?;
    let mut total = Sums { by_tokenizer: vec![Counts::default(); tokenizers.len()], ..Sums::default() };
    let texts = corpus.batches(|batch| {
        let chunks: Vec<Sums> = batch
            .par_chunks(CHUNK)
            .map(|chunk| side.measure(chunk, corpus, shown))
            .collect::<Result<_, _>>()?;
        chunks.into_iter().for_each(|chunk| total.add(chunk, shown));
        Ok(())
    })?;
    if total.words == 0 {
        return Err(VocabularyError::NoWords);
    }
    let measured = |((name, tokenizer), counts): (&(String, TokenizerFile), &Counts)| Measured {
        name: name.clone(),
        vocabulary: tokenizer.vocabulary_size(),
        tokens: counts.tokens,
        tokens_per_word: counts.in_words as f64 / total.words as f64,
        whole_words: counts.whole as f64 / total.words as f64,
        unknown: counts.unknown as f64 / counts.tokens.max(1) as f64,
        bytes_per_token: total.bytes as f64 / counts.tokens.max(1) as f64,
    };
    Ok(Comparison {
        texts,
        bytes: total.bytes,
        words: total.words,
        tokenizers: tokenizers.iter().zip(&total.by_tokenizer).map(measured).collect(),
        differing: total.differing.into_iter().map(|ranked| ranked.text).collect(),
    })
}

/// The tokenizers, and what is needed to measure them.
struct Side<'t> {
    tokenizers: &'t [(String, TokenizerFile)],
    /// The ids for what is unknown, of each.
    unknown: Vec<HashSet<u32>>,
    word: Regex,
}

#[derive(Default)]
struct Sums {
    bytes: u64,
    words: u64,
    by_tokenizer: Vec<Counts>,
    /// The most different first.
    differing: Vec<Ranked>,
}

#[derive(Clone, Default)]
struct Counts {
    tokens: u64,
    /// Tokens that lie in words, each counted for each word that it lies in.
    in_words: u64,
    whole: u64,
    unknown: u64,
}

struct Ranked {
    /// Tokens a word between the most and the fewest.
    spread: f64,
    text: Differing,
}

impl<'t> Side<'t> {
    fn new(tokenizers: &'t [(String, TokenizerFile)]) -> Result<Self, VocabularyError> {
        let word = Regex::new(r"\w+").map_err(|error| VocabularyError::Tokenizer {
            path: "the pattern of words".into(),
            what: error.to_string(),
        })?;
        let unknown = tokenizers.iter().map(|(_, tokenizer)| unknown_ids(tokenizer)).collect();
        Ok(Self { tokenizers, unknown, word })
    }

    fn measure(&self, chunk: &[Text], corpus: &Corpus<'_>, shown: usize) -> Result<Sums, VocabularyError> {
        let mut sums =
            Sums { by_tokenizer: vec![Counts::default(); self.tokenizers.len()], ..Sums::default() };
        for text in chunk {
            let words: Vec<(usize, usize)> =
                self.word.find_iter(&text.content).map(|found| (found.start(), found.end())).collect();
            sums.bytes += text.content.len() as u64;
            sums.words += words.len() as u64;
            let mut tokens = Vec::with_capacity(self.tokenizers.len());
            for (number, (_, tokenizer)) in self.tokenizers.iter().enumerate() {
                let encoding = tokenizer
                    .tokenizer()
                    .encode(text.content.as_str(), false)
                    .map_err(|error| Fault { text, error }.at(corpus))?;
                let unknown = &self.unknown[number];
                let counts = &mut sums.by_tokenizer[number];
                counts.tokens += encoding.len() as u64;
                counts.unknown += encoding.get_ids().iter().filter(|id| unknown.contains(id)).count() as u64;
                counts.add_words(&text.content, &words, encoding.get_offsets(), |token| {
                    encoding.get_ids().get(token).is_some_and(|id| unknown.contains(id))
                });
                tokens.push(encoding.len() as u64);
            }
            let (most, fewest) = (tokens.iter().max().copied(), tokens.iter().min().copied());
            let spread = most.unwrap_or(0).abs_diff(fewest.unwrap_or(0));
            if spread > 0 && words.len() as u64 >= LEAST_WORDS {
                let beginning = text.content.chars().take(SHOWN).collect();
                let text = Differing { origin: corpus.origin(text), text: beginning, tokens };
                sums.differing.push(Ranked { spread: spread as f64 / words.len() as f64, text });
            }
        }
        sums.rank(shown);
        Ok(sums)
    }
}

impl Counts {
    /// `words` and `tokens` are byte ranges of `text`, by rising start.
    fn add_words(
        &mut self,
        text: &str,
        words: &[(usize, usize)],
        tokens: &[(usize, usize)],
        is_unknown: impl Fn(usize) -> bool,
    ) {
        let mut first = 0;
        for (start, end) in words.iter().copied() {
            while tokens.get(first).is_some_and(|token| token.1 <= start) {
                first += 1;
            }
            let inside = tokens[first..].iter().take_while(|token| token.0 < end).count();
            self.in_words += inside as u64;
            if inside == 1 && !is_unknown(first) {
                let covered = tokens.get(first).and_then(|token| text.get(token.0..token.1));
                // A token may bring the space before the word along.
                let whole = covered.is_some_and(|covered| Some(covered.trim()) == text.get(start..end));
                self.whole += u64::from(whole);
            }
        }
    }
}

impl Sums {
    fn add(&mut self, other: Self, shown: usize) {
        self.bytes += other.bytes;
        self.words += other.words;
        for (total, counts) in self.by_tokenizer.iter_mut().zip(other.by_tokenizer) {
            total.tokens += counts.tokens;
            total.in_words += counts.in_words;
            total.whole += counts.whole;
            total.unknown += counts.unknown;
        }
        self.differing.extend(other.differing);
        self.rank(shown);
    }

    /// Keeps the `shown` most different; of equally different ones the earlier.
    fn rank(&mut self, shown: usize) {
        self.differing.sort_by(|a, b| b.spread.partial_cmp(&a.spread).unwrap_or(Ordering::Equal));
        self.differing.truncate(shown);
    }
}

/// The ids that a tokenizer gives to what it does not know.
fn unknown_ids(tokenizer: &TokenizerFile) -> HashSet<u32> {
    let model = tokenizer.json().get("model");
    let token = model.and_then(|model| model.get("unk_token")).and_then(Value::as_str);
    let by_name = token.and_then(|token| tokenizer.tokenizer().token_to_id(token));
    let by_number = model.and_then(|model| model.get("unk_id")).and_then(Value::as_u64);
    by_name.into_iter().chain(by_number.and_then(|id| u32::try_from(id).ok())).collect()
}

#[cfg(test)]
mod tests;
