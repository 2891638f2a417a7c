//! Training, validation and test.
//!
//! For the same rows and seed the result may never change, whatever the machine, the number of threads or
//! the release: a golden test holds it.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::error::DataError;
use pegbox_records::Part;
use pegbox_sampling::split::{Shares, Splitter};
use pegbox_sampling::{SamplingError, Units};

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

/// Assigns each of the rows `(text, label)` to a part, by the rules of [`Splitter::stratified`]; rows of the same
/// text stay together.
///
/// # Errors
/// The shares make no sense, or leave a part without rows.
pub fn stratified_split(rows: &[(&str, &str)], settings: &SplitSettings) -> Result<Vec<Part>, DataError> {
    let refused = |error: SamplingError| DataError::Split { what: told(&error, settings) };
    let shares = Shares::of_held_out(&[settings.validation, settings.test]).map_err(refused)?;
    let (texts, _) = numbered(rows.iter().map(|(text, _)| *text));
    let units = Units::joined(rows.len(), &[&texts]).map_err(refused)?;
    let splitter = Splitter::new(&units, &shares, settings.seed);
    let split = if settings.stratify {
        let (labels, names) = numbered(rows.iter().map(|(_, label)| *label));
        splitter.stratified(&labels, &names)
    } else {
        splitter.random()
    };
    let split = split.map_err(refused)?;
    // No row has a part already, so none is left out.
    Ok(split
        .parts
        .iter()
        .map(|part| Part::ALL.get(usize::from(*part)).copied().unwrap_or(Part::Train))
        .collect())
}

/// The number of each string, and the strings by their numbers: in the order in which they come first.
fn numbered<'a>(strings: impl Iterator<Item = &'a str>) -> (Vec<u32>, Vec<&'a str>) {
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut names = Vec::new();
    let number = |string| {
        *numbers.entry(string).or_insert_with(|| {
            names.push(string);
            names.len() as u32 - 1
        })
    };
    let all = strings.map(number).collect();
    (all, names)
}

fn told(error: &SamplingError, settings: &SplitSettings) -> String {
    match error {
        SamplingError::Shares { .. } => {
            format!("validation = {} and test = {} cannot be shares", settings.validation, settings.test)
        }
        SamplingError::TooFew { rows, part, share, .. } => {
            let part = Part::ALL.get(usize::from(*part)).map_or("held-out", |part| part.name());
            format!("{rows} rows are too few for a {part} part of {share}")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use pegbox_random::SplitMix64;

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
