use pegbox_plugin::Error;
use whatlang::{Lang, Script, detect, detect_script};

use crate::configuration::Language;

/// Codes of ISO 639-1 for the languages that the classifier knows, which has those of ISO 639-3.
const SHORT: [(&str, &str); 72] = [
    ("af", "afr"),
    ("ak", "aka"),
    ("am", "amh"),
    ("ar", "ara"),
    ("az", "aze"),
    ("be", "bel"),
    ("bg", "bul"),
    ("bn", "ben"),
    ("ca", "cat"),
    ("cs", "ces"),
    ("cy", "cym"),
    ("da", "dan"),
    ("de", "deu"),
    ("el", "ell"),
    ("en", "eng"),
    ("eo", "epo"),
    ("es", "spa"),
    ("et", "est"),
    ("fa", "pes"),
    ("fi", "fin"),
    ("fr", "fra"),
    ("gu", "guj"),
    ("he", "heb"),
    ("hi", "hin"),
    ("hr", "hrv"),
    ("hu", "hun"),
    ("hy", "hye"),
    ("id", "ind"),
    ("it", "ita"),
    ("ja", "jpn"),
    ("jv", "jav"),
    ("ka", "kat"),
    ("km", "khm"),
    ("kn", "kan"),
    ("ko", "kor"),
    ("la", "lat"),
    ("lt", "lit"),
    ("lv", "lav"),
    ("mk", "mkd"),
    ("ml", "mal"),
    ("mr", "mar"),
    ("my", "mya"),
    ("nb", "nob"),
    ("ne", "nep"),
    ("nl", "nld"),
    ("no", "nob"),
    ("or", "ori"),
    ("pa", "pan"),
    ("pl", "pol"),
    ("pt", "por"),
    ("ro", "ron"),
    ("ru", "rus"),
    ("si", "sin"),
    ("sk", "slk"),
    ("sl", "slv"),
    ("sn", "sna"),
    ("sr", "srp"),
    ("sv", "swe"),
    ("ta", "tam"),
    ("te", "tel"),
    ("th", "tha"),
    ("tk", "tuk"),
    ("tl", "tgl"),
    ("tr", "tur"),
    ("uk", "ukr"),
    ("ur", "urd"),
    ("uz", "uzb"),
    ("vi", "vie"),
    ("yi", "yid"),
    ("zh", "cmn"),
    ("zho", "cmn"),
    ("zu", "zul"),
];

/// The languages that stay.
#[derive(Clone, Debug)]
pub(crate) struct Languages {
    allowed: Vec<Lang>,
    min_letters: usize,
    min_characters: usize,
    confidence: f64,
}

impl Languages {
    /// # Errors
    /// A code that names no language the classifier knows.
    pub fn new(rule: &Language) -> Result<Self, Error> {
        Ok(Self {
            allowed: rule.allowed.iter().map(|code| language(code)).collect::<Result<_, _>>()?,
            min_letters: rule.min_letters,
            min_characters: rule.min_characters,
            confidence: rule.confidence,
        })
    }

    /// Whether `text`, of so many letters and characters, is in another language.
    pub fn refuse(&self, text: &str, letters: usize, characters: usize) -> bool {
        if self.allowed.is_empty() || letters < self.min_letters {
            return false;
        }
        let Some(script) = detect_script(text) else { return false };
        if !self.allowed.iter().any(|language| writes(*language, script)) {
            return true;
        }
        if characters < self.min_characters {
            return false;
        }
        detect(text).is_some_and(|found| {
            !self.allowed.contains(&found.lang()) && found.confidence() >= self.confidence
        })
    }
}

/// Whether texts of the language may be mostly in the script.
fn writes(language: Lang, script: Script) -> bool {
    // Chinese characters are Japan's too.
    script.langs().contains(&language) || (language == Lang::Jpn && script == Script::Mandarin)
}

fn language(code: &str) -> Result<Lang, Error> {
    let short = SHORT.binary_search_by_key(&code, |(short, _)| short).map(|place| SHORT[place].1);
    Lang::from_code(short.unwrap_or(code)).ok_or_else(|| {
        let known: Vec<&str> = Lang::all().iter().map(|language| language.code()).collect();
        Error::new(format!("`language.allowed` has `{code}`, which is no language that can be told"))
            .with_help(format!("the languages are {}, or their codes of two letters", known.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(allowed: &[&str], text: &str) -> bool {
        let allowed = allowed.iter().map(|code| (*code).to_owned()).collect();
        let letters = text.chars().filter(|c| c.is_alphabetic()).count();
        let rule = Language { allowed, ..Language::default() };
        Languages::new(&rule).unwrap().refuse(text, letters, text.chars().count())
    }

    #[test]
    fn codes_are_sorted_and_known() {
        assert!(SHORT.is_sorted());
        for (short, long) in SHORT {
            assert_eq!(language(short).unwrap(), language(long).unwrap());
        }
        let named = |code: &&Lang| SHORT.iter().any(|(_, long)| *long == code.code());
        assert_eq!(Lang::all().iter().filter(named).count(), Lang::all().len());
        assert!(language("xx").unwrap_err().message().contains("`xx`"));
    }

    #[test]
    fn the_script_decides_first() {
        assert!(refused(&["en"], "Где моя карта?"));
        assert!(refused(&["en", "ru"], "我的银行卡在哪里"));
        assert!(!refused(&["ja"], "日本語東京"));
        assert!(!refused(&["ru", "en"], "Где моя карта?"));
        assert!(!refused(&["en"], "да"));
    }

    #[test]
    fn short_texts_are_not_guessed_at() {
        assert!(!refused(&["en"], "Wo ist meine Karte?"));
        let german =
            "Ich habe meine Karte verloren und möchte wissen, wie ich eine neue bestellen kann, bitte.";
        assert!(refused(&["en"], german));
        assert!(!refused(&["en", "de"], german));
        assert!(!refused(
            &["en"],
            "I have lost my card and would like to know how I can order a new one, please."
        ));
    }

    #[test]
    fn nothing_named_refuses_nothing() {
        assert!(!refused(&[], "Где моя карта?"));
    }
}
