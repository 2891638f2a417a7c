//! A piece of a file with a caret under the fault.

use std::ops::Range;

use super::Paint;

/// A line of a file, and the part of it that is meant.
#[derive(Debug, Clone)]
pub struct Excerpt {
    /// What is wrong here, where several faults share one report.
    title: Option<String>,
    file: String,
    /// From 1.
    line: usize,
    /// From 1, in characters.
    column: usize,
    text: String,
    width: usize,
    label: Option<String>,
    help: Option<String>,
}

impl Excerpt {
    /// The line of `source` in which the bytes of `span` start.
    pub fn new(file: &str, source: &str, span: Range<usize>, label: Option<String>) -> Self {
        let start = floor_char_boundary(source, span.start);
        let before = &source[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line_end = source[start..].find('\n').map_or(source.len(), |at| start + at);
        let end = floor_char_boundary(source, span.end).clamp(start, line_end);
        Self {
            title: None,
            file: file.into(),
            line: before.matches('\n').count() + 1,
            column: source[line_start..start].chars().count() + 1,
            text: source[line_start..line_end].trim_end().replace('\t', " "),
            width: source[start..end].chars().count().max(1),
            label,
            help: None,
        }
    }

    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    #[must_use]
    pub fn with_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    /// `file:line:column`
    pub fn place(&self) -> String {
        format!("{}:{}:{}", self.file, self.line, self.column)
    }

    pub(super) fn render(&self, paint: &Paint) -> String {
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        let indent = " ".repeat(self.column - 1);
        let carets = "^".repeat(self.width);
        let label = self.label.as_ref().map_or(String::new(), |label| format!(" {label}"));
        let mut text = String::new();
        if let Some(title) = &self.title {
            text.push_str(&format!("{}\n", paint.bold(title)));
        }
        text.push_str(&format!("  {gutter}--> {}\n", self.place()));
        text.push_str(&format!("  {gutter} |\n"));
        text.push_str(&format!("  {number} | {}\n", self.text));
        text.push_str(&format!("  {gutter} | {indent}{}\n", paint.red(&format!("{carets}{label}"))));
        if let Some(help) = &self.help {
            text.push_str(&super::entry(&paint.cyan("help"), help));
        }
        text
    }
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_fault() {
        let source = "a = 1\nüber = 2 # x\n";
        let start = source.find('2').unwrap();
        let excerpt = Excerpt::new("r.toml", source, start..start + 1, Some("why?".into()));
        let expected = "   --> r.toml:2:8\n    |\n  2 | über = 2 # x\n    |        ^ why?\n";
        assert_eq!(excerpt.render(&Paint { colours: false }), expected);
    }

    #[test]
    fn spans_outside_the_text_do_no_harm() {
        #[allow(clippy::reversed_empty_ranges)] // what must not panic
        for span in [0..0, 90..99, 3..2] {
            assert!(Excerpt::new("r", "ü\n", span, None).render(&Paint { colours: false }).contains("r:"));
        }
    }
}
