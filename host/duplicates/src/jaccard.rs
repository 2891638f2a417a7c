//! The Jaccard index of two sets of shingles.

/// Of two ascending lists without repetitions. Two empty sets are equal.
pub(crate) fn jaccard(one: &[u32], other: &[u32]) -> f64 {
    let shared = shared(one, other, 0).unwrap_or(0);
    index(one, other, shared)
}

/// Whether the index is at least `threshold`. Most pairs that are not are turned down early.
pub(crate) fn near(one: &[u32], other: &[u32], threshold: f64) -> bool {
    let total = one.len() + other.len();
    // `shared / (total - shared) >= threshold`, solved for `shared`; one less, so that rounding turns none down.
    let needed = ((threshold / (1.0 + threshold) * total as f64) as usize).saturating_sub(1);
    if one.len().min(other.len()) < needed {
        return false;
    }
    shared(one, other, needed).is_some_and(|shared| index(one, other, shared) >= threshold)
}

fn index(one: &[u32], other: &[u32], shared: usize) -> f64 {
    let union = one.len() + other.len() - shared;
    if union == 0 { 1.0 } else { shared as f64 / union as f64 }
}

/// How many elements they share; `None` if fewer than `needed`.
fn shared(one: &[u32], other: &[u32], needed: usize) -> Option<usize> {
    let (mut at, mut beside, mut shared) = (0, 0, 0);
    while at < one.len() && beside < other.len() {
        let (left, right) = (one[at], other[beside]);
        shared += usize::from(left == right);
        at += usize::from(left <= right);
        beside += usize::from(right <= left);
        if shared + (one.len() - at).min(other.len() - beside) < needed {
            return None;
        }
    }
    (shared >= needed).then_some(shared)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pegbox_random::SplitMix64;

    use super::*;

    #[test]
    fn known_pairs() {
        assert_eq!(jaccard(&[1, 2, 3, 4], &[2, 3, 4, 5]), 0.6);
        assert_eq!(jaccard(&[1], &[2]), 0.0);
        assert_eq!(jaccard(&[], &[1]), 0.0);
        assert_eq!(jaccard(&[], &[]), 1.0);
        assert!(near(&[1, 2, 3, 4], &[2, 3, 4, 5], 0.6) && !near(&[1, 2, 3, 4], &[2, 3, 4, 5], 0.601));
    }

    #[test]
    fn turning_down_early_changes_nothing() {
        let mut random = SplitMix64::new(3);
        let mut draw = |size| -> Vec<u32> {
            (0..size).map(|_| random.below(60) as u32).collect::<BTreeSet<_>>().into_iter().collect()
        };
        for round in 0..5_000 {
            let (one, other) = (draw(round % 90), draw(round % 70));
            for threshold in [0.1, 0.3, 0.5, 0.8, 1.0] {
                assert_eq!(near(&one, &other, threshold), jaccard(&one, &other) >= threshold);
            }
        }
    }
}
