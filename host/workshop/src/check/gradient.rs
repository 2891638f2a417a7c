//! A loss's gradient by autodiff against central finite differences.
//!
//! The loss is computed in single precision, so a difference quotient errs twice: by truncation, of order h^2, and
//! by rounding, of order u L / h with u = 2^-24. Both together are least near h = u^(1/3) for the plain central
//! difference `D(h) = (L(x + h) - L(x - h)) / 2h` (Press et al., Numerical Recipes, 3rd ed., section 5.7). Two steps
//! are taken, h and h/2, and joined by Richardson's extrapolation `(4 D(h/2) - D(h)) / 3`, whose truncation is of
//! order h^4; then the best step is near u^(1/5) = 0.036, and h = 2^-5 is what is used, times the larger of 1 and
//! |x|: a power of two, so that x + h and x - h lose no more than their last bit.
//!
//! What is allowed follows from the same: `|D(h/2) - D(h)|`, which is about three quarters of the truncation of the
//! plain quotient and far above that of the joined one, plus the rounding of the quotient with room to spare. Where the
//! first of these says that the loss bends too much for any verdict, the check fails and says so.

use crate::random::Random;

/// h, for |x| up to 1.
const STEP: f64 = 1.0 / 32.0;
/// Units in the last place by which a loss of some operations may be off.
const ROUNDING: f64 = 8.0;
/// Elements that are looked at one by one; of larger tensors, so many and some directions through all.
const MOST_ELEMENTS: usize = 256;
const DIRECTIONS: usize = 4;
/// An allowance above this part of the largest derivative decides nothing.
const UNDECIDED: f64 = 0.25;
/// Derivatives below this are as good as none.
const NEGLIGIBLE: f64 = 1e-3;

/// One place, or one direction, at which the two derivatives were compared.
#[derive(Clone, PartialEq, Debug)]
pub struct Comparison {
    /// The tensor's number (0: the logits), and the element, or none for a direction through all elements.
    pub tensor: usize,
    pub element: Option<usize>,
    pub autodiff: f64,
    pub differences: f64,
    pub allowed: f64,
}

impl Comparison {
    fn error(&self) -> f64 {
        (self.autodiff - self.differences).abs()
    }

    /// Not a number is never right.
    pub fn is_right(&self) -> bool {
        self.error() <= self.allowed
    }
}

/// All places that were looked at.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct GradientCheck {
    pub places: Vec<Comparison>,
    /// The largest derivative by autodiff.
    pub largest: f64,
}

impl GradientCheck {
    /// The place that is most wrong, if one is.
    pub fn wrong(&self) -> Option<&Comparison> {
        let wrong = self.places.iter().filter(|place| !place.is_right());
        wrong.max_by(|a, b| a.error().total_cmp(&b.error()))
    }

    pub fn count_wrong(&self) -> usize {
        self.places.iter().filter(|place| !place.is_right()).count()
    }

    /// The place at which so much is allowed that being right means nothing.
    pub fn undecided(&self) -> Option<&Comparison> {
        let scale = self.largest.max(NEGLIGIBLE);
        let undecided = self.places.iter().filter(|place| place.element.is_some());
        undecided
            .filter(|place| place.allowed > UNDECIDED * scale)
            .max_by(|a, b| a.allowed.total_cmp(&b.allowed))
    }

    pub fn worst(&self) -> f64 {
        self.places.iter().map(Comparison::error).fold(0.0, f64::max)
    }
}

/// A loss as a function of tensors, each flat.
type Function<'a, E> = dyn FnMut(&[Vec<f32>]) -> Result<f64, E> + 'a;

/// Compares `gradients` (one a tensor, flat) with finite differences of `loss` at `values`.
///
/// # Errors
/// Those of `loss`.
pub fn check<E>(
    values: &[Vec<f32>],
    gradients: &[Vec<f32>],
    loss: &mut Function<'_, E>,
) -> Result<GradientCheck, E> {
    let all = gradients.iter().flatten().map(|value| f64::from(value.abs()));
    let mut check = GradientCheck { largest: all.fold(0.0, f64::max), places: Vec::new() };
    let mut random = Random::new(1);
    for (tensor, (at, gradient)) in values.iter().zip(gradients).enumerate() {
        for element in chosen(at.len(), &mut random) {
            let mut direction = vec![0.0; at.len()];
            direction[element] = 1.0;
            let size = f64::from(at[element].abs()).max(1.0);
            let (differences, allowed) = quotient(values, tensor, &direction, STEP * size, loss)?;
            let autodiff = gradient.get(element).map_or(f64::NAN, |value| f64::from(*value));
            check.places.push(Comparison { tensor, element: Some(element), autodiff, differences, allowed });
        }
        if at.len() <= MOST_ELEMENTS {
            continue;
        }
        for _ in 0..DIRECTIONS {
            let direction: Vec<f32> = at.iter().map(|_| random.sign()).collect();
            // The step's length in all dimensions together is that of one alone.
            let step = STEP / (at.len() as f64).sqrt();
            let (differences, allowed) = quotient(values, tensor, &direction, step, loss)?;
            let along = gradient.iter().zip(&direction).map(|(g, d)| f64::from(*g) * f64::from(*d));
            let autodiff = along.sum();
            check.places.push(Comparison { tensor, element: None, autodiff, differences, allowed });
        }
    }
    Ok(check)
}

/// The derivative along `direction`, and by how much it may be off.
fn quotient<E>(
    values: &[Vec<f32>],
    tensor: usize,
    direction: &[f32],
    step: f64,
    loss: &mut Function<'_, E>,
) -> Result<(f64, f64), E> {
    let mut largest: f64 = 1.0;
    let mut plain = |step: f64| -> Result<f64, E> {
        let mut ends = [0.0; 2];
        // The step that single precision really takes, in the element that moves most.
        let mut taken = 0.0;
        for (end, sign) in ends.iter_mut().zip([1.0, -1.0]) {
            let mut moved = values.to_vec();
            let mut far: f64 = 0.0;
            for (value, part) in moved[tensor].iter_mut().zip(direction) {
                let before = *value;
                *value = (f64::from(before) + sign * step * f64::from(*part)) as f32;
                if *part != 0.0 {
                    far = (f64::from(*value) - f64::from(before)).abs().max(far);
                    largest = largest.max(f64::from(value.abs()));
                }
            }
            taken += far;
            *end = loss(&moved)?;
            largest = largest.max(end.abs());
        }
        // Through many elements the steps round apart, and their mean is the one asked for.
        let single = direction.iter().filter(|part| **part != 0.0).count() == 1;
        Ok((ends[0] - ends[1]) / if single { taken } else { 2.0 * step })
    };
    let (wide, narrow) = (plain(step)?, plain(step / 2.0)?);
    let rounding = ROUNDING * f64::from(f32::EPSILON) / 2.0 * largest / (step / 2.0);
    Ok(((4.0 * narrow - wide) / 3.0, (narrow - wide).abs() + rounding))
}

/// All elements of a small tensor, else some.
fn chosen(count: usize, random: &mut Random) -> Vec<usize> {
    if count <= MOST_ELEMENTS {
        return (0..count).collect();
    }
    let mut chosen: Vec<usize> = (0..MOST_ELEMENTS).map(|_| random.below(count)).collect();
    chosen.sort_unstable();
    chosen.dedup();
    chosen
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// In single precision: cross-entropy of three classes for the class 0.
    fn cross_entropy(values: &[Vec<f32>]) -> Result<f64, Infallible> {
        let sum: f32 = values[0].iter().map(|value| value.exp()).sum();
        Ok(f64::from(sum.ln() - values[0][0]))
    }

    fn softmax(at: &[f32]) -> Vec<f32> {
        let sum: f32 = at.iter().map(|value| value.exp()).sum();
        at.iter().enumerate().map(|(i, value)| value.exp() / sum - f32::from(u8::from(i == 0))).collect()
    }

    fn run(at: &[f32], gradient: Vec<f32>) -> GradientCheck {
        let Ok(check) = check(&[at.to_vec()], &[gradient], &mut cross_entropy);
        check
    }

    #[test]
    fn a_right_gradient_is_right_with_little_allowed() {
        for at in [[0.3, -1.2, 2.0], [5.0, -5.0, 0.0], [0.0, 0.0, 0.0], [-9.0, 3.0, 3.1]] {
            let check = run(&at, softmax(&at));
            assert_eq!(check.count_wrong(), 0, "{at:?}: {check:?}");
            assert!(check.undecided().is_none(), "{at:?}: {check:?}");
            assert!(check.places.iter().all(|place| place.allowed < 2e-3), "{at:?}: {check:?}");
        }
    }

    #[test]
    fn a_gradient_that_is_a_little_wrong_is_wrong() {
        let at = [0.3, -1.2, 2.0];
        let right = softmax(&at);
        for element in 0..3 {
            for factor in [0.98, 1.02, -1.0, 0.0, 2.0] {
                let mut wrong = right.clone();
                wrong[element] *= factor;
                assert_eq!(run(&at, wrong).count_wrong(), 1, "element {element} times {factor}");
            }
        }
        assert!(run(&at, vec![f32::NAN; 3]).wrong().is_some());
    }

    #[test]
    fn a_kink_is_not_smoothed_over() {
        let mut loss = |values: &[Vec<f32>]| Ok::<_, Infallible>(f64::from(values[0][0].max(0.0)));
        let Ok(at_kink) = check(&[vec![0.0]], &[vec![1.0]], &mut loss);
        assert!(at_kink.wrong().is_some());
        let Ok(beside) = check(&[vec![0.5]], &[vec![1.0]], &mut loss);
        assert!(beside.wrong().is_none());
    }

    #[test]
    fn large_tensors_are_checked_in_every_element() {
        let at: Vec<f32> = (0..2000).map(|i| (i as f32 * 0.37).sin()).collect();
        let mut loss = |values: &[Vec<f32>]| {
            let sum: f64 = values[0].iter().map(|value| f64::from(*value).powi(2)).sum();
            Ok::<_, Infallible>(f64::from((sum / 2000.0) as f32))
        };
        let mut gradient: Vec<f32> = at.iter().map(|value| value / 1000.0).collect();
        let Ok(right) = check(std::slice::from_ref(&at), &[gradient.clone()], &mut loss);
        assert_eq!(right.count_wrong(), 0, "{:?}", right.wrong());
        // Half of the elements: few of the chosen ones need be among them, every direction is.
        for value in &mut gradient[1000..] {
            *value += 0.01;
        }
        let Ok(wrong) = check(&[at], &[gradient], &mut loss);
        assert!(wrong.places.iter().any(|place| place.element.is_none() && !place.is_right()));
    }
}
