/// Whether `c` is a character that texts are made of, so that it may be what a misread piece was. Blocks of scripts
/// that nobody's data is in are left out: there a lucky accident is likelier than a text.
pub(crate) fn is_plausible(c: char) -> bool {
    matches!(c,
        // Controls of Windows-1252 and signs of Latin-1, letters of Latin.
        '\u{80}'..='\u{17f}' | '\u{192}' | '\u{1a0}' | '\u{1a1}' | '\u{1af}' | '\u{1b0}' | '\u{1cd}'..='\u{1dc}'
        | '\u{218}'..='\u{21b}' | '\u{259}' | '\u{2bb}'..='\u{2bd}' | '\u{2c6}'..='\u{2dd}' | '\u{300}'..='\u{345}'
        // Greek, Cyrillic, Armenian, Hebrew, Arabic.
        | '\u{384}'..='\u{3ff}' | '\u{400}'..='\u{52f}' | '\u{531}'..='\u{58a}' | '\u{591}'..='\u{5f4}'
        | '\u{60c}'..='\u{6ff}'
        // Scripts of India, Thai, Lao, Tibetan, Burmese, Georgian, Korean letters, Khmer.
        | '\u{900}'..='\u{dff}' | '\u{e01}'..='\u{edf}' | '\u{f00}'..='\u{fda}' | '\u{1000}'..='\u{11ff}'
        | '\u{1780}'..='\u{17f9}'
        // More letters of Latin and Greek, punctuation, signs, arrows, mathematics, drawings.
        | '\u{1e00}'..='\u{1fff}' | '\u{2000}'..='\u{2064}' | '\u{2066}'..='\u{2bff}'
        // Japanese, Chinese, Korean.
        | '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{fad9}'
        // Ligatures, selectors, byte order mark, full width, replacement character.
        | '\u{fb00}'..='\u{fb06}' | '\u{fe00}'..='\u{fe4f}' | '\u{feff}' | '\u{ff01}'..='\u{ffee}' | '\u{fffd}'
        // Mathematical letters, emoji, rare Chinese, tags of flags.
        | '\u{1d400}'..='\u{1d7ff}' | '\u{1f000}'..='\u{1faff}' | '\u{20000}'..='\u{2ebe0}' | '\u{e0020}'..='\u{e007f}')
}

/// Whether `c` is a letter of the Latin script, or an accent for one.
pub(crate) fn is_latin(c: char) -> bool {
    matches!(c, 'a'..='z' | 'A'..='Z' | '\u{300}'..='\u{345}' | '\u{1e00}'..='\u{1eff}')
        || matches!(c, '\u{c0}'..='\u{24f}') && !matches!(c, '×' | '÷')
}

/// What good text puts after a letter without a space between, also an accented one: closing quotation marks,
/// dashes, signs of trade and footnotes, a space that does not break, a hyphen that nobody sees.
pub(crate) fn may_follow_a_letter(c: char) -> bool {
    matches!(
        c,
        '’' | '‘'
            | '”'
            | '“'
            | '»'
            | '›'
            | '…'
            | '–'
            | '—'
            | '•'
            | '·'
            | '\u{a0}'
            | '\u{ad}'
            | '™'
            | '®'
            | '©'
            | '°'
            | 'ª'
            | 'º'
            | '¹'
            | '²'
            | '³'
            | '†'
            | '‡'
    )
}
