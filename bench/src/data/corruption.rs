//! What happens to texts on their way: each corruption can be undone by cleaning, except the edits.

use pegbox_random::SplitMix64;

use super::random::{chance, pick};
use super::text::{Piece, Text};

/// The encoding in which the bytes of UTF-8 were read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Misread {
    Windows1252,
    Latin1,
}

/// The characters of Windows-1252 from 0x80 to 0x9F; the five that it lacks are controls, as browsers read them.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

pub fn mojibake(text: &str, read_as: Misread) -> String {
    text.bytes()
        .map(|byte| match (byte, read_as) {
            (0x80..=0x9f, Misread::Windows1252) => WINDOWS_1252[usize::from(byte - 0x80)],
            _ => char::from(byte),
        })
        .collect()
}

/// Other capitals, or none; as before if they would not go back.
pub fn other_case(pieces: &mut [String], random: &mut SplitMix64) {
    let style = random.below(3);
    for piece in pieces {
        let changed = match style {
            0 => piece.to_uppercase(),
            1 => piece.to_lowercase(),
            _ => capitalised(piece),
        };
        if changed.to_lowercase() == piece.to_lowercase() {
            *piece = changed;
        }
    }
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// Pieces with white space of any kind between them, and around.
pub fn other_spaces(pieces: &[String], random: &mut SplitMix64) -> String {
    const SPACES: [&str; 6] = ["  ", "\t", "\n", " \r\n", "   ", "\u{a0}"];
    let mut text = String::new();
    if chance(400, random) {
        text.push_str(pick(&SPACES, random));
    }
    for (place, piece) in pieces.iter().enumerate() {
        if place > 0 {
            text.push_str(if chance(150, random) { pick(&SPACES, random) } else { " " });
        }
        text.push_str(piece);
    }
    if chance(400, random) {
        text.push_str(pick(&SPACES, random));
    }
    text
}

/// The text as a mail program or an editor in a browser would have it.
pub fn html(pieces: &[String], random: &mut SplitMix64) -> String {
    const AROUND: [(&str, &str); 6] = [
        ("<p>", "</p>"),
        ("<div class=\"message-body\">", "</div>"),
        ("<html><head><title></title></head><body>\n<p>", "</p>\n</body></html>"),
        ("<span style=\"font-size:12px; color:#333333\">", "</span>"),
        ("<style type=\"text/css\">p { margin: 0; }</style><p>", "</p>"),
        ("<!-- message 2 of 3 --><div>", "<br></div>"),
    ];
    const INLINE: [(&str, &str); 5] = [
        ("<b>", "</b>"),
        ("<em>", "</em>"),
        ("<a href=\"https://www.example.com/help?topic=7&amp;from=mail\">", "</a>"),
        ("<span class=\"hl\">", "</span>"),
        ("<strong>", "</strong>"),
    ];
    let accents = chance(500, random);
    let marked = random.below(3) + 1;
    let places: Vec<usize> = (0..marked).map(|_| random.below(pieces.len().max(1))).collect();
    let (before, after) = pick(&AROUND, random);
    let mut text = before.to_owned();
    for (place, piece) in pieces.iter().enumerate() {
        if place > 0 {
            text.push_str(match random.below(24) {
                0 => "<br>",
                1 => "<br />\n",
                2 | 3 => "&nbsp;",
                _ => " ",
            });
        }
        let escaped = escaped(piece, accents);
        if places.contains(&place) {
            let (open, close) = pick(&INLINE, random);
            text.extend([open, escaped.as_str(), close]);
        } else {
            text.push_str(&escaped);
        }
    }
    text.push_str(after);
    text
}

fn escaped(piece: &str, accents: bool) -> String {
    let mut out = String::with_capacity(piece.len());
    for character in piece.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '£' if accents => out.push_str("&pound;"),
            '€' if accents => out.push_str("&euro;"),
            'é' if accents => out.push_str("&eacute;"),
            'ü' if accents => out.push_str("&uuml;"),
            '’' if accents => out.push_str("&rsquo;"),
            _ if accents && !character.is_ascii() => {
                out.push_str(&format!("&#{};", u32::from(character)));
            }
            _ => out.push(character),
        }
    }
    out
}

/// Changes one to three words or letters for good; personal data stays as it is.
pub fn edit(text: &mut Text, random: &mut SplitMix64) {
    for _ in 0..=random.below(3) {
        if chance(500, random) { edit_word(text, random) } else { edit_letter(text, random) }
    }
}

fn edit_word(text: &mut Text, random: &mut SplitMix64) {
    const FILLERS: [&str; 16] = [
        "really",
        "please",
        "again",
        "today",
        "still",
        "maybe",
        "somehow",
        "certainly",
        "just",
        "now",
        "kindly",
        "often",
        "quickly",
        "already",
        "once",
        "simply",
    ];
    let Some(place) = word(text, 1, random) else { return };
    let filler = Piece::Word(pick(&FILLERS, random).to_owned());
    match random.below(4) {
        0 => text.0.insert(place, filler),
        1 if text.0.len() > 8 => drop(text.0.remove(place)),
        2 if place > 0 => text.0.swap(place - 1, place),
        _ => text.0[place] = filler,
    }
}

fn edit_letter(text: &mut Text, random: &mut SplitMix64) {
    let Some(place) = word(text, 4, random) else { return };
    let Piece::Word(word) = &mut text.0[place] else { return };
    let mut letters: Vec<char> = word.chars().collect();
    let at = random.below(letters.len() - 1);
    let letter = char::from(b'a' + random.below(26) as u8);
    match random.below(4) {
        0 => letters[at] = letter,
        1 => letters.insert(at, letter),
        2 => drop(letters.remove(at)),
        _ => letters.swap(at, at + 1),
    }
    *word = letters.into_iter().collect();
}

/// The place of some word of at least so many characters.
fn word(text: &Text, shortest: usize, random: &mut SplitMix64) -> Option<usize> {
    let fits = |piece: &Piece| matches!(piece, Piece::Word(word) if word.chars().count() >= shortest.max(2));
    let places: Vec<usize> = (0..text.0.len()).filter(|place| fits(&text.0[*place])).collect();
    (!places.is_empty()).then(|| pick(&places, random))
}

#[cfg(test)]
mod tests {
    use super::super::shingles::normalised;
    use super::*;

    fn pieces(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn known_mojibake() {
        assert_eq!(mojibake("José’s café", Misread::Windows1252), "JosÃ©â€™s cafÃ©");
        assert_eq!(mojibake("£5 é’", Misread::Latin1), "Â£5 Ã©â\u{80}\u{99}");
        assert_eq!(mojibake("plain", Misread::Windows1252), "plain");
    }

    #[test]
    fn other_case_and_spaces_leave_a_text_that_is_equal_when_normalised() {
        let mut random = SplitMix64::new(5);
        let text = "I’m José Müller from Łódź. My IBAN is DE89 3704";
        let mut changed = 0;
        for _ in 0..50 {
            let mut other = pieces(text);
            other_case(&mut other, &mut random);
            let other = other_spaces(&other, &mut random);
            assert_eq!(normalised(&other), normalised(text));
            changed += usize::from(other != text);
        }
        assert!(changed > 40);
    }

    #[test]
    fn html_holds_the_words_and_escapes_what_it_must() {
        let mut random = SplitMix64::new(6);
        let text = pieces("Smith & Sons asked \"why\" for £5 at Café Élan");
        for _ in 0..50 {
            let html = html(&text, &mut random);
            assert!(
                html.contains('<') && html.contains("&amp;") && html.contains("&quot;why&quot;"),
                "{html}"
            );
            assert!(html.contains("£5") || html.contains("&pound;5"), "{html}");
        }
    }

    #[test]
    fn an_edit_changes_the_text_a_little() {
        let mut random = SplitMix64::new(7);
        let original =
            Text::of_words("Where is the card that I ordered two weeks ago from your branch in town?");
        let mut same = 0;
        for _ in 0..200 {
            let mut text = original.clone();
            edit(&mut text, &mut random);
            assert!(text.0.len().abs_diff(original.0.len()) <= 3);
            same += usize::from(text == original);
        }
        assert!(same < 10, "{same}");
    }
}
