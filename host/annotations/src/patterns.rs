//! Items that were rated alike, counted once. All that is computed from ratings depends only on how often each
//! pattern occurs, so a million items with three annotators cost as much as their few hundred patterns.

use std::collections::HashMap;

use crate::ratings::{Rating, Ratings};

/// The different lines of a table of ratings, in the order in which they first occur.
pub(crate) struct Patterns<'a> {
    pub lines: Vec<&'a [Rating]>,
    pub counts: Vec<u32>,
    /// The pattern of each item.
    pub of_item: Vec<u32>,
}

impl<'a> Patterns<'a> {
    pub fn new(ratings: &'a Ratings) -> Self {
        let mut numbers: HashMap<&[Rating], u32> = HashMap::new();
        let mut patterns = Self { lines: Vec::new(), counts: Vec::new(), of_item: Vec::new() };
        for item in 0..ratings.items().len() {
            let line = ratings.of(item);
            let number = *numbers.entry(line).or_insert_with(|| {
                patterns.lines.push(line);
                patterns.counts.push(0);
                patterns.lines.len() as u32 - 1
            });
            patterns.counts[number as usize] += 1;
            patterns.of_item.push(number);
        }
        patterns
    }
}
