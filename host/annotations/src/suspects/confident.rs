//! From probabilities to suspects.

use std::collections::BTreeMap;
use std::thread;

use super::features::Features;
use super::sample::Sample;
use super::softmax::{Softmax, to_probabilities};
use super::{Confusion, Suspect, Verdict};

/// What probability makes a class a confident guess: the mean, over the rows labelled so, of their own label's.
pub(super) struct Thresholds {
    of_class: Vec<f32>,
    /// Labels with a margin up to this are suspect.
    margin: f32,
    pub temperature: f32,
    pub accuracy: f64,
}

impl Thresholds {
    /// From what each sampled row gets of the model that never saw it.
    pub fn estimate(sample: &Sample, features: &Features, models: &[Softmax], classes: u32) -> Self {
        let temperature = temperature(sample, features, models, classes);
        let mut thresholds = Self {
            of_class: vec![2.0; classes as usize],
            margin: f32::NEG_INFINITY,
            temperature,
            accuracy: 0.0,
        };
        let judged = thresholds.judge_sample(sample, features, models);
        let right = judged.iter().filter(|(suspect, _)| suspect.margin >= 0.0).count();
        thresholds.accuracy = right as f64 / sample.len() as f64;

        let mut sums = vec![(0.0_f64, 0_u32); classes as usize];
        for (suspect, _) in &judged {
            let sum = &mut sums[suspect.label as usize];
            *sum = (sum.0 + f64::from(suspect.given), sum.1 + 1);
        }
        // A class that no row has stays at 2: it is nobody's confident guess.
        for (threshold, (sum, rows)) in thresholds.of_class.iter_mut().zip(sums).filter(|(_, sum)| sum.1 > 0)
        {
            *threshold = (sum / f64::from(rows)) as f32;
        }
        thresholds.margin = thresholds.largest_margin(sample, features, models);
        thresholds
    }

    /// Ranked by their margins, as many rows are suspect as the confident joint counts off its diagonal. Those
    /// very rows would be the other choice; on banking77 with flipped labels the ranking finds more at the same
    /// precision.
    fn largest_margin(&self, sample: &Sample, features: &Features, models: &[Softmax]) -> f32 {
        let judged = self.judge_sample(sample, features, models);
        let off_diagonal = judged.iter().filter(|(_, elsewhere)| *elsewhere).count();
        let mut margins: Vec<f32> = judged.iter().map(|(suspect, _)| suspect.margin).collect();
        margins.sort_unstable_by(f32::total_cmp);
        // Where the model agrees with the label, the label is not suspect.
        off_diagonal.checked_sub(1).map_or(f32::NEG_INFINITY, |last| margins[last].min(-f32::EPSILON))
    }

    /// The verdict on a row; the scores become probabilities.
    pub fn judge(&self, row: u32, label: u32, scores: &mut [f32]) -> Verdict {
        let (suspect, _) = self.look_at(row, label, scores);
        Verdict { suspect, is_suspect: suspect.margin <= self.margin }
    }

    /// A row's figures, and whether the class that it is confidently guessed to be is another than its label.
    fn look_at(&self, row: u32, label: u32, scores: &mut [f32]) -> (Suspect, bool) {
        to_probabilities(scores, 1.0 / self.temperature);
        let (label_at, none) = (label as usize, usize::MAX);
        let (mut confident, mut other) = (none, none);
        for (class, (&probability, threshold)) in scores.iter().zip(&self.of_class).enumerate() {
            if probability >= *threshold && (confident == none || probability > scores[confident]) {
                confident = class;
            }
            if class != label_at && (other == none || probability > scores[other]) {
                other = class;
            }
        }
        let (given, probability) = (scores[label_at], scores[other]);
        let suspect =
            Suspect { row, label, likely: other as u32, given, probability, margin: given - probability };
        (suspect, confident != none && confident != label_at)
    }

    /// Every sampled row, by the model that never saw it.
    fn judge_sample(&self, sample: &Sample, features: &Features, models: &[Softmax]) -> Vec<(Suspect, bool)> {
        let threads = thread::available_parallelism().map_or(1, |threads| threads.get());
        let part = sample.len().div_ceil(threads);
        let judge_part = |number: usize| {
            let (mut weighted, mut scores) = (Vec::new(), Vec::new());
            let judge_row = |row: usize| {
                let weighted = features.weigh(sample.features(row), &mut weighted);
                models[sample.folds[row] as usize].scores(weighted, &mut scores);
                self.look_at(row as u32, sample.labels[row], &mut scores)
            };
            (number * part..sample.len().min((number + 1) * part)).map(judge_row).collect::<Vec<_>>()
        };
        thread::scope(|scope| {
            let judge_part = &judge_part;
            let parts: Vec<_> = (0..threads).map(|number| scope.spawn(move || judge_part(number))).collect();
            parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
        })
    }
}

/// The temperature under which the labels of the sample (of 20,000 rows of it, or as many as fit) are likeliest.
fn temperature(sample: &Sample, features: &Features, models: &[Softmax], classes: u32) -> f32 {
    let most = 20_000.min((4 << 20) / classes as usize).max(1);
    let every = sample.len().div_ceil(most);
    let mut weighted = Vec::new();
    let scored: Vec<(u32, Vec<f32>)> = (0..sample.len())
        .step_by(every)
        .map(|row| {
            let mut scores = Vec::new();
            let weighted = features.weigh(sample.features(row), &mut weighted);
            models[sample.folds[row] as usize].scores(weighted, &mut scores);
            (sample.labels[row], scores)
        })
        .collect();
    let mut probabilities = Vec::new();
    let mut loss = |temperature: f32| -> f64 {
        let of_row = |(label, scores): &(u32, Vec<f32>)| {
            probabilities.clone_from(scores);
            to_probabilities(&mut probabilities, 1.0 / temperature);
            -f64::from(probabilities[*label as usize].max(1e-30)).ln()
        };
        scored.iter().map(of_row).sum()
    };
    // The loss has one valley: a walk over a geometric grid, then a finer one around its best.
    let mut best = 1.0;
    for (steps, factor) in [(8, 1.3_f32), (6, 1.04)] {
        let grid = (-steps..=steps).map(|step| best * factor.powi(step));
        let rated: Vec<(f64, f32)> = grid.map(|temperature| (loss(temperature), temperature)).collect();
        best = rated.iter().fold((f64::INFINITY, best), |a, b| if b.0 < a.0 { *b } else { a }).1;
    }
    best
}

/// The suspects: all are counted, the worst kept.
pub(super) struct List {
    most: usize,
    count: u32,
    list: Vec<Suspect>,
    confusions: BTreeMap<(u32, u32), u32>,
}

impl List {
    const MOST_CONFUSIONS: usize = 100;

    pub fn new(most: usize) -> Self {
        Self { most, count: 0, list: Vec::new(), confusions: BTreeMap::new() }
    }

    pub fn add(&mut self, verdict: &Verdict) {
        if !verdict.is_suspect {
            return;
        }
        self.count += 1;
        *self.confusions.entry((verdict.suspect.label, verdict.suspect.likely)).or_default() += 1;
        self.list.push(verdict.suspect);
        if self.list.len() > 2 * self.most + 1024 {
            self.list.select_nth_unstable_by(self.most, order);
            self.list.truncate(self.most);
        }
    }

    pub fn finish(mut self) -> (u32, Vec<Suspect>, Vec<Confusion>) {
        self.list.sort_unstable_by(order);
        self.list.truncate(self.most);
        let confusion = |((label, likely), rows)| Confusion { label, likely, rows };
        let mut confusions: Vec<Confusion> = self.confusions.into_iter().map(confusion).collect();
        confusions.sort_by_key(|confusion| std::cmp::Reverse(confusion.rows));
        confusions.truncate(Self::MOST_CONFUSIONS);
        (self.count, self.list, confusions)
    }
}

/// The smallest margin first.
fn order(a: &Suspect, b: &Suspect) -> std::cmp::Ordering {
    a.margin.total_cmp(&b.margin).then(a.row.cmp(&b.row))
}
