//! The recipe's data, as far as the choice of a model depends on it: its language, and how long its texts are.

use pegbox_data::{DataError, Schema};
use pegbox_recipe::Recipe;
use pegbox_records::{open, sources};
use whatlang::Lang;

use crate::report::Report;
use crate::stages::settings;

/// Rows that are looked at.
const ROWS: usize = 300;
/// Shorter texts say little about their language.
const LEAST_CHARACTERS: usize = 20;
/// Subword tokens for a word, in round numbers: tokenizers differ, and here only the order of magnitude counts.
const TOKENS_A_WORD: f64 = 1.4;
const CHARACTERS_A_TOKEN: f64 = 4.0;

/// What a sample of the training data is like.
#[derive(Debug, PartialEq)]
pub struct Sample {
    pub rows: usize,
    /// Of most texts whose language can be told, by ISO 639-1.
    pub language: Option<&'static str>,
    /// 95% of the texts have at most about so many tokens.
    pub tokens: u64,
}

/// Looks at the first rows of the recipe's training files.
pub fn take(recipe: &Recipe) -> Result<Sample, Box<Report>> {
    let data = &recipe.data;
    let fields = data.fields.iter().map(|(role, name)| (role.as_str(), name.as_str()));
    let schema = Schema::new(fields).map_err(DataError::from)?;
    let read = settings::reading(data).settings(&schema);
    let roles = settings::task(recipe).texts(&schema);
    let mut texts = Vec::new();
    for path in sources::expand(&recipe.folder, &data.train)? {
        let rows = open(&path, &read, 0, 0).map_err(|error| Report::usage(error.to_string()))?;
        for record in rows.flatten().take(ROWS.saturating_sub(texts.len())) {
            let parts: Vec<&str> = roles.iter().filter_map(|role| schema.value(&record, role)).collect();
            texts.push(parts.join("\n"));
        }
    }
    Ok(Sample { rows: texts.len(), language: language(&texts), tokens: tokens(&texts) })
}

fn language(texts: &[String]) -> Option<&'static str> {
    let mut counts: Vec<(&'static str, usize)> = Vec::new();
    let told = texts
        .iter()
        .filter(|text| text.chars().count() >= LEAST_CHARACTERS)
        .filter_map(|text| iso_639_1(whatlang::detect_lang(text)?));
    for code in told {
        match counts.iter_mut().find(|(known, _)| *known == code) {
            Some((_, count)) => *count += 1,
            None => counts.push((code, 1)),
        }
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(code, _)| code)
}

fn tokens(texts: &[String]) -> u64 {
    let mut lengths: Vec<u64> = texts
        .iter()
        .map(|text| {
            let words = text.split_whitespace().count() as f64 * TOKENS_A_WORD;
            // Where words are not separated by spaces, characters tell more.
            words.max(text.chars().count() as f64 / CHARACTERS_A_TOKEN).ceil() as u64
        })
        .collect();
    lengths.sort_unstable();
    lengths.get((lengths.len() * 95).div_ceil(100).saturating_sub(1)).copied().unwrap_or(0)
}

/// The code that model cards use.
fn iso_639_1(language: Lang) -> Option<&'static str> {
    // By the code of three letters, as the detector names its languages.
    let codes = [
        ("afr", "af"),
        ("amh", "am"),
        ("ara", "ar"),
        ("aze", "az"),
        ("bel", "be"),
        ("ben", "bn"),
        ("bul", "bg"),
        ("cat", "ca"),
        ("ces", "cs"),
        ("cmn", "zh"),
        ("dan", "da"),
        ("deu", "de"),
        ("ell", "el"),
        ("eng", "en"),
        ("epo", "eo"),
        ("est", "et"),
        ("fin", "fi"),
        ("fra", "fr"),
        ("guj", "gu"),
        ("heb", "he"),
        ("hin", "hi"),
        ("hrv", "hr"),
        ("hun", "hu"),
        ("hye", "hy"),
        ("ind", "id"),
        ("ita", "it"),
        ("jpn", "ja"),
        ("kan", "kn"),
        ("kat", "ka"),
        ("khm", "km"),
        ("kor", "ko"),
        ("lat", "la"),
        ("lav", "lv"),
        ("lit", "lt"),
        ("mal", "ml"),
        ("mar", "mr"),
        ("mkd", "mk"),
        ("mya", "my"),
        ("nep", "ne"),
        ("nld", "nl"),
        ("nob", "no"),
        ("ori", "or"),
        ("pan", "pa"),
        ("pes", "fa"),
        ("pol", "pl"),
        ("por", "pt"),
        ("ron", "ro"),
        ("rus", "ru"),
        ("sin", "si"),
        ("slk", "sk"),
        ("slv", "sl"),
        ("sna", "sn"),
        ("spa", "es"),
        ("srp", "sr"),
        ("swe", "sv"),
        ("tam", "ta"),
        ("tel", "te"),
        ("tgl", "tl"),
        ("tha", "th"),
        ("tuk", "tk"),
        ("tur", "tr"),
        ("ukr", "uk"),
        ("urd", "ur"),
        ("uzb", "uz"),
        ("vie", "vi"),
        ("yid", "yi"),
        ("zul", "zu"),
    ];
    codes.iter().find(|(code, _)| *code == language.code()).map(|(_, short)| *short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_and_length_are_told_from_texts() {
        let german = "Die Rechnung ist seit gestern nicht mehr im Kundenkonto zu sehen.".to_string();
        let texts =
            [german.clone(), german, "ok".into(), "The invoice is not in my account any more.".into()];
        assert_eq!(language(&texts), Some("de"));
        assert_eq!(language(&["ok".into()]), None);
        assert_eq!(
            tokens(&[vec!["one two three four five".to_string(); 19], vec!["a ".repeat(1000)]].concat()),
            7
        );
        assert_eq!((tokens(&[]), tokens(&["発".repeat(40)])), (0, 10));
    }
}
