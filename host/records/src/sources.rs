//! Which files a recipe's patterns mean.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::format::Format;

/// A pattern that gives no files.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("no file is called `{pattern}`")]
    Missing { pattern: String, nearest: Option<String> },
    #[error("no file matches `{pattern}`")]
    NoMatch { pattern: String },
    #[error("the folder `{pattern}` has no file of a format that Pegbox reads")]
    EmptyFolder { pattern: String },
    #[error("`{pattern}` is no pattern: {what}")]
    Pattern { pattern: String, what: String },
    #[error("cannot look through {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

impl SourceError {
    /// How to mend it.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Missing { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::Missing { .. } | Self::NoMatch { .. } => {
                "paths are relative to the recipe's folder; hidden files match only a pattern that names the dot"
                    .to_owned()
            }
            Self::EmptyFolder { .. } => format!("it may hold {}", known_endings()),
            Self::Pattern { .. } => "`*` stands for a part of a name, `**` for folders, `[ab]` for one of these characters; write `[*]` for a star itself".to_owned(),
            Self::Io { .. } => return None,
        })
    }
}

/// The files that `patterns` mean, relative to `folder`: a file, a glob, or a folder, which stands for all
/// files of known formats in it and below. The files of one pattern are sorted, the patterns keep their
/// order, and a file that several patterns name comes once. Hidden files are left out of folders and globs.
///
/// # Errors
/// If a pattern matches nothing, so that a slip never goes unseen.
pub fn expand(folder: &Path, patterns: &[String]) -> Result<Vec<PathBuf>, SourceError> {
    let mut files = Vec::new();
    let mut seen = BTreeSet::new();
    for pattern in patterns {
        for file in matches(folder, pattern)? {
            if seen.insert(file.clone()) {
                files.push(file);
            }
        }
    }
    Ok(files)
}

fn matches(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, SourceError> {
    let path = folder.join(pattern);
    // A name with a star or a bracket in it is first of all a name.
    if path.is_dir() {
        let mut files = Vec::new();
        collect(&path, &mut files)?;
        files.sort();
        return if files.is_empty() {
            Err(SourceError::EmptyFolder { pattern: pattern.to_owned() })
        } else {
            Ok(files)
        };
    }
    if path.exists() {
        return Ok(vec![path]);
    }
    if !pattern.contains(['*', '?', '[']) {
        let nearest = nearest(&path, pattern);
        return Err(SourceError::Missing { pattern: pattern.to_owned(), nearest });
    }
    globbed(folder, pattern)
}

fn globbed(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, SourceError> {
    let wrong = |what: String| SourceError::Pattern { pattern: pattern.to_owned(), what };
    let Some(folder) = folder.to_str() else {
        return Err(wrong(format!(
            "the folder {} is not UTF-8, so no pattern can follow it",
            folder.display()
        )));
    };
    let whole = Path::new(&glob::Pattern::escape(folder)).join(pattern);
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let found =
        glob::glob_with(&whole.to_string_lossy(), options).map_err(|error| wrong(error.to_string()))?;
    let mut files = Vec::new();
    for entry in found {
        let path =
            entry.map_err(|error| SourceError::Io { path: error.path().to_owned(), source: error.into() })?;
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() { Err(SourceError::NoMatch { pattern: pattern.to_owned() }) } else { Ok(files) }
}

/// All files of known formats in `folder` and below. Links to folders are not followed: they may go in circles.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), SourceError> {
    let failed = |source| SourceError::Io { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = entry.path();
        if entry.file_type().map_err(failed)?.is_dir() {
            collect(&path, files)?;
        } else if Format::of_name(&path).is_some() && path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// The file beside `path` whose name is most like its own, written as the pattern is.
fn nearest(path: &Path, pattern: &str) -> Option<String> {
    let wrong = path.file_name()?.to_str()?;
    let names: Vec<String> = fs::read_dir(path.parent()?)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    let nearest = pegbox_manifest::suggest::nearest(wrong, names.iter().map(String::as_str))?;
    Some(Path::new(pattern).with_file_name(nearest).display().to_string())
}

/// `.jsonl, .ndjson, ...`
pub(crate) fn known_endings() -> String {
    let endings: Vec<String> = Format::ALL
        .into_iter()
        .flat_map(|format| format.extensions())
        .map(|extension| format!(".{extension}"))
        .collect();
    format!("{}, each but Parquet also with .gz or .zst", endings.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(folder: &Path, patterns: &[&str]) -> Result<Vec<String>, (String, String)> {
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        let shown = |path: PathBuf| path.strip_prefix(folder).unwrap().display().to_string();
        expand(folder, &patterns)
            .map(|files| files.into_iter().map(shown).collect())
            .map_err(|error| (error.to_string(), error.help().unwrap_or_default()))
    }

    #[test]
    fn files_globs_and_folders() {
        let home = tempfile::tempdir().unwrap();
        // A folder whose own name would mean something in a pattern.
        let folder = &home.path().join("data [1]");
        for name in [
            "a/2.jsonl",
            "a/10.jsonl.gz",
            "a/b/3.csv",
            "a/.hidden.csv",
            "a/readme.md",
            "a/x[1].txt",
            "empty/x.md",
        ] {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let all = ["a/10.jsonl.gz", "a/2.jsonl", "a/b/3.csv", "a/x[1].txt"].map(str::to_owned).to_vec();
        assert_eq!(told(folder, &["a"]), Ok(all));
        assert_eq!(
            told(folder, &["a/2.jsonl", "a/*.jsonl*"]),
            Ok(vec!["a/2.jsonl".into(), "a/10.jsonl.gz".into()])
        );
        assert_eq!(told(folder, &["**/*.csv"]), Ok(vec!["a/b/3.csv".into()]));
        assert_eq!(told(folder, &["a/x[1].txt"]), Ok(vec!["a/x[1].txt".into()]));

        let error = told(folder, &["a/2.jsnl"]).unwrap_err();
        assert_eq!(error, ("no file is called `a/2.jsnl`".into(), "did you mean `a/2.jsonl`?".into()));
        assert_eq!(told(folder, &["*.tsv"]).unwrap_err().0, "no file matches `*.tsv`");
        let error = told(folder, &["empty"]).unwrap_err();
        assert_eq!(error.0, "the folder `empty` has no file of a format that Pegbox reads");
        assert!(error.1.starts_with("it may hold .jsonl, .ndjson, .json, .csv"), "{}", error.1);
        assert!(told(folder, &["a/***"]).unwrap_err().0.starts_with("`a/***` is no pattern: "));
    }
}
