use std::fmt;

use serde::Deserialize;

/// What start and end of a span count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Unicode code points.
    #[default]
    Characters,
    /// Of UTF-8.
    Bytes,
    /// Code units of UTF-16.
    #[serde(rename = "utf-16")]
    Utf16,
}

impl Unit {
    pub(crate) const ALL: [Self; 3] = [Self::Characters, Self::Bytes, Self::Utf16];

    /// How many of them `c` has.
    fn of(self, c: char) -> usize {
        match self {
            Self::Characters => 1,
            Self::Bytes => c.len_utf8(),
            Self::Utf16 => c.len_utf16(),
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Characters => "characters",
            Self::Bytes => "bytes",
            Self::Utf16 => "UTF-16 code units",
        })
    }
}

/// The places of a text in a unit, and the bytes that they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Offsets {
    /// The byte at which the character begins that each unit is of, and the text's length; nothing where units
    /// are bytes.
    starts: Vec<usize>,
    /// Units of the text.
    len: usize,
}

impl Offsets {
    /// Becomes those of `text`.
    pub fn measure(&mut self, text: &str, unit: Unit) {
        self.starts.clear();
        self.len = text.len();
        if text.is_ascii() {
            return;
        }
        // Where units are bytes, this tells whole characters from parts.
        for (start, c) in text.char_indices() {
            self.starts.extend(std::iter::repeat_n(start, unit.of(c)));
        }
        self.len = self.starts.len();
        self.starts.push(text.len());
    }

    /// Units of the text.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The byte at the beginning of unit `at`, or of the character that it is a part of; whether it is a part.
    pub fn floor(&self, at: usize) -> (usize, bool) {
        let Some(start) = self.starts.get(at) else { return (at, false) };
        let before = at.checked_sub(1).and_then(|before| self.starts.get(before));
        (*start, before == Some(start))
    }

    /// As [`Offsets::floor`], but the end of the character.
    pub fn ceil(&self, at: usize) -> (usize, bool) {
        let (start, within) = self.floor(at);
        if !within {
            return (start, false);
        }
        let next = self.starts.partition_point(|other| *other <= start);
        (self.starts.get(next).copied().unwrap_or(start), true)
    }

    /// The unit that begins at `byte`, which begins a character.
    pub fn unit(&self, byte: usize) -> usize {
        if self.starts.is_empty() { byte } else { self.starts.partition_point(|start| *start < byte) }
    }
}

/// What stands from `start` to `end`, counted in `unit`; none if that is no part of the text.
pub(crate) fn slice(text: &str, unit: Unit, start: u64, end: u64) -> Option<&str> {
    let mut bytes = [None; 2];
    let mut at = 0;
    let places = text.char_indices().map(|(byte, c)| (byte, unit.of(c)));
    for (byte, units) in places.chain([(text.len(), 0)]) {
        for (place, wanted) in bytes.iter_mut().zip([start, end]) {
            if at == wanted {
                place.get_or_insert(byte);
            }
        }
        at += units as u64;
    }
    let [start, end] = bytes;
    text.get(start?..end?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One, two, three and four bytes.
    const TEXT: &str = "aä€😀b";

    fn offsets(unit: Unit) -> Offsets {
        let mut offsets = Offsets::default();
        offsets.measure(TEXT, unit);
        offsets
    }

    #[test]
    fn places_are_found_in_every_unit() {
        let characters = offsets(Unit::Characters);
        assert_eq!(characters.len(), 5);
        assert_eq!([0, 1, 2, 3, 4, 5].map(|at| characters.floor(at).0), [0, 1, 3, 6, 10, 11]);
        let utf16 = offsets(Unit::Utf16);
        assert_eq!(utf16.len(), 6);
        assert_eq!([3, 4, 5, 6].map(|at| utf16.floor(at)), [(6, false), (6, true), (10, false), (11, false)]);
        assert_eq!([3, 4, 5].map(|at| utf16.ceil(at)), [(6, false), (10, true), (10, false)]);
        let bytes = offsets(Unit::Bytes);
        assert_eq!(bytes.len(), 11);
        assert_eq!([1, 2, 3].map(|at| bytes.floor(at)), [(1, false), (1, true), (3, false)]);
        assert_eq!([2, 8].map(|at| bytes.ceil(at)), [(3, true), (10, true)]);
        for unit in Unit::ALL {
            let offsets = offsets(unit);
            for (byte, _) in TEXT.char_indices().chain([(TEXT.len(), ' ')]) {
                assert_eq!(offsets.floor(offsets.unit(byte)), (byte, false));
            }
        }
    }

    #[test]
    fn ascii_needs_no_table() {
        let mut offsets = offsets(Unit::Utf16);
        offsets.measure("abc", Unit::Utf16);
        assert_eq!(
            (offsets.len(), offsets.floor(3), offsets.ceil(2), offsets.unit(1)),
            (3, (3, false), (2, false), 1)
        );
    }

    #[test]
    fn slices_are_cut_in_every_unit() {
        assert_eq!(slice(TEXT, Unit::Characters, 1, 4), Some("ä€😀"));
        assert_eq!(slice(TEXT, Unit::Utf16, 3, 6), Some("😀b"));
        assert_eq!(slice(TEXT, Unit::Utf16, 4, 6), None);
        assert_eq!(slice(TEXT, Unit::Bytes, 1, 6), Some("ä€"));
        assert_eq!(slice(TEXT, Unit::Bytes, 1, 12), None);
        assert_eq!(slice(TEXT, Unit::Bytes, 3, 1), None);
    }
}
