use crate::pages::Page;
use crate::pieces::Piece;
use crate::plausible::{is_latin, is_plausible, may_follow_a_letter};

/// How sure it is that a piece was misread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// No good text holds it.
    Certain,
    /// Good text may hold it; beside certain ones it is misread.
    Likely,
    /// It stays.
    No,
}

/// What stands around a piece.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The character before it, as it was meant.
    pub before: Option<char>,
    pub after: Option<char>,
    /// How many pieces, without anything between them, it is one of.
    pub run: usize,
    /// How many of these are odd.
    pub odd: usize,
}

impl Place {
    fn follows(&self, test: impl Fn(char) -> bool) -> bool {
        self.before.is_some_and(test)
    }

    fn precedes(&self, test: impl Fn(char) -> bool) -> bool {
        self.after.is_some_and(test)
    }
}

/// Whether `piece`, as `page` shows it, was misread there.
pub(crate) fn judge(piece: &Piece, page: Page, place: Place) -> Verdict {
    if !is_plausible(piece.meant) {
        return Verdict::No;
    }
    match page {
        Page::Windows1252 => western(piece, place),
        Page::Windows1251 => cyrillic(piece, place),
        Page::MacRoman => macintosh(piece, place),
    }
}

/// Whether `piece` goes on with something that good text does not put after a letter.
pub(crate) fn is_odd(piece: &Piece, page: Page) -> bool {
    !match page {
        Page::Windows1252 => piece.all(|c| may_follow_a_letter(c) || is_letter_beyond_latin_1(c)),
        Page::Windows1251 => piece.all(|c| may_follow_a_letter(c) || is_letter_of_cyrillic(c)),
        Page::MacRoman => piece.all(may_follow_a_letter),
    }
}

fn certain_if(certain: bool) -> Verdict {
    if certain { Verdict::Certain } else { Verdict::Likely }
}

/// Letters of Windows-1252 beyond Latin-1 continue words of good text: Úžasný.
fn is_letter_beyond_latin_1(c: char) -> bool {
    matches!(c, 'Š' | 'š' | 'Ž' | 'ž' | 'Œ' | 'œ' | 'Ÿ' | 'ƒ')
}

fn western(piece: &Piece, place: Place) -> Verdict {
    let Piece { lead, meant, tail, .. } = *piece;
    let in_run = place.run > 1;
    let innocent = piece.all(may_follow_a_letter);
    match lead {
        0xc2 | 0xc3 => certain_if(in_run || latin_1(tail[0], place)),
        // The end of what Mac OS Roman makes of a quotation mark or an ellipsis: ‚Ä¶.
        0xc4 if place.before == Some('‚') => Verdict::No,
        0xc4..=0xc8 if is_latin(meant) => certain_if(in_run || extended_latin(tail[0], place)),
        // An accent of its own, after its letter.
        0xcc | 0xcd => certain_if(!innocent && place.follows(is_latin)),
        // × and Ø stand before numbers, which fractions and exponents are.
        0xd7 => certain_if(place.run > 2),
        0xc4..0xe0 => certain_if(place.run > 2 || in_run && place.odd > 0),
        // Punctuation, signs and full width: an accent before two signs.
        0xe2 | 0xef => certain_if(in_run || !innocent),
        0xe0..0xf0 if in_run => Verdict::Certain,
        // One letter of Vietnamese, or one sign of Chinese.
        0xe0..0xf0 => {
            let fits = is_latin(meant) || !place.follows(is_latin);
            if innocent && !fits {
                return Verdict::No;
            }
            certain_if(fits && is_odd(piece, Page::Windows1252))
        }
        0xf0.. => certain_if(tail[0] == 'Ÿ' || !innocent),
        ..0xc2 => Verdict::No,
    }
}

/// Â or Ã before `tail`: signs and letters of Latin-1. Words end with these letters in capitals only: MAÇÃ.
fn latin_1(tail: char, place: Place) -> bool {
    let letter_follows = place.precedes(char::is_alphabetic);
    if place.follows(char::is_uppercase) {
        return match tail {
            '’' | '—' | '…' | '\u{a0}' | '\u{ad}' => false,
            tail if may_follow_a_letter(tail) => letter_follows,
            _ => true,
        };
    }
    match tail {
        _ if place.follows(char::is_lowercase) => true,
        '’' => false,
        '”' | '“' | '‘' | '»' | '›' | '…' | '–' | '—' => letter_follows,
        _ => true,
    }
}

/// Ä, Å and the like before `tail`: letters of Polish, Czech, Turkish, Romanian, Vietnamese.
fn extended_latin(tail: char, place: Place) -> bool {
    if place.follows(char::is_lowercase) {
        return true;
    }
    let capitals = place.follows(char::is_uppercase);
    match tail {
        '’' | '–' | '—' | '\u{a0}' | '\u{ad}' => false,
        tail if may_follow_a_letter(tail) => !capitals && place.precedes(char::is_lowercase),
        tail => !(capitals && is_letter_beyond_latin_1(tail)),
    }
}

fn cyrillic(piece: &Piece, place: Place) -> Verdict {
    let Piece { lead, tail, meant, .. } = *piece;
    match lead {
        // Two letters of Serbian in a row that are never neighbours.
        0xe2 => certain_if(tail[0] == 'Ђ'),
        0xf0 => certain_if(tail[0] == 'џ'),
        0xd0..=0xd3 => match place.run {
            ..2 => Verdict::Likely,
            2 => certain_if(place.odd == 2),
            3.. => certain_if(place.odd > 0),
        },
        // A Cyrillic letter beside Latin ones.
        0xc3 => certain_if(
            meant.is_alphabetic()
                && (place.follows(|c| c.is_ascii_lowercase()) || place.precedes(|c| c.is_ascii_lowercase())),
        ),
        0xc4 | 0xc5 => certain_if(
            place.follows(|c| c.is_ascii_lowercase()) && place.precedes(|c| c.is_ascii_lowercase()),
        ),
        0xe0..0xf0 => certain_if(place.run > 1 && place.odd > 0),
        _ => Verdict::Likely,
    }
}

/// Letters of Windows-1251 outside the Russian alphabet that words of today hold in any place.
fn is_letter_of_cyrillic(c: char) -> bool {
    matches!(c, 'Ё' | 'ё' | 'І' | 'і' | 'Ї' | 'ї' | 'Є' | 'є' | 'Ґ' | 'ґ' | 'Ў' | 'ў' | 'Ј' | 'ј')
}

fn macintosh(piece: &Piece, place: Place) -> Verdict {
    let Piece { lead, tail, meant, .. } = *piece;
    let before = place.follows(is_latin);
    let after = place.precedes(is_latin);
    match lead {
        0xe2 => certain_if(tail[0] == 'Ä' || tail[..2] == ['Ñ', '¢']),
        0xf0 => certain_if(tail[0] == 'ü'),
        0xc2 => certain_if(matches!(tail[0], '†' | '£')),
        // √π is mathematics.
        0xc3 if matches!(tail[0], '∞' | '±' | '≤' | '≥' | '∂' | '∑' | '∏' | 'π' | '∫' | 'Ω' | 'µ') => {
            certain_if(before && after)
        }
        0xc3 => certain_if(before || after || place.run > 1),
        0xc4 | 0xc5 => certain_if(before && after && is_latin(meant)),
        _ => Verdict::No,
    }
}
