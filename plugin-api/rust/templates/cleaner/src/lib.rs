//! Trims texts, makes every run of white space one space, and drops what is too short then.

use pegbox_plugin::{Cleaner, Error, Outcome, Plugin, RowBatch, parse_configuration};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct {{Pascal}} {
    #[serde(default = "one")]
    min_length: usize,
}

fn one() -> usize {
    1
}

impl Plugin for {{Pascal}} {
    const NAME: &'static str = "{{team}}/{{name}}";
    const CONFIGURATION_SCHEMA: &'static str = r#"{
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "min-length": {
                "type": "integer",
                "minimum": 0,
                "default": 1,
                "description": "Records whose first field is shorter, in characters, are dropped"
            }
        }
    }"#;

    fn configure(json: &str) -> Result<Self, Error> {
        parse_configuration(json)
    }
}

impl Cleaner for {{Pascal}} {
    fn clean(&mut self, batch: RowBatch) -> Result<Vec<Outcome>, Error> {
        Ok(batch.rows.into_iter().map(|row| self.clean_row(row.values)).collect())
    }
}

impl {{Pascal}} {
    fn clean_row(&self, values: Vec<Option<String>>) -> Outcome {
        let tidy: Vec<Option<String>> =
            values.iter().map(|value| value.as_deref().map(tidied)).collect();
        match tidy.first() {
            Some(Some(first)) if first.chars().count() >= self.min_length => {}
            _ => return Outcome::Drop("too-short".to_owned()),
        }
        if tidy == values { Outcome::Keep } else { Outcome::Replace(tidy) }
    }
}

/// ASCII white space, with the vertical tab that `char::is_ascii_whitespace` leaves out.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Whole words are copied at once: that is what costs.
fn tidied(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut tidy = String::with_capacity(text.len());
    let mut start = 0;
    while start < bytes.len() {
        if is_space(bytes[start]) {
            start += 1;
            continue;
        }
        let rest = &bytes[start..];
        let end = start + rest.iter().position(|byte| is_space(*byte)).unwrap_or(rest.len());
        if !tidy.is_empty() {
            tidy.push(' ');
        }
        // White space is ASCII, so both ends are between characters.
        tidy.push_str(&text[start..end]);
        start = end;
    }
    tidy
}

pegbox_plugin::export!({{Pascal}}: Cleaner);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_white_space_become_one_space() {
        assert_eq!(tidied("  where\t\tis \x0b my card?\n"), "where is my card?");
        assert_eq!(tidied(" \r\n"), "");
    }
}
