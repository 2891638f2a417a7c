//! A token out of scores.

use pegbox_random::SplitMix64;

/// The index of the highest score, the first of equal ones; `None` where every score is minus infinity.
pub fn argmax(scores: &[f32]) -> Option<u32> {
    let mut best: Option<(u32, f32)> = None;
    for (token, score) in (0..).zip(scores) {
        if *score > best.map_or(f32::NEG_INFINITY, |(_, best)| best) {
            best = Some((token, *score));
        }
    }
    best.map(|(token, _)| token)
}

/// Probabilities of scores; all zero where every score is minus infinity.
pub fn softmax(scores: &[f32]) -> Vec<f32> {
    let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if highest == f32::NEG_INFINITY {
        return vec![0.0; scores.len()];
    }
    let mut exponentials: Vec<f32> = scores.iter().map(|score| (score - highest).exp()).collect();
    let sum = exponentials.iter().copied().map(f64::from).sum::<f64>() as f32;
    exponentials.iter_mut().for_each(|value| *value /= sum);
    exponentials
}

/// Logarithms of the probabilities of scores.
pub(crate) fn log_softmax(scores: &mut [f32]) {
    let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if highest == f32::NEG_INFINITY {
        return;
    }
    let sum: f64 = scores.iter().map(|score| f64::from((score - highest).exp())).sum();
    let log = sum.ln() as f32;
    scores.iter_mut().for_each(|score| *score = *score - highest - log);
}

/// Draws a token by the softmax of its scores; `uniform` is in [0, 1). `None` where every score is minus infinity.
pub fn sample(scores: &[f32], uniform: f64) -> Option<u32> {
    let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if highest == f32::NEG_INFINITY {
        return None;
    }
    let weight = |score: f32| f64::from(score - highest).exp();
    let sum: f64 = scores.iter().map(|score| weight(*score)).sum();
    let target = uniform * sum;
    let (mut reached, mut chosen) = (0.0, None);
    for (token, score) in (0..).zip(scores) {
        let weight = weight(*score);
        // Never one that has no probability, whatever is rounded.
        if weight > 0.0 {
            reached += weight;
            chosen = Some(token);
            if reached > target {
                break;
            }
        }
    }
    chosen
}

/// Draws `count` different indices by the softmax of their scores, without replacement, likeliest scores first: the
/// first arrivals of exponential clocks (Efraimidis & Spirakis 2006), as `torch.multinomial` has it.
pub(crate) fn sample_several(scores: &[f32], count: usize, random: &mut Random) -> Vec<usize> {
    let mut arrivals: Vec<(f64, usize)> = Vec::new();
    for (index, score) in scores.iter().enumerate() {
        if *score > f32::NEG_INFINITY {
            // In logarithms, because a beam's probabilities are smaller than any float.
            let wait = (-(1.0 - random.uniform()).ln()).ln();
            arrivals.push((wait - f64::from(*score), index));
        }
    }
    let count = count.min(arrivals.len());
    if count < arrivals.len() {
        arrivals.select_nth_unstable_by(count, |one, other| one.0.total_cmp(&other.0));
        arrivals.truncate(count);
    }
    let mut drawn: Vec<usize> = arrivals.into_iter().map(|(_, index)| index).collect();
    let score = |index: &usize| scores.get(*index).copied().unwrap_or(f32::NEG_INFINITY);
    drawn.sort_by(|one, other| score(other).total_cmp(&score(one)).then(one.cmp(other)));
    drawn
}

/// The random numbers of one choice, by a counter: they depend on the seed, the prompt, which of its answers it is
/// and how many tokens that has, and on nothing that happened before.
pub(crate) struct Random(SplitMix64);

impl Random {
    pub(crate) fn new(seed: u64, prompt: usize, answer: usize, step: usize) -> Self {
        let mut state = SplitMix64::named(seed, "generation").next_u64();
        for word in [prompt, answer, step] {
            state = SplitMix64::new(state ^ word as u64).next_u64();
        }
        Self(SplitMix64::new(state))
    }

    /// In [0, 1), in steps of 2^-53.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORES: [f32; 5] = [0.5, f32::NEG_INFINITY, 2.0, -1.0, 2.0];

    #[test]
    fn the_first_of_equal_scores_is_the_highest() {
        assert_eq!(argmax(&SCORES), Some(2));
        assert_eq!(argmax(&[f32::NEG_INFINITY; 3]), None);
        assert_eq!(argmax(&[]), None);
    }

    /// Chi-squared with 3 degrees of freedom: 16.27 is passed once in a thousand seeds, and the seed is fixed.
    #[test]
    fn draws_have_the_distribution_of_the_softmax() {
        let probabilities = softmax(&SCORES);
        let mut counts = [0.0_f64; 5];
        let draws = 20_000;
        for step in 0..draws {
            let token = sample(&SCORES, Random::new(3, 0, 0, step).uniform()).unwrap();
            counts[token as usize] += 1.0;
        }
        assert_eq!(counts[1], 0.0);
        let statistic: f64 = [0, 2, 3, 4]
            .map(|token| {
                let expected = f64::from(probabilities[token]) * draws as f64;
                (counts[token] - expected).powi(2) / expected
            })
            .iter()
            .sum();
        assert!(statistic < 16.27, "{counts:?} against {probabilities:?}: {statistic}");
    }

    #[test]
    fn the_ends_of_the_interval_are_tokens_that_may_follow() {
        assert_eq!(sample(&[f32::NEG_INFINITY, 1.0, f32::NEG_INFINITY], 0.0), Some(1));
        assert_eq!(sample(&[f32::NEG_INFINITY, 1.0, f32::NEG_INFINITY], 1.0 - f64::EPSILON), Some(1));
        assert_eq!(sample(&[f32::NEG_INFINITY; 2], 0.5), None);
    }

    #[test]
    fn several_are_different_and_the_first_of_them_has_the_distribution() {
        let mut first = [0.0_f64; 5];
        for step in 0..5_000 {
            let drawn = sample_several(&SCORES, 3, &mut Random::new(5, 0, 0, step));
            assert_eq!(drawn.len(), 3);
            assert!(!drawn.contains(&1) && drawn[0] != drawn[1] && drawn[1] != drawn[2], "{drawn:?}");
            let one = sample_several(&SCORES, 1, &mut Random::new(5, 0, 0, step));
            first[one[0]] += 1.0 / 5_000.0;
        }
        for (share, probability) in first.iter().zip(softmax(&SCORES)) {
            assert!((share - f64::from(probability)).abs() < 0.03, "{first:?}");
        }
        assert_eq!(sample_several(&SCORES, 9, &mut Random::new(5, 0, 0, 0)), [2, 4, 0, 3]);
    }
}
