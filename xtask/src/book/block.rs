//! The fenced blocks of a page, and what is to be done with each.

use anyhow::{Result, bail, ensure};
use std::path::{Component, Path, PathBuf};

/// Files: their first line is a comment that names the path.
const SOURCES: [&str; 16] = [
    "toml",
    "python",
    "py",
    "javascript",
    "js",
    "typescript",
    "ts",
    "c",
    "cpp",
    "c++",
    "zig",
    "rust",
    "go",
    "sh",
    "yaml",
    "wit",
];
/// Files whose language has no comments: the path stands behind the language.
const DATA: [&str; 4] = ["json", "jsonl", "csv", "txt"];

/// A fenced block as it stands in a page.
#[derive(Debug)]
pub struct Block {
    /// Of its opening fence, from 1.
    pub line: usize,
    pub work: Work,
}

/// What a block asks for.
#[derive(Debug, PartialEq)]
pub enum Work {
    /// `console`: commands and what they print.
    Commands(Vec<Command>),
    /// A file to write.
    Write { path: PathBuf, text: String },
    /// Text to add to a file.
    Append { path: PathBuf, text: String },
    /// `{{#include path}}`: a file of this repository, which other tests build.
    Include,
    /// `text`: output or a drawing.
    Text,
    /// `<!-- not run: reason -->` stands before it.
    Exempt { reason: String },
}

/// One line after `$ `, and what it prints.
#[derive(Debug, PartialEq)]
pub struct Command {
    pub line: usize,
    pub text: String,
    /// The exit status that it must have.
    pub status: i32,
    pub expected: Vec<String>,
}

/// The blocks of a page, in order.
///
/// # Errors
/// A fence that is not closed, a language that means nothing here, a file without a path.
pub fn blocks(page: &str) -> Result<Vec<Block>> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().enumerate();
    let mut before = "";
    while let Some((number, line)) = lines.next() {
        let Some(fence) = Fence::open(line) else {
            before = if line.trim().is_empty() { before } else { line };
            continue;
        };
        let mut content = Vec::new();
        loop {
            match lines.next() {
                None => bail!("line {}: the block has no end", number + 1),
                Some((_, line)) if fence.closes(line) => break,
                Some((_, line)) => content.push(fence.without_indent(line)),
            }
        }
        let work = match exemption(before) {
            Some(reason) => Work::Exempt { reason: reason.to_owned() },
            None => work(fence.info, &content, number + 2)
                .map_err(|fault| fault.context(format!("line {}", number + 1)))?,
        };
        blocks.push(Block { line: number + 1, work });
        before = "";
    }
    Ok(blocks)
}

/// The page without its blocks: the same lines, those of blocks empty.
pub fn prose(page: &str) -> String {
    let mut prose = String::new();
    let mut open: Option<Fence<'_>> = None;
    for line in page.lines() {
        let outside = match &open {
            Some(fence) => {
                if fence.closes(line) {
                    open = None;
                }
                false
            }
            None => {
                open = Fence::open(line);
                open.is_none()
            }
        };
        if outside {
            prose.push_str(line);
        }
        prose.push('\n');
    }
    prose
}

/// An opening fence: three or more backticks, perhaps indented, as in a list.
struct Fence<'p> {
    indent: usize,
    ticks: usize,
    info: &'p str,
}

impl<'p> Fence<'p> {
    fn open(line: &'p str) -> Option<Self> {
        let rest = line.trim_start();
        let info = rest.trim_start_matches('`');
        let ticks = rest.len() - info.len();
        let is_fence = ticks >= 3 && !info.contains('`');
        is_fence.then(|| Self { indent: line.len() - rest.len(), ticks, info: info.trim() })
    }

    fn closes(&self, line: &str) -> bool {
        let line = line.trim();
        line.len() >= self.ticks && line.bytes().all(|byte| byte == b'`')
    }

    fn without_indent<'l>(&self, line: &'l str) -> &'l str {
        let blank = line.len() - line.trim_start_matches(' ').len();
        &line[blank.min(self.indent)..]
    }
}

fn exemption(line: &str) -> Option<&str> {
    line.trim().strip_prefix("<!-- not run:")?.strip_suffix("-->").map(str::trim)
}

fn work(info: &str, content: &[&str], line: usize) -> Result<Work> {
    let (language, path) = info.split_once(' ').unwrap_or((info, ""));
    if is_include(content) {
        return Ok(Work::Include);
    }
    match language {
        "text" => Ok(Work::Text),
        "console" => Ok(Work::Commands(commands(content, line)?)),
        _ if DATA.contains(&language) || (SOURCES.contains(&language) && !path.is_empty()) => {
            ensure!(
                !path.is_empty(),
                "the path of a block of `{language}` stands behind it: ```{language} data.{language}"
            );
            Ok(Work::Write { path: inside(path)?, text: whole(content) })
        }
        _ if SOURCES.contains(&language) => source(language, content),
        _ => bail!("`{info}` is not a language that a block of the book may have"),
    }
}

fn is_include(content: &[&str]) -> bool {
    let mut lines = content.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).peekable();
    lines.peek().is_some() && lines.all(|line| line.starts_with("{{#include ") && line.ends_with("}}"))
}

/// `# path`, `// path` or `/* path */` in the first line; `in path` adds to the file.
fn source(language: &str, content: &[&str]) -> Result<Work> {
    let first = content.first().copied().unwrap_or_default();
    let marks = ["//!", "//", "#", "/*"];
    let comment = marks.iter().find_map(|mark| first.strip_prefix(mark));
    let comment = comment.map(|comment| comment.trim().trim_end_matches("*/").trim());
    let Some(comment) = comment.filter(|comment| !comment.is_empty()) else {
        bail!("the first line of a block of `{language}` is a comment with the path of the file");
    };
    match comment.strip_prefix("in ") {
        // The comment tells the reader where it belongs; the file has no use for it.
        Some(path) => Ok(Work::Append { path: inside(path)?, text: whole(&content[1..]) }),
        None => Ok(Work::Write { path: inside(comment)?, text: whole(content) }),
    }
}

/// A path inside the page's folder.
fn inside(path: &str) -> Result<PathBuf> {
    let path = Path::new(path.trim().trim_matches('`'));
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    let named = path.to_str().is_some_and(|text| !text.is_empty() && !text.contains(char::is_whitespace));
    ensure!(plain && named, "`{}` is not a path inside the page's folder", path.display());
    Ok(path.to_owned())
}

fn whole(lines: &[&str]) -> String {
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

/// `$ command`, with `\` at its end if it goes on, then what it prints.
fn commands(content: &[&str], line: usize) -> Result<Vec<Command>> {
    let mut commands: Vec<Command> = Vec::new();
    let mut goes_on = false;
    for (index, text) in content.iter().enumerate() {
        let last = commands.last_mut();
        match (text.strip_prefix("$ "), last) {
            (_, Some(command)) if goes_on => {
                command.text.push('\n');
                command.text.push_str(text.strip_prefix("> ").unwrap_or(text));
            }
            (Some(text), _) => {
                let (text, status) = status(text)?;
                commands.push(Command {
                    line: line + index,
                    text: text.to_owned(),
                    status,
                    expected: Vec::new(),
                });
            }
            (None, Some(command)) => command.expected.push((*text).trim_end().to_owned()),
            (None, None) => bail!("a block of `console` begins with `$ ` and a command"),
        }
        goes_on = (goes_on || text.starts_with("$ ")) && text.ends_with('\\');
    }
    ensure!(!commands.is_empty(), "a block of `console` without a command");
    for command in &mut commands {
        while command.expected.last().is_some_and(String::is_empty) {
            command.expected.pop();
        }
    }
    Ok(commands)
}

/// `command  # exit 1`
fn status(text: &str) -> Result<(&str, i32)> {
    match text.rsplit_once("# exit ") {
        Some((command, status)) => Ok((command.trim_end(), status.trim().parse()?)),
        None => Ok((text, 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(page: &str) -> Work {
        let mut blocks = blocks(page).unwrap();
        assert_eq!(blocks.len(), 1);
        blocks.remove(0).work
    }

    fn fault(page: &str) -> String {
        format!("{:#}", blocks(page).unwrap_err())
    }

    fn write(path: &str, text: &str) -> Work {
        Work::Write { path: path.into(), text: text.into() }
    }

    #[test]
    fn a_console_block_is_commands_with_what_they_print() {
        let page = "Say:\n\n```console\n$ pegbox check\nfine\n...\n\n$ cat x  # exit 1\n```\n";
        let Work::Commands(commands) = only(page) else { panic!() };
        assert_eq!(
            commands,
            [
                Command {
                    line: 4,
                    text: "pegbox check".into(),
                    status: 0,
                    expected: vec!["fine".into(), "...".into()]
                },
                Command { line: 8, text: "cat x".into(), status: 1, expected: vec![] },
            ]
        );
    }

    #[test]
    fn a_command_goes_on_after_a_backslash() {
        let Work::Commands(commands) = only("```console\n$ a \\\n> b \\\n  c\nout \\\nput\n```") else {
            panic!()
        };
        assert_eq!(commands[0].text, "a \\\nb \\\n  c");
        assert_eq!(commands[0].expected, ["out \\", "put"]);
    }

    #[test]
    fn a_source_names_its_file_in_its_first_line() {
        assert_eq!(
            only("```toml\n# pegbox.toml\na = 1\n```"),
            write("pegbox.toml", "# pegbox.toml\na = 1\n")
        );
        assert_eq!(only("```rust\n// src/lib.rs\nx\n```"), write("src/lib.rs", "// src/lib.rs\nx\n"));
        assert_eq!(only("```c\n/* p.c */\n```"), write("p.c", "/* p.c */\n"));
        let added = Work::Append { path: "pegbox.toml".into(), text: "a = 1\n".into() };
        assert_eq!(only("```toml\n# in pegbox.toml\na = 1\n```"), added);
        assert!(fault("```toml\na = 1\n```").contains("line 1: the first line of a block of `toml`"));
        assert!(fault("```toml\n# what it means\n```").contains("is not a path"));
        assert!(fault("```toml\n# ../x\n```").contains("is not a path inside"));
        assert!(fault("```toml\n# /x\n```").contains("is not a path inside"));
    }

    #[test]
    fn data_names_its_file_behind_the_language() {
        assert_eq!(only("```csv data/a.csv\n1,2\n```"), write("data/a.csv", "1,2\n"));
        assert_eq!(only("```yaml registry.yml\na: 1\n```"), write("registry.yml", "a: 1\n"));
        assert!(fault("```jsonl\n{}\n```").contains("stands behind it"));
    }

    #[test]
    fn an_include_and_a_text_are_not_run() {
        assert_eq!(only("```rust\n{{#include ../a.rs}}\n```"), Work::Include);
        assert_eq!(only("```text\nanything\n```"), Work::Text);
        assert!(fault("```\nanything\n```").contains("is not a language"));
        assert!(fault("```bash\nls\n```").contains("`bash` is not a language"));
    }

    #[test]
    fn an_exemption_holds_for_the_next_block_only() {
        let page = "<!-- not run: needs a GPU -->\n```console\n$ a\n```\n```text\n```\n";
        let blocks = blocks(page).unwrap();
        assert_eq!(blocks[0].work, Work::Exempt { reason: "needs a GPU".into() });
        assert_eq!(blocks[1].work, Work::Text);
    }

    #[test]
    fn fences_nest_are_indented_and_end() {
        assert_eq!(only("````text\n```\n````"), Work::Text);
        assert_eq!(only("1. x\n   ```csv a.csv\n   1\n     2\n   ```"), write("a.csv", "1\n  2\n"));
        assert!(fault("x\n```text\n").contains("line 2: the block has no end"));
        assert_eq!(prose("a\n```text\nb\n```\nc"), "a\n\n\n\nc\n");
    }
}
