//! The Jaccard index, computed exactly and by code of its own: it judges what the crate under test finds.

/// Characters of a shingle, as in the recipe.
const SIZE: usize = 5;
/// Every `char` is below 2^21.
const BITS: u32 = 21;

/// The distinct shingles of a text in lower case with single spaces, ascending. Five characters are 105 bits, so that
/// no two of them fall together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shingles(Vec<u128>);

impl Shingles {
    pub fn of(text: &str) -> Self {
        let characters: Vec<u128> =
            normalised(text).chars().map(|character| u128::from(u32::from(character)) + 1).collect();
        let joined = |characters: &[u128]| characters.iter().fold(0, |all, one| all << BITS | one);
        let mut shingles: Vec<u128> = match characters.len() {
            0 => Vec::new(),
            1..SIZE => vec![joined(&characters)],
            _ => characters.windows(SIZE).map(joined).collect(),
        };
        shingles.sort_unstable();
        shingles.dedup();
        Self(shingles)
    }

    /// Shared shingles over all of both.
    pub fn jaccard(&self, other: &Self) -> f64 {
        let shared = self.shared(other);
        let union = self.0.len() + other.0.len() - shared;
        if union == 0 { 1.0 } else { shared as f64 / union as f64 }
    }

    pub fn iter(&self) -> impl Iterator<Item = u128> {
        self.0.iter().copied()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    fn shared(&self, other: &Self) -> usize {
        let (mut ours, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut shared = 0;
        while let (Some(one), Some(another)) = (ours.peek(), theirs.peek()) {
            match one.cmp(another) {
                std::cmp::Ordering::Less => drop(ours.next()),
                std::cmp::Ordering::Greater => drop(theirs.next()),
                std::cmp::Ordering::Equal => {
                    shared += 1;
                    ours.next();
                    theirs.next();
                }
            }
        }
        shared
    }
}

/// In lower case, with one space for any white space and none at the ends: texts that are equal so are duplicates.
pub fn normalised(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jaccard(one: &str, other: &str) -> f64 {
        Shingles::of(one).jaccard(&Shingles::of(other))
    }

    #[test]
    fn pairs_whose_index_is_known() {
        assert_eq!(jaccard("abcdefg", "abcdefx"), 2.0 / 4.0);
        assert_eq!(jaccard("  Ab\tCDE fg", "ab cde FG "), 1.0);
        assert_eq!(jaccard("abcdef", "uvwxyz"), 0.0);
        assert_eq!(jaccard("ab", "ab"), 1.0);
        assert_eq!(jaccard("ab", "abc"), 0.0);
        assert_eq!(jaccard("aaaaaaaaaa", "aaaaa"), 1.0);
        // One letter in the middle of 14: five of ten shingles go, five come.
        assert_eq!(jaccard("abcdefghijklmn", "abcdefgxijklmn"), 5.0 / 15.0);
    }
}
