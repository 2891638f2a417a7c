//! Several labels a row: iterative stratification (Sechidis, Tsoumakas & Vlahavas 2011, "On the stratification of
//! multi-label data"), of the first order.

use std::cmp::{Ordering, Reverse};

use pegbox_random::SplitMix64;

use super::distances::{Distances, Kinds, count};
use super::{Split, Splitter, TRAIN};
use crate::error::SamplingError;

/// The labels of each row, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct LabelSets<'a> {
    ends: &'a [u32],
    labels: &'a [u32],
    known: usize,
}

impl<'a> LabelSets<'a> {
    /// `ends` says for each row where its labels end in `labels`; labels are numbers below `known`.
    pub fn new(ends: &'a [u32], labels: &'a [u32], known: usize) -> Result<Self, SamplingError> {
        let last = ends.last().map_or(0, |end| *end as usize);
        if last != labels.len() || !ends.is_sorted() {
            return Err(SamplingError::Rows { what: "labels", found: labels.len(), expected: ends.len() });
        }
        if let Some((place, label)) = labels.iter().enumerate().find(|(_, label)| **label as usize >= known) {
            let row = ends.partition_point(|end| *end as usize <= place);
            return Err(SamplingError::Label { row, label: *label, known });
        }
        Ok(Self { ends, labels, known })
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The labels of a row; none past the last.
    pub fn of(&self, row: u32) -> &'a [u32] {
        let row = row as usize;
        let end = self.ends.get(row).copied().unwrap_or(0);
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.labels.get(start as usize..end as usize).unwrap_or(&[])
    }
}

impl Splitter<'_> {
    /// Assigns by sets of labels: always the label with the fewest rows left is dealt out, each row to the part
    /// that wants this label most, of equals to the one that wants rows most, of equals by chance. Large units
    /// come before small ones. Then rows move as long as that brings labels and sizes closer to the shares. A label
    /// that has rows keeps one in training.
    ///
    /// Beyond rows, units and labels this takes 17 bytes a unit and 4 a label of a row.
    pub fn iterative(&self, labels: &LabelSets<'_>) -> Result<Split, SamplingError> {
        self.check_rows("label sets", labels.len())?;
        let mut draft = self.begin();
        let shares = draft.shares();
        let mut random = SplitMix64::named(self.seed, "iterative split");
        let free: Vec<u32> = draft.free().collect();
        let mut units = free.clone();
        random.shuffle(&mut units);
        // Stable: units of one size stay shuffled.
        units.sort_by_key(|unit| Reverse(self.units.size(*unit)));

        let by_label = ByLabel::of(self, labels, &free, &units);
        let mut left: Vec<u32> = by_label.counts();
        let mut wants = Wants::of(&shares, self.rows_of(free.iter().copied()), &left);
        let mut placed: Vec<(u32, u8)> = Vec::with_capacity(units.len());
        let mut done: Vec<bool> = vec![false; self.units.len()];
        let mut open: Vec<u32> = (0..labels.known as u32).collect();
        loop {
            open.retain(|label| left[*label as usize] > 0);
            let Some(rarest) = open.iter().copied().min_by_key(|label| (left[*label as usize], *label))
            else {
                break;
            };
            for unit in by_label.units(rarest) {
                if std::mem::replace(&mut done[*unit as usize], true) {
                    continue;
                }
                let part = wants.most(Some(rarest), &mut random);
                placed.push((*unit, part));
                for row in self.units.rows(*unit).iter() {
                    wants.give_row(part);
                    for label in labels.of(*row) {
                        left[*label as usize] -= 1;
                        wants.give_label(*label, part);
                    }
                }
            }
        }
        for unit in units.iter().filter(|unit| !done[**unit as usize]) {
            let part = wants.most(None, &mut random);
            placed.push((*unit, part));
            (0..self.units.size(*unit)).for_each(|_| wants.give_row(part));
        }
        self.settle(&mut placed, labels, &shares, by_label.counts());
        for (unit, part) in placed {
            self.place(&mut draft.split, unit, part);
        }
        self.keep_in_training(&mut draft.split, &by_label);
        self.finish(draft)
    }

    /// The algorithm never looks back; a few units are better elsewhere once all have their places.
    fn settle(&self, placed: &mut [(u32, u8)], labels: &LabelSets<'_>, shares: &[f64], counts: Vec<u32>) {
        // One kind a label, and behind them one for all rows.
        let all = counts.len();
        let kinds_of = |unit: u32, kinds: &mut Kinds| {
            let rows = self.units.rows(unit);
            kinds.clear();
            kinds.extend(rows.iter().flat_map(|row| labels.of(*row)).map(|label| (*label, 1)));
            count(kinds);
            kinds.push((all as u32, rows.len() as u32));
        };
        let rows = placed.iter().map(|(unit, _)| self.units.size(*unit)).sum();
        let totals: Vec<usize> = counts.into_iter().map(|count| count as usize).chain([rows]).collect();
        // In the order of memory, which is several times as fast.
        placed.sort_unstable();
        let mut distances = Distances::of(shares.to_vec(), &totals);
        let mut kinds = Kinds::new();
        for (unit, part) in placed.iter() {
            kinds_of(*unit, &mut kinds);
            distances.give(&kinds, *part);
        }
        distances.settle(placed, kinds_of);
    }

    /// A label without training rows cannot be learned: one of its units goes back.
    fn keep_in_training(&self, split: &mut Split, by_label: &ByLabel) {
        for label in 0..by_label.len() as u32 {
            let units = by_label.units(label);
            let trains = |unit: &u32| {
                self.units
                    .rows(*unit)
                    .first()
                    .is_some_and(|row| split.parts.get(*row as usize) == Some(&TRAIN))
            };
            if !units.iter().any(trains)
                && let Some(smallest) = units.last()
            {
                self.place(split, *smallest, TRAIN);
            }
        }
    }
}

/// The units of each label, once for each time that the label is on a row, in the order in which they are dealt.
struct ByLabel {
    starts: Vec<u32>,
    units: Vec<u32>,
}

impl ByLabel {
    fn of(splitter: &Splitter<'_>, labels: &LabelSets<'_>, free: &[u32], units: &[u32]) -> Self {
        let each_label = |unit: u32, each: &mut dyn FnMut(usize)| {
            let rows = splitter.units.rows(unit);
            rows.iter().flat_map(|row| labels.of(*row)).for_each(|label| each(*label as usize));
        };
        let mut starts = vec![0u32; labels.known + 1];
        // In the order of memory, which is several times as fast.
        for unit in free {
            each_label(*unit, &mut |label| starts[label + 1] += 1);
        }
        for label in 0..labels.known {
            starts[label + 1] += starts[label];
        }
        let mut next = starts.clone();
        let mut sorted = vec![0u32; starts[labels.known] as usize];
        for unit in units {
            each_label(*unit, &mut |label| {
                sorted[next[label] as usize] = *unit;
                next[label] += 1;
            });
        }
        Self { starts, units: sorted }
    }

    fn len(&self) -> usize {
        self.starts.len() - 1
    }

    fn units(&self, label: u32) -> &[u32] {
        let label = label as usize;
        &self.units[self.starts[label] as usize..self.starts[label + 1] as usize]
    }

    fn counts(&self) -> Vec<u32> {
        self.starts.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }
}

/// What each part still wants, of rows and of each label; below zero where it has more than its share.
struct Wants {
    rows: Vec<f64>,
    /// Label by label, each with all parts.
    labels: Vec<f64>,
}

impl Wants {
    fn of(shares: &[f64], rows: usize, counts: &[u32]) -> Self {
        Self {
            rows: shares.iter().map(|share| share * rows as f64).collect(),
            labels: counts
                .iter()
                .flat_map(|count| shares.iter().map(|share| share * f64::from(*count)))
                .collect(),
        }
    }

    fn give_row(&mut self, part: u8) {
        self.rows[usize::from(part)] -= 1.0;
    }

    fn give_label(&mut self, label: u32, part: u8) {
        self.labels[label as usize * self.rows.len() + usize::from(part)] -= 1.0;
    }

    fn most(&self, label: Option<u32>, random: &mut SplitMix64) -> u8 {
        let parts = self.rows.len();
        let of_label = label.map(|label| &self.labels[label as usize * parts..][..parts]);
        let wanted = |part: usize| (of_label.map_or(0.0, |wanted| wanted[part]), self.rows[part]);
        let mut best = 0;
        let mut equals = 1;
        for part in 1..parts {
            match compare(wanted(part), wanted(best)) {
                Ordering::Less => {}
                Ordering::Greater => (best, equals) = (part, 1),
                Ordering::Equal => equals += 1,
            }
        }
        if equals == 1 {
            return best as u8;
        }
        let mut ties = (0..parts).filter(|part| compare(wanted(*part), wanted(best)).is_eq());
        ties.nth(random.below(equals)).unwrap_or(best) as u8
    }
}

/// Shares are not exact: what differs by less than a millionth of a row is equal.
fn compare(one: (f64, f64), other: (f64, f64)) -> Ordering {
    let near = |a: f64, b: f64| if (a - b).abs() < 1e-6 { Ordering::Equal } else { a.total_cmp(&b) };
    near(one.0, other.0).then(near(one.1, other.1))
}
