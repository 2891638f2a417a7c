//! What a maximum length costs: rows and tokens that are cut, and padding where rows are padded to it.

use serde::{Deserialize, Serialize};

use super::counts::Lengths;

/// What one maximum length costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Candidate {
    pub max_length: u32,
    /// Rows that are longer.
    pub rows_cut: u64,
    /// Tokens behind the maximum.
    pub tokens_cut: u64,
    /// Tokens that stay.
    pub tokens: u64,
    /// Positions without a token where each row is padded to the maximum.
    pub padding: u64,
}

impl Candidate {
    /// The share of positions that are padding.
    pub fn waste(&self) -> f64 {
        share(self.padding, self.padding + self.tokens)
    }
}

/// How much may be cut, as shares.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tolerance {
    pub rows: f64,
    pub tokens: f64,
}

impl Default for Tolerance {
    /// A hundredth of each.
    fn default() -> Self {
        Self { rows: 0.01, tokens: 0.01 }
    }
}

/// A maximum length and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Recommendation {
    pub candidate: Candidate,
    pub reason: String,
}

/// The costs of several maximum lengths up to the longest row, or up to `ceiling`, such as the model's limit:
/// multiples of 8, eight of them between a power of two and the next, so that there are few for long rows, too.
/// The last one cuts nothing, unless there is a ceiling below it. None without rows.
pub fn candidates(lengths: &Lengths, ceiling: Option<u32>) -> Vec<Candidate> {
    let longest = lengths.longest();
    if lengths.rows() == 0 {
        return Vec::new();
    }
    let ceiling = ceiling.unwrap_or(u32::MAX).max(1);
    let mut maxima = Vec::new();
    for step in steps() {
        maxima.push(step.min(ceiling));
        if step >= longest.min(ceiling) {
            break;
        }
    }
    maxima.dedup();
    costs(lengths, &maxima)
}

/// The cost of one maximum length.
pub fn cost(lengths: &Lengths, max_length: u32) -> Candidate {
    costs(lengths, &[max_length]).pop().unwrap_or(Candidate {
        max_length,
        rows_cut: 0,
        tokens_cut: 0,
        tokens: 0,
        padding: 0,
    })
}

/// The smallest of the candidates that cuts no more than the tolerance; else the largest.
pub fn recommend(lengths: &Lengths, ceiling: Option<u32>, tolerance: Tolerance) -> Option<Recommendation> {
    let candidates = candidates(lengths, ceiling);
    let (rows, tokens) = (lengths.rows(), lengths.tokens());
    let fits = |candidate: &&Candidate| {
        share(candidate.rows_cut, rows) <= tolerance.rows
            && share(candidate.tokens_cut, tokens) <= tolerance.tokens
    };
    let found = candidates.iter().find(fits);
    let candidate = *found.or(candidates.last())?;
    let max = candidate.max_length;
    let cut = format!(
        "it cuts {} of the rows ({}) and {} of the tokens",
        percent(share(candidate.rows_cut, rows)),
        candidate.rows_cut,
        percent(share(candidate.tokens_cut, tokens)),
    );
    let reason = match found {
        Some(_) if candidate.rows_cut == 0 => {
            format!(
                "{max} is the smallest candidate that cuts nothing: the longest row has {} tokens",
                lengths.longest()
            )
        }
        Some(_) => format!(
            "{max} is the smallest candidate that cuts at most {} of the rows and {} of the tokens: {cut}; the longest row has {} tokens",
            percent(tolerance.rows),
            percent(tolerance.tokens),
            lengths.longest(),
        ),
        None => format!("{max} is the most that is allowed, and {cut}; think of splitting long rows"),
    };
    Some(Recommendation { candidate, reason })
}

/// 8, 16, ... 64, 72, ... 128, 144, ...: eight steps to each power of two, all multiples of 8.
fn steps() -> impl Iterator<Item = u32> {
    let first = (1..=8).map(|step| step * 8);
    let doubled = (3..29).flat_map(|power| (9..=16u64).map(move |step| step << power));
    first.chain(doubled.map(|step| u32::try_from(step).unwrap_or(u32::MAX)))
}

/// In one pass over the lengths for rising maxima.
fn costs(lengths: &Lengths, maxima: &[u32]) -> Vec<Candidate> {
    let (all_rows, all_tokens) = (lengths.rows(), lengths.tokens());
    let mut iter = lengths.iter().peekable();
    let (mut rows, mut tokens) = (0, 0);
    let mut costs = Vec::with_capacity(maxima.len());
    for max_length in maxima {
        while let Some((length, count)) = iter.next_if(|(length, _)| length <= max_length) {
            rows += count;
            tokens += u64::from(length) * count;
        }
        let rows_cut = all_rows - rows;
        let kept = tokens + rows_cut * u64::from(*max_length);
        costs.push(Candidate {
            max_length: *max_length,
            rows_cut,
            tokens_cut: all_tokens - kept,
            tokens: kept,
            padding: all_rows * u64::from(*max_length) - kept,
        });
    }
    costs
}

fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn percent(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}

#[cfg(test)]
mod tests {
    use pegbox_random::SplitMix64;

    use super::*;

    #[test]
    fn costs_are_those_of_the_rows() {
        let mut random = SplitMix64::new(16);
        for _ in 0..100 {
            let (count, most) = (1 + random.below(300), 1 + random.below(900));
            let rows: Vec<u64> = (0..count).map(|_| random.below(most) as u64).collect();
            let lengths: Lengths = rows.iter().map(|length| *length as u32).collect();
            let all = candidates(&lengths, None);
            assert_eq!(all.last().map(|last| last.rows_cut), Some(0));
            for candidate in all {
                let max = u64::from(candidate.max_length);
                assert_eq!(max % 8, 0);
                assert_eq!(candidate.rows_cut, rows.iter().filter(|length| **length > max).count() as u64);
                assert_eq!(
                    candidate.tokens_cut,
                    rows.iter().map(|length| length.saturating_sub(max)).sum::<u64>()
                );
                assert_eq!(
                    candidate.padding,
                    rows.iter().map(|length| max.saturating_sub(*length)).sum::<u64>()
                );
                assert_eq!(candidate.tokens + candidate.tokens_cut, lengths.tokens());
                assert_eq!(candidate, cost(&lengths, candidate.max_length));
            }
        }
    }

    #[test]
    fn candidates_hold_the_powers_of_two() {
        let lengths: Lengths = [5000].into_iter().collect();
        let maxima: Vec<u32> =
            candidates(&lengths, None).iter().map(|candidate| candidate.max_length).collect();
        for power in 3..=12 {
            assert!(maxima.contains(&(1 << power)), "{maxima:?}");
        }
        assert_eq!((maxima.len(), maxima.last()), (58, Some(&5120)));
        let maxima: Vec<u32> =
            candidates(&lengths, Some(514)).iter().map(|candidate| candidate.max_length).collect();
        assert_eq!(maxima[maxima.len() - 2..], [512, 514]);
        let long: Lengths = [u32::MAX].into_iter().collect();
        assert_eq!(candidates(&long, None).last().map(|last| last.rows_cut), Some(0));
        assert!(candidates(&Lengths::default(), None).is_empty());
    }

    #[test]
    fn a_recommendation_says_why() {
        let lengths: Lengths = (0..1000).map(|row| if row < 995 { row % 60 } else { 100 }).collect();
        let reason = |ceiling, tolerance| {
            let it = recommend(&lengths, ceiling, tolerance).unwrap();
            (it.candidate.max_length, it.reason)
        };
        let (max, why) = reason(None, Tolerance::default());
        assert_eq!(max, 64, "{why}");
        assert!(why.contains("it cuts 0.50% of the rows (5) and 0.61% of the tokens"), "{why}");
        let (max, why) = reason(None, Tolerance { rows: 0.0, tokens: 0.0 });
        assert_eq!((max, why.contains("cuts nothing")), (104, true));
        let (max, why) = reason(Some(20), Tolerance::default());
        assert_eq!((max, why.contains("the most that is allowed")), (20, true));
        assert_eq!(recommend(&Lengths::default(), None, Tolerance::default()), None);
    }
}
