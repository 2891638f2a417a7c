/// What becomes of a character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// It stays.
    Keep,
    /// It is white space.
    Space,
    /// It goes: nobody sees it, or it only steers how others are shown.
    Remove,
    /// U+200D: stays where it joins.
    Joiner,
    /// U+200C or U+180E: stays where it keeps letters apart that would join.
    NonJoiner,
    /// A tag, U+E0020 to U+E007F: stays as part of a flag.
    Tag,
}

/// Judges a character. ASCII is here too, because entities can name it.
///
/// Format characters (category Cf) go, except for those that are visible, such as the Arabic number signs,
/// and those that place Egyptian hieroglyphs. Variation selectors are no format characters: they stay, so
/// an emoji keeps its looks. So do unassigned and private characters: what they mean is not ours to say.
pub(crate) fn fate(c: char) -> Fate {
    match c {
        '\t'..='\r' | ' ' | '\u{1c}'..='\u{1f}' | '\u{85}' => Fate::Space,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => Fate::Remove,
        '\u{a0}' => Fate::Space,
        '\u{ad}' => Fate::Remove,
        '\u{20}'..='\u{61b}' => Fate::Keep,
        // Arabic letter mark, a control of direction.
        '\u{61c}' => Fate::Remove,
        '\u{1680}' => Fate::Space,
        '\u{180e}' => Fate::NonJoiner,
        '\u{61d}'..='\u{1fff}' => Fate::Keep,
        '\u{2000}'..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            Fate::Space
        }
        '\u{200c}' => Fate::NonJoiner,
        '\u{200d}' => Fate::Joiner,
        // Zero-width space, marks of direction.
        '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' => Fate::Remove,
        // Word joiner, invisible operators, isolates, deprecated controls; U+2065 is unassigned.
        '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' => Fate::Remove,
        // Byte order mark, anchors of annotations.
        '\u{feff}' | '\u{fff9}'..='\u{fffb}' => Fate::Remove,
        // Controls of shorthand and of music.
        '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' => Fate::Remove,
        '\u{e0001}' => Fate::Remove,
        '\u{e0020}'..='\u{e007f}' => Fate::Tag,
        _ => Fate::Keep,
    }
}

/// Whether `c` is one of many common characters, not ASCII, that stay as they are in every normal form, also
/// beside each other. A text of these and ASCII alone need not be looked at again.
pub(crate) fn is_settled(c: char) -> bool {
    // The most common first. Of Latin, there are no superscripts, fractions, spacing accents and ligatures here.
    matches!(c,
        // Letters of Latin; quotation marks and bullets, dashes; Cyrillic, Chinese, Korean, Japanese.
        '\u{bf}'..='\u{131}' | '\u{2018}'..='\u{2023}' | '\u{2012}'..='\u{2016}' | '\u{400}'..='\u{482}'
        | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}'
        | '\u{3001}'..='\u{3029}'
        // Letters of Arabic and Hebrew; emoji; rarer letters of Latin and Cyrillic.
        | '\u{621}'..='\u{64a}' | '\u{5d0}'..='\u{5ea}' | '\u{1f300}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}'
        | '\u{fe0f}' | '\u{134}'..='\u{13e}' | '\u{141}'..='\u{148}' | '\u{14a}'..='\u{17e}' | '\u{48a}'..='\u{52f}'
        // Signs: currencies and so on.
        | '\u{20ac}' | '\u{a1}'..='\u{a7}' | '\u{a9}' | '\u{ab}' | '\u{ac}' | '\u{ae}' | '\u{b0}' | '\u{b1}'
        | '\u{b6}' | '\u{b7}' | '\u{bb}' | '\u{2010}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::Form;
    use crate::form::normalize;

    #[test]
    fn settled_characters_are_normal_in_any_company() {
        // What composes with characters after it, and marks that would move behind such with a lower class.
        let before = ["", "e", "\u{1100}", "가", "का", "가\u{11a8}", "e\u{301}", "x\u{345}"];
        for c in ('\0'..=char::MAX).filter(|c| is_settled(*c)) {
            for before in before.map(|text| normalize(text, Form::Nfkc)) {
                let text = format!("{before}{c}");
                assert_eq!(normalize(&text, Form::Nfkc), text);
                assert_eq!(normalize(&text, Form::Nfc), text);
            }
            let small: String = c.to_lowercase().collect();
            assert_eq!(normalize(&small, Form::Nfkc), small, "in lower case");
            assert_eq!(fate(c), Fate::Keep);
        }
    }

    #[test]
    fn all_white_space_of_unicode_is_white_space() {
        for c in ('\0'..=char::MAX).filter(|c| c.is_whitespace()) {
            assert_eq!(fate(c), Fate::Space, "{c:?}");
        }
    }

    #[test]
    fn all_controls_are_spaces_or_go() {
        for c in ('\0'..=char::MAX).filter(|c| c.is_control()) {
            assert!(matches!(fate(c), Fate::Space | Fate::Remove), "{c:?}");
        }
    }

    #[test]
    fn what_is_visible_stays() {
        for c in "aß中가क्ा́🙂\u{fe0f}\u{600}\u{6dd}\u{110bd}\u{fffd}\u{e000}\u{13430}".chars() {
            assert_eq!(fate(c), Fate::Keep, "{c:?}");
        }
    }

    #[test]
    fn what_only_steers_goes() {
        for c in "\u{ad}\u{61c}\u{200b}\u{200e}\u{202e}\u{2060}\u{2069}\u{feff}\u{e0001}\u{7f}\0".chars() {
            assert_eq!(fate(c), Fate::Remove, "{c:?}");
        }
    }
}
