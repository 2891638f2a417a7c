use std::collections::HashMap;

use pegbox_findings::{broken, counted, quoted};
use pegbox_plugin::Error;
use serde::{Deserialize, Serialize};

/// Annotators that are told apart. More, and it is not annotators that the keys name.
pub(crate) const MOST: usize = 100_000;
/// Parts of one in which distances are added up. Whole numbers give the same sum in any order.
const PARTS: f64 = 1e6;
/// The largest distance, in parts: so many of them never overflow.
const FARTHEST: f64 = 1e18;
/// However alike the others are, a mean distance below this share of the range of all ratings is no deviation.
const LEAST_SHARE: f64 = 0.05;

/// The annotators of the set, in the order in which they were met, and how each rates.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Annotators {
    all: Vec<Annotator>,
    places: HashMap<String, usize>,
    /// Whether there were more than [`MOST`].
    more: bool,
    /// Of all ratings.
    range: Range,
}

/// How one annotator rates.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Annotator {
    name: String,
    ratings: u64,
    /// Of all ratings.
    range: Range,
    /// Records that others rated too.
    shared: u64,
    /// Sum over these of the distance from the mean of the others, in parts.
    distance: u128,
    /// The same, negative where the others' mean is higher.
    offset: i128,
    /// Of the means of the others.
    others: Range,
}

/// From the lowest number to the highest.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Range {
    low: f64,
    high: f64,
}

/// [`Annotators`] as they travel.
#[derive(Serialize, Deserialize)]
pub(crate) struct State {
    all: Vec<Annotator>,
    more: bool,
    range: Range,
}

impl Range {
    const NOTHING: Self = Self { low: f64::INFINITY, high: f64::NEG_INFINITY };

    fn add(&mut self, other: Self) {
        self.low = self.low.min(other.low);
        self.high = self.high.max(other.high);
    }

    fn of(number: f64) -> Self {
        Self { low: number, high: number }
    }
}

impl Default for Annotators {
    fn default() -> Self {
        Self { all: Vec::new(), places: HashMap::new(), more: false, range: Range::NOTHING }
    }
}

impl Annotators {
    /// The number of an annotator; none if there are too many to tell them all apart.
    pub fn number(&mut self, name: &str) -> Option<usize> {
        if let Some(number) = self.places.get(name) {
            return Some(*number);
        }
        if self.all.len() == MOST {
            self.more = true;
            return None;
        }
        let number = self.all.len();
        self.places.insert(name.to_owned(), number);
        self.all.push(Annotator {
            name: name.to_owned(),
            ratings: 0,
            range: Range::NOTHING,
            shared: 0,
            distance: 0,
            offset: 0,
            others: Range::NOTHING,
        });
        Some(number)
    }

    /// The ratings of one record, each by another annotator.
    pub fn rate(&mut self, ratings: &[(usize, f64)]) {
        let sum: f64 = ratings.iter().map(|(_, rating)| rating).sum();
        let others = ratings.len().saturating_sub(1);
        for (number, rating) in ratings {
            let Some(annotator) = self.all.get_mut(*number) else { continue };
            self.range.add(Range::of(*rating));
            annotator.ratings += 1;
            annotator.range.add(Range::of(*rating));
            if others == 0 {
                continue;
            }
            let mean = (sum - rating) / others as f64;
            let offset = ((rating - mean) * PARTS).round().clamp(-FARTHEST, FARTHEST) as i128;
            annotator.shared += 1;
            annotator.distance += offset.unsigned_abs();
            annotator.offset += offset;
            annotator.others.add(Range::of(mean));
        }
    }

    /// Whether there are too many to tell them all apart.
    pub fn too_many(&self) -> bool {
        self.more
    }

    /// Those who always say the same where the others do not, by name: what is said of each.
    pub fn constant(&self, min_ratings: u32) -> Vec<String> {
        let constant = |annotator: &&Annotator| {
            let Annotator { ratings, range, others, .. } = annotator;
            *ratings >= u64::from(min_ratings) && range.low == range.high && others.low < others.high
        };
        self.by_name(constant)
            .map(|Annotator { name, ratings, range, others, .. }| {
                format!(
                    "annotator {} gave {} in all of {}, where the mean of the others went from {} to {}",
                    quoted(name),
                    range.low,
                    counted(*ratings, "rating"),
                    rounded(others.low),
                    rounded(others.high)
                )
            })
            .collect()
    }

    /// Those who are much farther from the others than the median annotator, by name: what is said of each.
    pub fn deviating(&self, min_ratings: u32, max_deviation: f64) -> Vec<String> {
        let judged = |annotator: &&Annotator| annotator.shared >= u64::from(min_ratings);
        let mut distances: Vec<f64> = self.all.iter().filter(judged).map(Annotator::mean_distance).collect();
        distances.sort_by(f64::total_cmp);
        let middle = distances.len() / 2;
        let (Some(upper), true) = (distances.get(middle), distances.len() >= 3) else { return Vec::new() };
        let lower = if distances.len().is_multiple_of(2) {
            distances.get(middle - 1).unwrap_or(upper)
        } else {
            upper
        };
        let median = (lower + upper) / 2.0;
        let least = LEAST_SHARE * (self.range.high - self.range.low);
        let far = |annotator: &&Annotator| {
            let distance = annotator.mean_distance();
            distance > max_deviation * median && distance > least
        };
        self.by_name(|annotator| judged(annotator) && far(annotator))
            .map(|annotator| {
                let Annotator { name, shared, .. } = annotator;
                let distance = annotator.mean_distance();
                let offset = annotator.offset as f64 / PARTS / *shared as f64;
                let side = if offset < 0.0 { "below" } else { "above" };
                let times = match median > 0.0 {
                    true => format!("{} times as far", rounded(distance / median)),
                    false => "infinitely farther".to_owned(),
                };
                format!(
                    "annotator {} is {} from the mean of the others ({} {side} it) over {}, the median annotator \
                     {}: {times}, more than `max-deviation` = {max_deviation}",
                    quoted(name),
                    rounded(distance),
                    rounded(offset.abs()),
                    counted(*shared, "record"),
                    rounded(median)
                )
            })
            .collect()
    }

    fn by_name(&self, wanted: impl Fn(&&Annotator) -> bool) -> impl Iterator<Item = &Annotator> {
        let mut annotators: Vec<&Annotator> = self.all.iter().filter(wanted).collect();
        annotators.sort_by(|one, other| one.name.cmp(&other.name));
        annotators.into_iter()
    }

    pub fn state(&self) -> State {
        State { all: self.all.clone(), more: self.more, range: self.range }
    }

    /// Takes in the annotators of an instance that saw later rows.
    ///
    /// # Errors
    /// More of them than an instance tells apart.
    pub fn merge(&mut self, theirs: State) -> Result<(), Error> {
        if theirs.all.len() > MOST {
            return Err(broken("it has too many annotators"));
        }
        self.more |= theirs.more;
        self.range.add(theirs.range);
        for other in theirs.all {
            let Some(ours) = self.number(&other.name).and_then(|number| self.all.get_mut(number)) else {
                continue;
            };
            ours.ratings = ours.ratings.saturating_add(other.ratings);
            ours.range.add(other.range);
            ours.shared = ours.shared.saturating_add(other.shared);
            ours.distance = ours.distance.saturating_add(other.distance);
            ours.offset = ours.offset.saturating_add(other.offset);
            ours.others.add(other.others);
        }
        Ok(())
    }
}

impl Annotator {
    /// From the mean of the others, over the records that they share.
    fn mean_distance(&self) -> f64 {
        if self.shared == 0 { 0.0 } else { self.distance as f64 / PARTS / self.shared as f64 }
    }
}

/// With two digits after the point, and no zeros that say nothing.
fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use pegbox_findings::{decode, encode};

    use super::*;

    /// Records that all of these annotators rated.
    fn annotators(
        records: std::ops::Range<u64>,
        rating: impl Fn(u64, usize) -> f64,
        count: usize,
    ) -> Annotators {
        let mut annotators = Annotators::default();
        for record in records {
            let ratings: Vec<(usize, f64)> = (0..count)
                .filter_map(|who| Some((annotators.number(&format!("r{who}"))?, rating(record, who))))
                .collect();
            annotators.rate(&ratings);
        }
        annotators
    }

    /// 1 to 5, as the record has it; the last of four is often elsewhere.
    fn often_elsewhere(record: u64, who: usize) -> f64 {
        let truth = 1 + record * 7 % 5;
        let shift = if who == 3 { record % 4 } else { (record + who as u64) / 6 % 2 };
        (1 + (truth - 1 + shift) % 5) as f64
    }

    #[test]
    fn who_is_far_from_the_others_deviates() {
        let all = annotators(0..60, often_elsewhere, 4);
        let found = all.deviating(20, 1.5);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("annotator `r3` is "), "{found:?}");
        assert!(all.deviating(61, 1.5).is_empty(), "nobody has so many ratings");
        assert!(all.deviating(20, 10.0).is_empty());
        assert!(annotators(0..60, often_elsewhere, 2).deviating(1, 1.1).is_empty(), "of two, who is it?");
    }

    #[test]
    fn of_three_the_one_against_two_deviates() {
        let against = |record: u64, who: usize| (record % 2) as f64 + if who == 1 { 2.0 } else { 0.0 };
        let found = annotators(0..30, against, 3).deviating(20, 1.5);
        assert_eq!(
            found,
            [
                "annotator `r1` is 2 from the mean of the others (2 above it) over 30 records, the median annotator \
              1: 2 times as far, more than `max-deviation` = 1.5"
            ]
        );
        assert!(annotators(0..30, |record, _| record as f64, 3).deviating(20, 1.5).is_empty());
    }

    #[test]
    fn who_always_says_the_same_is_constant_unless_all_do() {
        let lazy = |record: u64, who: usize| if who == 0 { 4.0 } else { (record % 3) as f64 };
        assert_eq!(
            annotators(0..30, lazy, 3).constant(20),
            ["annotator `r0` gave 4 in all of 30 ratings, where the mean of the others went from 0 to 2"]
        );
        assert!(annotators(0..30, |_, _| 4.0, 3).constant(20).is_empty());
        assert!(annotators(0..30, |_, _| 4.0, 1).constant(20).is_empty());
        assert!(annotators(0..19, lazy, 3).constant(20).is_empty());
    }

    #[test]
    fn merged_is_as_seen_at_once() {
        let thirds = |record: u64, who: usize| (record * 31 % 17) as f64 / 3.0 - who as f64 * 0.1;
        let once = annotators(0..40, thirds, 5);
        for cut in [0, 1, 13, 40] {
            let mut merged = annotators(0..cut, thirds, 5);
            let state = encode(&annotators(cut..40, thirds, 5).state()).unwrap();
            merged.merge(decode(&state).unwrap()).unwrap();
            assert_eq!(merged, once, "{cut}");
        }
    }

    #[test]
    fn annotators_without_end_are_not_told_apart() {
        let mut all = Annotators::default();
        for number in 0..MOST {
            assert!(all.number(&number.to_string()).is_some());
        }
        assert!(!all.too_many());
        assert_eq!((all.number("one more"), all.number("7")), (None, Some(7)));
        assert!(all.too_many());
    }

    #[test]
    fn numbers_without_measure_are_borne() {
        let all = annotators(0..30, |record, who| if who == 0 { 1e300 } else { -(record as f64) * 1e300 }, 3);
        assert_eq!(all.constant(20).len(), 1);
        assert!(all.deviating(20, 1.5).len() < 3);
    }
}
