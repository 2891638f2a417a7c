//! Words of a domain that a tokenizer splits, proposed as tokens of their own and added.
//!
//! An added token stands for a whole word, so that every other text is tokenized as before:
//! - WordPiece: as an added token of the tokenizer (`single_word`, matched after normalising), which takes a word
//!   out of the text before the model sees it. In the model's own vocabulary it would become the beginning of longer
//!   words, too.
//! - Byte-level BPE: in the model's vocabulary, without merges, and with `ignore_merges`: then a word that is in the
//!   vocabulary whole is taken whole, with the space before it. An added token of the tokenizer would either lose that
//!   space or leave it to a token of its own.

/// The extended tokenizer.
mod add;
/// Which words may become tokens.
mod candidates;
/// Candidates chosen one after another.
mod choose;
/// How a tokenizer takes new words.
mod scheme;

use crate::corpus::Corpus;
use crate::error::VocabularyError;
use crate::tokenizer::TokenizerFile;
use crate::words::{self, Fault};
use candidates::Candidates;
use rayon::prelude::*;
use scheme::Scheme;

pub use add::{Extended, add};

/// What is proposed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProposeSettings {
    /// Words that occur more rarely are left out: their embeddings would learn nothing.
    pub min_frequency: u64,
    /// Tokens that a proposal must save over all texts.
    pub min_saved: u64,
    /// Proposals, at most.
    pub limit: usize,
    /// Words joined by `-`, `/`, `.`, `&`, `+` or `@`, too, such as `covid-19`. WordPiece only: byte-level BPE splits there before it
    /// looks into its vocabulary.
    pub compounds: bool,
}

/// A token that the texts would be shorter with.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Proposal {
    /// As it stands in the vocabulary.
    pub token: String,
    /// As a reader knows it; a space before it is `▁`.
    pub text: String,
    /// How often it occurs, without what an earlier proposal covers.
    pub frequency: u64,
    /// The ids that it is split into now.
    pub pieces: Vec<u32>,
    /// Tokens that all texts together are shorter by, given the proposals before it.
    pub saved: u64,
}

/// Proposals, and what they are a part of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proposals {
    /// In the order in which they were chosen: each saves the most beside those before it.
    pub list: Vec<Proposal>,
    /// Tokens of all texts, without those that begin and end a text.
    pub tokens: u64,
    pub texts: u64,
    /// Words that might have been proposed.
    pub candidates: usize,
}

/// Proposes tokens for `base`, ranked by what they save in the texts of `corpus`.
///
/// # Errors
/// A tokenizer that cannot be extended, files that cannot be read, texts without words.
pub fn propose(
    base: &TokenizerFile,
    corpus: &Corpus<'_>,
    settings: &ProposeSettings,
) -> Result<Proposals, VocabularyError> {
    let scheme = Scheme::of(base)?;
    if settings.compounds && !scheme.takes_compounds() {
        return Err(base.unextendable("byte-level BPE has no words joined by punctuation"));
    }
    let words = words::count(corpus, |text, add| scheme.units(base, text, add))?;
    if words.counts.is_empty() {
        return Err(VocabularyError::NoWords);
    }
    let texts = words.texts;
    let candidates = Candidates::find(base, &scheme, words.counts, settings)?;
    let (tokens, count) = (candidates.tokens(), candidates.len());
    Ok(Proposals { list: choose::choose(candidates, settings), tokens, texts, candidates: count })
}

/// Tokens of all texts of `corpus`, without those that begin and end a text, by each of `tokenizers`.
///
/// # Errors
/// Files that cannot be read, a text that a tokenizer fails on.
pub fn tokens(corpus: &Corpus<'_>, tokenizers: &[&TokenizerFile]) -> Result<Vec<u64>, VocabularyError> {
    let mut totals = vec![0; tokenizers.len()];
    corpus.batches(|batch| {
        for (total, tokenizer) in totals.iter_mut().zip(tokenizers) {
            let count = |text: &crate::corpus::Text| {
                let encoding = tokenizer.tokenizer().encode_fast(text.content.as_str(), false);
                encoding.map(|encoding| encoding.len() as u64).map_err(|error| (text.clone(), error))
            };
            let counts: Vec<u64> = batch
                .par_iter()
                .map(count)
                .collect::<Result<_, _>>()
                .map_err(|(text, error)| Fault { text: &text, error }.at(corpus))?;
            *total += counts.into_iter().sum::<u64>();
        }
        Ok(())
    })?;
    Ok(totals)
}

#[cfg(test)]
mod tests;
