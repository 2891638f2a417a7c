//! Pieces with probabilities (Kudo 2018), by the trainer of `tokenizers`: words go in sorted and one thread works,
//! because sums of floats depend on their order; where its result hangs on a randomly keyed set, an order is made.
//! Pieces are sought among what different words share, as in SentencePiece: a word that no other begins with is no
//! piece, however frequent it is. In a large text hardly any frequent word is so.

use std::collections::HashMap;

use tokenizers::AddedToken;
use tokenizers::models::unigram::{Unigram, UnigramTrainer};

use super::alphabet::Alphabet;
use crate::error::VocabularyError;

/// What the trainer adds to the lowest score for each character that it had lost and must have.
const STEP: f64 = 0.0001;

/// The pieces and their log probabilities, the likeliest first, without the special tokens; every character of
/// `alphabet` is one, also if it is in none of the words. `words` must hold no special token, `special` the `unknown` one, and `size` exceed both and the characters.
pub(super) fn learn(
    words: &[(String, u64)],
    alphabet: &Alphabet,
    special: &[String],
    unknown: &str,
    size: usize,
) -> Result<Vec<(String, f64)>, VocabularyError> {
    let failed = |what: String| VocabularyError::Unigram { what };
    let trainer = UnigramTrainer::builder()
        .show_progress(false)
        .vocab_size(u32::try_from(size).unwrap_or(u32::MAX))
        .special_tokens(
            special.iter().map(|token| AddedToken::from(token.as_str(), true)).collect::<Vec<_>>(),
        )
        .unk_token(Some(unknown.to_owned()))
        .initial_alphabet(alphabet.characters().collect())
        .build()
        .map_err(|error| failed(error.to_string()))?;
    let thread =
        rayon::ThreadPoolBuilder::new().num_threads(1).build().map_err(|error| failed(error.to_string()))?;
    let mut model = Unigram::default();
    thread
        .install(|| trainer.do_train(narrowed(words), &mut model))
        .map_err(|error| failed(error.to_string()))?;
    let mut pieces: Vec<(String, f64)> = model.iter().skip(special.len()).cloned().collect();
    settle_lost_characters(&mut pieces);
    pieces.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Ok(pieces)
}

/// The counts in 32 bits, together, as the trainer sums them: scaled down where they are more.
fn narrowed(words: &[(String, u64)]) -> Vec<(String, u32)> {
    let total: u64 = words.iter().map(|(_, count)| count).sum();
    // Each count is at least 1 afterwards, so half of the range is left for what that adds.
    let divisor = total / u64::from(u32::MAX / 2) + 1;
    let narrow = |count: u64| u32::try_from((count / divisor).max(1)).unwrap_or(u32::MAX);
    words.iter().map(|(word, count)| (word.clone(), narrow(*count))).collect()
}

/// Characters that training lost get the lowest score and a step more for each, in the order of a set that no two
/// processes have alike. They get the same scores here, by code point.
fn settle_lost_characters(pieces: &mut [(String, f64)]) {
    let Some(lowest) = pieces.iter().map(|(_, score)| *score).min_by(f64::total_cmp) else { return };
    let mut by_score: HashMap<u64, Vec<usize>> = HashMap::new();
    for (at, (piece, score)) in pieces.iter().enumerate() {
        if piece.chars().nth(1).is_none() {
            by_score.entry(score.to_bits()).or_default().push(at);
        }
    }
    let mut lost: Vec<usize> = Vec::new();
    let mut above = 0.0;
    while let Some(found) = by_score.remove(&(lowest + above).to_bits()) {
        lost.extend(found);
        above += STEP;
    }
    let mut scores: Vec<f64> = lost.iter().map(|at| pieces[*at].1).collect();
    scores.sort_by(f64::total_cmp);
    lost.sort_by(|a, b| pieces[*a].0.cmp(&pieces[*b].0));
    for (at, score) in lost.into_iter().zip(scores) {
        pieces[at].1 = score;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_characters_have_their_scores_by_code_point() {
        let piece = |piece: &str, score: f64| (piece.to_owned(), score);
        let mut pieces = vec![
            piece("ab", -3.0),
            piece("z", -7.0 + (0.0001 + 0.0001)),
            piece("é", -7.0),
            piece("q", -7.0 + 0.0001),
            piece("kept", -7.0),
        ];
        settle_lost_characters(&mut pieces);
        assert_eq!(pieces[1], piece("z", -7.0 + 0.0001));
        assert_eq!(pieces[2].1, -7.0 + (0.0001 + 0.0001));
        assert_eq!(pieces[3], piece("q", -7.0));
        assert_eq!(pieces[4].1, -7.0);
    }

    #[test]
    fn large_counts_are_scaled_and_small_ones_stay() {
        let words = |counts: &[u64]| -> Vec<(String, u64)> {
            counts.iter().map(|count| (count.to_string(), *count)).collect()
        };
        let counts = |words: &[(String, u64)]| -> Vec<u32> {
            narrowed(words).into_iter().map(|(_, count)| count).collect()
        };
        assert_eq!(counts(&words(&[1, 1000])), [1, 1000]);
        let large = counts(&words(&[1, 1 << 40, 1 << 41]));
        assert_eq!(large[0], 1);
        assert!(large.iter().map(|count| u64::from(*count)).sum::<u64>() <= u64::from(u32::MAX));
        assert_eq!(large[2] / large[1], 2);
    }
}
