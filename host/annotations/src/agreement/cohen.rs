//! Cohen's kappa for each pair of annotators, and its mean.

use std::collections::BTreeMap;

use crate::patterns::Patterns;
use crate::ratings::Ratings;

/// Percent agreement, then kappa plain, linear, quadratic.
pub(super) const PER_PAIR: usize = 4;

/// The pairs of annotators that rated something in common.
pub(super) struct Pairs {
    names: Vec<(u32, u32)>,
    common: Vec<Vec<Common>>,
    category_count: usize,
}

/// What two annotators said of the items of one pattern.
struct Common {
    pattern: u32,
    first: u32,
    second: u32,
}

impl Pairs {
    pub fn new(ratings: &Ratings, patterns: &Patterns) -> Self {
        let mut pairs: BTreeMap<(u32, u32), Vec<Common>> = BTreeMap::new();
        for (pattern, line) in patterns.lines.iter().enumerate() {
            for (position, first) in line.iter().enumerate() {
                for second in &line[position + 1..] {
                    pairs.entry((first.annotator, second.annotator)).or_default().push(Common {
                        pattern: pattern as u32,
                        first: first.category,
                        second: second.category,
                    });
                }
            }
        }
        let (names, common) = pairs.into_iter().unzip();
        Self { names, common, category_count: ratings.categories().len() }
    }

    pub fn len(&self) -> usize {
        self.names.len()
    }

    pub fn names(&self) -> &[(u32, u32)] {
        &self.names
    }

    /// How many items a pair has in common.
    pub fn items(&self, pair: usize, weights: &[u32]) -> u32 {
        self.common[pair].iter().map(|common| weights[common.pattern as usize]).sum()
    }

    /// The means of the three kappas, then [`PER_PAIR`] figures a pair; not a number where not defined.
    pub fn measure(&self, weights: &[u32]) -> Vec<f64> {
        let mut values = vec![0.0; 3];
        let mut scratch = vec![0.0; 2 * self.category_count];
        for common in &self.common {
            values.extend(measure_pair(common, weights, &mut scratch));
        }
        for kappa in 0..3 {
            let defined =
                values[3..].iter().skip(1 + kappa).step_by(PER_PAIR).filter(|value| value.is_finite());
            let (sum, count) = defined.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
            values[kappa] = sum / count;
        }
        values
    }
}

fn measure_pair(common: &[Common], weights: &[u32], scratch: &mut [f64]) -> [f64; PER_PAIR] {
    scratch.fill(0.0);
    let (first, second) = scratch.split_at_mut(scratch.len() / 2);
    let (mut all, mut different, mut distance, mut square) = (0.0, 0.0, 0.0, 0.0);
    for item in common {
        let weight = f64::from(weights[item.pattern as usize]);
        let apart = f64::from(item.first.abs_diff(item.second));
        all += weight;
        different += if apart > 0.0 { weight } else { 0.0 };
        distance += weight * apart;
        square += weight * apart * apart;
        first[item.first as usize] += weight;
        second[item.second as usize] += weight;
    }
    let chance = by_chance(first, second, all);
    // All that both said is one value: no disagreement is expected, and kappa is not defined.
    let kappa =
        |observed: f64, expected: f64| if expected > 0.0 { 1.0 - observed / expected } else { f64::NAN };
    [1.0 - different / all, kappa(different, chance[0]), kappa(distance, chance[1]), kappa(square, chance[2])]
}

/// The disagreements expected if the two were independent: different values, their distances, the squares.
fn by_chance(first: &[f64], second: &[f64], all: f64) -> [f64; 3] {
    let (mut equal, mut distance) = (0.0, 0.0);
    let (mut first_below, mut second_below) = (0.0, 0.0);
    let (mut first_sum, mut second_sum, mut squares) = (0.0, 0.0, 0.0);
    for (position, (first, second)) in first.iter().zip(second).enumerate() {
        let position = position as f64;
        equal += first * second;
        first_below += first;
        second_below += second;
        // A distance is the number of steps between the two values: count those that cross this one.
        distance += first_below * (all - second_below) + second_below * (all - first_below);
        first_sum += position * first;
        second_sum += position * second;
        squares += position * position * (first + second);
    }
    [all - equal / all, distance / all, squares - 2.0 * first_sum * second_sum / all]
}
