//! Training, validation and test.
//!
//! For the same rows and seed the result may never change, whatever the machine, the number of threads or
//! the release: a golden test holds it.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::record::Part;
use pegbox_random::SplitMix64;

/// The shares of the parts. The rest is for training.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct SplitSettings {
    /// Between 0 and 1.
    pub validation: f64,
    /// Between 0 and 1.
    pub test: f64,
    /// Whether each class gets its share.
    pub stratify: bool,
    pub seed: u64,
}

impl Default for SplitSettings {
    fn default() -> Self {
        Self { validation: 0.1, test: 0.0, stratify: true, seed: 0 }
    }
}

/// Assigns each of the rows `(text, label)` to a part.
///
/// The sizes of a part follow the largest-remainder method over the classes (sorted by name): a class of n
/// rows gets its exact share of n rounded down or up, and all classes together get the share of all rows,
/// rounded. A class of at least two rows (three, with a test part) is in every part: where its share is
/// below one row it gets one, and the last class that was rounded up past its first row gives one back. A
/// class never loses its last training row. Rows of the same text stay together, so a class with repeated
/// texts may miss its size by the repeats.
pub fn stratified_split(rows: &[(&str, &str)], settings: &SplitSettings) -> Result<Vec<Part>, DataError> {
    let shares = [settings.validation, settings.test];
    if shares.iter().any(|share| !(0.0..1.0).contains(share)) || shares.iter().sum::<f64>() >= 1.0 {
        let what =
            format!("validation = {} and test = {} cannot be shares", settings.validation, settings.test);
        return Err(DataError::Split { what });
    }
    let mut classes = classes(rows, settings.stratify);
    let sizes: Vec<usize> = classes.values().map(|groups| groups.iter().map(Vec::len).sum()).collect();
    let validation = allot(&sizes, settings.validation, &vec![1; sizes.len()]);
    let reserved: Vec<usize> = validation.iter().map(|count| count + 1).collect();
    let test = allot(&sizes, settings.test, &reserved);

    let mut parts = vec![Part::Train; rows.len()];
    for (class, (name, groups)) in classes.iter_mut().enumerate() {
        // A stream of its own for each class: rows of one class do not move when another class changes.
        SplitMix64::named(settings.seed, name).shuffle(groups);
        let mut wanted = [
            (Part::Validation, validation.get(class).copied().unwrap_or(0)),
            (Part::Test, test.get(class).copied().unwrap_or(0)),
        ];
        for group in groups.iter() {
            let Some((part, left)) = wanted.iter_mut().find(|(_, left)| *left > 0 && *left >= group.len())
            else {
                continue;
            };
            *left -= group.len();
            for row in group {
                if let Some(slot) = parts.get_mut(*row) {
                    *slot = *part;
                }
            }
        }
    }
    for (part, share) in [(Part::Validation, settings.validation), (Part::Test, settings.test)] {
        if share > 0.0 && !parts.contains(&part) {
            let what = format!("{} rows are too few for a {part} part of {share}", rows.len());
            return Err(DataError::Split { what });
        }
    }
    Ok(parts)
}

/// The rows of each class, those of the same text together, in the order of their first row. The class of a
/// text with several labels is the label of its first row.
fn classes<'a>(rows: &[(&'a str, &'a str)], stratify: bool) -> BTreeMap<&'a str, Vec<Vec<usize>>> {
    let mut places: HashMap<&str, (&str, usize)> = HashMap::with_capacity(rows.len());
    let mut classes: BTreeMap<&str, Vec<Vec<usize>>> = BTreeMap::new();
    for (row, (text, label)) in rows.iter().enumerate() {
        if let Some((class, group)) = places.get(text) {
            if let Some(group) = classes.get_mut(class).and_then(|groups| groups.get_mut(*group)) {
                group.push(row);
            }
            continue;
        }
        let class = if stratify { label } else { "" };
        let groups = classes.entry(class).or_default();
        places.insert(text, (class, groups.len()));
        groups.push(vec![row]);
    }
    classes
}

/// How many rows of each class a part gets; `reserved` rows of each class are for the other parts.
fn allot(sizes: &[usize], share: f64, reserved: &[usize]) -> Vec<usize> {
    if share <= 0.0 {
        return vec![0; sizes.len()];
    }
    let exact: Vec<f64> = sizes.iter().map(|size| *size as f64 * share).collect();
    let mut counts: Vec<usize> = exact.iter().map(|exact| exact.floor() as usize).collect();
    let total = (sizes.iter().sum::<usize>() as f64 * share).round() as usize;
    let missing = total.saturating_sub(counts.iter().sum());

    // Largest remainder first; of equal ones the class that sorts first.
    let mut by_remainder: Vec<usize> = (0..sizes.len()).collect();
    by_remainder.sort_by(|a, b| exact[*b].fract().total_cmp(&exact[*a].fract()).then(a.cmp(b)));
    let rounded_up = &by_remainder[..missing.min(by_remainder.len())];
    for class in rounded_up {
        counts[*class] += 1;
    }
    let mut givers = rounded_up.iter().rev().filter(|class| exact[**class] >= 1.0);
    for class in 0..sizes.len() {
        let most = sizes[class].saturating_sub(reserved[class]);
        if counts[class] == 0 && most > 0 {
            counts[class] = 1;
            if let Some(giver) = givers.next() {
                counts[*giver] -= 1;
            }
        }
        counts[class] = counts[class].min(most);
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(validation: f64, test: f64, seed: u64) -> SplitSettings {
        SplitSettings { validation, test, stratify: true, seed }
    }

    fn split(rows: &[(String, String)], settings: &SplitSettings) -> Vec<Part> {
        let rows: Vec<(&str, &str)> =
            rows.iter().map(|(text, label)| (text.as_str(), label.as_str())).collect();
        stratified_split(&rows, settings).unwrap()
    }

    /// Classes of many sizes, each text once.
    fn rows(random: &mut SplitMix64) -> Vec<(String, String)> {
        let mut rows = Vec::new();
        for class in 0..40 {
            for _ in 0..=random.below(60) {
                rows.push((format!("text {}", rows.len()), format!("class {class}")));
            }
        }
        random.shuffle(&mut rows);
        rows
    }

    #[test]
    fn every_class_gets_its_share_to_within_a_row() {
        let mut random = SplitMix64::new(1);
        for seed in 0..30 {
            let rows = rows(&mut random);
            let settings = settings(0.1, 0.15, seed);
            let parts = split(&rows, &settings);
            assert_eq!(parts.len(), rows.len());
            let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
            for ((_, label), part) in rows.iter().zip(&parts) {
                counts.entry(label).or_default()[part.index()] += 1;
            }
            for [train, validation, test] in counts.values().copied() {
                let size = train + validation + test;
                assert!(train >= 1);
                assert!((validation as f64 - size as f64 * 0.1).abs() <= 1.0);
                assert!((test as f64 - size as f64 * 0.15).abs() <= 1.0);
                assert!(size < 2 || validation >= 1);
                assert!(size < 3 || test >= 1);
            }
        }
    }

    #[test]
    fn the_same_text_never_straddles_parts() {
        let mut random = SplitMix64::new(2);
        let rows: Vec<(String, String)> = (0..3000)
            .map(|_| (format!("text {}", random.below(1500)), format!("class {}", random.below(5))))
            .collect();
        let parts = split(&rows, &settings(0.2, 0.2, 3));
        let mut seen: HashMap<&str, Part> = HashMap::new();
        for ((text, _), part) in rows.iter().zip(&parts) {
            assert_eq!(seen.entry(text).or_insert(*part), part);
        }
        let validation = parts.iter().filter(|part| **part == Part::Validation).count();
        assert!((590..=610).contains(&validation), "{validation}");
    }

    #[test]
    fn the_split_of_a_seed_never_changes() {
        let rows: Vec<(String, String)> = (0..20)
            .map(|row| (format!("text {row}"), if row % 3 == 0 { "a" } else { "b" }.to_owned()))
            .collect();
        let parts = split(&rows, &settings(0.2, 0.1, 7));
        let golden: String = parts.iter().map(|part| ["t", "v", "e"][part.index()]).collect();
        assert_eq!(golden, "tttvtvevtttttettvttt");
        assert_ne!(parts, split(&rows, &settings(0.2, 0.1, 8)));
    }

    #[test]
    fn shares_that_make_no_sense_and_parts_without_rows_are_refused() {
        for (validation, test) in [(-0.1, 0.0), (1.0, 0.0), (0.6, 0.5), (f64::NAN, 0.0)] {
            assert!(stratified_split(&[("a", "x"), ("b", "x")], &settings(validation, test, 0)).is_err());
        }
        let error = stratified_split(&[("a", "x")], &settings(0.1, 0.0, 0)).unwrap_err();
        assert!(error.to_string().contains("too few"));
        let same = [("a", "x"), ("a", "x"), ("a", "x")];
        assert!(stratified_split(&same, &settings(0.5, 0.0, 0)).is_err());
    }
}
