//! What pages point at: files, headings, included sources, and the table of contents, which names every page.

use super::block::prose;
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

const CONTENTS: &str = "SUMMARY.md";

/// Every page below `book`, the table of contents aside.
pub fn pages(book: &Path) -> Result<Vec<PathBuf>> {
    let mut pages = Vec::new();
    let mut folders = vec![book.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") && !path.ends_with(CONTENTS) {
                pages.push(path);
            }
        }
    }
    pages.sort();
    Ok(pages)
}

/// Everything that points nowhere: one line each.
pub fn faults(book: &Path) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let contents = book.join(CONTENTS);
    let pages = pages(book)?;
    let mut named = BTreeSet::new();
    for page in pages.iter().chain([&contents]) {
        let text = fs::read_to_string(page).with_context(|| format!("{} cannot be read", page.display()))?;
        let shown = page.strip_prefix(book).unwrap_or(page).display();
        let mut fault = |line: usize, what: String| faults.push(format!("{shown}:{}: {what}", line + 1));
        for (line, target) in links(&prose(&text)) {
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let path = if file.is_empty() { page.clone() } else { below(page, file) };
            if !path.exists() {
                fault(line, format!("there is no {target}"));
            } else if !anchor.is_empty() && !anchors(&path)?.contains(anchor) {
                fault(line, format!("there is no heading {target}"));
            } else if *page == contents {
                named.insert(path);
            }
        }
        for (line, target) in includes(&text) {
            if !below(page, &target).is_file() {
                fault(line, format!("there is no {target} to include"));
            }
        }
    }
    let forgotten = pages.iter().filter(|page| !named.contains(*page));
    faults.extend(
        forgotten.map(|page| {
            format!("{CONTENTS}: {} is missing", page.strip_prefix(book).unwrap_or(page).display())
        }),
    );
    Ok(faults)
}

/// `target` as seen from `page`, without `..` where that can be.
fn below(page: &Path, target: &str) -> PathBuf {
    let mut path = page.parent().unwrap_or(Path::new("")).to_path_buf();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    path
}

/// `[text](target)` that points into the repository, with the line, from 0.
fn links(prose: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (number, line) in prose.lines().enumerate() {
        // Between backticks there are no links.
        let plain: String = line.split('`').step_by(2).collect::<Vec<_>>().join("``");
        let targets = plain.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        let targets = targets.map(|(target, _)| target.split(' ').next().unwrap_or(target));
        let ours = targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:"));
        links.extend(ours.map(|target| (number, target.to_owned())));
    }
    links
}

/// `{{#include path:part}}`, with the line, from 0.
fn includes(text: &str) -> Vec<(usize, String)> {
    let target = |line: &str| {
        let (_, rest) = line.split_once("{{#include ")?;
        let (target, _) = rest.split_once("}}")?;
        Some(target.split(':').next().unwrap_or(target).trim().to_owned())
    };
    let lines = text.lines().enumerate();
    lines.filter_map(|(number, line)| target(line).map(|target| (number, target))).collect()
}

/// The headings of a page as mdBook names them in addresses.
fn anchors(page: &Path) -> Result<BTreeSet<String>> {
    if page.extension().is_none_or(|ending| ending != "md") {
        return Ok(BTreeSet::new());
    }
    let text = fs::read_to_string(page).with_context(|| format!("{} cannot be read", page.display()))?;
    let mut anchors = BTreeSet::new();
    for line in prose(&text).lines() {
        let title = line.trim_start_matches('#');
        if title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let slug = slug(title);
        let again = (1..).map(|count| format!("{slug}-{count}"));
        let free = std::iter::once(slug.clone()).chain(again).find(|name| !anchors.contains(name));
        anchors.extend(free);
    }
    Ok(anchors)
}

/// mdBook's: lower case, letters, digits, `_` and `-`; blanks become `-`.
pub fn slug(title: &str) -> String {
    let kept = title.trim().chars().filter_map(|c| match c {
        c if c.is_alphanumeric() || c == '_' || c == '-' => Some(c.to_ascii_lowercase()),
        c if c.is_whitespace() => Some('-'),
        _ => None,
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(pages: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in pages {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn a_book_in_order_has_no_faults() {
        let book = book(&[
            ("SUMMARY.md", "- [One](one.md)\n  - [Two](in/two.md)\n"),
            (
                "one.md",
                "# One `x` & y\n## Same\n## Same\n[a](in/two.md#two-things) [b](#same-1) [c](https://x.org)",
            ),
            (
                "in/two.md",
                "# Two things\n[o](../one.md#one-x--y) `[no](link)`\n```text\n[n](o)\n```\n```rust\n{{#include ../x.rs:part}}\n```\n",
            ),
            ("x.rs", ""),
        ]);
        assert_eq!(faults(book.path()).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_points_nowhere_is_named_with_its_place() {
        let book = book(&[
            ("SUMMARY.md", "[One](one.md)\n[Gone](gone.md)\n"),
            ("one.md", "x\n[a](two.md)\n[b](#nothing)\n```rust\n{{#include x.rs}}\n```\n"),
            ("more.md", ""),
        ]);
        assert_eq!(
            faults(book.path()).unwrap(),
            [
                "one.md:2: there is no two.md",
                "one.md:3: there is no heading #nothing",
                "one.md:5: there is no x.rs to include",
                "SUMMARY.md:2: there is no gone.md",
                "SUMMARY.md: more.md is missing",
            ]
        );
    }
}
