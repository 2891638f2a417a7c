//! The past for training, the future for testing.

use super::{Split, Splitter, TRAIN};
use crate::error::SamplingError;

/// A split by time and where it cut.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimeSplit {
    pub split: Split,
    /// Each held-out part that got rows, and the first of its times.
    pub starts: Vec<(u8, i64)>,
    /// Rows that are in an earlier part than their time says, because they belong together with an earlier row.
    pub moved: Vec<u32>,
}

impl Splitter<'_> {
    /// Assigns by time: the oldest rows train, the newest are in the last part. Rows of equal time are never cut
    /// apart; a cut is where it comes closest to the shares. A unit that a cut divides goes to the earlier part
    /// whole, and its later rows are reported. The seed plays no part.
    ///
    /// Beyond rows and units this takes 4 bytes a row.
    pub fn by_time(&self, times: &[i64]) -> Result<TimeSplit, SamplingError> {
        self.check_rows("times", times.len())?;
        let mut draft = self.begin();
        let mut rows: Vec<u32> = Vec::with_capacity(self.rows_of(draft.free()));
        draft.free().for_each(|unit| rows.extend_from_slice(&self.units.rows(unit)));
        rows.sort_unstable_by_key(|row| times[*row as usize]);
        let time = |place: usize| times[rows[place] as usize];

        let starts =
            cuts(rows.len(), &draft.held_out, |place| time(place - 1) < time(place)).ok_or_else(|| {
                let last = (1..).zip(draft.held_out.iter().copied()).filter(|(_, share)| *share > 0.0).last();
                let (part, share) = last.unwrap_or((1, 0.0));
                SamplingError::TooFew { rows: rows.len(), units: draft.free().count(), part, share }
            })?;
        let starts: Vec<(u8, i64)> = starts.into_iter().map(|(part, place)| (part, time(place))).collect();
        let part_at =
            |time: i64| starts.iter().rfind(|(_, start)| *start <= time).map_or(TRAIN, |(part, _)| *part);

        let mut moved = Vec::new();
        let free: Vec<u32> = draft.free().collect();
        for unit in free {
            let rows = self.units.rows(unit);
            let at = |row: &u32| part_at(times[*row as usize]);
            let part = rows.iter().map(at).min().unwrap_or(TRAIN);
            moved.extend(rows.iter().filter(|row| at(row) != part));
            self.place(&mut draft.split, unit, part);
        }
        moved.sort_unstable();
        let split = self.finish(draft)?;
        Ok(TimeSplit { split, starts, moved })
    }
}

/// Where each held-out part with a share starts among rows that are sorted by time; none where there are too few
/// different times. `may_cut` says whether there may be a cut before a place.
fn cuts(rows: usize, held_out: &[f64], may_cut: impl Fn(usize) -> bool) -> Option<Vec<(u8, usize)>> {
    let wanted: Vec<(u8, f64)> =
        (1..).zip(held_out.iter().copied()).filter(|(_, share)| *share > 0.0).collect();
    let mut starts = Vec::new();
    // From the end, so that the last part's size is as exact as it can be; each earlier part needs a cut, too.
    let mut end = rows;
    let mut later = 0.0;
    for (number, (part, share)) in wanted.iter().enumerate().rev() {
        later += share;
        let ideal = rows - (rows as f64 * later).round().min(rows as f64) as usize;
        let mut first = 1;
        let mut needed = number;
        while needed > 0 && first < end {
            needed -= usize::from(may_cut(first));
            first += 1;
        }
        let ideal = ideal.clamp(first, end.checked_sub(1)?.max(first));
        let before = (first..=ideal).rev().find(|place| *place < end && may_cut(*place));
        let after = (ideal..end).find(|place| may_cut(*place));
        let start = match (before, after) {
            (Some(before), Some(after)) if ideal - before > after - ideal => after,
            (Some(before), _) => before,
            (None, after) => after?,
        };
        starts.push((*part, start));
        end = start;
    }
    starts.reverse();
    Some(starts)
}
