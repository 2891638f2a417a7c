//! Labels that are likely wrong, by confident learning (Northcutt, Jiang & Chuang 2021, "Confident learning:
//! estimating uncertainty in dataset labels"). A quick model is trained on parts of the rows and asked about the
//! others. A row whose probability for another class reaches what rows of that class have on average is counted
//! as wrong; as many rows as that, those whose label falls furthest behind another, are suspect.

mod confident;
mod features;
mod sample;
mod softmax;

use std::thread;

use serde::{Deserialize, Serialize};

use crate::error::AnnotationError;
use crate::rows::Rows;
use confident::Thresholds;
use features::Features;
use sample::Sample;
use softmax::Softmax;

/// How the model is trained and how much is listed.
#[derive(Clone, Debug)]
pub struct SuspectSettings {
    pub seed: u64,
    /// Into how many parts the rows are divided; each is judged by a model of the others. A group is never divided.
    pub folds: u32,
    /// Of more rows than this a sample trains the models. Rare classes are sampled less.
    pub sample: u32,
    /// How often the models see the sample.
    pub epochs: u32,
    /// How many suspects are listed; all are counted.
    pub most: usize,
}

impl Default for SuspectSettings {
    fn default() -> Self {
        Self { seed: 0, folds: 4, sample: 100_000, epochs: 4, most: 10_000 }
    }
}

/// A label that is likely wrong.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suspect {
    pub row: u32,
    pub label: u32,
    /// The class it likely belongs to.
    pub likely: u32,
    /// The model's probability of the given label.
    pub given: f32,
    /// The model's probability of the likely class.
    pub probability: f32,
    /// The probability of the given label less that of the best other class: the list is sorted by it.
    pub margin: f32,
}

/// Rows of one label that likely belong to another class.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confusion {
    pub label: u32,
    pub likely: u32,
    pub rows: u32,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Suspects {
    pub rows: u32,
    pub classes: u32,
    /// How many rows trained the models.
    pub sample: u32,
    /// The share of the sample whose label the model of the other parts gives as well.
    pub accuracy: f64,
    /// By what the models' scores were divided, so that their probabilities are as often right as they say.
    pub temperature: f32,
    /// How many labels are suspect.
    pub suspects: u32,
    /// The most suspect labels, the worst first.
    pub list: Vec<Suspect>,
    /// How the suspects are spread over pairs of classes, the largest first; at most 100.
    pub confusions: Vec<Confusion>,
}

/// More classes than this are no classes.
const MOST_CLASSES: u32 = 4096;

/// Finds labels that are likely wrong. Reads the rows twice.
pub fn suspects<R: Rows>(rows: &R, settings: &SuspectSettings) -> Result<Suspects, AnnotationError> {
    suspects_with(rows, settings, &mut |_| {})
}

/// The same; `each` is told the verdict on every row, in order, suspect or not.
pub fn suspects_with<R: Rows>(
    rows: &R,
    settings: &SuspectSettings,
    each: &mut dyn FnMut(Verdict),
) -> Result<Suspects, AnnotationError> {
    check(settings)?;
    let counts = sample::class_counts(rows, settings)?;
    let sample = Sample::draw(rows, settings, counts.as_deref())?;
    let classes = sample.labels.iter().map(|label| label + 1).max().unwrap_or(0);
    let classes = classes.max(counts.map_or(0, |counts| counts.len() as u32));
    let mut found =
        Suspects { rows: rows.len(), classes, sample: sample.len() as u32, ..Suspects::default() };
    if classes < 2 || sample.len() < 2 {
        return Ok(found);
    }

    let features = Features::new(&sample, classes, settings.folds);
    let models = softmax::train(&sample, &features, classes, settings);
    let judge = Thresholds::estimate(&sample, &features, &models, classes);
    (found.accuracy, found.temperature) = (judge.accuracy, judge.temperature);
    drop(sample);

    let mut list = confident::List::new(settings.most);
    let mut batch = Batch::default();
    let mut flush = |batch: &mut Batch| {
        for verdict in batch.judge(&features, &models, &judge) {
            list.add(&verdict);
            each(verdict);
        }
        batch.clear();
    };
    rows.for_each(&mut |row, text, label, group| {
        batch.add(row, text, label, sample::fold(settings, group));
        if batch.is_full() {
            flush(&mut batch);
        }
    })
    .map_err(|fault| AnnotationError::Rows(Box::new(fault)))?;
    flush(&mut batch);
    (found.suspects, found.list, found.confusions) = list.finish();
    Ok(found)
}

/// What the models say of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    pub suspect: Suspect,
    /// Whether it is one.
    pub is_suspect: bool,
}

fn check(settings: &SuspectSettings) -> Result<(), AnnotationError> {
    let wrong = |setting, value: u32, fault| {
        Err(AnnotationError::Setting { setting, value: value.to_string(), fault })
    };
    match settings {
        SuspectSettings { folds: folds @ (0 | 1 | 33..), .. } => {
            wrong("the number of folds", *folds, "it lies between 2 and 32")
        }
        SuspectSettings { epochs: 0, .. } => wrong("the number of epochs", 0, "the models need one"),
        SuspectSettings { sample: 0, .. } => wrong("the sample", 0, "the models need rows"),
        _ => Ok(()),
    }
}

/// Rows that wait to be judged together, by all processors.
#[derive(Default)]
struct Batch {
    text: String,
    /// Row, end of its text, label, fold.
    rows: Vec<(u32, usize, u32, u32)>,
}

impl Batch {
    const ROWS: usize = 16_384;
    const BYTES: usize = 8 << 20;

    fn add(&mut self, row: u32, text: &str, label: u32, fold: u32) {
        self.text.push_str(text);
        self.rows.push((row, self.text.len(), label, fold));
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= Self::ROWS || self.text.len() >= Self::BYTES
    }

    fn clear(&mut self) {
        self.text.clear();
        self.rows.clear();
    }

    fn judge(&self, features: &Features, models: &[Softmax], thresholds: &Thresholds) -> Vec<Verdict> {
        let threads = thread::available_parallelism().map_or(1, |threads| threads.get());
        let part = self.rows.len().div_ceil(threads).max(1);
        let judge_part = |number: usize| {
            let mut scratch = features::Scratch::default();
            let mut scores = Vec::new();
            let mut verdicts = Vec::with_capacity(part);
            for place in number * part..self.rows.len().min((number + 1) * part) {
                let (row, end, label, fold) = self.rows[place];
                let start = place.checked_sub(1).map_or(0, |before| self.rows[before].1);
                scratch.hash(&self.text[start..end]);
                let weighted = features.weigh(&scratch.hashes, &mut scratch.weighted);
                models[fold as usize].scores(weighted, &mut scores);
                verdicts.push(thresholds.judge(row, label, &mut scores));
            }
            verdicts
        };
        thread::scope(|scope| {
            let parts: Vec<_> = (0..threads).map(|number| scope.spawn(move || judge_part(number))).collect();
            parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
        })
    }
}
