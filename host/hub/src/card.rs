//! Model cards: what the front matter of a README.md says, as Hugging Face writes it.

use std::fs;
use std::io::Read;
use std::path::Path;

use crate::licence::spdx;

/// Front matter ends long before.
const LIMIT: u64 = 1 << 20;

/// The licence in the card of the model in `folder`, as SPDX writes it where it can.
pub(crate) fn licence_of_folder(folder: &Path) -> Option<String> {
    licence(&card_of(folder)?)
}

fn card_of(folder: &Path) -> Option<String> {
    let mut card = Vec::new();
    fs::File::open(folder.join("README.md")).ok()?.take(LIMIT).read_to_end(&mut card).ok()?;
    Some(String::from_utf8_lossy(&card).into_owned())
}

/// The licence that a card states: `license`, or, where that is `other`, `license_name`.
pub(crate) fn licence(card: &str) -> Option<String> {
    named(&values(card, "license"), &values(card, "license_name"))
}

/// The languages in the card of the model in `folder`, as it names them: mostly by ISO 639-1.
pub(crate) fn languages_of_folder(folder: &Path) -> Vec<String> {
    card_of(folder).map(|card| values(&card, "language")).unwrap_or_default()
}

/// Of several licences each holds for a part of the model, so all of them for the whole.
pub(crate) fn named(licences: &[String], names: &[String]) -> Option<String> {
    let known: Vec<String> = licences.iter().filter_map(|licence| spdx(licence)).collect();
    if known.len() == licences.len() && !known.is_empty() {
        return Some(known.join(" AND "));
    }
    names.first().and_then(|name| spdx(&name.replace(' ', "-")))
}

/// The values of a key at the top of the front matter: one, a list in brackets, or a list below.
fn values(card: &str, key: &str) -> Vec<String> {
    let mut lines = card.trim_start_matches('\u{feff}').lines();
    if lines.next().map(str::trim) != Some("---") {
        return Vec::new();
    }
    let mut lines = lines.take_while(|line| line.trim() != "---");
    let Some(value) = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(':')) else {
        return Vec::new();
    };
    let plain = |text: &str| text.trim().trim_matches(['"', '\'']).to_string();
    let value = value.split(" #").next().unwrap_or_default().trim();
    let listed: Vec<String> = match value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(list) => list.split(',').map(plain).collect(),
        None if value.is_empty() => {
            lines.map_while(|line| line.trim().strip_prefix("- ")).map(plain).collect()
        }
        None => vec![plain(value)],
    };
    listed.into_iter().filter(|value| !value.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::licence;

    #[test]
    fn front_matter_is_read_and_prose_is_not() {
        let card = "---\nlanguage: en\nlicense: apache-2.0\n---\n# Model\nlicense: none";
        assert_eq!(licence(card).as_deref(), Some("Apache-2.0"));
        assert_eq!(licence("# Model\nlicense: mit"), None);
        assert_eq!(
            licence("---\nlicense:\n- mit\n- cc-by-4.0\ntags:\n- x\n---").as_deref(),
            Some("MIT AND CC-BY-4.0")
        );
        assert_eq!(licence("---\nlicense: [mit]\n---").as_deref(), Some("MIT"));
        let other = "---\nlicense: other\nlicense_name: Some Model License\n---";
        assert_eq!(licence(other).as_deref(), Some("LicenseRef-Some-Model-License"));
        assert_eq!(licence("---\nlicense: other\n---"), None);
    }
}
