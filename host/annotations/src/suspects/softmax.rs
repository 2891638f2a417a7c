//! Multinomial logistic regression on sparse features, by stochastic gradient descent. One thread a model, so the
//! number of processors changes nothing.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use pegbox_random::SplitMix64;

use super::SuspectSettings;
use super::features::Features;
use super::sample::Sample;

/// The first step; the steps fall to nothing at the last. Chosen, like the epochs, on banking77 with flipped labels.
const RATE: f32 = 2.0;

/// Weights of each feature for each class.
pub(super) struct Softmax {
    /// Classes, rounded up for vector instructions.
    stride: usize,
    classes: usize,
    weights: Vec<f32>,
}

pub(super) fn stride(classes: u32) -> usize {
    (classes as usize).next_multiple_of(4)
}

/// One model a fold, trained on the rows of all others.
pub(super) fn train(
    sample: &Sample,
    features: &Features,
    classes: u32,
    settings: &SuspectSettings,
) -> Vec<Softmax> {
    let folds = settings.folds as usize;
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get()).min(folds);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut trained = Vec::new();
        loop {
            let fold = next.fetch_add(1, Ordering::Relaxed);
            if fold >= folds {
                return trained;
            }
            trained.push((fold, train_one(sample, features, classes, settings, fold)));
        }
    };
    let mut models: Vec<(usize, Softmax)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    });
    models.sort_unstable_by_key(|(fold, _)| *fold);
    models.into_iter().map(|(_, model)| model).collect()
}

fn train_one(
    sample: &Sample,
    features: &Features,
    classes: u32,
    settings: &SuspectSettings,
    fold: usize,
) -> Softmax {
    let stride = stride(classes);
    let mut model =
        Softmax { stride, classes: classes as usize, weights: vec![0.0; stride * features.len()] };
    let mut order: Vec<u32> =
        (0..sample.len() as u32).filter(|&row| sample.folds[row as usize] as usize != fold).collect();
    let steps = (order.len() * settings.epochs as usize) as f32;
    let mut random = SplitMix64::named(settings.seed, "suspects");
    let (mut weighted, mut scores) = (Vec::new(), Vec::new());
    let mut step = 0.0;
    for _ in 0..settings.epochs {
        random.shuffle(&mut order);
        for &row in &order {
            let weighted = features.weigh(sample.features(row as usize), &mut weighted);
            model.scores(weighted, &mut scores);
            to_probabilities(&mut scores, 1.0);
            scores[sample.labels[row as usize] as usize] -= 1.0;
            model.descend(weighted, &scores, RATE * (1.0 - step / steps));
            step += 1.0;
        }
    }
    model
}

impl Softmax {
    /// The scores of the classes.
    pub fn scores(&self, weighted: &[(u32, f32)], scores: &mut Vec<f32>) {
        scores.clear();
        scores.resize(self.stride, 0.0);
        for &(feature, weight) in weighted {
            let weights = &self.weights[feature as usize * self.stride..][..self.stride];
            scores.iter_mut().zip(weights).for_each(|(score, w)| *score += weight * w);
        }
        scores.truncate(self.classes);
    }

    fn descend(&mut self, weighted: &[(u32, f32)], gradient: &[f32], rate: f32) {
        for &(feature, weight) in weighted {
            let step = rate * weight;
            let weights = &mut self.weights[feature as usize * self.stride..][..self.classes];
            weights.iter_mut().zip(gradient).for_each(|(w, gradient)| *w -= step * gradient);
        }
    }
}

/// Scores, times `sharpness`, to probabilities.
pub(super) fn to_probabilities(scores: &mut [f32], sharpness: f32) {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    scores.iter_mut().for_each(|score| *score = exp((*score - largest) * sharpness));
    let sum: f32 = scores.iter().sum();
    scores.iter_mut().for_each(|score| *score /= sum);
}

/// The exponential of a number of at most 0, to about 1e-6, in vector instructions and the same on every machine.
fn exp(x: f32) -> f32 {
    let x = (x * std::f32::consts::LOG2_E).max(-126.0);
    // The nearest whole number, by what the sum can't hold.
    const ROUND: f32 = 12_582_912.0;
    let whole = (x + ROUND) - ROUND;
    let part = (x - whole) * std::f32::consts::LN_2;
    let power =
        1.0 + part * (1.0 + part * (0.5 + part * (1.0 / 6.0 + part * (1.0 / 24.0 + part * (1.0 / 120.0)))));
    power * f32::from_bits(((whole as i32 + 127) as u32) << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_near() {
        for x in [0.0_f32, -0.1, -0.5, -1.0, -3.3, -20.0, -80.0] {
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-5, "{x}");
        }
        assert!(exp(-1000.0) < 1e-37);
    }
}
