//! Equal or near-equal texts that carry different labels.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::error::AnnotationError;
use crate::rows::Rows;

/// Rows that say the same and are labelled differently.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// Label and how many rows have it, the most frequent first.
    pub labels: Vec<(u32, u32)>,
    /// How many rows there are.
    pub count: u32,
    /// The first of them, at most 20.
    pub rows: Vec<u32>,
    /// The beginning of the first one's text.
    pub text: String,
}

/// The conflicts of one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Conflicts {
    /// How many texts (or clusters of near-equal texts) have more than one label.
    pub conflicts: u32,
    /// How many rows these have.
    pub rows: u32,
    /// How many of these rows have another label than most of their text (the smaller label, where as many).
    pub minority: u32,
    /// The largest, then the first.
    pub list: Vec<Conflict>,
}

/// What counts as the same text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Same {
    /// Equal but for case, and for what is neither letter nor digit.
    Text,
    /// The same group: a cluster of near-duplicates.
    Group,
}

const MOST_ROWS: usize = 20;
const MOST_LETTERS: usize = 200;
const LABEL_BITS: u32 = 24;

/// Finds the conflicts and lists `most` of them. Reads equal texts twice, and holds 8 bytes a row meanwhile; of groups it
/// reads the texts that it lists, and holds 8 bytes for each row of a group.
pub fn conflicts<R: Rows>(rows: &R, same: Same, most: usize) -> Result<Conflicts, AnnotationError> {
    let keyed = Keyed { rows, same, shared: shared(rows, same)? };
    let keys = conflicting_keys(&keyed)?;
    let mut found: HashMap<u64, Found> = HashMap::new();
    keyed.for_each(&mut |row, label, key| {
        if keys.binary_search(&short(key)).is_ok() {
            found.entry(key).or_default().add(row, label);
        }
    })?;
    // Different texts may have the same short key: the long one decides.
    let mut found: Vec<Found> = found.into_values().filter(|found| found.labels.len() > 1).collect();
    found.sort_unstable_by_key(|found| (std::cmp::Reverse(found.count), found.rows[0]));
    let largest = |found: &Found| found.labels.values().max().copied().unwrap_or(0);
    let mut conflicts = Conflicts {
        conflicts: found.len() as u32,
        rows: found.iter().map(|found| found.count).sum(),
        minority: found.iter().map(|found| found.count - largest(found)).sum(),
        list: Vec::new(),
    };
    found.truncate(most);
    let mut firsts: Vec<u32> = found.iter().map(|found| found.rows[0]).collect();
    firsts.sort_unstable();
    let texts = rows.texts(&firsts).map_err(|fault| AnnotationError::Rows(Box::new(fault)))?;
    let text_of = |row: u32| firsts.binary_search(&row).ok().and_then(|place| texts.get(place));
    conflicts.list = found
        .into_iter()
        .map(|found| {
            let text = text_of(found.rows[0]).map(|text| text.chars().take(MOST_LETTERS).collect());
            found.finish(text.unwrap_or_default())
        })
        .collect();
    Ok(conflicts)
}

/// Rows with the keys of what they say.
struct Keyed<'a, R> {
    rows: &'a R,
    same: Same,
    /// One bit a group: whether it may have several rows.
    shared: Vec<u64>,
}

impl<R: Rows> Keyed<'_, R> {
    /// Gives each row that may have others of its key to `each`: row, label and key.
    fn for_each(&self, each: &mut dyn FnMut(u32, u32, u64)) -> Result<(), AnnotationError> {
        let mut scratch = String::new();
        let done = match self.same {
            Same::Text => {
                self.rows.for_each(&mut |row, text, label, _| each(row, label, key(text, &mut scratch)))
            }
            Same::Group => self.rows.for_each_label(&mut |row, label, group| {
                let word = self.shared.get(group as usize / 64).copied().unwrap_or(0);
                if word >> (group % 64) & 1 == 1 {
                    each(row, label, group.into());
                }
            }),
        };
        done.map_err(|fault| AnnotationError::Rows(Box::new(fault)))
    }
}

/// The groups of which some row is not the first. Where texts are compared there is no need of them.
fn shared<R: Rows>(rows: &R, same: Same) -> Result<Vec<u64>, AnnotationError> {
    let mut shared = Vec::new();
    if same == Same::Group {
        let each = &mut |row: u32, _, group: u32| {
            let word = group as usize / 64;
            if group != row {
                shared.resize(shared.len().max(word + 1), 0);
                shared[word] |= 1_u64 << (group % 64);
            }
        };
        rows.for_each_label(each).map_err(|fault| AnnotationError::Rows(Box::new(fault)))?;
    }
    Ok(shared)
}

/// The short keys that occur with different labels, sorted.
fn conflicting_keys<R: Rows>(keyed: &Keyed<'_, R>) -> Result<Vec<u64>, AnnotationError> {
    let mut seen: Vec<u64> = Vec::new();
    let mut fault = None;
    keyed.for_each(&mut |row, label, key| {
        if label >> LABEL_BITS != 0 {
            let limit = 1 << LABEL_BITS;
            fault = fault.take().or(Some(AnnotationError::TooManyLabels { row, label, limit }));
        }
        seen.push(short(key) << LABEL_BITS | u64::from(label));
    })?;
    if let Some(fault) = fault {
        return Err(fault);
    }
    seen.sort_unstable();
    seen.dedup();
    let keys = seen.chunk_by(|a, b| a >> LABEL_BITS == b >> LABEL_BITS).filter(|labels| labels.len() > 1);
    Ok(keys.map(|labels| labels[0] >> LABEL_BITS).collect())
}

fn short(key: u64) -> u64 {
    key & (u64::MAX >> LABEL_BITS)
}

/// The key of a text.
fn key(text: &str, scratch: &mut String) -> u64 {
    scratch.clear();
    for word in text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()) {
        scratch.extend(word.chars().flat_map(char::to_lowercase));
        scratch.push(' ');
    }
    // Of signs only: the signs count.
    let normal = if scratch.is_empty() { text.trim() } else { scratch.as_str() };
    xxh3_64_with_seed(normal.as_bytes(), 0)
}

/// Rows of one key.
#[derive(Default)]
struct Found {
    labels: BTreeMap<u32, u32>,
    count: u32,
    rows: Vec<u32>,
}

impl Found {
    fn add(&mut self, row: u32, label: u32) {
        self.count += 1;
        *self.labels.entry(label).or_default() += 1;
        if self.rows.len() < MOST_ROWS {
            self.rows.push(row);
        }
    }

    fn finish(self, text: String) -> Conflict {
        let mut labels: Vec<(u32, u32)> = self.labels.into_iter().collect();
        labels.sort_by_key(|&(_, rows)| std::cmp::Reverse(rows));
        Conflict { labels, count: self.count, rows: self.rows, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::InMemory;

    fn rows(of: &[(&str, u32, u32)]) -> Vec<(String, u32, u32)> {
        of.iter().map(|(text, label, group)| ((*text).to_owned(), *label, *group)).collect()
    }

    #[test]
    fn equal_texts_and_clusters() {
        let rows = rows(&[
            ("Where is my card?", 1, 0),
            ("hello", 0, 1),
            ("where is my CARD", 2, 2),
            ("where is my card", 1, 0),
            ("hello", 0, 1),
            ("hello there", 3, 1),
            ("!!!", 0, 6),
            ("???", 1, 7),
        ]);
        let equal = conflicts(&InMemory(&rows), Same::Text, 10).unwrap();
        assert_eq!((equal.conflicts, equal.rows, equal.minority), (1, 3, 1));
        assert_eq!(equal.list[0].labels, [(1, 2), (2, 1)]);
        assert_eq!(equal.list[0].rows, [0, 2, 3]);
        assert_eq!(equal.list[0].text, "Where is my card?");
        let near = conflicts(&InMemory(&rows), Same::Group, 10).unwrap();
        assert_eq!((near.conflicts, near.list[0].rows.as_slice()), (1, &[1, 4, 5][..]));
    }
}
