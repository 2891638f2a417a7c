//! Training, validation and test.
//!
//! For the same rows and seed the result may never change, whatever the machine, the number of threads or
//! the release: a golden test holds it.

use pegbox_duplicates::Clusters;
use pegbox_records::Part;
use pegbox_sampling::split::{LabelSets, RowLabels, Shares, Splitter, straddling};
use pegbox_sampling::{ALONE, Relation, SamplingError, Units};
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::report::SplitReport;
use crate::state::State;
use crate::steps::index::{Index, NO_LABEL, Numbers};

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
    /// The role of what must not be divided, such as a customer.
    pub group: Option<String>,
    /// The role of a time: the oldest rows train, the newest test.
    pub time: Option<String>,
    pub seed: u64,
}

impl Default for SplitSettings {
    fn default() -> Self {
        Self { validation: 0.2, test: 0.1, stratify: true, group: None, time: None, seed: 0 }
    }
}

/// Assigns the rows that stay to parts; those of given files keep theirs. Near-duplicates, equal texts and groups stay
/// together; a training row that says what a given held-out row says is left out.
///
/// # Errors
/// The shares make no sense, or leave a part without rows.
pub(crate) fn split(
    index: &mut Index,
    clusters: Option<&Clusters>,
    settings: &SplitSettings,
) -> Result<SplitReport, DataError> {
    let refused = |error: SamplingError| DataError::Split { what: told(&error, settings) };
    let shares = Shares::of_held_out(&[settings.validation, settings.test]).map_err(refused)?;
    let stays = || (0_u32..).zip(&index.states).filter(|(_, state)| state.stays()).map(|(row, _)| row);
    let mut rows: Vec<u32> = Vec::with_capacity(stays().count());
    rows.extend(stays());
    let units = units(index, clusters, &rows).map_err(refused)?;
    let part_of = |row: &u32| given(index.states.get(*row as usize));
    let given: Vec<Option<u8>> = match rows.iter().any(|row| part_of(row).is_some()) {
        true => rows.iter().map(part_of).collect(),
        false => Vec::new(),
    };
    // Every part that the recipe has comes from files of its own.
    let all_given = settings.validation == 0.0 && settings.test == 0.0;
    let mut splitter = Splitter::new(&units, &shares, settings.seed);
    if !given.is_empty() {
        splitter = splitter.given(&given).map_err(refused)?;
    }
    let times = || {
        let times = index.times.as_deref().unwrap_or_default();
        rows.iter().map(|row| times.get(*row as usize).copied().unwrap_or(0)).collect::<Vec<_>>()
    };
    let (method, split) = if settings.time.is_some() {
        ("time", splitter.by_time(&times()).map(|timed| timed.split))
    } else {
        let labels = Picked { rows: &rows, labels: &index.labels };
        let each = || (0..rows.len() as u32).map(|row| labels.label(row));
        let stratify = settings.stratify && each().all(|label| label != NO_LABEL);
        match (&settings.group, stratify) {
            (Some(_), true) => ("group", splitter.by_group(Some(&each().collect::<Vec<_>>()))),
            (Some(_), false) => ("group", splitter.by_group(None)),
            (None, true) => {
                let names: Vec<&str> = index.names.iter().map(String::as_str).collect();
                ("stratified", splitter.stratified(&labels, &names))
            }
            // Rows with tags: each type of entity gets its share.
            (None, false) if settings.stratify && index.entity_types > 0 => {
                let (labels, ends) = entities(index, &rows);
                let sets = LabelSets::new(&ends, &labels, index.entity_types).map_err(refused)?;
                ("iterative", splitter.iterative(&sets))
            }
            (None, false) => ("random", splitter.random()),
        }
    };
    let split = split.map_err(refused)?;
    for (row, part) in rows.iter().zip(&split.parts) {
        if let Some(state) = index.states.get_mut(*row as usize) {
            *state = Part::ALL.get(usize::from(*part)).map_or(State::LeftOut, |part| State::of(*part));
        }
    }
    Ok(SplitReport {
        method: if all_given { "given" } else { method }.to_owned(),
        seed: settings.seed,
        units: units.shared().count() as u64,
        left_out: split.leaks.len() as u64,
        straddling: straddling(&units, &split.parts) as u64,
    })
}

/// Which of `rows` belong together: near-duplicates, equal texts, groups.
fn units(index: &Index, clusters: Option<&Clusters>, rows: &[u32]) -> Result<Units, SamplingError> {
    let row = |place: u32| rows.get(place as usize).copied().unwrap_or(u32::MAX);
    let cluster = clusters.map(|clusters| move |place: u32| clusters.of(row(place)));
    let lists = [&index.texts, &index.groups].into_iter().flatten();
    let lists: Vec<_> =
        lists.map(|list| move |place: u32| list.get(row(place) as usize).copied().unwrap_or(ALONE)).collect();
    let mut relations: Vec<Relation<'_>> = Vec::new();
    relations.extend(cluster.as_ref().map(|cluster| cluster as Relation<'_>));
    relations.extend(lists.iter().map(|list| list as Relation<'_>));
    Units::related(rows.len(), &relations)
}

/// The labels of some rows, where they lie.
struct Picked<'a> {
    rows: &'a [u32],
    labels: &'a Numbers,
}

impl RowLabels for Picked<'_> {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn label(&self, row: u32) -> u32 {
        self.rows.get(row as usize).and_then(|row| self.labels.get(*row)).unwrap_or(NO_LABEL)
    }
}

/// The types of the entities of some rows, one row after the other, and where each row ends.
fn entities(index: &Index, rows: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let (all, ends) = &index.entities;
    let end = |row: u32| ends.get(row as usize).copied().unwrap_or(0) as usize;
    let (mut labels, mut picked) = (Vec::new(), Vec::with_capacity(rows.len()));
    for row in rows {
        let start = row.checked_sub(1).map_or(0, end);
        labels.extend_from_slice(all.get(start..end(*row)).unwrap_or_default());
        picked.push(labels.len() as u32);
    }
    (labels, picked)
}

/// The number of a given part.
fn given(state: Option<&State>) -> Option<u8> {
    match state {
        Some(State::Validation) => Some(1),
        Some(State::Test) => Some(2),
        _ => None,
    }
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
    use std::collections::{BTreeMap, HashMap};

    use pegbox_random::SplitMix64;

    use super::*;
    use crate::steps::index::Numbers;

    fn settings(validation: f64, test: f64, seed: u64) -> SplitSettings {
        SplitSettings { validation, test, seed, ..SplitSettings::default() }
    }

    /// Rows of text and label, all of training files.
    fn index(rows: &[(String, String)]) -> Index {
        fn numbered<'a>(strings: impl Iterator<Item = &'a String> + Clone) -> (Vec<String>, Vec<u32>) {
            let mut names: Vec<String> = strings.clone().cloned().collect();
            names.sort_unstable();
            names.dedup();
            let numbers = strings.map(|string| names.binary_search(string).unwrap() as u32).collect();
            (names, numbers)
        }
        let (names, labels) = numbered(rows.iter().map(|(_, label)| label));
        let (_, texts) = numbered(rows.iter().map(|(text, _)| text));
        let states = vec![State::Free; rows.len()];
        let labels = Numbers::of(labels.into_iter(), names.len());
        Index { names, labels, states, texts: Some(texts), ..Index::default() }
    }

    fn parts(rows: &[(String, String)], settings: &SplitSettings) -> Result<Vec<Part>, DataError> {
        let mut index = index(rows);
        split(&mut index, None, settings)?;
        Ok(index.states.iter().map(|state| state.part().unwrap()).collect())
    }

    #[test]
    fn each_class_gets_its_share() {
        let mut random = SplitMix64::new(1);
        for seed in 0..20 {
            let mut rows: Vec<(String, String)> = Vec::new();
            for class in 0..40 {
                for _ in 0..=random.below(60) {
                    rows.push((format!("text {}", rows.len()), format!("class {class}")));
                }
            }
            random.shuffle(&mut rows);
            let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
            for ((_, label), part) in rows.iter().zip(parts(&rows, &settings(0.1, 0.15, seed)).unwrap()) {
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
        let parts = parts(&rows, &settings(0.2, 0.2, 3)).unwrap();
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
        let found = parts(&rows, &settings(0.2, 0.1, 7)).unwrap();
        let golden: String = found.iter().map(|part| ["t", "v", "e"][part.index()]).collect();
        assert_eq!(golden, "tttvtvevtttttettvttt");
        assert_ne!(found, parts(&rows, &settings(0.2, 0.1, 8)).unwrap());
    }

    #[test]
    fn a_training_row_that_says_what_a_given_test_row_says_is_left_out() {
        let rows: Vec<(String, String)> =
            (0..40).map(|row| (format!("text {}", row % 30), format!("class {}", row % 2))).collect();
        let mut index = index(&rows);
        index.states[30..].fill(State::Test);
        index.states[5] = State::NearDuplicate;
        let report = split(&mut index, None, &settings(0.2, 0.0, 7)).unwrap();
        assert_eq!((report.left_out, report.straddling), (9, 0));
        assert!(index.states[30..].iter().all(|state| *state == State::Test));
        assert_eq!(index.states[5], State::NearDuplicate);
        assert_eq!(index.states[4], State::LeftOut);
    }

    #[test]
    fn shares_that_make_no_sense_and_parts_without_rows_are_refused() {
        let rows = |texts: &[&str]| -> Vec<(String, String)> {
            texts.iter().map(|text| ((*text).to_owned(), "x".to_owned())).collect()
        };
        for (validation, test) in [(-0.1, 0.0), (1.0, 0.0), (0.6, 0.5), (f64::NAN, 0.0)] {
            assert!(parts(&rows(&["a", "b"]), &settings(validation, test, 0)).is_err());
        }
        let error = parts(&rows(&["a"]), &settings(0.1, 0.0, 0)).unwrap_err();
        assert!(error.to_string().contains("too few"));
        assert!(parts(&rows(&["a", "a", "a"]), &settings(0.5, 0.0, 0)).is_err());
    }
}
