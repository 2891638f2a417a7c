//! The bytes of a file.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use crate::error::WeightsError;

/// A whole file, mapped into memory: only what is looked at is read from the disk.
#[derive(Debug)]
pub(crate) struct Mapped {
    path: PathBuf,
    bytes: Bytes,
}

#[derive(Debug)]
enum Bytes {
    File(Mmap),
    Memory(Vec<u8>),
}

impl Mapped {
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let failed = WeightsError::io("read", path);
        // A pipe would wait for a writer, and a folder cannot be mapped.
        if !std::fs::metadata(path).map_err(failed)?.is_file() {
            return Err(failed(io::Error::other("it is not a file")));
        }
        let file = File::open(path).map_err(failed)?;
        // SAFETY: the mapping is read-only and private to this process. What it cannot be protected from is
        // another process that cuts the file short meanwhile, which ends this one with SIGBUS; Pegbox itself
        // only ever replaces files by renaming, which leaves a mapped one as it was.
        let map = unsafe { Mmap::map(&file) }.map_err(failed)?;
        Ok(Self { path: path.to_owned(), bytes: Bytes::File(map) })
    }

    /// `path` is only what errors call it.
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Self {
        Self { path: path.to_owned(), bytes: Bytes::Memory(bytes) }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::File(map) => map,
            Bytes::Memory(bytes) => bytes,
        }
    }
}
