//! The items that a person should look at, the most doubtful first.

use serde::{Deserialize, Serialize};

use crate::aggregate::{self, DawidSkene};
use crate::ratings::Ratings;

/// An item about which the annotators are not of one mind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Doubtful {
    pub item: String,
    /// The item's number in [`Ratings::items`].
    pub number: u32,
    /// How unsure its class is by Dawid and Skene, in bits.
    pub entropy: Option<f64>,
    /// The share of pairs of its ratings that differ.
    pub disagreement: f64,
    pub majority: String,
    /// Whether another value had as many votes.
    pub tied: bool,
    /// The likeliest class by Dawid and Skene, and its probability.
    pub likeliest: Option<(String, f64)>,
    /// What each annotator said: name and value.
    pub said: Vec<(String, String)>,
}

/// How many items differ, and the first of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Adjudication {
    /// Items with ratings that differ.
    pub items: u32,
    /// Items of which the majority is a tie.
    pub ties: u32,
    /// Items of which the likeliest class is another than the majority's.
    pub overruled: u32,
    pub list: Vec<Doubtful>,
}

/// The items with ratings that differ: by the entropy of the posterior (with a model), then by disagreement,
/// then in their own order; `most` of them.
pub fn adjudicate(ratings: &Ratings, model: Option<&DawidSkene>, most: usize) -> Adjudication {
    let mut adjudication = Adjudication::default();
    let mut ranked = Vec::new();
    let mut scratch = Vec::new();
    for item in 0..ratings.items().len() {
        let line = ratings.of(item);
        let majority = aggregate::of_line(line.iter(), &mut scratch);
        // `scratch` holds the categories in order.
        if line.is_empty() || scratch.first() == scratch.last() {
            continue;
        }
        adjudication.items += 1;
        adjudication.ties += u32::from(majority.tied);
        let overruled = model.is_some_and(|model| Some(model.label(item).0) != majority.category);
        adjudication.overruled += u32::from(overruled && !majority.tied);
        let entropy = model.map(|model| model.entropy(item));
        ranked.push((entropy.unwrap_or(0.0), disagreement(&scratch), item));
    }
    let order = |a: &(f64, f64, usize), b: &(f64, f64, usize)| {
        b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2))
    };
    if ranked.len() > most {
        ranked.select_nth_unstable_by(most, order);
        ranked.truncate(most);
    }
    ranked.sort_unstable_by(order);
    adjudication.list = ranked
        .into_iter()
        .map(|(_, disagreement, item)| doubtful(ratings, model, item, disagreement))
        .collect();
    adjudication
}

/// The share of pairs that differ, of sorted categories.
fn disagreement(categories: &[u32]) -> f64 {
    let pairs = (categories.len() * (categories.len() - 1)) as f64;
    let equal =
        categories.chunk_by(|a, b| a == b).map(|equal| equal.len() * (equal.len() - 1)).sum::<usize>();
    1.0 - equal as f64 / pairs
}

fn doubtful(ratings: &Ratings, model: Option<&DawidSkene>, item: usize, disagreement: f64) -> Doubtful {
    let category = |number: u32| ratings.categories()[number as usize].clone();
    let line = ratings.of(item);
    let majority = aggregate::of_line(line.iter(), &mut Vec::new());
    Doubtful {
        item: ratings.items()[item].clone(),
        number: item as u32,
        entropy: model.map(|model| model.entropy(item)),
        disagreement,
        majority: majority.category.map(category).unwrap_or_default(),
        tied: majority.tied,
        likeliest: model.map(|model| model.label(item)).map(|(class, p)| (category(class), p)),
        said: line
            .iter()
            .map(|rating| {
                (ratings.annotators()[rating.annotator as usize].clone(), category(rating.category))
            })
            .collect(),
    }
}
