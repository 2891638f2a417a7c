//! The value most annotators gave.

use serde::{Deserialize, Serialize};

use crate::ratings::{Rating, Ratings};

/// The value most annotators gave an item.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Majority {
    /// Of several with the same number of votes the first in the order of the categories. None: no ratings.
    pub category: Option<u32>,
    pub votes: u32,
    pub ratings: u32,
    /// Whether another value had as many votes.
    pub tied: bool,
}

/// The majority of each item, in the order of the items.
pub fn majority(ratings: &Ratings) -> Vec<Majority> {
    let mut categories = Vec::new();
    (0..ratings.items().len()).map(|item| of_line(ratings.of(item).iter(), &mut categories)).collect()
}

/// The majority of some ratings; `scratch` is room to sort in.
pub(crate) fn of_line<'a>(line: impl Iterator<Item = &'a Rating>, scratch: &mut Vec<u32>) -> Majority {
    scratch.clear();
    scratch.extend(line.map(|rating| rating.category));
    scratch.sort_unstable();
    let mut majority = Majority { category: None, votes: 0, ratings: scratch.len() as u32, tied: false };
    for equal in scratch.chunk_by(|a, b| a == b) {
        let votes = equal.len() as u32;
        if votes > majority.votes {
            (majority.category, majority.votes, majority.tied) = (Some(equal[0]), votes, false);
        } else if votes == majority.votes {
            majority.tied = true;
        }
    }
    majority
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ratings::RatingsBuilder;

    #[test]
    fn ties_go_to_the_first_category_and_are_told() {
        let mut builder = RatingsBuilder::new();
        builder
            .add_row("tie", [("a", "yes"), ("b", "no"), ("c", "yes"), ("d", "no"), ("e", "maybe")])
            .unwrap();
        builder.add_row("clear", [("a", "yes"), ("b", "no"), ("c", "yes")]).unwrap();
        builder.add_row("nobody", [("a", "")]).unwrap();
        let ratings = builder.build();
        assert_eq!(ratings.categories(), ["maybe", "no", "yes"]);
        assert_eq!(
            majority(&ratings),
            [
                Majority { category: Some(1), votes: 2, ratings: 5, tied: true },
                Majority { category: Some(2), votes: 2, ratings: 3, tied: false },
                Majority { category: None, votes: 0, ratings: 0, tied: false },
            ]
        );
    }
}
