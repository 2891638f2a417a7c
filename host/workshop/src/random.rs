//! Random numbers that a case can state by a seed. They never change: expected values hang on them, and
//! docs/plugin-tests.md tells authors how to make the same ones elsewhere.

use pegbox_data::SplitMix64;

/// Numbers of one seed.
pub struct Random(SplitMix64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(SplitMix64::new(seed))
    }

    /// In `[0, 1)`, a multiple of 2^-24, so that single precision holds it exactly.
    pub fn unit(&mut self) -> f32 {
        (self.0.next_u64() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// In `[low, high)`, in single precision: `low + (high - low) * unit`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// In `[0, bound)`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0.below(bound)
    }

    /// 1 or -1.
    pub fn sign(&mut self) -> f32 {
        if self.0.next_u64() >> 63 == 0 { 1.0 } else { -1.0 }
    }
}
