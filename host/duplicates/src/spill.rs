//! Signatures on their way through the disk, shard by shard.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use pegbox_durable::{Draft, clear_temporaries};

use crate::error::Error;
use crate::settings::{Bands, Settings};
use crate::shard::{COLUMNS, Header, Shard, TEXTS};
use crate::signer::Signature;

/// A work folder with the signatures of numbered shards. A shard is there whole or not at all, so that an
/// interrupted run goes on with the shards that are missing. Whether a shard is still that of the same rows is
/// for the caller to know: give other input another folder.
#[derive(Clone, Debug)]
pub struct Spill {
    folder: PathBuf,
    settings: Settings,
    cut: Bands,
}

impl Spill {
    /// Makes the folder if there is none, and clears what a killed run left half-written. Not while another run
    /// writes to it.
    ///
    /// # Errors
    /// [`Error::Setting`] if the settings make no sense; the disk's.
    pub fn open(folder: &Path, settings: &Settings) -> Result<Self, Error> {
        settings.validate()?;
        fs::create_dir_all(folder).map_err(Error::disk(folder))?;
        clear_temporaries(folder).map_err(Error::disk(folder))?;
        Ok(Self { folder: folder.to_owned(), settings: settings.clone(), cut: settings.bands()? })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The rows of a shard that has been signed with these settings; `None` if it has to be signed.
    pub fn finished(&self, shard: u32) -> Option<Range<u32>> {
        let shard = Shard::open(&self.place(shard), self.settings.fingerprint()).ok().flatten()?;
        Some(shard.first_row..shard.first_row + shard.rows)
    }

    /// Begins a shard, whose rows are `first_row` and those after it. It replaces what there was once it is
    /// finished. Any number of shards may be written at a time.
    ///
    /// # Errors
    /// The disk's.
    pub fn shard(&self, shard: u32, first_row: u32) -> Result<ShardWriter, Error> {
        let draft = Draft::new(&self.folder).map_err(Error::disk(&self.folder))?;
        let path = draft.path().join(TEXTS);
        let texts = File::create(&path).map_err(Error::disk(&path))?;
        Ok(ShardWriter {
            place: self.place(shard),
            fingerprint: self.settings.fingerprint(),
            keep_texts: !self.settings.exact_only,
            width: if self.settings.exact_only { 0 } else { self.cut.bands as usize },
            draft,
            texts: BufWriter::new(texts),
            first_row,
            end: 0,
            hashes: Vec::new(),
            ends: Vec::new(),
            bands: Vec::new(),
        })
    }

    /// The shards `0..shards`, whose rows must follow each other from row 0 on.
    pub(crate) fn shards(&self, shards: u32) -> Result<Vec<Shard>, Error> {
        let mut expected = 0_u32;
        let mut opened = Vec::with_capacity(shards as usize);
        for number in 0..shards {
            let shard = Shard::open(&self.place(number), self.settings.fingerprint())?
                .ok_or_else(|| Error::Unsigned { folder: self.folder.clone(), shard: number })?;
            if shard.first_row != expected {
                let folder = self.folder.clone();
                return Err(Error::Gap { folder, shard: number, expected, found: shard.first_row });
            }
            expected = expected.checked_add(shard.rows).ok_or(Error::TooManyRows)?;
            opened.push(shard);
        }
        Ok(opened)
    }

    fn place(&self, shard: u32) -> PathBuf {
        self.folder.join(format!("shard-{shard:05}"))
    }
}

/// One shard in the making. Dropped before [`ShardWriter::finish`], it leaves nothing behind.
#[derive(Debug)]
pub struct ShardWriter {
    place: PathBuf,
    fingerprint: u64,
    keep_texts: bool,
    width: usize,
    draft: Draft,
    texts: BufWriter<File>,
    first_row: u32,
    end: u64,
    hashes: Vec<u8>,
    ends: Vec<u8>,
    /// Row by row; on the disk they stand band by band.
    bands: Vec<u32>,
}

impl ShardWriter {
    /// The next row.
    ///
    /// # Errors
    /// The disk's; [`Error::TooManyRows`].
    pub fn push(&mut self, signature: &Signature) -> Result<(), Error> {
        self.first_row
            .checked_add(self.rows())
            .and_then(|row| row.checked_add(1))
            .ok_or(Error::TooManyRows)?;
        if self.keep_texts {
            let written = self.texts.write_all(signature.text.as_bytes());
            written.map_err(Error::disk(&self.draft.path().join(TEXTS)))?;
        }
        self.end += signature.text.len() as u64;
        self.hashes.extend_from_slice(&signature.hash.to_le_bytes());
        self.ends.extend_from_slice(&self.end.to_le_bytes());
        // A signature of other settings may be of another width; zeros are equal to nothing but empty texts.
        self.bands.extend((0..self.width).map(|band| signature.bands.get(band).copied().unwrap_or(0)));
        Ok(())
    }

    /// Puts the shard in its place.
    ///
    /// # Errors
    /// The disk's; then there is no such shard, or still the one before.
    pub fn finish(self) -> Result<(), Error> {
        let path = self.draft.path().join(TEXTS);
        let texts =
            self.texts.into_inner().map_err(|error| error.into_error()).map_err(Error::disk(&path))?;
        texts.sync_all().map_err(Error::disk(&path))?;
        let rows = self.ends.len() / 8;
        let header = Header {
            fingerprint: self.fingerprint,
            first_row: self.first_row,
            rows: rows as u32,
            bands: self.width as u32,
            texts: if self.keep_texts { self.end } else { 0 },
        };
        let path = self.draft.path().join(COLUMNS);
        let write = || {
            let mut columns = BufWriter::new(File::create(&path)?);
            columns.write_all(&header.to_bytes())?;
            columns.write_all(&self.hashes)?;
            columns.write_all(&self.ends)?;
            for band in 0..self.width {
                for row in 0..rows {
                    columns.write_all(&self.bands[row * self.width + band].to_le_bytes())?;
                }
            }
            columns.into_inner().map_err(|error| error.into_error())?.sync_all()
        };
        write().map_err(Error::disk(&path))?;
        self.draft.publish(&self.place).map_err(Error::disk(&self.place))
    }

    fn rows(&self) -> u32 {
        (self.ends.len() / 8) as u32
    }
}
