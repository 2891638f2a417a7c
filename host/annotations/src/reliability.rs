//! How far each annotator can be trusted.

use serde::{Deserialize, Serialize};

use crate::aggregate;
use crate::aggregate::DawidSkene;
use crate::agreement::Agreement;
use crate::ratings::Ratings;

/// What speaks for and against an annotator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Annotator {
    pub name: String,
    /// How many items they rated.
    pub items: u32,
    /// Items on which the others have a majority without a tie.
    pub compared: u32,
    /// The share of those on which they said what the majority of the others says.
    pub with_majority: Option<f64>,
    /// The mean of Cohen's kappa with each of the others.
    pub kappa: Option<f64>,
    /// The probability of being right, by Dawid and Skene.
    pub accuracy: Option<f64>,
}

/// The annotators, from the least reliable: by accuracy, then agreement with the majority, then name.
pub fn reliability(ratings: &Ratings, agreement: &Agreement, model: Option<&DawidSkene>) -> Vec<Annotator> {
    let mut annotators: Vec<Annotator> = ratings
        .annotators()
        .iter()
        .enumerate()
        .map(|(number, name)| Annotator {
            name: name.clone(),
            items: 0,
            compared: 0,
            with_majority: None,
            kappa: None,
            accuracy: model.and_then(|model| model.accuracy.get(number).copied()),
        })
        .collect();
    compare_with_others(ratings, &mut annotators);
    mean_kappas(agreement, &mut annotators);
    let key = |value: Option<f64>| value.unwrap_or(f64::INFINITY);
    annotators.sort_by(|a, b| {
        let by_accuracy = key(a.accuracy).total_cmp(&key(b.accuracy));
        by_accuracy.then(key(a.with_majority).total_cmp(&key(b.with_majority))).then(a.name.cmp(&b.name))
    });
    annotators
}

fn compare_with_others(ratings: &Ratings, annotators: &mut [Annotator]) {
    let mut scratch = Vec::new();
    let mut same = vec![0_u32; annotators.len()];
    for item in 0..ratings.items().len() {
        let line = ratings.of(item);
        for rating in line {
            let number = rating.annotator as usize;
            annotators[number].items += 1;
            let others = line.iter().filter(|other| other.annotator != rating.annotator);
            let majority = aggregate::of_line(others, &mut scratch);
            if let (Some(category), false) = (majority.category, majority.tied) {
                annotators[number].compared += 1;
                same[number] += u32::from(category == rating.category);
            }
        }
    }
    for (annotator, same) in annotators.iter_mut().zip(same) {
        let share = f64::from(same) / f64::from(annotator.compared);
        annotator.with_majority = (annotator.compared > 0).then_some(share);
    }
}

/// The annotators are still in the order of their names here.
fn mean_kappas(agreement: &Agreement, annotators: &mut [Annotator]) {
    let mut sums = vec![(0.0, 0.0); annotators.len()];
    for pair in &agreement.cohen.pairs {
        let Some(kappa) = pair.kappa.unweighted.value else { continue };
        for name in [&pair.first, &pair.second] {
            if let Ok(number) = annotators.binary_search_by(|annotator| annotator.name.cmp(name)) {
                sums[number].0 += kappa;
                sums[number].1 += 1.0;
            }
        }
    }
    for (annotator, (sum, count)) in annotators.iter_mut().zip(sums) {
        annotator.kappa = (count > 0.0).then_some(sum / count);
    }
}
