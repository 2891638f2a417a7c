use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::super::shingles::normalised;
use super::super::truth::{RowKind, Truth};
use super::Finds;
use super::output::Fate;

/// What stands in more than one part of the split.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Straddling {
    /// Clusters of true duplicates: rows that a chain of pairs at the threshold or above it connects.
    pub clusters: u64,
    /// Texts that are equal but for case and white space.
    pub texts: u64,
}

/// A removed row is right if it is a duplicate of a row before it in its cluster, or of one that is left. A row that is
/// left is a miss if it is a duplicate of another one that is left, before it.
pub fn removal(known: &[Truth], fates: &[Fate]) -> Finds {
    let kept = |line: usize| matches!(fates[line], Fate::Kept(_));
    let mut justified = vec![false; known.len()];
    let mut finds = Finds::default();
    for (line, truth) in known.iter().enumerate() {
        let mut missed = false;
        for pair in truth.pairs.iter().filter(|pair| pair.is_duplicate()) {
            let before = pair.line as usize - 1;
            justified[line] = true;
            if kept(line) {
                justified[before] = true;
                missed |= kept(before);
            }
        }
        finds.missed += u64::from(missed);
    }
    for (line, truth) in known.iter().enumerate() {
        if truth.kind == RowKind::Text && fates[line] == Fate::Removed {
            if justified[line] { finds.right += 1 } else { finds.wrong += 1 }
        }
    }
    finds
}

/// The parts in which each text stands, a bit each.
#[derive(Debug, Default)]
pub struct Texts(HashMap<u64, u8>);

impl Texts {
    pub fn add(&mut self, text: &str, part: usize) {
        let mut hasher = DefaultHasher::new();
        normalised(text).hash(&mut hasher);
        *self.0.entry(hasher.finish()).or_default() |= 1 << part;
    }

    pub fn straddling(&self, known: &[Truth], fates: &[Fate]) -> Straddling {
        Straddling {
            clusters: straddling_clusters(known, fates),
            texts: self.0.values().filter(|parts| parts.count_ones() > 1).count() as u64,
        }
    }
}

fn straddling_clusters(known: &[Truth], fates: &[Fate]) -> u64 {
    let mut parents: Vec<usize> = (0..known.len()).collect();
    for (line, truth) in known.iter().enumerate() {
        for pair in truth.pairs.iter().filter(|pair| pair.is_duplicate()) {
            let (one, other) = (root(&mut parents, line), root(&mut parents, pair.line as usize - 1));
            parents[one.max(other)] = one.min(other);
        }
    }
    let mut parts: HashMap<usize, u8> = HashMap::new();
    for (line, fate) in fates.iter().enumerate() {
        if let Fate::Kept(part) = fate {
            *parts.entry(root(&mut parents, line)).or_default() |= 1 << part;
        }
    }
    parts.values().filter(|parts| parts.count_ones() > 1).count() as u64
}

fn root(parents: &mut [usize], mut line: usize) -> usize {
    while parents[line] != line {
        parents[line] = parents[parents[line]];
        line = parents[line];
    }
    line
}
