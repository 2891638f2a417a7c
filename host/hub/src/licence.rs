//! The licence that a model states.

use std::fs;
use std::path::Path;

/// `license:` in the front matter of the folder's model card (README.md), as Hugging Face writes it.
pub(crate) fn of_model_card(folder: &Path) -> Option<String> {
    front_matter_licence(&fs::read_to_string(folder.join("README.md")).ok()?)
}

fn front_matter_licence(card: &str) -> Option<String> {
    let mut lines = card.lines();
    if lines.next()?.trim() != "---" {
        return None;
    }
    lines
        .take_while(|line| line.trim() != "---")
        .find_map(|line| line.strip_prefix("license:"))
        .map(|value| value.trim().trim_matches(['"', '\'']).to_string())
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::front_matter_licence;

    #[test]
    fn front_matter_is_read_and_prose_is_not() {
        let card = "---\nlanguage: en\nlicense: apache-2.0\n---\n# Model\nlicense: none";
        assert_eq!(front_matter_licence(card).as_deref(), Some("apache-2.0"));
        assert_eq!(front_matter_licence("# Model\nlicense: mit"), None);
    }
}
