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
    const NAME: &'static str = pegbox_plugin::manifest_name!();
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

/// Byte by byte: words are short, and copying each by itself costs more than it saves.
fn tidied(text: &str) -> String {
    let mut tidy = Vec::with_capacity(text.len());
    let mut after_space = true;
    for byte in text.bytes() {
        let space = is_space(byte);
        if !(space && after_space) {
            tidy.push(if space { b' ' } else { byte });
        }
        after_space = space;
    }
    if after_space {
        tidy.pop();
    }
    // White space is ASCII, so no character was cut.
    String::from_utf8(tidy).unwrap_or_default()
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
