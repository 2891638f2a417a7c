/// How many characters of a label a message shows.
const SHOWN: usize = 80;

/// `label` between backticks: on one line, and not longer than a message bears.
pub(crate) fn quoted(label: &str) -> String {
    let mut shown = String::from("`");
    for (index, c) in label.chars().enumerate() {
        if index == SHOWN {
            shown.push('…');
            break;
        }
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown.push('`');
    shown
}

/// `1 example`, `2 examples`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_shown_on_one_line_and_not_for_ever() {
        assert_eq!(quoted("card arrival"), "`card arrival`");
        assert_eq!(quoted("a\nb\u{1b}c"), "`a\\nb\\u{1b}c`");
        assert_eq!(quoted(&"ä".repeat(100)), format!("`{}…`", "ä".repeat(80)));
    }

    #[test]
    fn nouns_agree_with_their_numbers() {
        assert_eq!(counted(1, "example"), "1 example");
        assert_eq!(counted(0, "example"), "0 examples");
    }
}
