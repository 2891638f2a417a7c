use std::collections::BTreeMap;

use super::super::text::PiiKind;
use super::super::truth::Truth;
use super::{Finds, Of};

/// Of the planted items in rows that are left.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scores {
    /// Items that are gone, and all.
    pub gone: BTreeMap<PiiKind, Of>,
    /// Placeholders beyond the planted items.
    pub false_placeholders: u64,
    /// Rows without planted items, and those of them that have a placeholder.
    pub clean_rows: Of,
}

impl Scores {
    pub fn count(&mut self, truth: &Truth, text: &str) {
        let placeholders: usize =
            PiiKind::ALL.iter().map(|kind| text.matches(kind.placeholder()).count()).sum();
        self.false_placeholders += placeholders.saturating_sub(truth.pii.len()) as u64;
        if truth.pii.is_empty() {
            self.clean_rows.count(placeholders > 0);
        }
        for planted in &truth.pii {
            self.gone.entry(planted.kind).or_default().count(!leaks(&planted.value, text));
        }
    }

    pub fn finds(&self) -> Finds {
        let right: u64 = self.gone.values().map(|of| of.some).sum();
        let all: u64 = self.gone.values().map(|of| of.all).sum();
        Finds { right, wrong: self.false_placeholders, missed: all - right }
    }
}

/// Whether half of the value's letters and digits, or more in a row, are still in the text.
fn leaks(value: &str, text: &str) -> bool {
    let (value, text) = (canonical(value), canonical(text));
    let half = value.len().div_ceil(2).max(1);
    value.windows(half).any(|part| text.windows(half).any(|other| other == part))
}

fn canonical(text: &str) -> Vec<u8> {
    text.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_value_leaks() {
        assert!(!leaks("+44 20 7946 0123", "Call me on [PHONE] after six."));
        assert!(leaks("+44 20 7946 0123", "Call me on +44 20 7946 0123"));
        assert!(leaks("+44 20 7946 0123", "Call me on [PHONE] 7946-0123"));
        assert!(!leaks("+44 20 7946 0123", "Call me on [PHONE] 0123"));
        assert!(leaks("jane.doe42@example.com", "JaneDoe42@example [EMAIL]"));
        assert!(!leaks("jane.doe42@example.com", "Regards, Jane Doe"));
    }
}
