//! Intervals by the bootstrap: the items are drawn anew, with replacement, and everything is measured again.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use pegbox_random::SplitMix64;

use super::AgreementSettings;
use crate::patterns::Patterns;

/// The interval of each statistic that `measure` gives for the weights of the patterns. Resamples in which it is
/// not defined are left out. Each resample has random numbers of its own, so the threads change nothing.
pub(super) fn intervals(
    patterns: &Patterns,
    settings: &AgreementSettings,
    measure: impl Fn(&[u32]) -> Vec<f64> + Sync,
) -> Vec<(Option<f64>, Option<f64>)> {
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get());
    let next = AtomicU32::new(0);
    let work = || {
        let mut weights = vec![0; patterns.lines.len()];
        let mut measured = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= settings.resamples {
                return measured;
            }
            draw(patterns, settings.seed, number, &mut weights);
            measured.push((number, measure(&weights)));
        }
    };
    let mut resamples: Vec<(u32, Vec<f64>)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    });
    resamples.sort_unstable_by_key(|(number, _)| *number);
    let statistics = resamples.first().map_or(0, |(_, values)| values.len());
    (0..statistics)
        .map(|statistic| {
            let values = resamples.iter().map(|(_, values)| values[statistic]);
            let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
            values.sort_unstable_by(f64::total_cmp);
            let tail = (1.0 - settings.level) / 2.0;
            (percentile(&values, tail), percentile(&values, 1.0 - tail))
        })
        .collect()
}

/// As many items as there are, drawn with replacement, counted by pattern.
fn draw(patterns: &Patterns, seed: u64, number: u32, weights: &mut [u32]) {
    let mut random = SplitMix64::named(seed, &format!("agreement resample {number}"));
    weights.fill(0);
    for _ in 0..patterns.of_item.len() {
        weights[patterns.of_item[random.below(patterns.of_item.len())] as usize] += 1;
    }
}

/// Of sorted values, between two of them by a straight line.
fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let position = share * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    Some(low + (high - low) * position.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_lie_between_values() {
        assert_eq!(percentile(&[1.0, 2.0, 4.0], 0.75), Some(3.0));
        assert_eq!(percentile(&[5.0], 0.025), Some(5.0));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
