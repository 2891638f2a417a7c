//! Tables, of which long ones fold.

use maud::{Markup, html};

/// Rows that are shown before the rest folds.
const SHOWN: usize = 10;
/// So few more are not worth a fold.
const GRACE: usize = 3;

/// With more columns than this, drawings apart, a narrow screen scrolls.
const MANY: usize = 3;

/// A column: what its head says and how it is set.
#[derive(Clone, Copy)]
pub struct Column<'a>(pub &'a str, pub Set);

/// How a column is set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// A name.
    Name,
    /// One of a few words.
    Short,
    /// A text of any length.
    Text,
    Number,
    /// Two numbers.
    Range,
    /// A drawing; it goes where there is no room.
    Bar,
}

impl Set {
    fn class(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Short => "short",
            Self::Text => "long",
            Self::Number => "number",
            Self::Range => "number range",
            Self::Bar => "drawing",
        }
    }
}

/// A table under a caption; a row's first cell names it.
pub struct Table<'a> {
    pub caption: &'a str,
    pub columns: &'a [Column<'a>],
    pub rows: Vec<Row>,
    /// What the rows are, in the plural: `classes`.
    pub things: &'a str,
}

/// The cells of a row.
pub struct Row {
    pub cells: Vec<Markup>,
    /// It stands out, and says itself why.
    pub marked: bool,
}

impl Row {
    pub fn new(cells: impl Into<Vec<Markup>>) -> Self {
        Self { cells: cells.into(), marked: false }
    }

    pub fn marked(self, marked: bool) -> Self {
        Self { marked, ..self }
    }
}

impl Table<'_> {
    pub fn markup(&self) -> Markup {
        let shown = if self.rows.len() <= SHOWN + GRACE { self.rows.len() } else { SHOWN };
        let (first, rest) = self.rows.split_at(shown);
        html! {
            (self.part(first, self.caption))
            @if !rest.is_empty() {
                details {
                    summary { (crate::format::count(rest.len() as u64)) " more " (self.things) }
                    (self.part(rest, &format!("{}, continued", self.caption)))
                }
            }
        }
    }

    fn part(&self, rows: &[Row], caption: &str) -> Markup {
        let set = |wanted: fn(Set) -> bool| self.columns.iter().filter(|Column(_, set)| wanted(*set)).count();
        let columns = set(|set| set != Set::Bar);
        let texts = set(|set| set == Set::Text);
        html! {
            div.scroll .many[columns > MANY] role="region" tabindex="0" aria-label=(caption) {
                table .texts[texts > 0] {
                    caption { (caption) }
                    colgroup { @for Column(_, set) in self.columns { col class=(set.class()); } }
                    thead { tr {
                        @for Column(head, set) in self.columns { th scope="col" class=(set.class()) { (head) } }
                    } }
                    tbody { @for row in rows { (self.row(row)) } }
                }
            }
        }
    }

    fn row(&self, row: &Row) -> Markup {
        html! {
            tr .marked[row.marked] {
                @for (number, (cell, Column(_, set))) in row.cells.iter().zip(self.columns).enumerate() {
                    @if number == 0 {
                        th scope="row" class=(set.class()) { (cell) }
                    } @else {
                        td class=(set.class()) { (cell) }
                    }
                }
            }
        }
    }
}

/// A cell that is text of ours.
pub fn say(text: impl Into<String>) -> Markup {
    html! { (text.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: usize) -> String {
        let rows = (0..rows).map(|row| Row::new([say(format!("row {row}")), say("1")])).collect();
        let columns = [Column("Class", Set::Name), Column("Rows", Set::Number)];
        Table { caption: "Classes", columns: &columns, rows, things: "classes" }.markup().into_string()
    }

    #[test]
    fn a_table_has_a_caption_and_its_heads_a_scope() {
        let table = table(2);
        assert!(table.contains("<caption>Classes</caption>"));
        assert_eq!(table.matches("scope=\"col\"").count(), 2);
        assert_eq!(table.matches("scope=\"row\"").count(), 2);
    }

    #[test]
    fn only_long_tables_fold() {
        assert!(!table(13).contains("<details>"));
        let long = table(25);
        assert!(long.contains("<summary>15 more classes</summary>"));
        assert!(long.contains("<caption>Classes, continued</caption>"));
        assert!(long.contains("row 24"));
    }
}
