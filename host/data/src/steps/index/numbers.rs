//! A label's number for each row, in one byte or two where there are few labels.

use super::NO_LABEL;

/// One a row; [`NO_LABEL`] is one of the numbers.
#[derive(Clone, Debug)]
pub(crate) enum Numbers {
    Tiny(Vec<u8>),
    Narrow(Vec<u16>),
    Wide(Vec<u32>),
}

impl Default for Numbers {
    fn default() -> Self {
        Self::Tiny(Vec::new())
    }
}

impl Numbers {
    /// For so many rows; their numbers are below `known`, or [`NO_LABEL`].
    pub fn with_capacity(rows: usize, known: usize) -> Self {
        if known < usize::from(u8::MAX) {
            Self::Tiny(Vec::with_capacity(rows))
        } else if known < usize::from(u16::MAX) {
            Self::Narrow(Vec::with_capacity(rows))
        } else {
            Self::Wide(Vec::with_capacity(rows))
        }
    }

    /// One a row, below `known`.
    pub fn of(numbers: impl ExactSizeIterator<Item = u32>, known: usize) -> Self {
        let mut all = Self::with_capacity(numbers.len(), known);
        numbers.for_each(|number| all.push(number));
        all
    }

    pub fn push(&mut self, number: u32) {
        match self {
            Self::Tiny(all) => all.push(u8::try_from(number).unwrap_or(u8::MAX)),
            Self::Narrow(all) => all.push(u16::try_from(number).unwrap_or(u16::MAX)),
            Self::Wide(all) => all.push(number),
        }
    }

    pub fn get(&self, row: u32) -> Option<u32> {
        match self {
            Self::Tiny(all) => all.get(row as usize).map(|number| of_byte(*number)),
            Self::Narrow(all) => all.get(row as usize).map(|number| wide(*number)),
            Self::Wide(all) => all.get(row as usize).copied(),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = u32> {
        let (tiny, narrow, whole): (&[u8], &[u16], &[u32]) = match self {
            Self::Tiny(all) => (all, &[], &[]),
            Self::Narrow(all) => (&[], all, &[]),
            Self::Wide(all) => (&[], &[], all),
        };
        let narrow = narrow.iter().map(|number| wide(*number));
        tiny.iter().map(|number| of_byte(*number)).chain(narrow).chain(whole.iter().copied())
    }
}

fn of_byte(number: u8) -> u32 {
    if number == u8::MAX { NO_LABEL } else { number.into() }
}

fn wide(number: u16) -> u32 {
    if number == u16::MAX { NO_LABEL } else { number.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_whatever_their_width() {
        for known in [3, 254, 255, 65_534, 65_535, 1_000_000] {
            let numbers = [0, known as u32 - 1, NO_LABEL, 1];
            let all = Numbers::of(numbers.into_iter(), known);
            assert!(all.iter().eq(numbers), "{known}");
            assert_eq!((all.get(2), all.get(4)), (Some(NO_LABEL), None));
            assert_eq!(matches!(all, Numbers::Tiny(_)), known < 255);
            assert_eq!(matches!(all, Numbers::Wide(_)), known >= 65_535);
        }
    }
}
