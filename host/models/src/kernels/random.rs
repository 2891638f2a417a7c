//! Dropout masks from a counter: the mask of an element is a function of (seed, step, site, index), so
//! nothing has to be stored for the backward pass, and a resumed run draws the same masks.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

/// Which dropout masks a forward pass draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DropoutKey {
    /// The run's seed.
    pub seed: u64,
    /// Number of the forward pass in the run; every micro-batch of an accumulation window has its own.
    pub step: u64,
}

/// One dropout site of one forward pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    key: [u32; 2],
    threshold: u32,
    scale: f32,
}

impl Dropout {
    /// Drops each element with `probability` (in [0, 1)) and scales the others by 1 / (1 - probability).
    /// `site` tells apart the places of one forward pass. None where nothing is dropped.
    pub fn new(key: DropoutKey, site: u32, probability: f64) -> Option<Self> {
        if probability <= 0.0 {
            return None;
        }
        let probability = probability.min(0.999);
        let mixed = mix64(mix64(key.seed ^ 0x9E37_79B9_7F4A_7C15).wrapping_add(key.step))
            .wrapping_add(u64::from(site).wrapping_mul(0xD1B5_4A32_D192_ED03));
        let mixed = mix64(mixed);
        Some(Self {
            key: [mixed as u32, (mixed >> 32) as u32],
            threshold: (probability * 4_294_967_296.0) as u32,
            scale: (1.0 / (1.0 - probability)) as f32,
        })
    }

    /// What element `index` is multiplied by: 0, or 1 / (1 - probability).
    #[inline(always)]
    pub fn factor(self, index: u32) -> f32 {
        // Two rounds of a 32-bit finaliser with a key word before each (constants: "lowbias32",
        // C. Wellons, hash-prospector).
        let mut h = index ^ self.key[0];
        h = (h ^ (h >> 16)).wrapping_mul(0x7feb_352d);
        h = (h ^ (h >> 15)).wrapping_mul(0x846c_a68b);
        h = (h ^ (h >> 16)).wrapping_add(self.key[1]);
        h = (h ^ (h >> 16)).wrapping_mul(0x7feb_352d);
        h ^= h >> 15;
        if h >= self.threshold { self.scale } else { 0.0 }
    }

    /// [`Self::factor`] of every element of a tensor, computed on `device` by Burn's operations.
    pub fn mask<const D: usize>(self, dims: [usize; D], device: &Device) -> Tensor<D> {
        let mut h = indices(&dims, device).bitwise_xor_scalar(self.key[0]);
        h = times(fold(h, 16), 0x7feb_352d);
        h = times(fold(h, 15), 0x846c_a68b);
        h = fold(h, 16).add_scalar(self.key[1]);
        h = times(fold(h, 16), 0x7feb_352d);
        h = fold(h, 15);
        let mask = h.greater_equal_elem(self.threshold).float() * self.scale;
        mask.reshape(dims)
    }
}

/// Number of columns from which on a mask's rows are long enough.
const COLUMNS: usize = 1024;

/// The row-major index of every element, as a matrix. Two short vectors are uploaded and added: Burn's `arange`
/// makes all numbers on the host, or sums up ones on the device, one after the other.
fn indices(dims: &[usize], device: &Device) -> Tensor<2, Int> {
    let mut columns = 1;
    for size in dims.iter().rev() {
        if columns >= COLUMNS {
            break;
        }
        columns *= size;
    }
    let elements: usize = dims.iter().product();
    let rows = elements.checked_div(columns).unwrap_or(0);
    let upload = |values: Vec<u32>, shape: [usize; 2]| {
        Tensor::<2, Int>::from_data(TensorData::new(values, shape), (device, DType::U32))
    };
    let first = (0..rows).map(|row| (row * columns) as u32).collect();
    upload(first, [rows, 1]) + upload((0..columns as u32).collect(), [1, columns])
}

/// h ^ (h >> shift)
fn fold(h: Tensor<2, Int>, shift: u32) -> Tensor<2, Int> {
    h.clone().bitwise_xor(h.bitwise_right_shift_scalar(shift))
}

/// h * factor modulo 2^32.
fn times(h: Tensor<2, Int>, factor: u32) -> Tensor<2, Int> {
    // The CPU backend multiplies in i64, where the largest products overflow: that wraps to the right low
    // bits, unless the build checks for overflow. Two halves do not overflow.
    if cfg!(debug_assertions) {
        let high = h.clone().mul_scalar(factor >> 16).bitwise_left_shift_scalar(16u32);
        return high.add(h.mul_scalar(factor & 0xffff));
    }
    h.mul_scalar(factor)
}

/// SplitMix64's finaliser.
pub fn mix64(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dropped(dropout: Dropout, elements: u32) -> f64 {
        (0..elements).filter(|i| dropout.factor(*i) == 0.0).count() as f64 / f64::from(elements)
    }

    #[test]
    fn the_rate_holds_for_every_site_and_step() {
        for step in 0..5 {
            for site in 0..5 {
                let key = DropoutKey { seed: 7, step };
                let dropout = Dropout::new(key, site, 0.1).unwrap();
                let rate = dropped(dropout, 100_000);
                // five standard deviations of a binomial share
                assert!((rate - 0.1).abs() < 0.005, "step {step}, site {site}: {rate}");
            }
        }
    }

    #[test]
    fn neighbours_sites_and_steps_are_independent() {
        let mask = |step, site| Dropout::new(DropoutKey { seed: 7, step }, site, 0.5).unwrap();
        let agreement = |a: Dropout, b: Dropout, shift: u32| {
            let n = 100_000;
            (0..n).filter(|i| (a.factor(*i) == 0.0) == (b.factor(i + shift) == 0.0)).count() as f64
                / f64::from(n)
        };
        for (a, b, shift) in [
            (mask(0, 0), mask(0, 0), 1),
            (mask(0, 0), mask(0, 0), 64),
            (mask(0, 0), mask(0, 1), 0),
            (mask(0, 0), mask(1, 0), 0),
        ] {
            let share = agreement(a, b, shift);
            assert!((share - 0.5).abs() < 0.01, "{share}");
        }
    }

    #[test]
    fn masks_are_the_same_by_tensor_operations() {
        for (step, probability) in [(0, 0.1), (1, 0.5), (2, 0.999), (3, 1e-9)] {
            let dropout = Dropout::new(DropoutKey { seed: 11, step }, 4, probability).unwrap();
            let check = |mask: TensorData| {
                let mask: Vec<f32> = mask.iter::<f32>().collect();
                let factors: Vec<f32> = (0..mask.len() as u32).map(|i| dropout.factor(i)).collect();
                assert!(mask == factors, "step {step}");
                mask.len()
            };
            let cpu = Device::flex();
            assert_eq!(check(dropout.mask([70_001], &cpu).into_data()), 70_001);
            assert_eq!(check(dropout.mask([3, 5, 21, 257], &cpu).into_data()), 3 * 5 * 21 * 257);
            assert_eq!(check(dropout.mask([700, 3], &cpu).into_data()), 2100);
            assert_eq!(check(dropout.mask([1, 1], &cpu).into_data()), 1);
        }
    }

    #[test]
    fn nothing_to_drop() {
        assert!(Dropout::new(DropoutKey { seed: 1, step: 1 }, 0, 0.0).is_none());
    }
}
