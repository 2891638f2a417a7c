//! Texts in files, read as often as they are needed and never held.

use std::path::{Path, PathBuf};

use pegbox_records::sources::expand;
use pegbox_records::{Origins, ReadSettings, Schema, open};

use crate::error::VocabularyError;

/// Texts that are worked on together, unless they are long.
const BATCH_TEXTS: usize = 8192;
/// Bytes after which a batch is handed on even so.
const BATCH_BYTES: usize = 16 << 20;

/// The texts of some fields of some files.
pub struct Corpus<'p> {
    files: Vec<PathBuf>,
    settings: ReadSettings,
    origins: Origins,
    /// Told how many texts of a pass were worked on.
    progress: &'p (dyn Fn(u64) + Sync),
}

/// One field of one row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Text {
    /// The number of its file.
    pub file: u32,
    /// The line on which its row begins, from 1; in a Parquet file, the row.
    pub line: u64,
    pub content: String,
}

impl<'p> Corpus<'p> {
    /// The fields `fields` of the files that `patterns` mean, relative to `folder`: files, globs or folders of
    /// every format that records are read from. A layout that is detected, such as chat messages, offers its
    /// roles (`prompt`, `completion`) as fields.
    ///
    /// # Errors
    /// A pattern without files, a field that is named twice, no field.
    pub fn new(
        folder: &Path,
        patterns: &[String],
        fields: &[String],
        progress: &'p (dyn Fn(u64) + Sync),
    ) -> Result<Self, VocabularyError> {
        let files = expand(folder, patterns)?;
        let schema =
            Schema::new(fields.iter().map(|field| (field.as_str(), field.as_str()))).map_err(|_| {
                let twice = fields.iter().enumerate().find(|(place, field)| fields[..*place].contains(field));
                let field = twice.map(|(_, field)| field.clone()).unwrap_or_default();
                VocabularyError::FieldTwice { field }
            })?;
        let origins = Origins::new(&files);
        Ok(Self { files, settings: ReadSettings::new(schema), origins, progress })
    }

    /// `train.jsonl:8811`.
    pub(crate) fn origin(&self, text: &Text) -> String {
        self.origins.at(text.file, text.line).to_string()
    }

    /// Hands on all texts in the order of files, rows and fields, some thousands at a time. Empty ones are left
    /// out.
    pub(crate) fn batches(
        &self,
        mut each: impl FnMut(&[Text]) -> Result<(), VocabularyError>,
    ) -> Result<u64, VocabularyError> {
        let (mut batch, mut bytes, mut done) = (Vec::new(), 0, 0);
        for (file, path) in (0..).zip(&self.files) {
            for record in open(path, &self.settings, file, 0)? {
                let record = record?;
                for content in record.values.into_iter().flatten().filter(|content| !content.is_empty()) {
                    bytes += content.len();
                    batch.push(Text { file, line: record.line, content });
                }
                if batch.len() >= BATCH_TEXTS || bytes >= BATCH_BYTES {
                    each(&batch)?;
                    done += batch.len() as u64;
                    (self.progress)(done);
                    batch.clear();
                    bytes = 0;
                }
            }
        }
        if !batch.is_empty() {
            each(&batch)?;
            done += batch.len() as u64;
            (self.progress)(done);
        }
        Ok(done)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A corpus of these texts, one a row of a JSON Lines file, and the folder that holds it.
    pub(crate) fn corpus(texts: &[impl AsRef<str>]) -> (tempfile::TempDir, Corpus<'static>) {
        let folder = tempfile::tempdir().unwrap();
        let row = |text: &str| format!("{}\n", serde_json::json!({ "text": text }));
        let rows: String = texts.iter().map(|text| row(text.as_ref())).collect();
        std::fs::write(folder.path().join("texts.jsonl"), rows).unwrap();
        let corpus = Corpus::new(folder.path(), &["texts.jsonl".into()], &["text".into()], &|_| ()).unwrap();
        (folder, corpus)
    }

    #[test]
    fn fields_are_texts_in_order_and_gaps_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("a.jsonl"),
            "{\"q\": \"one\", \"a\": \"two\"}\n{\"q\": \"\", \"a\": null}\n{\"q\": \"three\", \"a\": \"four\"}\n",
        )
        .unwrap();
        let fields = ["q".to_owned(), "a".to_owned()];
        let corpus = Corpus::new(folder.path(), &["*.jsonl".into()], &fields, &|_| ()).unwrap();
        let mut seen = Vec::new();
        let done = corpus.batches(|batch| {
            seen.extend(batch.iter().map(|text| format!("{} {}", corpus.origin(text), text.content)));
            Ok(())
        });
        assert_eq!(done.unwrap(), 4);
        assert_eq!(seen, ["a.jsonl:1 one", "a.jsonl:1 two", "a.jsonl:3 three", "a.jsonl:3 four"]);
    }

    #[test]
    fn a_field_that_is_missing_or_named_twice_is_told() {
        let (_folder, corpus) = corpus(&["x"]);
        assert_eq!(corpus.batches(|_| Ok(())).unwrap(), 1);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.jsonl"), "{\"body\": \"one\"}\n").unwrap();
        let make = |fields: &[&str]| {
            let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
            Corpus::new(folder.path(), &["a.jsonl".into()], &fields, &|_| ())
        };
        let error = make(&["text"]).unwrap().batches(|_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("no field `text`; it has `body`"), "{error}");
        assert!(error.help().unwrap().contains("--field"));
        assert_eq!(make(&["body", "body"]).err().unwrap().to_string(), "the field `body` is named twice");
    }
}
