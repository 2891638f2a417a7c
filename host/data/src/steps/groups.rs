//! The training rows by class and by the fields that the recipe names: how many, how long, how diverse.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::report::{GroupCount, GroupReport};

/// Words of a group that are looked at for its diversity, and at most so many of one file of the dataset, so that
/// memory stays bounded and the result does not depend on the number of threads.
const WORDS: usize = 10_000;
const WORDS_OF_ONE: usize = 500;
/// Groups that a report lists.
const LISTED: usize = 200;

/// Of one field.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Groups(BTreeMap<String, Group>);

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Group {
    rows: u64,
    characters: u64,
    /// Hashes of the first words.
    words: Vec<u32>,
}

impl Groups {
    pub fn add(&mut self, name: &str, text: &str) {
        if !self.0.contains_key(name) {
            self.0.insert(name.to_owned(), Group::default());
        }
        let Some(group) = self.0.get_mut(name) else { return };
        group.rows += 1;
        group.characters += text.chars().count() as u64;
        let room = WORDS_OF_ONE.saturating_sub(group.words.len());
        if room > 0 {
            let words = text.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty());
            group.words.extend(words.take(room).map(|word| xxh3_64(word.to_lowercase().as_bytes()) as u32));
        }
    }

    /// Adds rows that follow.
    pub fn merge(&mut self, later: Self) {
        for (name, other) in later.0 {
            let group = self.0.entry(name).or_default();
            group.rows += other.rows;
            group.characters += other.characters;
            let room = WORDS.saturating_sub(group.words.len());
            group.words.extend(other.words.into_iter().take(room));
        }
    }

    /// The largest groups; `weight` is that of a row of a group.
    pub fn report(&self, field: &str, weight: impl Fn(&str) -> Option<f64>) -> GroupReport {
        let mut groups: Vec<GroupCount> = self
            .0
            .iter()
            .map(|(name, group)| GroupCount {
                name: name.clone(),
                rows: group.rows,
                mean_length: group.characters as f64 / group.rows.max(1) as f64,
                diversity: diversity(&group.words),
                weight: weight(name),
            })
            .collect();
        groups.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.name.cmp(&b.name)));
        let more = groups.len().saturating_sub(LISTED) as u64;
        groups.truncate(LISTED);
        GroupReport { field: field.to_owned(), groups, more }
    }
}

/// Different words over all words.
fn diversity(words: &[u32]) -> f64 {
    let different: HashSet<u32> = words.iter().copied().collect();
    different.len() as f64 / words.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_counted_and_merged() {
        let (mut one, mut other) = (Groups::default(), Groups::default());
        one.add("a", "The cat. The CAT!");
        other.add("a", "a dog");
        other.add("b", "x");
        one.merge(other);
        let report = one.report("label", |name| (name == "b").then_some(2.0));
        let a = &report.groups[0];
        assert_eq!((a.name.as_str(), a.rows, a.mean_length, a.weight), ("a", 2, 11.0, None));
        assert_eq!(a.diversity, 4.0 / 6.0);
        assert_eq!(report.groups[1].weight, Some(2.0));
    }
}
