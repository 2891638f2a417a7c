//! The tokens of a bin in one row.

/// A bin as a model takes it. All three have the same length.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Packed {
    pub ids: Vec<u32>,
    /// The number of each token's row in the bin, from 1; 0 is padding. Tokens attend to tokens of their own
    /// number only: attention is block-diagonal.
    pub segment: Vec<u32>,
    /// The place of each token in its row, from 0; 0 for padding.
    pub positions: Vec<u32>,
}

/// Puts the ids of a bin's rows one after the other, and `pad` behind them up to `width`.
pub fn collate_packed<R: AsRef<[u32]>>(rows: &[R], width: usize, pad: u32) -> Packed {
    let mut packed = Packed::default();
    for (number, row) in (1..).zip(rows) {
        let row = row.as_ref();
        packed.ids.extend(row);
        packed.segment.resize(packed.ids.len(), number);
        packed.positions.extend(0..row.len() as u32);
    }
    let width = width.max(packed.ids.len());
    packed.ids.resize(width, pad);
    packed.segment.resize(width, 0);
    packed.positions.resize(width, 0);
    packed
}

#[cfg(test)]
mod tests {
    use pegbox_random::SplitMix64;

    use super::*;
    use crate::batches::PackPlan;

    #[test]
    fn rows_stand_one_after_the_other() {
        let packed = collate_packed(&[vec![5, 6, 7], vec![], vec![8, 9]], 7, 1);
        assert_eq!(packed.ids, [5, 6, 7, 8, 9, 1, 1]);
        assert_eq!(packed.segment, [1, 1, 1, 3, 3, 0, 0]);
        assert_eq!(packed.positions, [0, 1, 2, 0, 1, 0, 0]);
        assert_eq!(collate_packed(&[[1, 2]], 0, 0).ids, [1, 2]);
    }

    #[test]
    fn a_bin_says_the_same_by_its_lengths() {
        let mut random = SplitMix64::new(10);
        let lengths: Vec<u32> = (0..200).map(|_| random.below(40) as u32).collect();
        let plan = PackPlan::epoch(&lengths, 100, 0, 0);
        for bin in plan.iter() {
            let rows: Vec<Vec<u32>> =
                bin.rows.iter().map(|row| vec![*row; lengths[*row as usize] as usize]).collect();
            let packed = collate_packed(&rows, 0, 0);
            assert_eq!((packed.segment, packed.positions), (bin.segments(&lengths), bin.positions(&lengths)));
        }
    }
}
