//! Text that stands in Markdown or YAML as it is, whatever it holds.

use serde_json::Value;

/// A YAML scalar: JSON's strings are YAML's double-quoted ones.
pub fn yaml(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// One line of Markdown's inline code. Not for tables, where `|` would end the cell.
pub fn code(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let fence = "`".repeat(longest_run(&line) + 1);
    // Markdown takes one space off each side, which keeps a backtick at the edge apart from the fence.
    let space = if line.starts_with('`') || line.ends_with('`') || line.trim().is_empty() { " " } else { "" };
    format!("{fence}{space}{line}{space}{fence}")
}

/// Plain text in Markdown: one line without markup.
pub fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '!' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A block of code.
pub fn block(language: &str, text: &str) -> String {
    let fence = "`".repeat((longest_run(text) + 1).max(3));
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end())
}

/// How many backticks stand in a row.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_markup_stays_text() {
        assert_eq!(code("fee"), "`fee`");
        assert_eq!(code("a`b|c\nd"), "``a`b|c d``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(plain("a_b <script>"), "a\\_b \\<script\\>");
        assert_eq!(block("toml", "x = \"```\"\n"), "````toml\nx = \"```\"\n````\n");
        assert_eq!(yaml("no: \"\n"), r#""no: \"\n""#);
    }
}
