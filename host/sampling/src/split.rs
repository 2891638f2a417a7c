//! Rows assigned to parts. Units stay whole, given parts stay given, and a row that would tell training what a
//! held-out part holds is left out.

mod distances;
mod grouped;
mod iterative;
mod shares;
mod stratified;
mod timed;

pub use iterative::LabelSets;
pub use shares::Shares;
pub use timed::TimeSplit;

use crate::error::SamplingError;
use crate::units::Units;

/// The number of the training part. Held-out parts follow: 1 for validation, 2 for test.
pub const TRAIN: u8 = 0;

/// Instead of a part: the row is in none, because of a [`Leak`].
pub const LEFT_OUT: u8 = u8::MAX;

/// What is split, and how large the parts shall be.
#[derive(Clone, Copy, Debug)]
pub struct Splitter<'a> {
    units: &'a Units,
    shares: &'a Shares,
    seed: u64,
    given: &'a [Option<u8>],
}

/// The part of each row.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Split {
    /// [`TRAIN`], a held-out part's number, or [`LEFT_OUT`].
    pub parts: Vec<u8>,
    /// In the order of the units.
    pub leaks: Vec<Leak>,
}

/// A row that was left out because it belongs together with a row of a given held-out part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leak {
    pub row: u32,
    /// The part that its own file gave it; none where the split would have decided.
    pub given: Option<u8>,
    /// The held-out part that it would have leaked.
    pub part: u8,
    /// The first row of that part which it belongs together with.
    pub with: u32,
}

impl<'a> Splitter<'a> {
    pub fn new(units: &'a Units, shares: &'a Shares, seed: u64) -> Self {
        Self { units, shares, seed, given: &[] }
    }

    /// Parts that are given, row by row, by the file that a row came from; none where the split decides.
    ///
    /// The shares are of the rows that the split decides about, and a held-out part with given rows gets none of
    /// them. In a unit with given rows the latest given part counts (test before validation before training):
    /// if it is the training part, all rows of the unit train; else the other rows are left out, as leaks.
    pub fn given(mut self, given: &'a [Option<u8>]) -> Result<Self, SamplingError> {
        let rows = self.units.row_count();
        if given.len() != rows {
            return Err(SamplingError::Rows { what: "given parts", found: given.len(), expected: rows });
        }
        let parts = self.shares.parts();
        for (row, part) in given.iter().enumerate() {
            if let Some(part) = part.filter(|part| usize::from(*part) >= parts) {
                return Err(SamplingError::Part { row, part, parts });
            }
        }
        self.given = given;
        Ok(self)
    }

    /// By chance alone.
    pub fn random(&self) -> Result<Split, SamplingError> {
        self.stratified(&Alike(self.units.row_count()), &[""])
    }

    /// Settles what is given. `parts` holds [`TRAIN`] for the rows of free units.
    fn begin(&self) -> Draft {
        let mut draft = Draft {
            split: Split { parts: vec![TRAIN; self.units.row_count()], leaks: Vec::new() },
            settled: vec![0; self.units.len().div_ceil(64)],
            units: self.units.len() as u32,
            held_out: self.shares.held_out().to_vec(),
        };
        for part in self.given.iter().flatten() {
            if let Some(share) =
                usize::from(*part).checked_sub(1).and_then(|part| draft.held_out.get_mut(part))
            {
                *share = 0.0;
            }
        }
        if self.given.is_empty() {
            return draft;
        }
        let given = |row: u32| self.given.get(row as usize).copied().flatten();
        for unit in 0..self.units.len() as u32 {
            let rows = self.units.rows(unit);
            // Of the latest part the first row.
            let latest = rows
                .iter()
                .filter_map(|row| Some((given(*row)?, *row)))
                .min_by_key(|(part, row)| (u8::MAX - part, *row));
            let Some((part, with)) = latest else { continue };
            draft.settled[unit as usize / 64] |= 1 << (unit % 64);
            for row in rows.iter() {
                let leaks = part != TRAIN && given(*row) != Some(part);
                if leaks {
                    draft.split.leaks.push(Leak { row: *row, given: given(*row), part, with });
                }
                draft.split.parts[*row as usize] = if leaks { LEFT_OUT } else { part };
            }
        }
        draft
    }

    fn rows_of(&self, units: impl Iterator<Item = u32>) -> usize {
        units.map(|unit| self.units.size(unit)).sum()
    }

    fn place(&self, split: &mut Split, unit: u32, part: u8) {
        for row in self.units.rows(unit).iter() {
            split.parts[*row as usize] = part;
        }
    }

    /// Each held-out part that shall have rows must have some.
    fn finish(&self, draft: Draft) -> Result<Split, SamplingError> {
        let mut has = [false; 256];
        for part in &draft.split.parts {
            has[usize::from(*part)] = true;
        }
        for (part, share) in (1..).zip(&draft.held_out) {
            if *share > 0.0 && !has[usize::from(part)] {
                return Err(SamplingError::TooFew {
                    rows: self.rows_of(draft.free()),
                    units: draft.free().count(),
                    part,
                    share: *share,
                });
            }
        }
        Ok(draft.split)
    }

    fn check_rows(&self, what: &'static str, found: usize) -> Result<(), SamplingError> {
        let expected = self.units.row_count();
        if found == expected { Ok(()) } else { Err(SamplingError::Rows { what, found, expected }) }
    }
}

/// A split on its way.
struct Draft {
    split: Split,
    /// One bit a unit: whether given parts decide about it.
    settled: Vec<u64>,
    /// How many units there are.
    units: u32,
    /// What the held-out parts get of them.
    held_out: Vec<f64>,
}

impl Draft {
    /// The units that nothing decides about yet, in order.
    fn free(&self) -> impl Iterator<Item = u32> {
        (0..self.units).filter(|unit| self.settled[*unit as usize / 64] >> (unit % 64) & 1 == 0)
    }

    /// The shares of all parts, the training part's first.
    fn shares(&self) -> Vec<f64> {
        let train = 1.0 - self.held_out.iter().sum::<f64>();
        std::iter::once(train).chain(self.held_out.iter().copied()).collect()
    }
}

/// The label of each row, wherever they lie.
pub trait RowLabels {
    /// How many rows there are.
    fn rows(&self) -> usize;

    /// The label's number; `row` is below [`Self::rows`].
    fn label(&self, row: u32) -> u32;
}

impl<T: AsRef<[u32]> + ?Sized> RowLabels for T {
    fn rows(&self) -> usize {
        self.as_ref().len()
    }

    fn label(&self, row: u32) -> u32 {
        self.as_ref()[row as usize]
    }
}

/// So many rows of one label.
struct Alike(usize);

impl RowLabels for Alike {
    fn rows(&self) -> usize {
        self.0
    }

    fn label(&self, _: u32) -> u32 {
        0
    }
}

/// How many units have rows in several parts: none, after any split here. Rows that were left out do not count.
pub fn straddling(units: &Units, parts: &[u8]) -> usize {
    // A row alone is in one part.
    let straddles = |rows: &&[u32]| {
        let mut parts =
            rows.iter().filter_map(|row| parts.get(*row as usize)).filter(|part| **part != LEFT_OUT);
        let first = parts.next();
        parts.any(|part| Some(part) != first)
    };
    units.shared().filter(straddles).count()
}

#[cfg(test)]
mod tests;
