//! A zero-width joiner between emoji makes one picture of them (a family, a profession). Joiner and non-joiner
//! between letters of Arabic, Indic and some other scripts choose shapes, and with them words: Persian
//! writes its plurals with a non-joiner. Anywhere else they are residue, or hide something.

/// Whether U+200D stays between `before` and `after`; none is an end of the text.
pub(crate) fn joins(before: Option<char>, after: Option<char>) -> bool {
    let Some(before) = before else { return false };
    is_virama(before)
        || after.is_some_and(|after| {
            (ends_picture(before) && is_pictured(after)) || (is_shaped(before) && is_shaped(after))
        })
}

/// Whether U+200C (or the Mongolian vowel separator) stays between `before` and `after`.
pub(crate) fn separates(before: Option<char>, after: Option<char>) -> bool {
    before.is_some_and(is_shaped) && after.is_some_and(is_shaped)
}

/// Signs that strip an Indic consonant of its vowel. With a joiner they write half forms, also at the end of a
/// word (Malayalam's chillus).
fn is_virama(c: char) -> bool {
    let code = u32::from(c);
    // From Devanagari to Malayalam, it has the same place in each block of 128.
    ((0x900..0xd80).contains(&code) && code % 0x80 == 0x4d) || code == 0xdca
}

/// Letters and marks of the scripts in which joiners choose shapes. Presentation forms are not among them:
/// their shape is chosen.
fn is_shaped(c: char) -> bool {
    matches!(c,
        // Arabic, Syriac, Thaana, N'Ko, Mandaic.
        '\u{620}'..='\u{8ff}'
        // Devanagari to Sinhala.
        | '\u{900}'..='\u{dff}'
        // Tibetan, Myanmar; Khmer, Mongolian, Limbu to Vedic signs.
        | '\u{f00}'..='\u{109f}' | '\u{1780}'..='\u{180d}' | '\u{180f}'..='\u{18af}' | '\u{1900}'..='\u{1c4f}'
        | '\u{1cd0}'..='\u{1cff}'
        // Syloti Nagri to Meetei Mayek, without Korean jamo.
        | '\u{a800}'..='\u{a95f}' | '\u{a980}'..='\u{aaff}' | '\u{abc0}'..='\u{abff}'
        // Kharoshthi to Old Sogdian, Brahmi to Gunjala Gondi, Adlam.
        | '\u{10a00}'..='\u{10fff}' | '\u{11000}'..='\u{11fff}' | '\u{1e900}'..='\u{1e95f}')
}

/// Emoji that take part in joined sequences, and skin tones.
fn is_pictured(c: char) -> bool {
    matches!(c, '\u{2194}'..='\u{2199}' | '\u{21a9}' | '\u{21aa}' | '\u{2600}'..='\u{27bf}'
        | '\u{2b00}'..='\u{2bff}' | '\u{1f300}'..='\u{1faff}')
}

/// An emoji, the selector that shows it in colour, or the tag that ends a flag.
fn ends_picture(c: char) -> bool {
    is_pictured(c) || matches!(c, '\u{fe0f}' | '\u{e007f}')
}

/// The base of a flag of tags: a black flag.
pub(crate) const FLAG: char = '\u{1f3f4}';

/// The length in bytes of a tag.
pub(crate) const TAG_BYTES: usize = 4;

/// The length in bytes of the tags at the start of `text` that spell the flag of a region, such as Scotland:
/// three to six letters and digits, and the tag that ends them. 0 if none do. Tags in any other place are
/// invisible text, which people should see or not train on.
pub(crate) fn flag_tags(text: &str) -> usize {
    let is_code = |c: &char| matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
    let code = text.chars().take(7).take_while(is_code).count();
    let ended = text.chars().nth(code) == Some('\u{e007f}');
    if ended && (3..=6).contains(&code) { (code + 1) * TAG_BYTES } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::Form;
    use crate::form::normalize;

    /// Else a joiner could stand between other characters after normalisation, and go in a second sweep.
    #[test]
    fn normal_forms_do_not_lead_out_of_the_sets() {
        for c in '\0'..=char::MAX {
            for form in [Form::Nfc, Form::Nfkc] {
                let text = c.to_string();
                let normal = normalize(&text, form);
                let mut ends = [normal.chars().next(), normal.chars().next_back()].into_iter().flatten();
                assert!(ends.clone().all(|end| !is_shaped(c) || is_shaped(end)), "{c:?} {form:?}");
                assert!(ends.all(|end| !is_pictured(c) || is_pictured(end)), "{c:?} {form:?}");
            }
        }
    }

    #[test]
    fn flags_need_their_end_and_a_region() {
        let tags = |code: &str| -> String {
            code.chars().filter_map(|c| char::from_u32(0xe0000 + u32::from(c))).collect()
        };
        assert_eq!(flag_tags(&tags("gbsct\u{7f}")), 24);
        assert_eq!(flag_tags(&tags("gbsct\u{7f}gb")), 24);
        for wrong in ["", "gbsct", "gb\u{7f}", "gbscotland\u{7f}", "say yes\u{7f}", "\u{7f}"] {
            assert_eq!(flag_tags(&tags(wrong)), 0, "{wrong:?}");
        }
        assert_eq!(flag_tags("gbsct"), 0);
    }
}
