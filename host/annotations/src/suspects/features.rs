//! A text as hashed words and pairs of words.

use super::sample::Sample;

/// No text has more features than this; the rest of a longer one is not looked at.
const MOST: usize = 512;
/// The weights of all models together: 96 MiB.
const MOST_WEIGHTS: usize = 24 << 20;

/// How much each feature counts: the rarer, the more (inverse document frequency).
pub(super) struct Features {
    mask: u32,
    rarity: Vec<f32>,
}

impl Features {
    pub fn new(sample: &Sample, classes: u32, folds: u32) -> Self {
        let weights = super::softmax::stride(classes) * folds as usize;
        let bits = (10..=18).rev().find(|bits| weights << bits <= MOST_WEIGHTS).unwrap_or(10);
        let mask = (1_u32 << bits) - 1;
        let mut rows_with = vec![0_u32; 1 << bits];
        for row in 0..sample.len() {
            sample.features(row).iter().for_each(|hash| rows_with[(hash & mask) as usize] += 1);
        }
        let all = sample.len() as f32 + 1.0;
        let rarity = rows_with
            .iter()
            .map(|&rows| log2(all / (rows as f32 + 1.0)) * std::f32::consts::LN_2 + 1.0)
            .collect();
        Self { mask, rarity }
    }

    pub fn len(&self) -> usize {
        self.rarity.len()
    }

    /// The places and weights of a text's features; the squares of the weights sum to one.
    pub fn weigh<'a>(&self, hashes: &[u32], weighted: &'a mut Vec<(u32, f32)>) -> &'a [(u32, f32)] {
        weighted.clear();
        weighted.extend(hashes.iter().map(|hash| hash & self.mask).map(|at| (at, self.rarity[at as usize])));
        let norm = weighted.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt();
        weighted.iter_mut().for_each(|(_, weight)| *weight /= norm);
        weighted
    }
}

/// The logarithm to base 2 of a number of 1 or more, the same on every machine.
fn log2(number: f32) -> f32 {
    let exponent = (number.to_bits() >> 23) as f32 - 127.0;
    // Of the mantissa, by the series of the area tangent.
    let mantissa = f32::from_bits(number.to_bits() & 0x007f_ffff | 0x3f80_0000);
    let t = (mantissa - 1.0) / (mantissa + 1.0);
    let square = t * t;
    exponent
        + 2.885_39 * t * (1.0 + square * (1.0 / 3.0 + square * (0.2 + square * (1.0 / 7.0 + square / 9.0))))
}

/// Room to work in.
#[derive(Default)]
pub(super) struct Scratch {
    pub hashes: Vec<u32>,
    pub weighted: Vec<(u32, f32)>,
}

impl Scratch {
    /// The hashes of a text's words and pairs of words, each once. A word is a run of letters and digits,
    /// whatever their case; each letter of a script that is written without spaces is one.
    pub fn hash(&mut self, text: &str) {
        let hashes = &mut self.hashes;
        hashes.clear();
        let (mut word, mut before) = (START, START);
        for letter in text.chars() {
            let within = letter.is_alphanumeric() || (letter == '\'' && word != START);
            let alone = within && is_alone(letter);
            if (!within || alone) && word != START {
                finish(&mut word, &mut before, hashes);
            }
            if within {
                word = letter.to_lowercase().fold(word, |word, letter| mix(word ^ u64::from(letter)));
            }
            if alone {
                finish(&mut word, &mut before, hashes);
            }
            if hashes.len() >= MOST {
                break;
            }
        }
        if word != START {
            finish(&mut word, &mut before, hashes);
        }
        hashes.sort_unstable();
        hashes.dedup();
    }
}

const START: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(hash: u64) -> u64 {
    let hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 32)
}

fn finish(word: &mut u64, before: &mut u64, hashes: &mut Vec<u32>) {
    hashes.push(mix(*word) as u32);
    hashes.push(mix(before.rotate_left(23) ^ *word) as u32);
    *before = *word;
    *word = START;
}

/// Han, kana, Thai, Lao, Khmer, Burmese: no spaces between words.
fn is_alone(letter: char) -> bool {
    matches!(letter, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_pairs() {
        let mut scratch = Scratch::default();
        let mut hash = |text: &str| {
            scratch.hash(text);
            scratch.hashes.clone()
        };
        assert_eq!(hash("My card, please!"), hash("my CARD please"));
        assert_ne!(hash("my card please"), hash("card my please"));
        assert_eq!(hash("one two three").len(), 6);
        assert_eq!(hash("漢字").len(), 4);
        assert_eq!(hash(" ... "), []);
    }

    #[test]
    fn logarithms_are_near() {
        for number in [1.0_f32, 1.5, 2.0, 3.7, 1000.0, 1e6] {
            assert!((log2(number) - number.log2()).abs() < 1e-4, "{number}");
        }
    }
}
