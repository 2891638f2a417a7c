//! Files of JSON lines in the folder of a step, or in a draft.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::DataError;

/// One value a line. Not there whole or not at all by itself: what says that the step is done, or the draft that it
/// lies in, comes after it.
pub(crate) struct JsonLines {
    path: PathBuf,
    file: BufWriter<File>,
}

impl JsonLines {
    pub fn create(path: &Path) -> Result<Self, DataError> {
        let file = File::create(path).map_err(DataError::io("create", path))?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file) })
    }

    pub fn add(&mut self, value: &impl Serialize) -> Result<(), DataError> {
        let written = serde_json::to_writer(&mut self.file, value).map_err(std::io::Error::from);
        written.and_then(|()| self.file.write_all(b"\n")).map_err(DataError::io("write", &self.path))
    }

    /// Appends the lines of another file.
    pub fn append(&mut self, path: &Path) -> Result<(), DataError> {
        let mut from = File::open(path).map_err(DataError::io("read", path))?;
        std::io::copy(&mut from, &mut self.file).map_err(DataError::io("write", &self.path))?;
        Ok(())
    }

    pub fn finish(self) -> Result<(), DataError> {
        let file = self.file.into_inner().map_err(|error| error.into_error());
        file.and_then(|file| file.sync_all()).map_err(DataError::io("write", &self.path))
    }
}
