//! The learning rate of each step, as `transformers.get_scheduler` computes it.

use crate::settings::{Decay, Schedule, Warmup};

impl Schedule {
    /// The factor on the highest rate at `step` of `steps`, counted from 0: the optimizer's first step has a
    /// rate of 0 only if there is a warm-up, and the rate would reach 0 one step after the last.
    pub fn factor(&self, step: u64, steps: u64) -> f64 {
        let warmup = self.warmup_steps(steps);
        if step < warmup {
            return step as f64 / warmup as f64;
        }
        let progress = (step - warmup) as f64 / (steps.saturating_sub(warmup)).max(1) as f64;
        match self.kind {
            Decay::Constant => 1.0,
            Decay::Linear => (1.0 - progress).max(0.0),
            Decay::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * progress.min(1.0)).cos()),
        }
    }

    fn warmup_steps(&self, steps: u64) -> u64 {
        match self.warmup {
            Warmup::Share(share) => (share * steps as f64).ceil() as u64,
            Warmup::Steps(count) => count.min(steps),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(kind: Decay, warmup: Warmup) -> Vec<f64> {
        (0..10).map(|step| Schedule { kind, warmup }.factor(step, 10)).collect()
    }

    /// `get_scheduler(name, optimizer, num_warmup_steps=2, num_training_steps=10)`, Transformers 4.
    #[test]
    fn as_transformers() {
        let close = |ours: Vec<f64>, theirs: [f64; 10]| {
            for (ours, theirs) in ours.iter().zip(theirs) {
                assert!((ours - theirs).abs() < 1e-9, "{ours} {theirs}");
            }
        };
        close(
            factors(Decay::Linear, Warmup::Steps(2)),
            [0.0, 0.5, 1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125],
        );
        close(
            factors(Decay::Cosine, Warmup::Share(0.2)),
            [
                0.0,
                0.5,
                1.0,
                0.961_939_766_255_643,
                0.853_553_390_593_274,
                0.691_341_716_182_545,
                0.5,
                0.308_658_283_817_455,
                0.146_446_609_406_726,
                0.038_060_233_744_357,
            ],
        );
        close(factors(Decay::Constant, Warmup::Steps(0)), [1.0; 10]);
    }

    #[test]
    fn a_warm_up_longer_than_the_training_is_cut() {
        let schedule = Schedule { kind: Decay::Linear, warmup: Warmup::Steps(1000) };
        assert!(schedule.factor(9, 10) < 1.0);
    }
}
