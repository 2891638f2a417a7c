//! Whole groups: few and large units, dealt out so that sizes and labels come close to the shares.

use pegbox_random::SplitMix64;

use super::{Split, Splitter};
use crate::error::SamplingError;

impl Splitter<'_> {
    /// Assigns whole units (the groups are in [`Units`](crate::Units)), the largest first, each to the part where
    /// it takes most off the squared distances from the shares: of the rows, and of each label where labels are
    /// given. Where there are enough units, each part gets at least one.
    ///
    /// Beyond rows and units this takes 8 bytes a unit.
    pub fn by_group(&self, labels: Option<&[u32]>) -> Result<Split, SamplingError> {
        if let Some(labels) = labels {
            self.check_rows("labels", labels.len())?;
        }
        let mut draft = self.begin();
        let mut units = draft.free.clone();
        SplitMix64::named(self.seed, "split by group").shuffle(&mut units);
        units.sort_by_key(|unit| std::cmp::Reverse(self.units.size(*unit)));

        let mut sizes = Distances::of(draft.shares(), [self.rows_of(&units)].into_iter());
        let mut classes =
            labels.map(|labels| Distances::of(draft.shares(), totals(self, labels, &units).into_iter()));
        let mut placed: Vec<(u32, u8)> = Vec::with_capacity(units.len());
        let mut held: Vec<(u32, u32)> = Vec::new();
        for unit in units {
            let size = self.units.size(unit);
            if let Some(labels) = labels {
                count(self.units.rows(unit), labels, &mut held);
            }
            let part = sizes.best(|part| {
                let rows = sizes.change(0, part, size);
                let of_label = |classes: &Distances| {
                    held.iter()
                        .map(|(label, rows)| classes.change(*label as usize, part, *rows as usize))
                        .sum()
                };
                rows + classes.as_ref().map_or(0.0, of_label)
            });
            sizes.give(0, part, size);
            if let Some(classes) = &mut classes {
                held.iter().for_each(|(label, rows)| classes.give(*label as usize, part, *rows as usize));
            }
            placed.push((unit, part as u8));
        }
        fill_empty(&mut placed, &sizes.shares);
        for (unit, part) in placed {
            self.place(&mut draft.split, unit, part);
        }
        self.finish(draft)
    }
}

/// The labels of some rows and how many rows have each.
fn count(rows: &[u32], labels: &[u32], counts: &mut Vec<(u32, u32)>) {
    counts.clear();
    counts.extend(rows.iter().filter_map(|row| Some((*labels.get(*row as usize)?, 1))));
    counts.sort_unstable();
    counts.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        kept.1 += u32::from(same) * next.1;
        same
    });
}

/// The rows of each label in the units.
fn totals(splitter: &Splitter<'_>, labels: &[u32], units: &[u32]) -> Vec<usize> {
    let mut totals = vec![0; labels.iter().max().map_or(0, |most| *most as usize + 1)];
    for unit in units {
        splitter.units.rows(*unit).iter().for_each(|row| totals[labels[*row as usize] as usize] += 1);
    }
    totals
}

/// Units come largest first, so the last one of the part with the most units is its smallest: it goes to a part
/// that shall have rows and has none.
fn fill_empty(placed: &mut [(u32, u8)], shares: &[f64]) {
    let mut counts = vec![0usize; shares.len()];
    placed.iter().for_each(|(_, part)| counts[usize::from(*part)] += 1);
    for empty in 0..shares.len() {
        if shares[empty] <= 0.0 || counts[empty] > 0 {
            continue;
        }
        // Of equals the first, which is the training part.
        let Some(giver) =
            (0..counts.len()).rev().max_by_key(|part| counts[*part]).filter(|part| counts[*part] > 1)
        else {
            continue;
        };
        if let Some(unit) = placed.iter_mut().rev().find(|(_, part)| usize::from(*part) == giver) {
            unit.1 = empty as u8;
            counts[giver] -= 1;
            counts[empty] += 1;
        }
    }
}

/// What the parts have of each kind of row, and how far it is from what they should have:
/// the sum of (has - should)^2 / should.
struct Distances {
    shares: Vec<f64>,
    totals: Vec<f64>,
    /// Kind by kind, each with all parts.
    has: Vec<f64>,
}

impl Distances {
    fn of(shares: Vec<f64>, totals: impl Iterator<Item = usize>) -> Self {
        let totals: Vec<f64> = totals.map(|total| total as f64).collect();
        let has = vec![0.0; shares.len() * totals.len()];
        Self { shares, totals, has }
    }

    /// By how much the distance grows when a part gets more rows of a kind.
    fn change(&self, kind: usize, part: usize, rows: usize) -> f64 {
        let should = self.shares[part] * self.totals[kind];
        let (has, rows) = (self.has[kind * self.shares.len() + part], rows as f64);
        rows * (2.0 * (has - should) + rows) / should
    }

    fn give(&mut self, kind: usize, part: usize, rows: usize) {
        self.has[kind * self.shares.len() + part] += rows as f64;
    }

    /// The part with the smallest change, of equals the first.
    fn best(&self, change: impl Fn(usize) -> f64) -> usize {
        let parts = (0..self.shares.len()).filter(|part| self.shares[*part] > 0.0);
        parts.map(|part| (part, change(part))).min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(part, _)| part)
    }
}
