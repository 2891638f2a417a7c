//! Relative positions (Raffel et al. 2020, section 2.1): a learned number for each head and each bucket of distances,
//! added to the scores. Small distances have a bucket each; larger ones share buckets that grow logarithmically.

use burn::tensor::{Int, Tensor, TensorData};
use std::ops::Range;

/// How one stack tells positions apart.
#[derive(Clone, Copy, Debug)]
pub struct Buckets {
    /// The encoder looks both ways; the decoder only back.
    pub bidirectional: bool,
    pub buckets: usize,
    pub max_distance: usize,
}

impl Buckets {
    /// The bucket of a key at the position of the query plus `relative`, as `transformers` computes it (which has it
    /// from Mesh TensorFlow): in float32, whose rounding decides where buckets begin.
    pub fn of(&self, relative: i64) -> usize {
        let (buckets, offset, distance) = match self.bidirectional {
            true => {
                let half = self.buckets / 2;
                (half, if relative > 0 { half } else { 0 }, relative.unsigned_abs() as usize)
            }
            false => (self.buckets, 0, relative.min(0).unsigned_abs() as usize),
        };
        let exact = buckets / 2;
        if distance < exact {
            return offset + distance;
        }
        let octaves = (self.max_distance as f64 / exact as f64).ln() as f32;
        let grown = (distance as f32 / exact as f32).ln() / octaves * (buckets - exact) as f32;
        offset + (exact + grown as usize).min(buckets - 1)
    }

    /// The numbers of `table` `[buckets, heads]` that belong to queries at the positions `queries` and keys from 0 to
    /// `keys`: `[heads, Tq, Tk]`.
    pub fn bias(&self, table: &Tensor<2>, queries: Range<usize>, keys: usize) -> Tensor<3> {
        let heads = table.dims()[1];
        let ids: Vec<i64> = queries
            .clone()
            .flat_map(|query| (0..keys).map(move |key| key as i64 - query as i64))
            .map(|relative| self.of(relative) as i64)
            .collect();
        let ids = Tensor::<1, Int>::from_data(TensorData::new(ids, [queries.len() * keys]), &table.device());
        table.clone().select(0, ids).reshape([queries.len(), keys, heads]).permute([2, 0, 1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_distances_have_their_own_buckets() {
        let encoder = Buckets { bidirectional: true, buckets: 32, max_distance: 128 };
        let decoder = Buckets { bidirectional: false, ..encoder };
        for distance in 0..8 {
            assert_eq!(encoder.of(-distance), distance as usize);
            assert_eq!(encoder.of(distance), distance as usize + if distance > 0 { 16 } else { 0 });
        }
        assert_eq!((0..16).map(|d| decoder.of(-d)).collect::<Vec<_>>(), (0..16).collect::<Vec<_>>());
        assert_eq!(decoder.of(5), 0, "the decoder's keys are never ahead");
        for far in [128, 1000, i64::MAX] {
            assert_eq!([encoder.of(-far), encoder.of(far), decoder.of(-far)], [15, 31, 31]);
        }
        assert_eq!(decoder.of(i64::MIN), 31);
    }
}
