//! Markdown, line by line. What spans several lines, other than fenced code, is left as it is: a text in which
//! somebody writes `2 * 3` on one line and `4 * 5` on the next has no emphasis.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::tag::count;

/// `text` without its Markdown; borrowed where nothing changes.
pub(crate) fn strip(text: &str, alternative_text: bool) -> Cow<'_, str> {
    if !may_hold_marks(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let mut stripped = String::with_capacity(text.len());
    let mut fence = None;
    let mut after_text = false;
    for line in text.split_inclusive('\n') {
        let (content, end) = line.split_at(line.trim_end_matches(['\n', '\r']).len());
        let mark = fence_mark(content);
        match fence {
            Some(open) if mark == Some(open) => fence = None,
            Some(_) => stripped.push_str(line),
            None if mark.is_some() => fence = mark,
            None if is_rule(content, after_text) => {}
            None => {
                inline(block(content), alternative_text, &mut stripped);
                stripped.push_str(end);
            }
        }
        after_text = !content.trim().is_empty();
    }
    if stripped == text {
        return Cow::Borrowed(text);
    }
    // A line that went, such as the end of a fence, may have been the last.
    if !text.ends_with('\n') && stripped.ends_with('\n') {
        stripped.truncate(stripped.trim_end_matches(['\n', '\r']).len());
    }
    Cow::Owned(stripped)
}

/// What Markdown is made of; of lines, at least the start of a rule or an underline.
fn may_hold_marks(bytes: &[u8]) -> bool {
    const NONE: u8 = 0;
    const MARK: u8 = 1;
    const LINE: u8 = 2;
    /// A table costs a component no more than it costs a native build.
    static KINDS: [u8; 256] = {
        let mut kinds = [NONE; 256];
        let marks = b"*_~`#>[\\";
        let mut index = 0;
        while index < marks.len() {
            kinds[marks[index] as usize] = MARK;
            index += 1;
        }
        kinds[b'-' as usize] = LINE;
        kinds[b'=' as usize] = LINE;
        kinds
    };
    bytes.iter().enumerate().any(|(at, byte)| match KINDS[usize::from(*byte)] {
        NONE => false,
        LINE => bytes[at + 1..].iter().find(|next| !next.is_ascii_whitespace()) == Some(byte),
        _ => true,
    })
}

/// The mark of the fence that `line` is, if it is one.
fn fence_mark(line: &str) -> Option<u8> {
    let line = line.trim_start();
    ["```", "~~~"].iter().find(|fence| line.starts_with(**fence)).map(|fence| fence.as_bytes()[0]).filter(
        |mark| {
            // Not ```code``` on one line.
            !line.trim_start_matches(char::from(*mark)).contains(char::from(*mark))
        },
    )
}

/// `---`, `* * *` or, below text, `===`.
fn is_rule(line: &str, after_text: bool) -> bool {
    let mut marks = line.bytes().filter(|byte| !byte.is_ascii_whitespace());
    let Some(mark) = marks.next() else { return false };
    let fits = matches!(mark, b'-' | b'*' | b'_') || mark == b'=' && after_text;
    let mut number = 1;
    fits && marks.all(|byte| {
        number += 1;
        byte == mark
    }) && number >= 3
}

/// A line without the marks of headings and quotations at its start.
fn block(line: &str) -> &str {
    let mut line = line;
    loop {
        let inner = line.trim_start();
        if line.len() - inner.len() > 3 {
            return line;
        }
        match inner.strip_prefix('>') {
            Some(quoted) => line = quoted.strip_prefix(' ').unwrap_or(quoted),
            None => break,
        }
    }
    let inner = line.trim_start();
    let marks = count(inner.as_bytes(), 0, |byte| byte == b'#');
    match inner[marks..].strip_prefix([' ', '\t']) {
        Some(heading) if (1..=6).contains(&marks) => {
            let heading = heading.trim();
            let closed = heading.trim_end_matches('#');
            if closed.is_empty() || closed.ends_with(' ') { closed.trim_end() } else { heading }
        }
        _ => line,
    }
}

/// A run of `*`, `_` or `~~` that may begin emphasis, by its place in the result.
struct Opener {
    mark: u8,
    length: usize,
    place: usize,
}

/// Puts `line` to `stripped` without its emphasis, code marks, links, images and backslashes.
fn inline(line: &str, alternative_text: bool, stripped: &mut String) {
    let bytes = line.as_bytes();
    let brackets = brackets(bytes);
    let ticks = ticks(bytes);
    let mut openers: Vec<Opener> = Vec::new();
    // Parts of the result that turn out to be marks.
    let mut marks: Vec<(usize, usize)> = Vec::new();
    let mut ends: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        // A link's text is over: what follows is its address.
        if let Some((_, after)) = ends.pop_if(|(end, _)| *end == at) {
            at = after;
            continue;
        }
        match bytes[at] {
            b'\\' if bytes.get(at + 1).is_some_and(|next| b"\\`*_{}[]()#+-.!>~|".contains(next)) => {
                stripped.push(char::from(bytes[at + 1]));
                at += 2;
            }
            b'`' => {
                let length = count(bytes, at, |byte| byte == b'`');
                match closing_ticks(&ticks, at) {
                    Some(closing) => {
                        stripped.push_str(&line[at + length..closing]);
                        at = closing + length;
                    }
                    None => {
                        stripped.push_str(&line[at..at + length]);
                        at += length;
                    }
                }
            }
            b'!' if bytes.get(at + 1) == Some(&b'[') => match link(bytes, at + 1, &brackets) {
                Some((text_end, after)) => {
                    if alternative_text {
                        stripped.push_str(&line[at + 2..text_end]);
                    }
                    at = after;
                }
                None => {
                    stripped.push('!');
                    at += 1;
                }
            },
            b'[' => match link(bytes, at, &brackets) {
                Some(end) => {
                    ends.push(end);
                    at += 1;
                }
                None => {
                    stripped.push('[');
                    at += 1;
                }
            },
            mark @ (b'*' | b'_' | b'~') => {
                let length = count(bytes, at, |byte| byte == mark);
                let run = Run::new(line, at, mark, length);
                let opener =
                    openers.iter().rposition(|opener| opener.mark == mark && opener.length == length);
                let place = stripped.len();
                stripped.push_str(&line[at..at + length]);
                match opener.filter(|_| run.closes) {
                    Some(index) => {
                        marks.push((openers[index].place, length));
                        marks.push((place, length));
                        openers.truncate(index);
                    }
                    // So many that begin and do not end are no emphasis, and looking through them takes time.
                    None if run.opens && openers.len() < 32 => openers.push(Opener { mark, length, place }),
                    None => {}
                }
                at += length;
            }
            _ => {
                let plain =
                    |byte: u8| !matches!(byte, b'\\' | b'`' | b'!' | b'[' | b']' | b'*' | b'_' | b'~');
                let length = count(bytes, at, plain).max(1);
                stripped.push_str(&line[at..at + length]);
                at += length;
            }
        }
    }
    remove(stripped, marks);
}

fn remove(text: &mut String, mut marks: Vec<(usize, usize)>) {
    if marks.is_empty() {
        return;
    }
    marks.sort_unstable();
    let mut kept = String::with_capacity(text.len());
    let first = marks[0].0;
    let mut done = first;
    for (place, length) in marks {
        kept.push_str(&text[done..place]);
        done = place + length;
    }
    kept.push_str(&text[done..]);
    text.truncate(first);
    text.push_str(&kept);
}

/// What a run of emphasis marks may be.
struct Run {
    opens: bool,
    closes: bool,
}

impl Run {
    fn new(line: &str, at: usize, mark: u8, length: usize) -> Self {
        let before = line[..at].chars().next_back();
        let after = line[at + length..].chars().next();
        let fits = if mark == b'~' { length == 2 } else { length <= 3 };
        let inside_word =
            before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric);
        let usable = fits && !(mark == b'_' && inside_word);
        let beside = |c: Option<char>| c.is_some_and(|c| !c.is_whitespace());
        Self { opens: usable && beside(after), closes: usable && beside(before) }
    }
}

/// Where the text and the whole of the link end that starts at `start` with `[`.
fn link(bytes: &[u8], start: usize, brackets: &[usize]) -> Option<(usize, usize)> {
    let text_end = *brackets.get(start)?;
    if text_end == 0 || bytes.get(text_end + 1) != Some(&b'(') {
        return None;
    }
    let end = *brackets.get(text_end + 1)?;
    (end != 0).then_some((text_end, end + 1))
}

/// For each bracket that opens, where it is closed; 0 for all else. Empty if there are none.
fn brackets(bytes: &[u8]) -> Vec<usize> {
    if !bytes.contains(&b'[') {
        return Vec::new();
    }
    let mut partner = vec![0; bytes.len()];
    let (mut square, mut round) = (Vec::new(), Vec::new());
    for (place, byte) in bytes.iter().enumerate() {
        match byte {
            b'[' => square.push(place),
            b'(' => round.push(place),
            b']' => {
                if let Some(open) = square.pop() {
                    partner[open] = place;
                }
            }
            b')' => {
                if let Some(open) = round.pop() {
                    partner[open] = place;
                }
            }
            _ => {}
        }
    }
    partner
}

/// A run of backticks.
struct Ticks {
    place: usize,
    length: usize,
    /// Where the next run of the same length is.
    next: Option<usize>,
}

fn ticks(bytes: &[u8]) -> Vec<Ticks> {
    let mut runs = Vec::new();
    let mut at = 0;
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == b'`') {
        let place = at + found;
        let length = count(bytes, place, |byte| byte == b'`');
        runs.push(Ticks { place, length, next: None });
        at = place + length;
    }
    let mut later = BTreeMap::new();
    for run in runs.iter_mut().rev() {
        run.next = later.insert(run.length, run.place);
    }
    runs
}

/// Where the code ends that the run of backticks at `place` begins.
fn closing_ticks(ticks: &[Ticks], place: usize) -> Option<usize> {
    let index = ticks.binary_search_by_key(&place, |run| run.place).ok()?;
    ticks[index].next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn becomes(text: &str, stripped: &str) {
        assert_eq!(strip(text, false), stripped);
    }

    #[test]
    fn marks_go_and_text_stays() {
        becomes("# Title #\n\n> quoted\n> > twice\n\ntext", "Title\n\nquoted\ntwice\n\ntext");
        becomes("**bold**, __bold__, *it*, _it_, ***both***, ~~gone~~", "bold, bold, it, it, both, gone");
        becomes("**a *b* c**", "a b c");
        becomes("see [my **new** card](https://x.y/(a) \"t\") ![alt](a.png)!", "see my new card !");
        becomes("`a * b` and ``c ` d``", "a * b and c ` d");
        becomes("```rust\nlet a = *b;\n```\nafter", "let a = *b;\nafter");
        becomes("Title\n===\na\n\n---\nb", "Title\na\n\nb");
        becomes("a\n- - -\nb", "a\nb");
        becomes("\\*not\\* \\# x", "*not* # x");
        assert_eq!(strip("![alt](a.png)", true), "alt");
    }

    #[test]
    fn other_text_stays() {
        for text in [
            "2 * 3 * 4",
            "snake_case_name and __init",
            "a[1](x",
            "[1] and [x]",
            "#1 #hashtag",
            "a ~ b ~ c",
            "`",
            "* item\n- item\n+ item",
            "5 > 3",
            "-- a --",
            "C:\\temp",
            "a * b\nc * d",
        ] {
            becomes(text, text);
        }
    }

    #[test]
    fn time_is_linear_in_the_length() {
        for piece in ["*a", "*", "[", "[](", "`a", "``a`b", "_a ", "> ", "![", "a* ", "~~~", "(["] {
            strip(&piece.repeat(1_000_000 / piece.len()), true);
        }
    }
}
