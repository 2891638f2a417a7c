//! The form in which texts are compared.

use crate::settings::Settings;

/// Writes `text` to `out` in lower case, and with one space for any run of white space and none at the ends, as
/// far as the settings say so.
pub(crate) fn normalise(settings: &Settings, text: &str, out: &mut String) {
    out.clear();
    out.reserve(text.len());
    // A space that is due, and written only once something follows it.
    let mut space = false;
    for char in text.chars() {
        if settings.white_space && char.is_whitespace() {
            space = !out.is_empty();
            continue;
        }
        if space {
            out.push(' ');
            space = false;
        }
        if !settings.lower_case {
            out.push(char);
        } else if char.is_ascii() {
            out.push(char.to_ascii_lowercase());
        } else {
            out.extend(char.to_lowercase());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(settings: &Settings, text: &str) -> String {
        let mut out = "what stood there before".to_owned();
        normalise(settings, text, &mut out);
        out
    }

    #[test]
    fn case_and_white_space_vanish_unless_they_count() {
        let mut settings = Settings::default();
        assert_eq!(normal(&settings, "\u{a0} Ein  ÄRGER\r\n\tmit ı\u{3000}"), "ein ärger mit ı");
        assert_eq!(normal(&settings, " \n "), "");
        settings.lower_case = false;
        assert_eq!(normal(&settings, " A  b "), "A b");
        settings.white_space = false;
        assert_eq!(normal(&settings, " A  b "), " A  b ");
    }
}
