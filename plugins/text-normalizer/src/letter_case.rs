use std::borrow::Cow;
use std::ops::Range;

use pegbox_plugin::Error;
use regex::Regex;

use crate::ascii;

/// Lower-cases texts, except where one of its patterns matches.
#[derive(Clone, Debug)]
pub(crate) struct LowerCase {
    protect: Vec<Regex>,
}

impl LowerCase {
    /// # Errors
    /// A pattern that is not a regular expression.
    pub fn new(patterns: &[String]) -> Result<Self, Error> {
        let compile = |(place, pattern): (usize, &String)| {
            Regex::new(pattern).map_err(|error| refusal(place, pattern, &error))
        };
        Ok(Self { protect: patterns.iter().enumerate().map(compile).collect::<Result<_, _>>()? })
    }

    /// `text` in lower case, as Unicode defines it without regard to a language: `İ` becomes `i` and a dot
    /// above, a final `Σ` becomes `ς`. Borrowed where nothing changes.
    pub fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if text.is_ascii() {
            return self.apply_to_ascii(text);
        }
        let mut lower = String::with_capacity(text.len());
        let mut done = 0;
        for kept in self.protected(text) {
            lower.push_str(&text[done..kept.start].to_lowercase());
            lower.push_str(&text[kept.clone()]);
            done = kept.end;
        }
        lower.push_str(&text[done..].to_lowercase());
        if lower == text { Cow::Borrowed(text) } else { Cow::Owned(lower) }
    }

    fn apply_to_ascii<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut bytes = text.as_bytes().to_vec();
        let mut changed = false;
        let mut done = 0;
        for kept in self.protected(text) {
            changed |= ascii::lower(&mut bytes[done..kept.start]);
            done = kept.end;
        }
        changed |= ascii::lower(&mut bytes[done..]);
        match String::from_utf8(bytes) {
            Ok(lower) if changed => Cow::Owned(lower),
            _ => Cow::Borrowed(text),
        }
    }

    /// Where the patterns match, in order, none overlapping another.
    fn protected(&self, text: &str) -> Vec<Range<usize>> {
        let matches = self.protect.iter().flat_map(|pattern| pattern.find_iter(text));
        let mut spans: Vec<Range<usize>> = matches.map(|found| found.range()).collect();
        spans.sort_unstable_by_key(|span| (span.start, span.end));
        spans.dedup_by(|next, last| {
            let overlap = next.start <= last.end;
            if overlap {
                last.end = last.end.max(next.end);
            }
            overlap
        });
        spans
    }
}

fn refusal(place: usize, pattern: &str, error: &regex::Error) -> Error {
    let fault = match error {
        // Its text draws the pattern over several lines; the last says what is wrong.
        regex::Error::Syntax(drawing) => {
            drawing.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
        other => other.to_string(),
    };
    Error::new(format!("`protect[{place}]` = `{pattern}` is not a regular expression: {fault}")).with_help(
        "the syntax is that of https://docs.rs/regex; a literal `.`, `(`, `[`, `{`, `*`, `+`, `?`, `|`, `^`, \
         `$` or `\\` needs a `\\` before it, which TOML writes best between single quotes",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lower(text: &str, protect: &[&str]) -> String {
        let patterns: Vec<String> = protect.iter().map(|pattern| (*pattern).to_owned()).collect();
        LowerCase::new(&patterns).unwrap().apply(text).into_owned()
    }

    #[test]
    fn letters_become_small() {
        assert_eq!(lower("Hello WORLD", &[]), "hello world");
        assert_eq!(lower("ÄÖÜ ЖЗ", &[]), "äöü жз");
        assert_eq!(lower("İstanbul", &[]), "i\u{307}stanbul");
        assert_eq!(lower("ΟΔΟΣ", &[]), "οδος");
        assert_eq!(lower("GROẞ", &[]), "groß");
        for small in ["é", "small", ""] {
            assert!(matches!(LowerCase::new(&[]).unwrap().apply(small), Cow::Borrowed(_)));
        }
    }

    #[test]
    fn matches_keep_their_case() {
        assert_eq!(lower("My SEPA Transfer", &["[A-Z]{2,}"]), "my SEPA transfer");
        assert_eq!(lower("İBAN İ IBAN", &[r"\bIBAN\b"]), "i\u{307}ban i\u{307} IBAN");
        assert_eq!(lower("ÀÉ Àb", &[r"\p{Lu}{2,}"]), "ÀÉ àb");
    }

    #[test]
    fn patterns_that_overlap_protect_all_that_they_match() {
        assert_eq!(lower("ABCDEF", &["ABC", "BCD"]), "ABCDef");
        assert_eq!(lower("ABCDEF", &["BCDE", "CD"]), "aBCDEf");
        assert_eq!(lower("ABCDEF", &["CD", "AB"]), "ABCDef");
        assert_eq!(lower("ABC", &["x*"]), "abc");
    }

    #[test]
    fn a_wrong_pattern_is_named() {
        let error = LowerCase::new(&["a".to_owned(), "[A-Z".to_owned()]).unwrap_err();
        assert_eq!(
            error.message(),
            "`protect[1]` = `[A-Z` is not a regular expression: unclosed character class"
        );
        assert!(error.help().is_some());
        let error = LowerCase::new(&["(?:a{1000}){1000}{1000}".to_owned()]).unwrap_err();
        assert!(error.message().contains("size limit"), "{error}");
    }
}
