//! Which words may become tokens.

use std::collections::HashMap;

use rayon::prelude::*;

use super::ProposeSettings;
use super::scheme::{JOINT, Scheme, is_word, is_word_like};
use crate::error::VocabularyError;
use crate::tokenizer::TokenizerFile;

/// Characters of the longest word that is proposed: what is longer is no word but an address or a key.
const LONGEST: usize = 40;
/// Words and joints of the longest compound: `state-of-the-art` has seven.
pub(super) const LONGEST_COMPOUND: usize = 7;

/// Marks that make one word of two. An apostrophe makes contractions, and what follows a comma is another word.
const JOINS: [&str; 6] = ["-", "/", ".", "&", "+", "@"];

/// Words that stand together without a space, and how often they do.
pub(super) struct Unit {
    /// Numbers of words, in order.
    pub words: Vec<u32>,
    pub count: u64,
}

/// A word as the model gets it.
pub(super) struct Word {
    pub text: String,
    /// The ids that it is split into.
    pub pieces: Vec<u32>,
}

/// A word, or a compound, that may become a token.
pub(super) struct Candidate {
    /// As it will stand in the vocabulary.
    pub token: String,
    pub readable: String,
    pub pieces: Vec<u32>,
    /// Numbers of the units that it occurs in.
    pub units: Vec<u32>,
}

/// All of them, with the texts as numbers.
pub(super) struct Candidates {
    pub words: Vec<Word>,
    pub units: Vec<Unit>,
    pub list: Vec<Candidate>,
}

impl Candidates {
    /// From units (words between [`JOINT`]s) and how often each occurs.
    pub fn find(
        base: &TokenizerFile,
        scheme: &Scheme,
        counts: Vec<(String, u64)>,
        settings: &ProposeSettings,
    ) -> Result<Self, VocabularyError> {
        let mut numbers: HashMap<String, u32> = HashMap::new();
        let mut names: Vec<String> = Vec::new();
        let units: Vec<Unit> = counts
            .into_iter()
            .map(|(unit, count)| {
                let number = |word: &str| {
                    *numbers.entry(word.to_owned()).or_insert_with(|| {
                        names.push(word.to_owned());
                        (names.len() - 1) as u32
                    })
                };
                Unit { words: unit.split(JOINT).map(number).collect(), count }
            })
            .collect();
        let words: Vec<Word> = names
            .into_par_iter()
            .map(|text| scheme.pieces(base, &text).map(|pieces| Word { text, pieces }))
            .collect::<Result<_, VocabularyError>>()?;
        let list = occurrences(&words, &units, settings)
            .into_par_iter()
            .filter_map(|(span, places)| candidate(base, scheme, &words, &span, places))
            .collect();
        let mut found = Self { words, units, list };
        found.list.sort_by(|a, b| a.token.cmp(&b.token));
        Ok(found)
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Tokens of all units now.
    pub fn tokens(&self) -> u64 {
        let of = |unit: &Unit| -> u64 {
            unit.words.iter().map(|word| self.words[*word as usize].pieces.len() as u64).sum()
        };
        self.units.iter().map(|unit| unit.count * of(unit)).sum()
    }
}

/// Spans of words that occur often enough, with the units that hold them.
fn occurrences(words: &[Word], units: &[Unit], settings: &ProposeSettings) -> Vec<(Vec<u32>, Vec<u32>)> {
    let is_word: Vec<bool> = words.iter().map(|word| is_word_like(&word.text)).collect();
    let longest = if settings.compounds { LONGEST_COMPOUND } else { 1 };
    let mut found: HashMap<&[u32], (u64, Vec<u32>)> = HashMap::new();
    for (number, unit) in (0..).zip(units) {
        for start in 0..unit.words.len() {
            for length in (1..=longest).step_by(2) {
                let Some(span) = unit.words.get(start..start + length) else { break };
                if length > 1 && !is_compound(span, words, &is_word) {
                    break;
                }
                let (count, places) = found.entry(span).or_default();
                *count += unit.count;
                if places.last() != Some(&number) {
                    places.push(number);
                }
            }
        }
    }
    let kept = found.into_iter().filter(|(_, (count, _))| *count >= settings.min_frequency);
    kept.map(|(span, (_, places))| (span.to_vec(), places)).collect()
}

/// Words with one mark between each two of them that joins words.
fn is_compound(span: &[u32], words: &[Word], is_word: &[bool]) -> bool {
    span.iter().enumerate().all(|(place, word)| {
        let word = *word as usize;
        if place % 2 == 0 {
            is_word[word] && !words[word].text.contains('_')
        } else {
            JOINS.contains(&words[word].text.as_str())
        }
    })
}

fn candidate(
    base: &TokenizerFile,
    scheme: &Scheme,
    words: &[Word],
    span: &[u32],
    units: Vec<u32>,
) -> Option<Candidate> {
    let parts = span.iter().map(|word| &words[*word as usize]);
    let pieces: Vec<u32> = parts.clone().flat_map(|word| word.pieces.iter().copied()).collect();
    let token: String = parts.map(|word| word.text.as_str()).collect();
    if pieces.len() < 2 || token.chars().nth(LONGEST).is_some() {
        return None;
    }
    // What the vocabulary has already, but never gives, stays as it is.
    if base.tokenizer().token_to_id(&token).is_some() {
        return None;
    }
    let readable = match span {
        [_] => scheme.readable(base, &token)?,
        _ => compound(base, scheme, words, span, &token)?,
    };
    Some(Candidate { token, readable, pieces, units })
}

/// A compound must be what its normalised words are, and end in a word.
fn compound(
    base: &TokenizerFile,
    scheme: &Scheme,
    words: &[Word],
    span: &[u32],
    token: &str,
) -> Option<String> {
    let mut has_word = false;
    for word in span.iter().step_by(2) {
        let text = &words[*word as usize].text;
        // A number may be a part of a compound, and none alone.
        if is_word(text) {
            scheme.readable(base, text)?;
            has_word = true;
        }
    }
    has_word.then(|| token.to_owned())
}
