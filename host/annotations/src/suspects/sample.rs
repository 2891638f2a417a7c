//! The rows that train the models, as hashed features.

use pegbox_random::SplitMix64;

use super::{MOST_CLASSES, SuspectSettings, features};
use crate::error::AnnotationError;
use crate::rows::Rows;

/// The features of all sampled rows together: 64 MiB.
const MOST_FEATURES: usize = 16 << 20;
/// A class with fewer rows than this is not sampled.
const RARE: f64 = 500.0;

/// Sampled rows, in their order.
#[derive(Default)]
pub(super) struct Sample {
    rows: Vec<u32>,
    ends: Vec<usize>,
    features: Vec<u32>,
    pub labels: Vec<u32>,
    pub folds: Vec<u8>,
}

/// How often each class occurs, where there are more rows than the sample takes.
pub(super) fn class_counts<R: Rows>(
    rows: &R,
    settings: &SuspectSettings,
) -> Result<Option<Vec<u32>>, AnnotationError> {
    if rows.len() <= settings.sample {
        return Ok(None);
    }
    let mut counts: Vec<u32> = Vec::new();
    let mut fault = None;
    let each = &mut |row, label, _| match class(row, label) {
        Ok(class) => {
            counts.resize(counts.len().max(class + 1), 0);
            counts[class] += 1;
        }
        Err(error) => fault = fault.take().or(Some(error)),
    };
    rows.for_each_label(each).map_err(|fault| AnnotationError::Rows(Box::new(fault)))?;
    fault.map_or(Ok(Some(counts)), Err)
}

fn class(row: u32, label: u32) -> Result<usize, AnnotationError> {
    if label < MOST_CLASSES {
        return Ok(label as usize);
    }
    Err(AnnotationError::TooManyLabels { row, label, limit: MOST_CLASSES })
}

/// The fold of a group.
pub(super) fn fold(settings: &SuspectSettings, group: u32) -> u32 {
    let mut random = SplitMix64::new(settings.seed ^ (u64::from(group) << 32 | 0x666f_6c64));
    random.below(settings.folds as usize) as u32
}

impl Sample {
    pub fn draw<R: Rows>(
        rows: &R,
        settings: &SuspectSettings,
        counts: Option<&[u32]>,
    ) -> Result<Self, AnnotationError> {
        let share = f64::from(settings.sample) / f64::from(rows.len().max(1));
        let share_of = |label: u32| match counts {
            Some(counts) => share.max(RARE / f64::from(counts[label as usize])),
            None => 1.0,
        };
        let mut sample = Self::default();
        let mut scratch = features::Scratch::default();
        // Where the features get too many, the shares shrink and what was taken too much is given back.
        let mut shrink = 1.0;
        let mut fault = None;
        let each = &mut |row, text: &str, label, group| {
            if let Err(error) = class(row, label) {
                fault = fault.take().or(Some(error));
                return;
            }
            if lot(settings.seed, row) >= share_of(label) * shrink {
                return;
            }
            scratch.hash(text);
            sample.add(row, &scratch.hashes, label, fold(settings, group) as u8);
            while sample.features.len() > MOST_FEATURES && sample.len() > 1 {
                shrink *= 0.8;
                sample.keep(|row, label| lot(settings.seed, row) < share_of(label) * shrink);
            }
        };
        rows.for_each(each).map_err(|fault| AnnotationError::Rows(Box::new(fault)))?;
        fault.map_or(Ok(sample), Err)
    }

    pub fn len(&self) -> usize {
        self.labels.len()
    }

    pub fn features(&self, place: usize) -> &[u32] {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.features[start..self.ends[place]]
    }

    fn add(&mut self, row: u32, features: &[u32], label: u32, fold: u8) {
        self.rows.push(row);
        self.features.extend_from_slice(features);
        self.ends.push(self.features.len());
        self.labels.push(label);
        self.folds.push(fold);
    }

    fn keep(&mut self, wanted: impl Fn(u32, u32) -> bool) {
        let (mut kept, mut start, mut end_of_kept) = (0, 0, 0);
        for place in 0..self.len() {
            let end = self.ends[place];
            if wanted(self.rows[place], self.labels[place]) {
                self.features.copy_within(start..end, end_of_kept);
                end_of_kept += end - start;
                self.ends[kept] = end_of_kept;
                self.rows[kept] = self.rows[place];
                self.labels[kept] = self.labels[place];
                self.folds[kept] = self.folds[place];
                kept += 1;
            }
            start = end;
        }
        self.features.truncate(end_of_kept);
        self.rows.truncate(kept);
        self.ends.truncate(kept);
        self.labels.truncate(kept);
        self.folds.truncate(kept);
    }
}

/// A number from 0 to 1 for each row.
fn lot(seed: u64, row: u32) -> f64 {
    SplitMix64::new(seed ^ (u64::from(row) << 32 | 0x6c6f_7400)).next_u64() as f64 / 2.0_f64.powi(64)
}
