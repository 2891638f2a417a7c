//! Tokens hidden from a masked language model, others in each epoch (Devlin et al. 2019, section 3.1; dynamic as in
//! Liu et al. 2019): of 15% of a text's tokens 80% become the mask, 10% another token and 10% stay as they are; all of
//! them are to be found again.

use pegbox_data::{IGNORED, PaddedBatch, Targets};
use pegbox_random::SplitMix64;

/// The share of tokens that are to be found again.
const SHARE: f64 = 0.15;

/// What of these becomes the mask.
const MASKED: f64 = 0.8;

/// What of these becomes the mask or another token.
const CHANGED: f64 = 0.9;

/// How tokens are hidden.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Masking {
    /// The mask's id.
    pub mask: u32,
    /// Entries of the vocabulary.
    pub vocabulary: u32,
    /// Tokens that are never hidden: those that begin, end and pad texts. Sorted.
    pub special: Vec<u32>,
}

impl Masking {
    /// Hides tokens of a batch, others for each `number` and `seed`.
    pub fn apply(&self, batch: &mut PaddedBatch, seed: u64, number: u64) {
        let mut random = SplitMix64::named(seed, &format!("masking {number}"));
        let mask = batch.mask();
        let mut labels = vec![IGNORED; batch.ids.len()];
        for ((id, label), is_token) in batch.ids.iter_mut().zip(&mut labels).zip(mask) {
            if !is_token || self.special.binary_search(id).is_ok() || share(&mut random) >= SHARE {
                continue;
            }
            let Ok(wanted) = i32::try_from(*id) else { continue };
            *label = wanted;
            match share(&mut random) {
                drawn if drawn < MASKED => *id = self.mask,
                drawn if drawn < CHANGED => *id = random.below(self.vocabulary.max(1) as usize) as u32,
                _ => {}
            }
        }
        batch.targets = Targets::Tokens(labels);
    }
}

/// In [0, 1).
fn share(random: &mut SplitMix64) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use pegbox_data::{Example, RowTarget};

    use super::*;

    fn batch() -> PaddedBatch {
        let rows: Vec<Vec<u32>> =
            (0..400).map(|row| (0..50 + row % 7).map(|at| 5 + at % 90).collect()).collect();
        let zeros = vec![0; 60];
        let example = |ids: &'_ Vec<u32>| -> (Vec<u32>, usize) { (ids.clone(), ids.len()) };
        let rows: Vec<(Vec<u32>, usize)> = rows.iter().map(example).collect();
        let examples: Vec<Example<'_>> = rows
            .iter()
            .map(|(ids, length)| Example {
                ids,
                type_ids: &zeros[..*length],
                target: RowTarget::Nothing,
                record: 0,
                weight: 1.0,
            })
            .collect();
        PaddedBatch::new(&examples, 0)
    }

    #[test]
    fn shares_are_those_of_the_paper() {
        let masking = Masking { mask: 4, vocabulary: 100, special: vec![0, 1, 2, 3, 4, 7] };
        let before = batch();
        let mut after = before.clone();
        masking.apply(&mut after, 3, 9);
        let Targets::Tokens(labels) = &after.targets else { panic!("labels of tokens") };
        let (mut hidden, mut masked, mut kept) = (0.0, 0.0, 0.0);
        for ((label, old), new) in labels.iter().zip(&before.ids).zip(&after.ids) {
            if *label == IGNORED {
                assert_eq!(old, new);
                continue;
            }
            assert_eq!(*label, *old as i32);
            assert_ne!(*old, 7, "a special token is hidden");
            assert_ne!(*old, 0, "padding is hidden");
            hidden += 1.0;
            masked += f64::from(u8::from(*new == 4));
            kept += f64::from(u8::from(new == old));
        }
        let share = hidden / before.tokens as f64;
        assert!((share - 0.15).abs() < 0.01, "{share}");
        assert!((masked / hidden - 0.8).abs() < 0.03, "{masked} of {hidden}");
        assert!((kept / hidden - 0.1).abs() < 0.03, "{kept} of {hidden}");
    }

    #[test]
    fn each_number_hides_others_and_the_same_again() {
        let masking = Masking { mask: 4, vocabulary: 100, special: vec![0] };
        let hidden = |number| {
            let mut batch = batch();
            masking.apply(&mut batch, 3, number);
            batch
        };
        assert_eq!(hidden(1), hidden(1));
        assert_ne!(hidden(1), hidden(2));
    }
}
