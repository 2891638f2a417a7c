use std::borrow::Cow;

use crate::judge::{Place, Verdict, is_odd, judge};
use crate::pages::Page;
use crate::pieces::{Piece, pieces};
use crate::scan::ascii;

/// `text` as it was before it was misread, up to `rounds` times; borrowed where nothing is certain.
pub(crate) fn repair<'a>(text: &'a str, pages: &[Page], rounds: u8) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..rounds {
        let mut changed = false;
        for page in pages {
            if let Some(repaired) = once(&text, *page) {
                text = Cow::Owned(repaired);
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    text
}

/// What takes the place of a part of the text.
struct Mend {
    start: usize,
    end: usize,
    by: char,
}

/// One round for one encoding; none if nothing is certain.
fn once(text: &str, page: Page) -> Option<String> {
    let pieces = pieces(text, page);
    let verdicts = verdicts(text, &pieces, page);
    let mut certain = verdicts.iter().filter(|verdict| **verdict == Verdict::Certain).count();
    let mut mends = if page == Page::Windows1252 { cut_short(text) } else { Vec::new() };
    certain += mends.len();
    if certain == 0 {
        return None;
    }
    let likely_too = verdicts.contains(&Verdict::Likely) && certain >= good_letters(text, &pieces);
    let taken = pieces.iter().zip(&verdicts).filter(|(_, verdict)| match verdict {
        Verdict::Certain => true,
        Verdict::Likely => likely_too,
        Verdict::No => false,
    });
    mends.extend(taken.map(|(piece, _)| Mend { start: piece.start, end: piece.end, by: piece.meant }));
    mends.sort_by_key(|mend| mend.start);
    Some(mended(text, &mends))
}

fn mended(text: &str, mends: &[Mend]) -> String {
    let mut mended = String::with_capacity(text.len());
    let mut done = 0;
    for mend in mends {
        mended.push_str(&text[done..mend.start]);
        mended.push(mend.by);
        done = mend.end;
    }
    mended.push_str(&text[done..]);
    mended
}

fn verdicts(text: &str, pieces: &[Piece], page: Page) -> Vec<Verdict> {
    let mut verdicts = Vec::with_capacity(pieces.len());
    for run in pieces.chunk_by(|piece, next| piece.end == next.start) {
        let odd = run.iter().filter(|piece| is_odd(piece, page)).count();
        for (index, piece) in run.iter().enumerate() {
            let before = match index {
                0 => text[..piece.start].chars().next_back(),
                _ => Some(run[index - 1].meant),
            };
            let after = match run.get(index + 1) {
                Some(next) => Some(next.meant),
                None => text[piece.end..].chars().next(),
            };
            verdicts.push(judge(piece, page, Place { before, after, run: run.len(), odd }));
        }
    }
    verdicts
}

/// How many letters there are, not ASCII, outside the pieces.
fn good_letters(text: &str, pieces: &[Piece]) -> usize {
    let good = |text: &str| text.chars().filter(|c| !c.is_ascii() && c.is_alphabetic()).count();
    let mut letters = 0;
    let mut done = 0;
    for piece in pieces {
        letters += good(&text[done..piece.start]);
        done = piece.end;
    }
    letters + good(&text[done..])
}

/// Pieces whose last character another program has taken for something else: a space that does not break (the
/// byte 0xa0) became a space or went at the end of a line, and bytes that Windows-1252 does not assign became U+FFFD.
fn cut_short(text: &str) -> Vec<Mend> {
    let mut mends = Vec::new();
    let mut at = 0;
    loop {
        let start = at + ascii(&text.as_bytes()[at..]);
        let Some(first) = text[start..].chars().next() else { return mends };
        at = start + first.len_utf8();
        if !matches!(first, 'Â' | 'Ã' | 'â') {
            continue;
        }
        let rest = &text[at..];
        let before = text[..start].chars().next_back();
        let mend = |extra: usize, by| Mend { start, end: at + extra, by };
        let spaces = rest.bytes().take(2).take_while(|byte| *byte == b' ').count();
        match first {
            // ”, the commonest of those that end so.
            'â' if rest.starts_with("€\u{fffd}") => mends.push(mend("€\u{fffd}".len(), '”')),
            // "voilÃ  monsieur": à, and the space that was there.
            'Ã' if before.is_some_and(char::is_lowercase) => {
                let ends = rest
                    .bytes()
                    .next()
                    .is_none_or(|byte| byte.is_ascii_whitespace() || b".,;:!?)".contains(&byte));
                if ends {
                    mends.push(mend(spaces / 2, 'à'));
                }
            }
            // "5Â km": a space that does not break.
            'Â' if spaces > 0
                && before.is_some_and(|c| {
                    !c.is_whitespace() && !c.is_uppercase() && (c.is_ascii() || c.is_lowercase())
                }) =>
            {
                mends.push(mend(1, '\u{a0}'));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGES: [Page; 3] = [Page::Windows1252, Page::Windows1251, Page::MacRoman];

    fn fixed(text: &str) -> String {
        repair(text, &PAGES, 3).into_owned()
    }

    /// `text`, in UTF-8, read in another encoding.
    fn misread(text: &str, encoding: &'static encoding_rs::Encoding) -> String {
        encoding.decode_without_bom_handling(text.as_bytes()).0.into_owned()
    }

    const LATIN: [&str; 14] = [
        "Où est ma carte ? Voilà, c’est déjà réglé… « merci »",
        "Größe, Übermut, „Straße“, Köln",
        "Não sei o que é um cartão; a manhã de amanhã",
        "¿Dónde está el niño? ¡Olé!",
        "Zażółć gęślą jaźń, średni",
        "Příliš žluťoučký kůň úpěl ďábelské ódy",
        "İstanbul’da şeker, ağaç, ılık",
        "Tiếng Việt được viết bằng chữ Quốc ngữ",
        "It’s “fine” – really… £5 or €6 at 20 °C ½ ®",
        "smile 🙂 thumbs 👍🏽 heart ❤️ → ☃ ™",
        "Smörgåsbord på ängen, Ångström",
        "œuvre, cœur, naïve façade",
        "Ștefan și țara în grădină",
        "Blåbær og rødgrød med fløde",
    ];
    const OTHER: [&str; 8] = [
        "Привет, как дела? Где моя карта",
        "Здравствуйте, у меня не работает банковская карта",
        "Ελληνικά, καλημέρα κόσμε",
        "你好，我的卡在哪里？",
        "こんにちは、カードはどこですか",
        "안녕하세요 카드가 어디에 있나요",
        "مرحبا أين بطاقتي",
        "สวัสดีครับ นमस्ते नमस्ते",
    ];

    #[test]
    fn what_was_misread_as_windows_1252_comes_back_also_after_a_second_time() {
        for text in LATIN.iter().chain(&OTHER) {
            let once = misread(text, encoding_rs::WINDOWS_1252);
            assert_eq!(fixed(&once), *text, "{once}");
            let twice = misread(&once, encoding_rs::WINDOWS_1252);
            assert_eq!(fixed(&twice), *text, "{twice}");
        }
    }

    #[test]
    fn what_was_misread_as_latin_1_comes_back() {
        for text in LATIN.iter().chain(&OTHER) {
            let once: String = text.bytes().map(char::from).collect();
            assert_eq!(fixed(&once), *text, "{once}");
        }
    }

    #[test]
    fn what_was_misread_as_windows_1251_comes_back_where_it_is_safe() {
        for text in [OTHER[0], OTHER[1], LATIN[8], LATIN[9], OTHER[3]] {
            let once = misread(text, encoding_rs::WINDOWS_1251);
            assert_eq!(fixed(&once), *text, "{once}");
        }
    }

    #[test]
    fn what_was_misread_as_mac_roman_comes_back_where_it_is_safe() {
        for text in [LATIN[1], LATIN[2], "caffè déjà été", "It’s “fine” – really…", "smile 🙂"]
        {
            let once = misread(text, encoding_rs::MACINTOSH);
            assert_eq!(fixed(&once), *text, "{once}");
        }
    }

    #[test]
    fn good_text_stays() {
        for text in LATIN.iter().chain(&OTHER) {
            assert_eq!(fixed(text), *text);
        }
        for text in [
            "São Paulo",
            "naïve café",
            "SÃO JOÃO, MAÇÃ, “A MAÇÃ\u{201d}, «MAÇÃ\u{bb}, A MAÇÃ… É",
            "“MAÇÃ” e «AMANHÃ\u{bb}",
            "IRMÃ’S, MANHÃ—TARDE, a letra Ã, a letra Â.",
            "« café\u{a0}» et «\u{a0}déjà\u{a0}»\u{a0}: à\u{a0}«\u{a0}Lyon\u{a0}»",
            "café…” café»… está»… “é”… đã…”",
            "Úžasný, ÚŽASNÝ, Ížš, Čáž",
            "„Ä“, „Ö“, ‚Ärger‘, „MENÜ“, Å’s, Å\u{a0}gå",
            "2×½ inch, 5×¼×¾, Ø½ mm, Ø±0.1",
            "Різдво, Рік, Січень, історії, В\u{a0}доме, «Рё»",
            "2√π, √∞, x√Ω, ¬∞, 3√±2",
            "Þórður “orð” Ísafjörður Ðð",
            "EUR 5€, £5, 20°, ©®™ ¿¡",
            "Björk®, Nestlé™, Citroën©, Müller²",
        ] {
            assert_eq!(fixed(text), text);
        }
    }

    #[test]
    fn single_signs_come_back() {
        for (text, meant) in [
            ("Â£5 and 20Â°C", "£5 and 20°C"),
            ("donâ€™t", "don’t"),
            ("â€œquotedâ€\u{9d}", "“quoted”"),
            ("â€œquotedâ€\u{fffd}", "“quoted”"),
            ("voil\u{c3}  monsieur", "voilà monsieur"),
            ("voil\u{c3} monsieur, voil\u{c3}.", "voilà monsieur, voilà."),
            ("5Â km", "5\u{a0}km"),
            ("ï»¿text", "\u{feff}text"),
            ("KÃ–LN, NIÃ‘O, Ã–sterreich", "KÖLN, NIÑO, Österreich"),
            ("CafeÌ\u{81}", "Cafe\u{301}"),
            ("groÃŸ", "groß"),
            ("Ã¢â‚¬â„¢", "’"),
            ("5 â‚¬", "5 €"),
        ] {
            assert_eq!(fixed(text), meant);
        }
    }

    #[test]
    fn good_and_bad_parts_of_a_text_are_told_apart() {
        assert_eq!(fixed("naïve café, schÃ¶n, “A MAÇÃ”"), "naïve café, schön, “A MAÇÃ”");
    }

    #[test]
    fn time_is_linear_in_the_length() {
        for piece in ["Ã", "Ã©", "â€™", "â€", "Â ", "Р", "Рџ", "√©", "ðŸ", "MAÇÃ” "] {
            // Would take minutes if it were quadratic.
            repair(&piece.repeat(1_000_000 / piece.len()), &PAGES, 8);
        }
    }

    #[test]
    fn a_second_pass_changes_nothing() {
        let alphabet: Vec<char> = "ÃÂâ€™©a bMÇ”“…РёџСѓ√Äô‚ðŸé\u{a0}\u{92}\u{fffd}".chars().collect();
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..20_000 {
            let text: String = (0..20)
                .map(|_| {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    alphabet[(random % alphabet.len() as u64) as usize]
                })
                .collect();
            let once = repair(&text, &PAGES, 200).into_owned();
            assert_eq!(repair(&once, &PAGES, 200), once, "{text:?}");
        }
    }
}
