//! Percent agreement, Cohen's and Fleiss' kappa, Krippendorff's alpha, with intervals.

mod bootstrap;
mod cohen;
mod group;

use serde::{Deserialize, Serialize};

use crate::error::AnnotationError;
use crate::patterns::Patterns;
use crate::ratings::Ratings;

/// How the intervals are made.
#[derive(Clone, Debug)]
pub struct AgreementSettings {
    pub seed: u64,
    /// How often the items are drawn anew, with replacement; none: no intervals.
    pub resamples: u32,
    /// The share of the resamples inside the interval.
    pub level: f64,
    /// With more pairs of annotators than this the pairs get no intervals.
    pub resampled_pairs: usize,
}

impl Default for AgreementSettings {
    fn default() -> Self {
        Self { seed: 0, resamples: 1000, level: 0.95, resampled_pairs: 1000 }
    }
}

/// A statistic and its interval: percentiles of the statistic over resampled items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// None where it is not defined: nothing to compare, or one value only.
    pub value: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
}

/// How far annotators agree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    pub items: usize,
    /// Items with two ratings or more: all figures but Cohen's rest on these alone.
    pub compared: usize,
    pub annotators: usize,
    pub ratings: usize,
    pub categories: Vec<String>,
    pub seed: u64,
    pub resamples: u32,
    pub level: f64,
    /// The share of agreeing pairs of ratings in an item, averaged over the items.
    pub percent: Estimate,
    /// Fleiss' kappa. Where items have different numbers of ratings, an item's agreement is the share of its
    /// own pairs that agree, and a category's share is its share of all ratings; with equal numbers that is
    /// Fleiss' definition.
    pub fleiss: Estimate,
    /// Krippendorff's alpha for classes without an order.
    pub alpha_nominal: Estimate,
    /// For values with an order; only where they are numbers or a scale is given.
    pub alpha_ordinal: Option<Estimate>,
    /// For values whose differences count; only where they are numbers.
    pub alpha_interval: Option<Estimate>,
    pub cohen: Cohen,
}

/// Cohen's kappa, over pairs of annotators.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cohen {
    /// The mean over the pairs that have one, each pair counted once.
    pub mean: Kappa,
    /// The pairs that rated an item in common, by name.
    pub pairs: Vec<Pair>,
}

/// Cohen's kappa: plain, and with a disagreement weighted by the distance of the two values' positions among
/// all values (or its square), where these have an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Kappa {
    pub unweighted: Estimate,
    pub linear: Option<Estimate>,
    pub quadratic: Option<Estimate>,
}

/// Two annotators.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    pub first: String,
    pub second: String,
    /// Items that both rated.
    pub items: u32,
    pub percent: Estimate,
    pub kappa: Kappa,
}

/// Measures how far the annotators agree.
pub fn agreement(ratings: &Ratings, settings: &AgreementSettings) -> Result<Agreement, AnnotationError> {
    if !(settings.level > 0.0 && settings.level < 1.0) {
        return Err(AnnotationError::Setting {
            setting: "the level of the intervals",
            value: settings.level.to_string(),
            fault: "it lies between 0 and 1, such as 0.95",
        });
    }
    let patterns = Patterns::new(ratings);
    let group = group::Group::new(ratings, &patterns);
    let pairs = cohen::Pairs::new(ratings, &patterns);
    let resample_pairs = pairs.len() <= settings.resampled_pairs;

    let group_values = group.measure(&patterns.counts);
    let pair_values = pairs.measure(&patterns.counts);
    let intervals = bootstrap::intervals(&patterns, settings, |weights| {
        let mut values = group.measure(weights).to_vec();
        if resample_pairs {
            values.extend(pairs.measure(weights));
        }
        values
    });
    let estimate = |position: usize, value: f64| {
        let (low, high) = intervals.get(position).copied().unwrap_or_default();
        Estimate { value: value.is_finite().then_some(value), low, high }
    };

    let offset = group_values.len();
    let kappa = |start: usize| {
        let at = |position: usize| estimate(offset + position, pair_values[position]);
        let ordered = ratings.ordered();
        Kappa {
            unweighted: at(start),
            linear: ordered.then(|| at(start + 1)),
            quadratic: ordered.then(|| at(start + 2)),
        }
    };
    let name = |annotator: u32| ratings.annotators()[annotator as usize].clone();
    let pair = |(number, &(first, second)): (usize, &(u32, u32))| {
        let start = cohen::PER_PAIR * number + 3;
        Pair {
            first: name(first),
            second: name(second),
            items: pairs.items(number, &patterns.counts),
            percent: estimate(offset + start, pair_values[start]),
            kappa: kappa(start + 1),
        }
    };
    Ok(Agreement {
        items: ratings.items().len(),
        compared: (0..ratings.items().len()).filter(|&item| ratings.of(item).len() > 1).count(),
        annotators: ratings.annotators().len(),
        ratings: ratings.len(),
        categories: ratings.categories().to_vec(),
        seed: settings.seed,
        resamples: settings.resamples,
        level: settings.level,
        percent: estimate(group::PERCENT, group_values[group::PERCENT]),
        fleiss: estimate(group::FLEISS, group_values[group::FLEISS]),
        alpha_nominal: estimate(group::NOMINAL, group_values[group::NOMINAL]),
        alpha_ordinal: ratings.ordered().then(|| estimate(group::ORDINAL, group_values[group::ORDINAL])),
        alpha_interval: ratings.numbers().map(|_| estimate(group::INTERVAL, group_values[group::INTERVAL])),
        cohen: Cohen { mean: kappa(0), pairs: pairs.names().iter().enumerate().map(pair).collect() },
    })
}
