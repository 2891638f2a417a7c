use crate::pages::Page;
use crate::scan::ascii;

/// A piece of a text that is one character of UTF-8, misread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Piece {
    /// Where it stands in the text, in bytes.
    pub start: usize,
    pub end: usize,
    /// The first byte of what it was.
    pub lead: u8,
    /// What the other bytes were read as; the last of these fills the places that are not needed.
    pub tail: [char; 3],
    /// What it was.
    pub meant: char,
}

impl Piece {
    /// Whether `test` holds for all characters but the first.
    pub(crate) fn all(&self, test: impl Fn(char) -> bool) -> bool {
        self.tail.iter().all(|c| test(*c))
    }
}

/// All pieces of `text` that `page` may have misread, from left to right.
pub(crate) fn pieces(text: &str, page: Page) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        at += ascii(&text.as_bytes()[at..]);
        let Some(first) = text[at..].chars().next() else { break };
        match piece(text, at, first, page) {
            Some(piece) => {
                at = piece.end;
                found.push(piece);
            }
            None => at += first.len_utf8(),
        }
    }
    found
}

/// The piece that starts at `start`, with the character `first`.
fn piece(text: &str, start: usize, first: char, page: Page) -> Option<Piece> {
    let lead = page.byte(first).filter(|byte| page.is_lead(*byte))?;
    let length = match lead {
        ..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0.. => 4,
    };
    let mut bytes = [lead, 0, 0, 0];
    let mut tail = ['\0'; 3];
    let mut end = start + first.len_utf8();
    let mut following = text[end..].chars();
    for place in 1..length {
        let c = following.next()?;
        bytes[place] = page.byte(c).filter(|byte| matches!(byte, 0x80..=0xbf))?;
        tail[place - 1..].fill(c);
        end += c.len_utf8();
    }
    let meant = str::from_utf8(&bytes[..length]).ok()?.chars().next()?;
    Some(Piece { start, end, lead, tail, meant })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(text: &str, page: Page) -> String {
        pieces(text, page).iter().map(|piece| piece.meant).collect()
    }

    #[test]
    fn pieces_of_all_lengths_are_found() {
        assert_eq!(meant("cafÃ© â€™ ðŸ™‚ x", Page::Windows1252), "é’🙂");
        assert_eq!(meant("РџСЂРёРІРµС‚", Page::Windows1251), "Привет");
        assert_eq!(meant("caf√© ‚Äô \u{f8ff}üôÇ", Page::MacRoman), "é’🙂");
        let piece = pieces("a ðŸ™‚", Page::Windows1252)[0];
        assert_eq!((piece.start, piece.end, piece.lead), (2, 12, 0xf0));
        assert_eq!(piece.tail, ['Ÿ', '™', '‚']);
        assert_eq!(pieces("Ã©", Page::Windows1252)[0].tail, ['©'; 3]);
    }

    #[test]
    fn what_is_no_utf_8_is_none() {
        // Ends too early, too long a form, half of a surrogate pair, no continuation.
        for text in ["Ã", "â€", "ð", "Ã Ã", "ÀÁ", "à€€", "í\u{a0}€", "naïve café", "São", "ÿ¿", "õ€€€"]
        {
            assert_eq!(pieces(text, Page::Windows1252), [], "{text}");
        }
    }
}
