//! How far parts are from what they should have.

/// What the parts have of each kind of row (of each label, and of all rows), and how far it is from what they
/// should have: the sum over kinds and parts of (has - should)^2 / should.
pub(super) struct Distances {
    shares: Vec<f64>,
    totals: Vec<f64>,
    /// Kind by kind, each with all parts.
    has: Vec<f64>,
}

/// The kinds of a unit's rows, and how many rows are of each.
pub(super) type Kinds = Vec<(u32, u32)>;

/// No more passes than this over the units when they settle; most sets need two or three.
const PASSES: usize = 4;

/// A pass that leaves more than this of the distance was the last.
const ENOUGH: f64 = 0.9;

impl Distances {
    pub(super) fn of(shares: Vec<f64>, totals: &[usize]) -> Self {
        let has = vec![0.0; shares.len() * totals.len()];
        Self { shares, totals: totals.iter().map(|total| *total as f64).collect(), has }
    }

    /// The part that the unit brings closest to its shares, of equals the first.
    pub(super) fn best(&self, kinds: &Kinds) -> u8 {
        let wanted = (0..self.shares.len()).filter(|part| self.shares[*part] > 0.0);
        let changes = wanted.map(|part| (part, self.change(kinds, part, 1.0)));
        changes.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(part, _)| part as u8)
    }

    pub(super) fn give(&mut self, kinds: &Kinds, part: u8) {
        self.add(kinds, usize::from(part), 1.0);
    }

    /// Moves units, one after the other, to parts where they are better, until a pass takes little off.
    pub(super) fn settle(&mut self, placed: &mut [(u32, u8)], mut kinds_of: impl FnMut(u32, &mut Kinds)) {
        let mut kinds = Kinds::new();
        for _ in 0..PASSES {
            let before = self.total();
            for (unit, part) in placed.iter_mut() {
                kinds_of(*unit, &mut kinds);
                let from = usize::from(*part);
                let leaving = self.change(&kinds, from, -1.0);
                let others = (0..self.shares.len()).filter(|to| *to != from && self.shares[*to] > 0.0);
                let changes = others.map(|to| (to, leaving + self.change(&kinds, to, 1.0)));
                // Not for a rounding error.
                let better = changes.filter(|(_, change)| *change < -1e-9).min_by(|a, b| a.1.total_cmp(&b.1));
                if let Some((to, _)) = better {
                    self.add(&kinds, from, -1.0);
                    self.add(&kinds, to, 1.0);
                    *part = to as u8;
                }
            }
            if self.total() > before * ENOUGH {
                return;
            }
        }
    }

    fn total(&self) -> f64 {
        let of_kind = |(has, total): (&[f64], &f64)| -> f64 {
            let of_part = |(has, share): (&f64, &f64)| {
                let should = share * total;
                if should > 0.0 { (has - should) * (has - should) / should } else { 0.0 }
            };
            has.iter().zip(&self.shares).map(of_part).sum()
        };
        self.has.chunks(self.shares.len()).zip(&self.totals).map(of_kind).sum()
    }

    /// By how much the distance grows when a part gets these rows `times` (1), or loses them (-1).
    fn change(&self, kinds: &Kinds, part: usize, times: f64) -> f64 {
        let of_kind = |(kind, rows): &(u32, u32)| {
            let kind = *kind as usize;
            let should = self.shares[part] * self.totals[kind];
            let (has, rows) = (self.has[kind * self.shares.len() + part], f64::from(*rows) * times);
            rows * (2.0 * (has - should) + rows) / should
        };
        kinds.iter().map(of_kind).sum()
    }

    fn add(&mut self, kinds: &Kinds, part: usize, times: f64) {
        for (kind, rows) in kinds {
            self.has[*kind as usize * self.shares.len() + part] += f64::from(*rows) * times;
        }
    }
}

/// Makes kinds of single rows into counts, in place.
pub(super) fn count(kinds: &mut Kinds) {
    if kinds.len() < 2 {
        return;
    }
    kinds.sort_unstable();
    kinds.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        kept.1 += u32::from(same) * next.1;
        same
    });
}
