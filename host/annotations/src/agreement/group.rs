//! What is measured over all annotators at once: percent agreement, Fleiss' kappa, Krippendorff's alpha.
//!
//! Alpha's observed and expected disagreement are sums over a coincidence matrix (Krippendorff 2011, "Computing
//! Krippendorff's alpha-reliability"). They need no matrix. The squared ordinal distance is that of two mid-ranks,
//! so the ordinal alpha is the interval alpha of the mid-ranks; and the sum of squared differences over all
//! pairs of m numbers is 2 (m sum x^2 - (sum x)^2).

use crate::patterns::Patterns;
use crate::ratings::Ratings;

/// Where each statistic stands in [`Group::measure`].
pub(super) const PERCENT: usize = 0;
pub(super) const FLEISS: usize = 1;
pub(super) const NOMINAL: usize = 2;
pub(super) const ORDINAL: usize = 3;
pub(super) const INTERVAL: usize = 4;

/// The patterns with two ratings or more.
pub(super) struct Group<'a> {
    lines: Vec<Line>,
    /// Categories of all the lines, one line after another.
    categories: Vec<u32>,
    numbers: Option<&'a [f64]>,
    ordered: bool,
    category_count: usize,
}

struct Line {
    pattern: usize,
    start: usize,
    end: usize,
    /// The share of its pairs that agree.
    agreement: f64,
}

impl<'a> Group<'a> {
    pub fn new(ratings: &'a Ratings, patterns: &Patterns) -> Self {
        let mut group = Self {
            lines: Vec::new(),
            categories: Vec::new(),
            numbers: ratings.numbers(),
            ordered: ratings.ordered(),
            category_count: ratings.categories().len(),
        };
        for (pattern, line) in patterns.lines.iter().enumerate().filter(|(_, line)| line.len() > 1) {
            let start = group.categories.len();
            group.categories.extend(line.iter().map(|rating| rating.category));
            group.lines.push(Line {
                pattern,
                start,
                end: group.categories.len(),
                agreement: agreeing(&mut group.categories[start..]) / (line.len() * (line.len() - 1)) as f64,
            });
        }
        group
    }

    /// The statistics, each pattern counted `weights[pattern]` times; not a number where not defined.
    pub fn measure(&self, weights: &[u32]) -> [f64; 5] {
        let mut counts = vec![0.0; self.category_count];
        let (mut items, mut agreement, mut disagreeing) = (0.0, 0.0, 0.0);
        for (line, weight, categories) in self.weighted(weights) {
            items += weight;
            agreement += weight * line.agreement;
            disagreeing += weight * (1.0 - line.agreement) * categories.len() as f64;
            for &category in categories {
                counts[category as usize] += weight;
            }
        }
        let all: f64 = counts.iter().sum();
        let squares: f64 = counts.iter().map(|count| count * count).sum();
        let percent = agreement / items;
        let by_chance = squares / (all * all);
        let expected = (all * all - squares) / (all - 1.0);
        [
            percent,
            quotient(percent - by_chance, 1.0 - by_chance),
            1.0 - quotient(disagreeing, expected),
            if self.ordered { self.alpha(weights, &counts, &middle_ranks(&counts)) } else { f64::NAN },
            self.numbers.map_or(f64::NAN, |numbers| self.alpha(weights, &counts, numbers)),
        ]
    }

    /// Alpha by squared differences of `values`, one a category.
    fn alpha(&self, weights: &[u32], counts: &[f64], values: &[f64]) -> f64 {
        let all: f64 = counts.iter().sum();
        let mean = counts.iter().zip(values).map(|(count, value)| count * value).sum::<f64>() / all;
        // About their mean, so that little is lost when the squares are subtracted.
        let values: Vec<f64> = values.iter().map(|value| value - mean).collect();
        let spread = |n: f64, sum: f64, squares: f64| 2.0 * (n * squares - sum * sum) / (n - 1.0);
        let mut observed = 0.0;
        for (_, weight, categories) in self.weighted(weights) {
            let (mut sum, mut squares) = (0.0, 0.0);
            for &category in categories {
                let value = values[category as usize];
                sum += value;
                squares += value * value;
            }
            observed += weight * spread(categories.len() as f64, sum, squares);
        }
        let weighted = || counts.iter().zip(&values);
        let sum: f64 = weighted().map(|(count, value)| count * value).sum();
        let squares: f64 = weighted().map(|(count, value)| count * value * value).sum();
        // One value only: nothing can disagree.
        if counts.iter().filter(|count| **count > 0.0).count() < 2 {
            return f64::NAN;
        }
        1.0 - observed / spread(all, sum, squares)
    }

    fn weighted<'b>(&'b self, weights: &'b [u32]) -> impl Iterator<Item = (&'b Line, f64, &'b [u32])> {
        self.lines
            .iter()
            .map(move |line| (line, f64::from(weights[line.pattern]), &self.categories[line.start..line.end]))
            .filter(|(_, weight, _)| *weight > 0.0)
    }
}

/// Ordered pairs of equal categories; sorts them.
fn agreeing(categories: &mut [u32]) -> f64 {
    categories.sort_unstable();
    categories.chunk_by(|a, b| a == b).map(|equal| (equal.len() * (equal.len() - 1)) as f64).sum()
}

/// The mean rank of the values of each category.
fn middle_ranks(counts: &[f64]) -> Vec<f64> {
    let mut below = 0.0;
    let middle = |count: &f64| {
        below += count;
        below - count / 2.0
    };
    counts.iter().map(middle).collect()
}

/// Not a number where the divisor is nothing: all ratings are one value.
fn quotient(dividend: f64, divisor: f64) -> f64 {
    if divisor > 0.0 { dividend / divisor } else { f64::NAN }
}
