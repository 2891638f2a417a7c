/// How many characters of a value a message shows.
const SHOWN: usize = 80;

/// `value` between backticks, as [`shown`] has it.
pub fn quoted(value: &str) -> String {
    format!("`{}`", shown(value))
}

/// `value` on one line, and not longer than a message bears.
pub fn shown(value: &str) -> String {
    let mut shown = String::new();
    for (index, c) in value.chars().enumerate() {
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
    shown
}

/// `1 example`, `2 examples`.
pub fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// The first `most` of the values between backticks, and how many more there are: `` `a`, `b` and 3 more ``.
pub fn enumerated<'a>(values: impl IntoIterator<Item = &'a str>, most: usize) -> String {
    let mut values = values.into_iter();
    let mut shown = String::new();
    for value in values.by_ref().take(most) {
        if !shown.is_empty() {
            shown.push_str(", ");
        }
        shown.push_str(&quoted(value));
    }
    match values.count() {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_on_one_line_and_not_for_ever() {
        assert_eq!(quoted("card arrival"), "`card arrival`");
        assert_eq!(quoted("a\nb\u{1b}c"), "`a\\nb\\u{1b}c`");
        assert_eq!(quoted(&"ä".repeat(100)), format!("`{}…`", "ä".repeat(80)));
    }

    #[test]
    fn nouns_agree_with_their_numbers() {
        assert_eq!(counted(1, "example"), "1 example");
        assert_eq!(counted(0, "example"), "0 examples");
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(enumerated(["a", "b"], 2), "`a`, `b`");
        assert_eq!(enumerated(["a", "b", "c", "d"], 2), "`a`, `b` and 2 more");
        assert_eq!(enumerated([], 2), "");
    }
}
