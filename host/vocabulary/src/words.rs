//! How often each word occurs.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::corpus::{Corpus, Text};
use crate::error::VocabularyError;

/// Texts that one thread counts before it takes the next.
const CHUNK: usize = 256;

/// The words of a corpus.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Words {
    /// Each word and how often it occurs, sorted by word.
    pub counts: Vec<(String, u64)>,
    /// Texts that were read.
    pub texts: u64,
}

/// Counts what `split` hands to its second argument, over all cores. The result does not depend on their number.
///
/// # Errors
/// What reading the files or `split` says; a fault of `split` names the text.
pub(crate) fn count(
    corpus: &Corpus<'_>,
    split: impl Fn(&str, &mut dyn FnMut(&str)) -> Result<(), tokenizers::Error> + Sync,
) -> Result<Words, VocabularyError> {
    let mut all: HashMap<String, u64> = HashMap::new();
    let texts = corpus.batches(|batch| {
        let counted: Vec<HashMap<String, u64>> = batch
            .par_chunks(CHUNK)
            .map(|chunk| count_some(chunk, &split).map_err(|fault| fault.at(corpus)))
            .collect::<Result<_, _>>()?;
        for (word, count) in counted.into_iter().flatten() {
            *all.entry(word).or_default() += count;
        }
        Ok(())
    })?;
    let mut counts: Vec<_> = all.into_iter().collect();
    counts.par_sort_unstable();
    Ok(Words { counts, texts })
}

/// A text that a tokenizer failed on.
pub(crate) struct Fault<'t> {
    pub text: &'t Text,
    pub error: tokenizers::Error,
}

impl Fault<'_> {
    pub(crate) fn at(self, corpus: &Corpus<'_>) -> VocabularyError {
        let Self { text, error } = self;
        VocabularyError::Tokenizer { path: corpus.origin(text).into(), what: error.to_string() }
    }
}

fn count_some<'t>(
    chunk: &'t [Text],
    split: &impl Fn(&str, &mut dyn FnMut(&str)) -> Result<(), tokenizers::Error>,
) -> Result<HashMap<String, u64>, Fault<'t>> {
    let mut counts: HashMap<String, u64> = HashMap::new();
    let mut add = |word: &str| match counts.get_mut(word) {
        Some(count) => *count += 1,
        None => {
            counts.insert(word.to_owned(), 1);
        }
    };
    for text in chunk {
        split(&text.content, &mut add).map_err(|error| Fault { text, error })?;
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::tests::corpus;

    #[test]
    fn words_are_counted_over_all_chunks() {
        let texts: Vec<String> = (0..10_000).map(|row| format!("w{} all", row % 3)).collect();
        let (_folder, corpus) = corpus(&texts);
        let words = count(&corpus, |text, add| {
            text.split(' ').for_each(add);
            Ok(())
        })
        .unwrap();
        assert_eq!(words.texts, 10_000);
        let expected = [("all", 10_000), ("w0", 3334), ("w1", 3333), ("w2", 3333)];
        assert_eq!(words.counts, expected.map(|(word, count)| (word.to_owned(), count)));
    }
}
