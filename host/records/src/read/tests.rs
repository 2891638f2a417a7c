/// What is wrong, where, and how it is told.
mod faults;
/// Records of each format and layout.
mod formats;

use std::io::Write;
use std::path::PathBuf;

use flate2::Compression as Level;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::*;
use crate::error::Quarantined;

/// A file with this content in a folder of its own.
struct Sample {
    folder: TempDir,
    path: PathBuf,
}

impl Sample {
    fn new(name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        Self { folder, path }
    }

    /// The rows, and the faults between them.
    fn rows(&self, settings: &ReadSettings) -> Vec<Result<Seen, String>> {
        match open(&self.path, settings, 3, 100) {
            Err(error) => vec![Err(self.told(&error))],
            Ok(reader) => reader
                .map(|row| match row {
                    Ok(record) => Ok((record.line, record.values)),
                    Err(error) => Err(self.told(&error)),
                })
                .collect(),
        }
    }

    /// The error without the folder's name.
    fn told(&self, error: &ReadError) -> String {
        error.to_string().replace(&format!("{}/", self.folder.path().display()), "")
    }
}

/// The line and the values of a record.
type Seen = (u64, Vec<Option<String>>);

fn seen(line: u64, values: &[&str]) -> Result<Seen, String> {
    Ok((line, values.iter().map(|value| Some((*value).to_owned())).collect()))
}

fn settings(fields: &[(&str, &str)]) -> ReadSettings {
    ReadSettings::new(Schema::new(fields.iter().copied()).unwrap())
}

fn text_and_label() -> ReadSettings {
    settings(&[("text", "text"), ("label", "label")])
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Level::default());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}
