use serde::Deserialize;

/// The JSON Schema of [`Configuration`].
pub(crate) const SCHEMA: &str = include_str!("configuration.schema.json");

/// What a recipe may say; the schema documents each key.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Configuration {
    pub too_short: TooShort,
    pub too_long: TooLong,
    pub symbols: Symbols,
    pub mostly_digits: MostlyDigits,
    pub repetition: Repetition,
    pub uppercase: Uppercase,
    pub language: Language,
    pub gibberish: Gibberish,
}

/// Defines a rule's settings with their defaults.
macro_rules! rule {
    ($(#[$about:meta])* $name:ident { $($key:ident: $type:ty = $default:expr,)* }) => {
        $(#[$about])*
        #[derive(Clone, PartialEq, Debug, Deserialize)]
        #[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
        pub struct $name {
            $(pub $key: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($key: $default,)* }
            }
        }
    };
}

rule! {
    /// Fewer characters, white space not counted, or fewer words.
    TooShort { on: bool = true, characters: usize = 2, words: usize = 1, }
}

rule! {
    /// More characters or more words.
    TooLong { on: bool = true, characters: usize = 100_000, words: usize = 20_000, }
}

rule! {
    /// A greater share of symbols, in texts of so many characters.
    Symbols { on: bool = true, share: f64 = 0.5, min_characters: usize = 1, }
}

rule! {
    /// A greater share of digits, in texts of so many characters.
    MostlyDigits { on: bool = true, share: f64 = 0.7, min_characters: usize = 1, }
}

rule! {
    /// See [`crate::repetition`].
    Repetition {
        on: bool = true,
        run: usize = 10,
        run_share: f64 = 0.5,
        words: usize = 5,
        word_share: f64 = 0.6,
        massive_text: bool = true,
        massive_text_words: usize = 100,
    }
}

rule! {
    /// A greater share of capitals among the letters that have small ones, in texts of so many such letters.
    Uppercase { on: bool = false, share: f64 = 0.9, min_letters: usize = 20, }
}

rule! {
    /// Another script or language than these.
    Language {
        on: bool = true,
        allowed: Vec<String> = Vec::new(),
        min_letters: usize = 4,
        min_characters: usize = 60,
        confidence: f64 = 0.9,
    }
}

rule! {
    /// More bits for each letter, in texts of so many Latin letters that are judged.
    Gibberish { on: bool = true, bits: f64 = 5.0, min_letters: usize = 10, }
}

#[cfg(test)]
mod tests {
    use pegbox_plugin::testing::assert_schema_describes;

    use super::*;

    fn parse(json: &str) -> Result<Configuration, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn nothing_said_gives_what_the_schema_calls_default() {
        assert_schema_describes::<Configuration>(SCHEMA, "{}");
    }

    #[test]
    fn unknown_keys_are_refused() {
        for json in [r#"{ "short": {} }"#, r#"{ "too-short": { "chars": 3 } }"#, r#"{ "symbols": false }"#] {
            assert!(parse(json).is_err(), "{json}");
        }
    }
}
