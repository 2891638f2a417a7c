use crate::bigrams::{COSTS, EDGE};
use crate::configuration::Gibberish;

/// The longest capitals that may abbreviate something.
const ABBREVIATION: usize = 5;

/// Whether the letters of `text` follow each other as in no language.
///
/// That is the mean surprise, in bits, of each letter after the one before it, a word's edges included, over the words
/// of Latin letters. No word for this purpose: what holds a digit or a sign (`user_id`, `a.b`, `@bob`, `#tag`), and
/// capitals of five letters or fewer, which abbreviate something. An apostrophe or hyphen parts two words.
pub(crate) fn is_gibberish(rule: &Gibberish, text: &str) -> bool {
    let mut sum = Sum::default();
    for token in text.split_ascii_whitespace() {
        let token = token.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '@' | '#' | '/' | '_'));
        if token.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            sum.add_ascii(token.as_bytes());
        } else if !token.bytes().any(is_sign) {
            token.split(|c: char| !c.is_alphabetic()).for_each(|word| sum.add(word));
        }
    }
    sum.letters >= rule.min_letters && sum.cost as f64 > 10.0 * rule.bits * sum.pairs as f64
}

/// Signs within a token that make it something else than words.
fn is_sign(byte: u8) -> bool {
    byte.is_ascii_digit()
        || matches!(byte, b'@' | b'#' | b'/' | b'\\' | b'_' | b'.' | b'=' | b'<' | b'>' | b'{' | b'}')
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Sum {
    letters: usize,
    pairs: usize,
    /// In tenths of a bit.
    cost: u64,
}

impl Sum {
    fn add_ascii(&mut self, word: &[u8]) {
        if word.is_empty() || (word.len() <= ABBREVIATION && word.iter().all(u8::is_ascii_uppercase)) {
            return;
        }
        let mut before = EDGE;
        let mut cost = 0;
        for byte in word {
            let letter = usize::from((byte | 0x20).wrapping_sub(b'a')).min(EDGE);
            cost += u64::from(COSTS[before][letter]);
            before = letter;
        }
        self.cost += cost + u64::from(COSTS[before][EDGE]);
        self.letters += word.len();
        self.pairs += word.len() + 1;
    }

    /// A word with other letters; one that has no counterpart without an accent is not judged.
    fn add(&mut self, word: &str) {
        let mut plain = Vec::with_capacity(word.len());
        for c in word.chars() {
            match c {
                'a'..='z' | 'A'..='Z' => plain.push(c as u8),
                _ => match without_accent(c) {
                    Some(letters) => plain.extend_from_slice(letters.as_bytes()),
                    None => return,
                },
            }
        }
        self.add_ascii(&plain);
    }
}

/// The plain letters for one with an accent, of those that are common in Europe and Vietnam.
fn without_accent(c: char) -> Option<&'static str> {
    Some(match c {
        'à'..='å' | 'À'..='Å' | 'Ā'..='ą' | 'ạ'..='ặ' | 'Ạ'..='Ặ' => "a",
        'æ' | 'Æ' => "ae",
        'ç' | 'Ç' | 'Ć'..='č' => "c",
        'Ď'..='đ' | 'ð' | 'Ð' => "d",
        'è'..='ë' | 'È'..='Ë' | 'Ē'..='ě' | 'ẹ'..='ệ' | 'Ẹ'..='Ệ' | 'ə' | 'Ə' => "e",
        'Ĝ'..='ģ' => "g",
        'Ĥ'..='ħ' => "h",
        'ì'..='ï' | 'Ì'..='Ï' | 'Ĩ'..='ı' | 'ỉ'..='ị' | 'Ỉ'..='Ị' => "i",
        'Ĵ' | 'ĵ' => "j",
        'Ķ' | 'ķ' => "k",
        'Ĺ'..='ł' => "l",
        'ñ' | 'Ñ' | 'Ń'..='ň' => "n",
        'ò'..='ö' | 'ø' | 'Ò'..='Ö' | 'Ø' | 'Ō'..='ő' | 'ơ' | 'Ơ' | 'ọ'..='ợ' | 'Ọ'..='Ợ' => {
            "o"
        }
        'Œ' | 'œ' => "oe",
        'Ŕ'..='ř' => "r",
        'Ś'..='š' | 'ș' | 'Ș' => "s",
        'ß' => "ss",
        'Ţ'..='ŧ' | 'ț' | 'Ț' => "t",
        'þ' | 'Þ' => "th",
        'ù'..='ü' | 'Ù'..='Ü' | 'Ũ'..='ų' | 'ư' | 'Ư' | 'ụ'..='ự' | 'Ụ'..='Ự' => "u",
        'Ŵ' | 'ŵ' => "w",
        'ý' | 'ÿ' | 'Ý' | 'Ŷ'..='Ÿ' | 'ỳ'..='ỹ' | 'Ỳ'..='Ỹ' => "y",
        'Ź'..='ž' => "z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &str) -> bool {
        is_gibberish(&Gibberish::default(), text)
    }

    #[test]
    fn random_keys_are_gibberish() {
        for text in [
            "asdkjfh lkqwe",
            "sdfghjkl",
            "qwrtz pfgh xcvb nmkl",
            "xkqzjvw bnmq hjkdf",
            "Fghjk, zxcvbnm! asdfghjkl",
        ] {
            let long = format!("{text} {text}");
            assert!(judged(&long), "{text}");
        }
    }

    #[test]
    fn languages_are_not() {
        for text in [
            "How do I unblock my PIN?",
            "Fix my top up",
            "Wo ist meine Kreditkarte? Rechtsschutzversicherungsgesellschaften",
            "Gdzie jest moja karta płatnicza? Szczęście, chrząszcz brzmi w trzcinie",
            "Strč prst skrz krk",
            "Kartım nerede? Müşteri hizmetleriyle görüşmek istiyorum",
            "Hol van a bankkártyám? Köszönöm szépen",
            "Thẻ của tôi ở đâu? Xin cảm ơn",
            "Missä pankkikorttini on?",
            "Ble mae fy ngherdyn? Llanfairpwllgwyngyll",
            "pls hlp me w my acct thx",
            "Nasaan ang aking card ngayon",
            "ATM BBQ HTML NYPD XKCD",
            "user_id = qzxwvk_jhgf42 @xkqzjv #qwrtzpf",
            "xqz",
            "Здравствуйте, где моя карта?",
            "",
        ] {
            assert!(!judged(text), "{text}");
        }
    }
}
