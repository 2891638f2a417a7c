use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use pegbox_records::parquet_out::{ParquetRows, Values};
use serde::Deserialize;

use super::super::corpus::CORPUS;

/// The parts, as the names of their tables begin.
pub const PARTS: [&str; 3] = ["train", "validation", "test"];

/// What became of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// In the part of this number.
    Kept(usize),
    /// As a duplicate.
    Removed,
    /// For another reason.
    Dropped,
    /// It is nowhere.
    Unexplained,
}

#[derive(Debug)]
pub struct Output {
    /// One a line of the corpus.
    pub fates: Vec<Fate>,
    /// Lines, from 0.
    pub suspects: HashSet<usize>,
}

#[derive(Deserialize)]
struct Listed {
    origin: String,
    #[serde(default)]
    stage: String,
    /// The row that is kept in place of a duplicate.
    #[serde(default)]
    of: Option<serde::de::IgnoredAny>,
}

impl Output {
    /// Reads a folder of a corpus of so many lines; shows every row that is left: its line from 0, its part, its text.
    pub fn read(folder: &Path, lines: usize, mut row: impl FnMut(usize, usize, &str)) -> Result<Self> {
        let mut fates = vec![Fate::Unexplained; lines];
        for (part, name) in PARTS.iter().enumerate() {
            let tables = tables(folder, name)?;
            ensure!(!tables.is_empty(), "{} holds no {name} rows", folder.display());
            for path in tables {
                rows_of(&path, |origin, text| {
                    let line = line_of(origin, lines)?;
                    if matches!(fates[line], Fate::Kept(_)) {
                        bail!("{}: {origin} is there twice", path.display());
                    }
                    fates[line] = Fate::Kept(part);
                    row(line, part, text);
                    Ok(())
                })?;
            }
        }
        for name in ["dropped.jsonl", "quarantined.jsonl"] {
            for listed in listed(&folder.join(name))? {
                let line = line_of(&listed.origin, lines)?;
                let duplicate = listed.of.is_some() || listed.stage.contains("duplicate");
                if fates[line] == Fate::Unexplained {
                    fates[line] = if duplicate { Fate::Removed } else { Fate::Dropped };
                }
            }
        }
        let suspects = listed(&folder.join("suspects.jsonl"))?;
        let suspects =
            suspects.iter().map(|suspect| line_of(&suspect.origin, lines)).collect::<Result<_>>()?;
        Ok(Self { fates, suspects })
    }

    /// The rows of each part.
    pub fn parts(&self) -> [u64; 3] {
        let mut parts = [0; 3];
        for fate in &self.fates {
            if let Fate::Kept(part) = fate {
                parts[*part] += 1;
            }
        }
        parts
    }
}

fn tables(folder: &Path, part: &str) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.strip_prefix(part).is_some_and(|rest| rest.starts_with('-')) && name.ends_with(".parquet") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn rows_of(path: &Path, mut row: impl FnMut(&str, &str) -> Result<()>) -> Result<()> {
    for batch in ParquetRows::open(path, &["origin", "text"])?.batches()? {
        let batch = batch?;
        let [Values::Text(origins), Values::Text(texts)] = batch.values.as_slice() else {
            bail!("{}: origin and text are no strings", path.display());
        };
        for (origin, text) in origins.iter().zip(texts) {
            row(origin.as_deref().unwrap_or_default(), text.as_deref().unwrap_or_default())?;
        }
    }
    Ok(())
}

/// The entries of JSON Lines; none if there is no such file.
fn listed(path: &Path) -> Result<Vec<Listed>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let entries = BufReader::new(file).lines().enumerate().map(|(place, line)| {
        serde_json::from_str(&line?).with_context(|| format!("{}:{}", path.display(), place + 1))
    });
    entries.collect()
}

/// The line that `corpus.jsonl:8811` names, maybe with a folder before it and a column behind it, from 0.
fn line_of(origin: &str, lines: usize) -> Result<usize> {
    let place = origin.rsplit_once(CORPUS).and_then(|(_, place)| place.strip_prefix(':'));
    let line = place.and_then(|place| place.split(':').next()?.parse::<usize>().ok());
    let line = line.and_then(|line| line.checked_sub(1)).filter(|line| *line < lines);
    line.with_context(|| format!("`{origin}` is no line of the corpus, which has {lines}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_from_origins() {
        let line = |origin| line_of(origin, 10).ok();
        assert_eq!(line("corpus.jsonl:1"), Some(0));
        assert_eq!(line("/some:where/corpus.jsonl:10:5"), Some(9));
        for origin in ["corpus.jsonl:11", "corpus.jsonl:0", "corpus.jsonl", "other.jsonl:1", ""] {
            assert_eq!(line(origin), None, "{origin}");
        }
    }
}
