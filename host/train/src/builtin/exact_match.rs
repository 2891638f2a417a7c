//! What a model writes by itself against what is wanted.

use std::num::NonZeroU8;

use pegbox_runtime::{StepView, TensorError};
use serde::{Deserialize, Serialize};

use super::gathering::Gathered;

/// `exact-match` is the share of texts that are right from the first token to the last, `token-error-rate` the tokens
/// that have to be inserted, deleted or replaced (Levenshtein 1966) by those that are wanted.
#[derive(Default, Serialize, Deserialize)]
pub struct ExactMatch {
    texts: u64,
    right: u64,
    edits: u64,
    /// Tokens that are wanted.
    tokens: u64,
}

/// How the model writes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// A beam search with so many; 1 takes the likeliest token at each place.
    #[serde(default = "greedy")]
    beams: NonZeroU8,
}

fn greedy() -> NonZeroU8 {
    NonZeroU8::MIN
}

impl Gathered for ExactMatch {
    type Settings = Search;

    fn add(&mut self, step: &dyn StepView, search: &Search) -> Result<(), TensorError> {
        let Some(written) = step.written(search.beams.get().into())? else {
            return Err(TensorError::new(
                "exact-match",
                "it is a metric of `task = \"seq2seq\"` and `task = \"generation\"`",
            ));
        };
        for text in &written {
            let edits = edits(&text.answer, &text.wanted);
            self.texts += 1;
            self.right += u64::from(edits == 0);
            self.edits += edits;
            self.tokens += text.wanted.len() as u64;
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.texts += other.texts;
        self.right += other.right;
        self.edits += other.edits;
        self.tokens += other.tokens;
    }

    fn scores(&self) -> Vec<(&'static str, f64, bool)> {
        let share = |part: u64, all: u64| part as f64 / all.max(1) as f64;
        vec![
            ("exact-match", share(self.right, self.texts), true),
            ("token-error-rate", share(self.edits, self.tokens), false),
        ]
    }
}

/// The fewest insertions, deletions and replacements that make one of the other.
fn edits(one: &[u32], other: &[u32]) -> u64 {
    // Of what was seen of `one`, the distance to each beginning of `other`.
    let mut distances: Vec<u64> = (0..=other.len() as u64).collect();
    for (seen, token) in (1..).zip(one) {
        let mut diagonal = seen - 1;
        let mut left = seen;
        if let Some(first) = distances.first_mut() {
            *first = seen;
        }
        for (distance, wanted) in distances.iter_mut().skip(1).zip(other) {
            let replaced = diagonal + u64::from(token != wanted);
            diagonal = *distance;
            *distance = replaced.min(diagonal + 1).min(left + 1);
            left = *distance;
        }
    }
    distances.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_by_hand() {
        for (one, other, expected) in [
            (&[][..], &[][..], 0),
            (&[1, 2, 3], &[], 3),
            (&[], &[1, 2], 2),
            (&[1, 2, 3], &[1, 2, 3], 0),
            (&[1, 2, 3], &[1, 3], 1),
            (&[1, 3], &[1, 2, 3], 1),
            (&[1, 2, 3], &[1, 9, 3], 1),
            // kitten and sitting
            (&[11, 9, 20, 20, 5, 14], &[19, 9, 20, 20, 9, 14, 7], 3),
        ] {
            assert_eq!(edits(one, other), expected, "{one:?} {other:?}");
        }
    }

    #[test]
    fn beams_are_at_least_one() {
        use super::super::metric;
        for (config, fits) in
            [("{}", true), (r#"{"beams": 4}"#, true), (r#"{"beams": 0}"#, false), (r#"{"beam": 4}"#, false)]
        {
            let config = serde_json::from_str(config).unwrap();
            assert_eq!(metric("exact-match", &config).is_ok(), fits, "{config}");
        }
    }
}
