//! Whole groups: few and large units, dealt out so that sizes and labels come close to the shares.

use std::cmp::Reverse;

use pegbox_random::SplitMix64;

use super::distances::{Distances, Kinds, count};
use super::{Split, Splitter};
use crate::error::SamplingError;

impl Splitter<'_> {
    /// Assigns whole units (the groups are in [`Units`](crate::Units)), the largest first, each to the part where
    /// it takes most off the squared distances from the shares: of the rows, and of each label where labels are
    /// given; then units move as long as that takes more off. Where there are enough units, each part gets at
    /// least one.
    ///
    /// Beyond rows and units this takes 12 bytes a unit.
    pub fn by_group(&self, labels: Option<&[u32]>) -> Result<Split, SamplingError> {
        if let Some(labels) = labels {
            self.check_rows("labels", labels.len())?;
        }
        let mut draft = self.begin();
        let mut units = draft.free().collect::<Vec<u32>>();
        SplitMix64::named(self.seed, "split by group").shuffle(&mut units);
        units.sort_by_key(|unit| Reverse(self.units.size(*unit)));

        // One kind a label, and behind them one for all rows.
        let labels = labels.unwrap_or(&[]);
        let all = labels.iter().max().map_or(0, |most| *most as usize + 1);
        let kinds_of = |unit: u32, kinds: &mut Kinds| {
            let rows = self.units.rows(unit);
            kinds.clear();
            kinds.extend(rows.iter().filter_map(|row| Some((*labels.get(*row as usize)?, 1))));
            count(kinds);
            kinds.push((all as u32, rows.len() as u32));
        };
        let mut kinds = Kinds::new();
        let mut totals = vec![0; all + 1];
        for unit in draft.free() {
            kinds_of(unit, &mut kinds);
            kinds.iter().for_each(|(kind, rows)| totals[*kind as usize] += *rows as usize);
        }
        let shares = draft.shares();
        let mut distances = Distances::of(shares.clone(), &totals);
        let mut placed: Vec<(u32, u8)> = Vec::with_capacity(units.len());
        for unit in units {
            kinds_of(unit, &mut kinds);
            let part = distances.best(&kinds);
            distances.give(&kinds, part);
            placed.push((unit, part));
        }
        // In the order of memory, which is several times as fast.
        placed.sort_unstable();
        distances.settle(&mut placed, kinds_of);
        fill_empty(&mut placed, &shares, |unit| self.units.size(unit));
        for (unit, part) in placed {
            self.place(&mut draft.split, unit, part);
        }
        self.finish(draft)
    }
}

/// A part that shall have rows and has none takes the smallest unit of the part with the most units.
fn fill_empty(placed: &mut [(u32, u8)], shares: &[f64], size: impl Fn(u32) -> usize) {
    let mut counts = vec![0usize; shares.len()];
    placed.iter().for_each(|(_, part)| counts[usize::from(*part)] += 1);
    for empty in 0..shares.len() {
        if shares[empty] <= 0.0 || counts[empty] > 0 {
            continue;
        }
        // Of equals the first, which is the training part.
        let most = (0..counts.len()).rev().max_by_key(|part| counts[*part]);
        let Some(giver) = most.filter(|part| counts[*part] > 1) else {
            continue;
        };
        let units = placed.iter_mut().filter(|(_, part)| usize::from(*part) == giver);
        if let Some((_, part)) = units.min_by_key(|(unit, _)| size(*unit)) {
            *part = empty as u8;
            counts[giver] -= 1;
            counts[empty] += 1;
        }
    }
}
