//! Rows of small classes repeated, rows of large classes dropped.

use pegbox_random::SplitMix64;
use serde::{Deserialize, Serialize};

use crate::error::SamplingError;

/// How many rows each class shall have. In a recipe: `"even"`, `{ count = 500 }` or `{ temperature = 0.5 }`.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// As many as the largest class when rows are repeated, as the smallest when rows are dropped. `"max"` is
    /// another name of it.
    #[serde(alias = "max", alias = "min")]
    Even,
    Count(u64),
    /// Classes in proportion to n^alpha, alpha between 0 (all alike) and 1 (as they are): the largest class keeps
    /// its rows when rows are repeated, the smallest when rows are dropped.
    Temperature(f64),
}

/// How often each row is taken so that small classes reach the target: at least once. What does not go evenly is
/// a choice by seed.
pub fn over_sample(
    labels: &[u32],
    known: usize,
    target: Target,
    seed: u64,
) -> Result<Vec<u32>, SamplingError> {
    let counts = super::count(labels.iter().copied(), known)?;
    let base = counts.iter().copied().max().unwrap_or(0);
    let targets = targets(&counts, base, target)?;
    let times = |count: u64, target: u64| Times::of(count, target.max(count));
    Ok(deal(labels, &counts, &targets, times, seed, "over-sample"))
}

/// How often each row is taken so that large classes come down to the target: once or not at all, a choice by
/// seed.
pub fn under_sample(
    labels: &[u32],
    known: usize,
    target: Target,
    seed: u64,
) -> Result<Vec<u32>, SamplingError> {
    let counts = super::count(labels.iter().copied(), known)?;
    let base = counts.iter().copied().filter(|count| *count > 0).min().unwrap_or(0);
    let targets = targets(&counts, base, target)?;
    let times = |count: u64, target: u64| Times::of(count, target.min(count));
    Ok(deal(labels, &counts, &targets, times, seed, "under-sample"))
}

/// Each row as often as it is taken, in the order of the rows.
pub fn expand<'a>(rows: &'a [u32], times: &'a [u32]) -> impl Iterator<Item = u32> + 'a {
    rows.iter().zip(times).flat_map(|(row, times)| std::iter::repeat_n(*row, *times as usize))
}

fn targets(counts: &[u64], base: u64, target: Target) -> Result<Vec<u64>, SamplingError> {
    let refused = |name, value, expected| Err(SamplingError::Setting { name, value, expected });
    match target {
        Target::Count(0) => refused("count", 0.0, "at least 1"),
        Target::Temperature(alpha) if !(0.0..=1.0).contains(&alpha) => {
            refused("temperature", alpha, "between 0 and 1")
        }
        Target::Even => Ok(vec![base; counts.len()]),
        Target::Count(count) => Ok(vec![count; counts.len()]),
        Target::Temperature(alpha) => {
            let of = |count: &u64| (base as f64 * (*count as f64 / base as f64).powf(alpha)).round() as u64;
            Ok(counts.iter().map(|count| if base == 0 { 0 } else { of(count) }).collect())
        }
    }
}

/// Every row of a class this often, and some of them once more.
#[derive(Clone, Copy)]
struct Times {
    every: u32,
    extra: u64,
}

impl Times {
    fn of(count: u64, target: u64) -> Self {
        if count == 0 {
            return Self { every: 0, extra: 0 };
        }
        // A row cannot be taken more often than a number can say.
        let every = u32::try_from(target / count).unwrap_or(u32::MAX - 1);
        Self { every, extra: target % count }
    }
}

/// Goes through the rows once. Of the rows of a class that are still to come, as many as are still wanted are
/// taken, each with the same chance (selection sampling: Knuth, The Art of Computer Programming 2, 3.4.2 S).
fn deal(
    labels: &[u32],
    counts: &[u64],
    targets: &[u64],
    times: impl Fn(u64, u64) -> Times,
    seed: u64,
    stream: &str,
) -> Vec<u32> {
    let mut left = counts.to_vec();
    let mut times: Vec<Times> =
        counts.iter().zip(targets).map(|(count, target)| times(*count, *target)).collect();
    // A stream of its own for each class: rows of one class do not move when another class changes.
    let mut randoms: Vec<SplitMix64> =
        (0..counts.len()).map(|class| SplitMix64::named(seed, &format!("{stream} {class}"))).collect();
    labels
        .iter()
        .map(|label| {
            let class = *label as usize;
            let taken = (randoms[class].below(left[class] as usize) as u64) < times[class].extra;
            left[class] -= 1;
            times[class].extra -= u64::from(taken);
            times[class].every + u32::from(taken)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(labels: &[u32], times: &[u32], known: usize) -> Vec<u64> {
        let mut counts = vec![0; known];
        labels.iter().zip(times).for_each(|(label, times)| counts[*label as usize] += u64::from(*times));
        counts
    }

    fn labels(counts: &[usize]) -> Vec<u32> {
        let mut labels: Vec<u32> =
            counts.iter().enumerate().flat_map(|(label, count)| vec![label as u32; *count]).collect();
        SplitMix64::new(1).shuffle(&mut labels);
        labels
    }

    #[test]
    fn classes_reach_their_targets() {
        let labels = labels(&[100, 7, 0, 36]);
        for seed in 0..20 {
            let over = |target| taken(&labels, &over_sample(&labels, 4, target, seed).unwrap(), 4);
            let under = |target| taken(&labels, &under_sample(&labels, 4, target, seed).unwrap(), 4);
            assert_eq!(over(Target::Even), [100, 100, 0, 100]);
            assert_eq!(over(Target::Count(50)), [100, 50, 0, 50]);
            // 100 * sqrt(0.07) and 100 * sqrt(0.36).
            assert_eq!(over(Target::Temperature(0.5)), [100, 26, 0, 60]);
            assert_eq!(over(Target::Temperature(1.0)), [100, 7, 0, 36]);
            assert_eq!(under(Target::Even), [7, 7, 0, 7]);
            assert_eq!(under(Target::Count(50)), [50, 7, 0, 36]);
            // 7 * sqrt(100 / 7) and 7 * sqrt(36 / 7).
            assert_eq!(under(Target::Temperature(0.5)), [26, 7, 0, 16]);
        }
    }

    #[test]
    fn rows_of_a_class_are_taken_about_equally_often() {
        let labels = labels(&[10, 64]);
        let mut total = vec![0; labels.len()];
        for seed in 0..400 {
            let times = over_sample(&labels, 2, Target::Even, seed).unwrap();
            for ((label, times), total) in labels.iter().zip(&times).zip(&mut total) {
                assert!(if *label == 0 { [6, 7].contains(times) } else { *times == 1 });
                *total += times;
            }
        }
        // 6.4 times each; the deviation over 400 seeds is about 10.
        assert!(
            labels.iter().zip(&total).all(|(label, total)| *label == 1 || (2510..2610).contains(total)),
            "{total:?}"
        );
        let one = under_sample(&labels, 2, Target::Even, 1).unwrap();
        assert_eq!(one, under_sample(&labels, 2, Target::Even, 1).unwrap());
        assert_ne!(one, under_sample(&labels, 2, Target::Even, 2).unwrap());
        assert!(one.iter().all(|times| *times <= 1));
    }

    #[test]
    fn the_choice_of_a_seed_never_changes() {
        let labels = [0, 1, 0, 0, 1, 0, 0, 0];
        assert_eq!(over_sample(&labels, 2, Target::Count(5), 7).unwrap(), [1, 2, 1, 1, 3, 1, 1, 1]);
        assert_eq!(under_sample(&labels, 2, Target::Even, 7).unwrap(), [1, 1, 1, 0, 1, 0, 0, 0]);
    }

    #[test]
    fn rows_are_repeated_in_their_order() {
        assert_eq!(expand(&[4, 9, 2], &[2, 0, 1]).collect::<Vec<_>>(), [4, 4, 2]);
    }

    #[test]
    fn targets_that_make_no_sense_are_refused() {
        for target in [Target::Count(0), Target::Temperature(1.5), Target::Temperature(f64::NAN)] {
            assert!(over_sample(&[0], 1, target, 0).is_err() && under_sample(&[0], 1, target, 0).is_err());
        }
        assert!(over_sample(&[], 3, Target::Even, 0).unwrap().is_empty());
        let target: Target = serde_json::from_str(r#""max""#).unwrap();
        assert_eq!(target, Target::Even);
        assert_eq!(serde_json::to_string(&Target::Temperature(0.5)).unwrap(), r#"{"temperature":0.5}"#);
    }
}
