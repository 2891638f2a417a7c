//! Two texts compared word by word.

use maud::{Markup, html};
use similar::{Algorithm, DiffOp, capture_diff_slices};
use unicode_segmentation::UnicodeSegmentation;

use crate::format::counted;
use crate::visible::{Visible, cut};

/// Words on either side, from the first difference on, that are compared.
const COMPARED: usize = 1000;
/// Characters that are shown on either side of a difference.
const CONTEXT: usize = 80;
/// Characters of one difference that are shown.
const SHOWN: usize = 600;

/// What both texts have in common at a place, or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Same,
    Changed,
    /// Beyond what is compared.
    Rest,
}

/// A stretch of both texts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Run<'a> {
    kind: Kind,
    before: &'a str,
    after: &'a str,
}

/// A text and what became of it, side by side, with the differences marked.
pub fn sides(before: &str, after: &str) -> Markup {
    named_sides(["before", "after"], before, after)
}

/// Two texts under these names.
pub fn named_sides([first, second]: [&str; 2], before: &str, after: &str) -> Markup {
    let runs = compare(before, after);
    html! {
        div.diff {
            (side(first, &runs, |run| run.before, |text| html! { del { (text) } }))
            (side(second, &runs, |run| run.after, |text| html! { ins { (text) } }))
        }
    }
}

fn side<'a>(
    name: &str,
    runs: &[Run<'a>],
    of: impl Fn(&Run<'a>) -> &'a str,
    mark: impl Fn(Markup) -> Markup,
) -> Markup {
    let last = runs.len().saturating_sub(1);
    html! {
        div.side {
            span.which { (name) }
            p.text dir="auto" {
                @for (number, run) in runs.iter().enumerate() {
                    @let text = of(run);
                    @match run.kind {
                        Kind::Same => (common(text, number > 0, number < last)),
                        Kind::Changed if text.is_empty() => {},
                        Kind::Changed => (mark(shortened(text))),
                        Kind::Rest => span.muted { " \u{2026} " (left_out(text)) ", not compared \u{2026} " },
                    }
                }
            }
        }
    }
}

/// What has not changed, as far as it is near to what has.
fn common(text: &str, change_ahead: bool, change_behind: bool) -> Markup {
    let length = text.chars().count();
    let head = if change_ahead || !change_behind { CONTEXT } else { 0 };
    let tail = if change_behind { CONTEXT } else { 0 };
    // The note is not longer than what it stands for.
    if length <= head + tail + 40 {
        return html! { (Visible(text)) };
    }
    let at = |place: usize| text.char_indices().nth(place).map_or(text.len(), |(at, _)| at);
    let (start, rest) = text.split_at(at(head));
    let (middle, end) = rest.split_at(at(length - tail) - start.len());
    html! { (Visible(start)) span.muted { "\u{2026} " (left_out(middle)) " \u{2026}" } (Visible(end)) }
}

fn shortened(text: &str) -> Markup {
    let (shown, rest) = cut(text, SHOWN);
    html! {
        (Visible(shown))
        @if rest > 0 { "\u{2026} " (counted(rest, "more character", "more characters")) }
    }
}

fn left_out(text: &str) -> String {
    counted(text.chars().count() as u64, "character", "characters")
}

/// The runs of two texts in order. Words are those of Unicode, so that scripts without spaces have words, too.
fn compare<'a>(before: &'a str, after: &'a str) -> Vec<Run<'a>> {
    let old: Vec<&str> = before.split_word_bounds().collect();
    let new: Vec<&str> = after.split_word_bounds().collect();
    let ahead = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (same_ahead, old) = old.split_at(ahead);
    let (_, new) = new.split_at(ahead);
    let behind = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old, same_behind) = old.split_at(old.len() - behind);
    let (new, _) = new.split_at(new.len() - behind);
    let (old, rest_of_old) = old.split_at(old.len().min(COMPARED));
    let (new, rest_of_new) = new.split_at(new.len().min(COMPARED));

    let mut lengths = Lengths::default();
    lengths.add(Kind::Same, same_ahead, same_ahead);
    for operation in capture_diff_slices(Algorithm::Myers, old, new) {
        let of_old = old.get(operation.old_range()).unwrap_or_default();
        let of_new = new.get(operation.new_range()).unwrap_or_default();
        let kind = if matches!(operation, DiffOp::Equal { .. }) { Kind::Same } else { Kind::Changed };
        lengths.add(kind, of_old, of_new);
    }
    lengths.add(Kind::Rest, rest_of_old, rest_of_new);
    lengths.add(Kind::Same, same_behind, same_behind);
    lengths.runs(before, after)
}

/// Kinds of runs with the bytes that they have of either text.
#[derive(Default)]
struct Lengths(Vec<Length>);

struct Length {
    kind: Kind,
    before: usize,
    after: usize,
    /// Nothing but white space.
    blank: bool,
}

impl Lengths {
    fn add(&mut self, kind: Kind, before: &[&str], after: &[&str]) {
        let bytes = |words: &[&str]| words.iter().map(|word| word.len()).sum();
        let length = Length {
            kind,
            before: bytes(before),
            after: bytes(after),
            blank: before.iter().all(|word| word.trim().is_empty()),
        };
        if length.before + length.after > 0 {
            self.0.push(length);
        }
    }

    /// Changes that follow each other, or that only a space divides, are one.
    fn runs<'a>(self, mut before: &'a str, mut after: &'a str) -> Vec<Run<'a>> {
        let mut joined: Vec<Length> = Vec::with_capacity(self.0.len());
        for length in self.0 {
            let bridge = length.kind == Kind::Changed
                && matches!(joined.as_slice(), [.., first, gap]
                    if first.kind == Kind::Changed && gap.kind == Kind::Same && gap.blank);
            if let (true, Some(gap)) = (bridge, joined.pop_if(|_| bridge)) {
                extend(&mut joined, &gap);
            }
            match joined.last() {
                Some(last) if last.kind == length.kind => extend(&mut joined, &length),
                _ => joined.push(length),
            }
        }
        joined
            .iter()
            .flat_map(|length| {
                let (before, after) = (take(&mut before, length.before), take(&mut after, length.after));
                without_spaces(Run { kind: length.kind, before, after })
            })
            .collect()
    }
}

/// A change does not begin or end with a space that is there on both sides.
fn without_spaces(run: Run<'_>) -> impl Iterator<Item = Run<'_>> {
    let blank = |sign: char| sign.is_whitespace();
    let common = |(one, other): &(char, char)| one == other && blank(*one);
    let bytes = |signs: &mut dyn Iterator<Item = (char, char)>| {
        signs.take_while(common).map(|(sign, _)| sign.len_utf8()).sum()
    };
    let (Run { mut before, mut after, kind }, changed) = (run, run.kind == Kind::Changed);
    let ahead = if changed { bytes(&mut before.chars().zip(after.chars())) } else { 0 };
    let same_ahead = take(&mut before, ahead);
    take(&mut after, ahead);
    let behind: usize = if changed { bytes(&mut before.chars().rev().zip(after.chars().rev())) } else { 0 };
    let (of_before, of_after) = (before.len() - behind, after.len() - behind);
    let middle = Run { kind, before: take(&mut before, of_before), after: take(&mut after, of_after) };
    let same = |text| Run { kind: Kind::Same, before: text, after: text };
    [same(same_ahead), middle, same(before)]
        .into_iter()
        .filter(|run| !run.before.is_empty() || !run.after.is_empty())
}

fn extend(lengths: &mut [Length], by: &Length) {
    if let Some(last) = lengths.last_mut() {
        last.before += by.before;
        last.after += by.after;
        last.blank &= by.blank;
    }
}

fn take<'a>(text: &mut &'a str, bytes: usize) -> &'a str {
    let (head, tail) = text.split_at_checked(bytes).unwrap_or((text, ""));
    *text = tail;
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes<'a>(before: &'a str, after: &'a str) -> Vec<(&'a str, &'a str)> {
        let runs = compare(before, after);
        assert_eq!(runs.iter().map(|run| run.before).collect::<String>(), before);
        assert_eq!(runs.iter().map(|run| run.after).collect::<String>(), after);
        assert!(runs.iter().all(|run| run.kind != Kind::Same || run.before == run.after));
        runs.iter().filter(|run| run.kind == Kind::Changed).map(|run| (run.before, run.after)).collect()
    }

    #[test]
    fn words_that_differ_are_found() {
        assert_eq!(changes("my card is lost", "my card was lost"), [("is", "was")]);
        assert_eq!(changes("same", "same"), []);
        assert_eq!(changes("", "new"), [("", "new")]);
        assert_eq!(changes("<b>bold</b> move", "bold move"), [("<b>", ""), ("</b>", "")]);
        assert_eq!(changes("mail me@example.com now", "mail [EMAIL] now"), [("me@example.com", "[EMAIL]")]);
    }

    #[test]
    fn a_space_does_not_divide_two_changes() {
        assert_eq!(changes("one two three", "uno due three"), [("one two", "uno due")]);
        assert_eq!(changes("a  b", "a b"), [(" ", "")]);
        assert_eq!(changes("call +44 20 now", "call [PHONE] now"), [("+44 20", "[PHONE]")]);
    }

    #[test]
    fn scripts_without_spaces_have_words() {
        assert_eq!(changes("我的卡丢了", "我的卡没了"), [("丢", "没")]);
    }

    #[test]
    fn what_is_long_is_cut_and_said() {
        let long = "word ".repeat(300);
        let shown = sides(&format!("{long}is {long}"), &format!("{long}was {long}")).into_string();
        assert!(shown.contains("<del>is</del>") && shown.contains("<ins>was</ins>"), "{shown}");
        assert!(shown.contains("1,420 characters"), "{shown}");
        assert!(shown.len() < 2000, "{}", shown.len());
    }

    #[test]
    fn there_is_an_end_to_comparing() {
        let numbers = |from: usize| (from..from + 6000).map(|n| format!("{n} ")).collect::<String>();
        let (before, after) = (numbers(0), numbers(100_000));
        assert_eq!(compare(&before, &after).last().map(|run| run.kind), Some(Kind::Same));
        assert!(compare(&before, &after).iter().any(|run| run.kind == Kind::Rest));
        assert!(sides(&before, &after).into_string().contains("not compared"));
    }
}
