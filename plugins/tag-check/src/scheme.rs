use std::fmt;

use serde::Deserialize;

use crate::tag::Tag;

/// How tags say where entities begin and end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// `I`; `B` only where an entity follows another of the same type.
    Iob1,
    /// `B`, then `I`.
    #[default]
    Iob2,
    /// `B`, `I`, then `E`; `S` for an entity of one token.
    Iobes,
    /// As [`Scheme::Iobes`], with `L` (last) and `U` (unit).
    Bilou,
}

/// The letter of a tag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Letter {
    O,
    B,
    I,
    E,
    S,
    L,
    U,
}

/// What is wrong with a tag where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Breach {
    /// The scheme has no such letter.
    Letter,
    /// It goes on with an entity that has not begun.
    NoBegin,
    /// It goes on with an entity of another type.
    TypeChange,
    /// Its entity has no end.
    Unclosed,
    /// The entity would begin here without a `B`.
    NeedlessBegin,
}

impl Letter {
    pub fn of(c: char) -> Option<Self> {
        Some(match c {
            'O' => Self::O,
            'B' => Self::B,
            'I' => Self::I,
            'E' => Self::E,
            'S' => Self::S,
            'L' => Self::L,
            'U' => Self::U,
            _ => return None,
        })
    }

    pub fn as_char(self) -> char {
        match self {
            Self::O => 'O',
            Self::B => 'B',
            Self::I => 'I',
            Self::E => 'E',
            Self::S => 'S',
            Self::L => 'L',
            Self::U => 'U',
        }
    }

    /// Whether an entity begins with it.
    fn begins(self) -> bool {
        matches!(self, Self::B | Self::S | Self::U)
    }

    /// Whether an entity ends with it.
    fn ends(self) -> bool {
        matches!(self, Self::E | Self::S | Self::L | Self::U)
    }

    /// Whether an entity may go on after it.
    fn is_open(self) -> bool {
        matches!(self, Self::B | Self::I)
    }

    /// Whether an entity goes on with it.
    fn goes_on(self) -> bool {
        matches!(self, Self::I | Self::E | Self::L)
    }
}

impl Scheme {
    pub(crate) const ALL: [Self; 4] = [Self::Iob1, Self::Iob2, Self::Iobes, Self::Bilou];

    /// Its letters but `O`.
    pub(crate) fn letters(self) -> &'static [Letter] {
        match self {
            Self::Iob1 | Self::Iob2 => &[Letter::B, Letter::I],
            Self::Iobes => &[Letter::B, Letter::I, Letter::E, Letter::S],
            Self::Bilou => &[Letter::B, Letter::I, Letter::L, Letter::U],
        }
    }

    pub(crate) fn has(self, letter: Letter) -> bool {
        letter == Letter::O || self.letters().contains(&letter)
    }

    /// What is wrong with the tag between these two. Next to what is no tag, nothing is said.
    pub(crate) fn breach(
        self,
        before: Option<&Tag<'_>>,
        tag: &Tag<'_>,
        after: Option<&Tag<'_>>,
    ) -> Option<Breach> {
        let letter = tag.letter?;
        if !self.has(letter) {
            return Some(Breach::Letter);
        }
        if !tag.of_entity() {
            return None;
        }
        // Before the first tag and after the last there is no entity.
        let letter_of = |tag: Option<&Tag<'_>>| tag.map_or(Some(Letter::O), |tag| tag.letter);
        let (left, right) = (letter_of(before), letter_of(after));
        let same = |tag: Option<&Tag<'_>>, kind: &str| tag.is_some_and(|tag| tag.kind == kind);

        match self {
            Self::Iob1 => {
                let follows = left.is_none_or(Letter::is_open) && (left.is_none() || same(before, tag.kind));
                (letter == Letter::B && !follows).then_some(Breach::NeedlessBegin)
            }
            Self::Iob2 | Self::Iobes | Self::Bilou => {
                let closes = self != Self::Iob2;
                if letter.goes_on() {
                    match left {
                        Some(left) if left.is_open() && !same(before, tag.kind) => {
                            return Some(Breach::TypeChange);
                        }
                        Some(left) if !left.is_open() => return Some(Breach::NoBegin),
                        _ => {}
                    }
                }
                let open = closes && letter.is_open();
                // A change of type is told of the tag that changes it.
                (open && right.is_some_and(|right| !right.goes_on())).then_some(Breach::Unclosed)
            }
        }
    }

    /// The letter that the tag between these two should have, if there is no doubt.
    pub(crate) fn mended(
        self,
        breach: Breach,
        before: Option<&Tag<'_>>,
        tag: &Tag<'_>,
        after: Option<&Tag<'_>>,
    ) -> Option<Letter> {
        match (self, breach) {
            (_, Breach::Letter | Breach::TypeChange) => None,
            (_, Breach::NeedlessBegin) => Some(Letter::I),
            (Self::Iob1 | Self::Iob2, _) => Some(Letter::B),
            (Self::Iobes | Self::Bilou, _) => {
                // After the end of an entity of its type, it is that end which may be wrong.
                let joins = |tag: &Tag<'_>, other: &Tag<'_>| other.of_entity() && other.kind == tag.kind;
                if breach == Breach::NoBegin && before.is_some_and(|before| joins(tag, before)) {
                    return None;
                }
                let letter = tag.letter?;
                let begins = letter.begins() || breach == Breach::NoBegin;
                let goes_on = after.is_some_and(|after| after.letter.is_none_or(Letter::goes_on));
                let ends = letter.ends() || !goes_on;
                let [end, single] =
                    if self == Self::Iobes { [Letter::E, Letter::S] } else { [Letter::L, Letter::U] };
                Some(match (begins, ends) {
                    (true, true) => single,
                    (true, false) => Letter::B,
                    (false, true) => end,
                    (false, false) => Letter::I,
                })
            }
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Iob1 => "iob1",
            Self::Iob2 => "iob2",
            Self::Iobes => "iobes",
            Self::Bilou => "bilou",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The breaches of some tags, and the tags mended.
    fn looked_at(scheme: Scheme, tags: &str) -> (Vec<(usize, Breach)>, String) {
        let tags: Vec<Tag<'_>> = tags.split(' ').map(|tag| Tag::read(tag, "-")).collect();
        let mut breaches = Vec::new();
        let mut mended = Vec::new();
        for (place, tag) in tags.iter().enumerate() {
            let (before, after) =
                (place.checked_sub(1).and_then(|place| tags.get(place)), tags.get(place + 1));
            let breach = scheme.breach(before, tag, after);
            let letter = breach.and_then(|breach| scheme.mended(breach, before, tag, after)).or(tag.letter);
            breaches.extend(breach.map(|breach| (place, breach)));
            mended.push(match letter {
                None => "?".to_owned(),
                Some(Letter::O) => "O".to_owned(),
                Some(letter) => format!("{}-{}", letter.as_char(), tag.kind),
            });
        }
        (breaches, mended.join(" "))
    }

    #[track_caller]
    fn is(scheme: Scheme, tags: &str, breaches: &[(usize, Breach)], mended: &str) {
        assert_eq!(looked_at(scheme, tags), (breaches.to_vec(), mended.to_owned()), "{scheme}: {tags}");
    }

    #[track_caller]
    fn right(scheme: Scheme, tags: &str) {
        is(scheme, tags, &[], tags);
    }

    #[test]
    fn each_scheme_takes_what_is_its_own() {
        right(Scheme::Iob1, "I-X I-X B-X I-Y O I-Y");
        right(Scheme::Iob2, "B-X I-X B-X B-Y O B-Y I-Y");
        right(Scheme::Iobes, "S-X B-X I-X E-X S-Y O B-Y E-Y");
        right(Scheme::Bilou, "U-X B-X I-X L-X U-Y O B-Y L-Y");
        is(Scheme::Iobes, "U-X O", &[(0, Breach::Letter)], "U-X O");
        is(Scheme::Iob2, "O S-X", &[(1, Breach::Letter)], "O S-X");
    }

    #[test]
    fn an_entity_that_has_not_begun_begins() {
        is(Scheme::Iob2, "I-X I-X O I-Y", &[(0, Breach::NoBegin), (3, Breach::NoBegin)], "B-X I-X O B-Y");
        is(
            Scheme::Iobes,
            "I-X E-X O I-X O E-Y",
            &[(0, Breach::NoBegin), (3, Breach::NoBegin), (5, Breach::NoBegin)],
            "B-X E-X O S-X O S-Y",
        );
        is(Scheme::Bilou, "O I-X", &[(1, Breach::NoBegin)], "O U-X");
        is(Scheme::Iobes, "B-X E-X I-X", &[(2, Breach::NoBegin)], "B-X E-X I-X");
    }

    #[test]
    fn an_entity_that_does_not_end_ends() {
        is(
            Scheme::Iobes,
            "B-X O B-X I-X S-Y B-Z",
            &[(0, Breach::Unclosed), (3, Breach::Unclosed), (5, Breach::Unclosed)],
            "S-X O B-X E-X S-Y S-Z",
        );
    }

    #[test]
    fn a_change_of_type_is_in_doubt() {
        is(Scheme::Iob2, "B-X I-Y", &[(1, Breach::TypeChange)], "B-X I-Y");
        is(Scheme::Iobes, "B-X E-Y", &[(1, Breach::TypeChange)], "B-X E-Y");
        right(Scheme::Iob1, "I-X I-Y");
    }

    #[test]
    fn a_begin_without_need_goes() {
        is(
            Scheme::Iob1,
            "B-X I-X B-X B-Y",
            &[(0, Breach::NeedlessBegin), (3, Breach::NeedlessBegin)],
            "I-X I-X B-X I-Y",
        );
    }

    #[test]
    fn nothing_is_said_next_to_what_is_no_tag() {
        for scheme in Scheme::ALL {
            assert!(looked_at(scheme, "3 I-X 3").0.is_empty(), "{scheme}");
            assert!(looked_at(scheme, "3 B-X 3").0.is_empty(), "{scheme}");
        }
    }
}
