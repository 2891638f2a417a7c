//! The least insertions, deletions and substitutions that make one sequence of another.

/// Levenshtein's distance, in memory of one row.
pub fn edits<T: PartialEq>(from: &[T], to: &[T]) -> u64 {
    let mut row: Vec<u64> = (0..=to.len() as u64).collect();
    for (number, item) in from.iter().enumerate() {
        let mut diagonal = number as u64;
        let mut left = diagonal + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (above, other) in row.iter_mut().skip(1).zip(to) {
            left = (diagonal + u64::from(item != other)).min(left + 1).min(*above + 1);
            diagonal = std::mem::replace(above, left);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        let of = |a: &str, b: &str| {
            let characters = |text: &str| text.chars().collect::<Vec<char>>();
            edits(&characters(a), &characters(b))
        };
        for (a, b, distance) in
            [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("flaw", "lawn", 2)]
        {
            assert_eq!((of(a, b), of(b, a)), (distance, distance), "{a}, {b}");
        }
    }
}
