//! Dawid & Skene 1979, "Maximum likelihood estimation of observer error-rates using the EM algorithm": what each
//! annotator says of items of each true class, and the true class of each item, estimated in turn.

use serde::{Deserialize, Serialize};

use crate::error::AnnotationError;
use crate::patterns::Patterns;
use crate::ratings::{Rating, Ratings};

/// When the estimation ends, and how it is held back.
#[derive(Clone, Debug)]
pub struct DawidSkeneSettings {
    pub iterations: u32,
    /// It has converged when the log-likelihood of an item grows by less than this, on average.
    pub tolerance: f64,
    /// Added to each count of the confusion matrices and of the classes: an annotator who never was wrong in
    /// twenty items may still be wrong in the next.
    pub smoothing: f64,
}

impl Default for DawidSkeneSettings {
    fn default() -> Self {
        Self { iterations: 200, tolerance: 1e-7, smoothing: 0.01 }
    }
}

/// What the estimation found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DawidSkene {
    pub categories: Vec<String>,
    pub annotators: Vec<String>,
    /// The share of each class.
    pub priors: Vec<f64>,
    /// For each annotator, `confusion[truth * categories + said]`: the probability of what they say. Someone who
    /// never met a class has an even row there.
    pub confusion: Vec<Vec<f64>>,
    /// The probability that an annotator is right about an item drawn from the classes.
    pub accuracy: Vec<f64>,
    pub iterations: u32,
    pub converged: bool,
    pub log_likelihood: f64,
    /// Items rated alike share a posterior.
    posteriors: Vec<Vec<f64>>,
    posterior_of: Vec<u32>,
}

impl DawidSkene {
    /// The probability of each class for an item. The priors, where nobody rated it.
    pub fn posterior(&self, item: usize) -> &[f64] {
        &self.posteriors[self.posterior_of[item] as usize]
    }

    /// The likeliest class of an item and its probability; the first of equals.
    pub fn label(&self, item: usize) -> (u32, f64) {
        let posterior = self.posterior(item);
        let better = |best: (u32, f64), (class, &probability): (usize, &f64)| {
            if probability > best.1 { (class as u32, probability) } else { best }
        };
        posterior.iter().enumerate().fold((0, f64::NEG_INFINITY), better)
    }

    /// How unsure the class of an item is, in bits.
    pub fn entropy(&self, item: usize) -> f64 {
        let term = |&p: &f64| if p > 0.0 { -p * p.log2() } else { 0.0 };
        self.posterior(item).iter().map(term).sum()
    }
}

/// The room that the confusion matrices may take.
const MOST_BYTES: u64 = 256 << 20;

/// Estimates the true class of each item.
pub fn dawid_skene(ratings: &Ratings, settings: &DawidSkeneSettings) -> Result<DawidSkene, AnnotationError> {
    let (annotators, classes) = (ratings.annotators().len(), ratings.categories().len());
    let bytes = 8 * annotators as u64 * (classes as u64).saturating_mul(classes as u64);
    if bytes > MOST_BYTES {
        return Err(AnnotationError::TooManyCategories {
            annotators,
            categories: classes,
            mebibytes: bytes >> 20,
        });
    }
    if !(settings.smoothing >= 0.0 && settings.smoothing.is_finite()) {
        return Err(AnnotationError::Setting {
            setting: "the smoothing",
            value: settings.smoothing.to_string(),
            fault: "it is a number of ratings, 0 or more",
        });
    }
    let patterns = Patterns::new(ratings);
    let rated = patterns.lines.iter().zip(&patterns.counts).filter(|(line, _)| !line.is_empty());
    let rated: f64 = rated.map(|(_, &count)| f64::from(count)).sum();

    let mut model = Model::new(annotators, classes);
    let mut posteriors: Vec<Vec<f64>> = patterns.lines.iter().map(|line| votes(line, classes)).collect();
    let (mut before, mut log_likelihood) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    let (mut iterations, mut converged) = (0, rated == 0.0);
    while iterations < settings.iterations && !converged {
        model.estimate(&patterns, &posteriors, settings.smoothing);
        log_likelihood = model.expect(&patterns, &mut posteriors);
        iterations += 1;
        converged = log_likelihood - before < settings.tolerance * rated;
        before = log_likelihood;
    }
    // So that what is told of the annotators is what the last posteriors say of them.
    model.estimate(&patterns, &posteriors, settings.smoothing);
    for (line, posterior) in patterns.lines.iter().zip(&mut posteriors) {
        if line.is_empty() {
            posterior.clone_from(&model.priors);
        }
    }
    let accuracy = |confusion: &[f64]| -> f64 {
        model.priors.iter().enumerate().map(|(class, prior)| prior * confusion[class * (classes + 1)]).sum()
    };
    let confusion = model.confusion.chunks(model.matrix().max(1)).map(<[f64]>::to_vec);
    let confusion: Vec<Vec<f64>> = confusion.collect();
    Ok(DawidSkene {
        categories: ratings.categories().to_vec(),
        annotators: ratings.annotators().to_vec(),
        accuracy: confusion.iter().map(|confusion| accuracy(confusion)).collect(),
        priors: model.priors,
        confusion,
        iterations,
        converged,
        log_likelihood: if log_likelihood.is_finite() { log_likelihood } else { 0.0 },
        posteriors,
        posterior_of: patterns.of_item,
    })
}

struct Model {
    classes: usize,
    priors: Vec<f64>,
    /// `[annotator][truth][said]`.
    confusion: Vec<f64>,
}

impl Model {
    fn new(annotators: usize, classes: usize) -> Self {
        Self {
            classes,
            priors: vec![1.0 / classes.max(1) as f64; classes],
            confusion: vec![0.0; annotators * classes * classes],
        }
    }

    fn matrix(&self) -> usize {
        self.classes * self.classes
    }

    /// The maximisation: priors and confusion matrices from the posteriors.
    fn estimate(&mut self, patterns: &Patterns, posteriors: &[Vec<f64>], smoothing: f64) {
        self.priors.fill(smoothing);
        self.confusion.fill(smoothing);
        for ((line, &count), posterior) in patterns.lines.iter().zip(&patterns.counts).zip(posteriors) {
            if line.is_empty() {
                continue;
            }
            for (truth, probability) in posterior.iter().enumerate() {
                let weight = f64::from(count) * probability;
                self.priors[truth] += weight;
                for rating in *line {
                    let place = self.place(rating, truth);
                    self.confusion[place] += weight;
                }
            }
        }
        to_shares(&mut self.priors);
        self.confusion.chunks_mut(self.classes.max(1)).for_each(to_shares);
    }

    /// The expectation: posteriors from priors and confusion matrices; gives the log-likelihood.
    fn expect(&self, patterns: &Patterns, posteriors: &mut [Vec<f64>]) -> f64 {
        // No logarithm of nothing: what was never seen is very unlikely, not impossible.
        let log = |p: &f64| p.max(1e-100).ln();
        let priors: Vec<f64> = self.priors.iter().map(log).collect();
        let confusion: Vec<f64> = self.confusion.iter().map(log).collect();
        let mut log_likelihood = 0.0;
        for ((line, &count), posterior) in patterns.lines.iter().zip(&patterns.counts).zip(posteriors) {
            if line.is_empty() {
                continue;
            }
            for (truth, joint) in posterior.iter_mut().enumerate() {
                *joint = priors[truth];
                for rating in *line {
                    *joint += confusion[self.place(rating, truth)];
                }
            }
            let largest = posterior.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            posterior.iter_mut().for_each(|joint| *joint = (*joint - largest).exp());
            log_likelihood += f64::from(count) * (largest + posterior.iter().sum::<f64>().ln());
            to_shares(posterior);
        }
        log_likelihood
    }

    fn place(&self, rating: &Rating, truth: usize) -> usize {
        rating.annotator as usize * self.matrix() + truth * self.classes + rating.category as usize
    }
}

/// The start: each value's share of the votes.
fn votes(line: &[Rating], classes: usize) -> Vec<f64> {
    let mut votes = vec![0.0; classes];
    for rating in line {
        votes[rating.category as usize] += 1.0 / line.len() as f64;
    }
    votes
}

/// Divides by the sum; even shares where there is nothing.
fn to_shares(values: &mut [f64]) {
    let sum: f64 = values.iter().sum();
    let even = 1.0 / values.len() as f64;
    values.iter_mut().for_each(|value| *value = if sum > 0.0 { *value / sum } else { even });
}
