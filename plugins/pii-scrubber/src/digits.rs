/// What stands between two groups of digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Separator {
    /// A space, also one that does not break.
    Space,
    Hyphen,
    Dot,
    Slash,
    /// A bracket or two, and at most one space or hyphen around.
    Bracket,
}

/// One group of digits: `text[start..end]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Group {
    pub start: usize,
    pub end: usize,
}

impl Group {
    pub fn len(self) -> usize {
        self.end - self.start
    }
}

/// More groups than any number has.
const GROUPS: usize = 10;

/// Groups of digits with one separator between any two, as far as they go.
#[derive(Debug)]
pub(crate) struct Chain {
    groups: [Group; GROUPS],
    separators: [Separator; GROUPS],
    len: usize,
}

impl Chain {
    /// The chain whose first digit stands at `start`. A group of more digits than `longest` is the last one.
    pub fn at(text: &[u8], start: usize, longest: usize) -> Self {
        let mut chain =
            Self { groups: [Group::default(); GROUPS], separators: [Separator::Space; GROUPS], len: 0 };
        let mut place = start;
        loop {
            let end = place + digits(&text[place..], longest + 1);
            chain.groups[chain.len] = Group { start: place, end };
            chain.len += 1;
            if chain.len == GROUPS || end - place > longest {
                return chain;
            }
            match separator(&text[end..]) {
                Some((separator, len)) => {
                    chain.separators[chain.len - 1] = separator;
                    place = end + len;
                }
                None => return chain,
            }
        }
    }

    pub fn groups(&self) -> &[Group] {
        &self.groups[..self.len]
    }

    /// What stands behind each group but the last.
    pub fn separators(&self) -> &[Separator] {
        &self.separators[..self.len - 1]
    }

    /// Whether the first groups have these lengths.
    pub fn begins(&self, lengths: &[usize]) -> bool {
        self.len >= lengths.len() && self.groups().iter().zip(lengths).all(|(group, len)| group.len() == *len)
    }
}

/// How many digits `text` begins with, at most `most`.
pub(crate) fn digits(text: &[u8], most: usize) -> usize {
    text.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count()
}

/// The separator that `text` begins with, if a digit follows, and its length.
fn separator(text: &[u8]) -> Option<(Separator, usize)> {
    let mut len = 0;
    let mut kind = None;
    if text.first() == Some(&b')') {
        kind = Some(Separator::Bracket);
        len = 1;
    }
    if let Some((mark, bytes)) = mark(&text[len..]) {
        kind = kind.or(Some(mark));
        len += bytes;
    }
    if text.get(len) == Some(&b'(') {
        kind = Some(Separator::Bracket);
        len += 1;
    }
    let kind = kind?;
    text.get(len)?.is_ascii_digit().then_some((kind, len))
}

fn mark(text: &[u8]) -> Option<(Separator, usize)> {
    Some(match text {
        [b' ', ..] => (Separator::Space, 1),
        [b'-', ..] => (Separator::Hyphen, 1),
        [b'.', ..] => (Separator::Dot, 1),
        [b'/', ..] => (Separator::Slash, 1),
        // U+00A0 and U+202F; U+2010 to U+2013.
        [0xc2, 0xa0, ..] => (Separator::Space, 2),
        [0xe2, 0x80, 0xaf, ..] => (Separator::Space, 3),
        [0xe2, 0x80, 0x90..=0x93, ..] => (Separator::Hyphen, 3),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(text: &str) -> Vec<usize> {
        Chain::at(text.as_bytes(), 0, 19).groups().iter().map(|group| group.len()).collect()
    }

    #[test]
    fn groups_end_where_no_separator_leads_to_a_digit() {
        assert_eq!(lengths("12 345-6789, 1"), [2, 3, 4]);
        assert_eq!(lengths("44 (0)20 7946"), [2, 1, 2, 4]);
        assert_eq!(lengths("555) 123 - 4"), [3, 3]);
        assert_eq!(lengths("1  2"), [1]);
        assert_eq!(lengths("1\u{a0}23\u{2011}4."), [1, 2, 1]);
        assert_eq!(lengths(&"1 ".repeat(50)), [1; GROUPS]);
    }

    #[test]
    fn an_endless_group_is_not_read_to_its_end() {
        assert_eq!(lengths(&"1".repeat(1000)), [20]);
    }
}
