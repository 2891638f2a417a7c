//! One spilled shard: a folder with the file of the texts and the file of the columns, which has a header, then
//! the hashes (16 bytes a row), the ends of the texts (8 bytes a row), and band by band 4 bytes a row.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::error::Error;

pub(crate) const TEXTS: &str = "texts";
pub(crate) const COLUMNS: &str = "columns";
const MAGIC: &[u8; 8] = b"pegdupl1";
const HEADER: u64 = 36;

#[derive(Debug)]
pub(crate) struct Header {
    pub fingerprint: u64,
    pub first_row: u32,
    pub rows: u32,
    pub bands: u32,
    /// Bytes of the texts.
    pub texts: u64,
}

impl Header {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.fingerprint.to_le_bytes());
        for number in [self.first_row, self.rows, self.bands] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.texts.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; HEADER as usize]) -> Option<Self> {
        let long = |at: usize| le_u64(&bytes[at..]);
        let short = |at: usize| le_u32(&bytes[at..]);
        bytes.starts_with(MAGIC).then(|| Self {
            fingerprint: long(8),
            first_row: short(16),
            rows: short(20),
            bands: short(24),
            texts: long(28),
        })
    }

    fn length(&self) -> u64 {
        HEADER + u64::from(self.rows) * (16 + 8 + 4 * u64::from(self.bands))
    }
}

#[derive(Debug)]
pub(crate) struct Shard {
    pub columns: PathBuf,
    pub texts: PathBuf,
    pub first_row: u32,
    pub rows: u32,
}

impl Shard {
    /// `None` if there is none, or one of other settings.
    pub(crate) fn open(folder: &Path, fingerprint: u64) -> Result<Option<Self>, Error> {
        let (columns, texts) = (folder.join(COLUMNS), folder.join(TEXTS));
        let mut file = match File::open(&columns) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::disk(&columns)(error)),
        };
        let mut bytes = [0; HEADER as usize];
        file.read_exact(&mut bytes).map_err(|fault| short(&columns, fault))?;
        let header = Header::from_bytes(&bytes)
            .ok_or_else(|| Error::damaged(&columns, "it is not a shard of signatures"))?;
        if header.fingerprint != fingerprint {
            return Ok(None);
        }
        for (path, expected) in [(&columns, header.length()), (&texts, header.texts)] {
            let found = fs::metadata(path).map_err(Error::disk(path))?.len();
            if found != expected {
                return Err(Error::damaged(path, format!("it has {found} bytes instead of {expected}")));
            }
        }
        if header.first_row.checked_add(header.rows).is_none() {
            return Err(Error::damaged(&columns, "its rows have no numbers"));
        }
        Ok(Some(Self { columns, texts, first_row: header.first_row, rows: header.rows }))
    }

    /// 16 bytes a row.
    pub(crate) fn hashes(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        self.column(HEADER, 16, out)
    }

    /// Where the texts end: 8 bytes a row.
    pub(crate) fn ends(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        self.column(self.ends_at(), 8, out)
    }

    /// 4 bytes a row.
    pub(crate) fn band(&self, band: u32, out: &mut Vec<u8>) -> Result<(), Error> {
        self.column(HEADER + u64::from(self.rows) * (24 + 4 * u64::from(band)), 4, out)
    }

    pub(crate) fn ends_at(&self) -> u64 {
        HEADER + 16 * u64::from(self.rows)
    }

    fn column(&self, from: u64, width: usize, out: &mut Vec<u8>) -> Result<(), Error> {
        out.resize(self.rows as usize * width, 0);
        let mut file = File::open(&self.columns).map_err(Error::disk(&self.columns))?;
        file.seek(SeekFrom::Start(from)).map_err(Error::disk(&self.columns))?;
        file.read_exact(out).map_err(|fault| short(&self.columns, fault))
    }
}

/// Reads pieces of a file in ascending order, with what is near read at once.
#[derive(Debug)]
pub(crate) struct Window<'a> {
    path: &'a Path,
    file: File,
    from: u64,
    bytes: Vec<u8>,
}

impl<'a> Window<'a> {
    const SIZE: usize = 8 << 10;

    pub(crate) fn open(path: &'a Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::disk(path))?;
        Ok(Self { path, file, from: 0, bytes: Vec::new() })
    }

    pub(crate) fn get(&mut self, from: u64, length: usize) -> Result<&[u8], Error> {
        let inside = from >= self.from && from + length as u64 <= self.from + self.bytes.len() as u64;
        if !inside {
            self.bytes.clear();
            self.from = from;
            self.file.seek(SeekFrom::Start(from)).map_err(Error::disk(self.path))?;
            let wanted = length.max(Self::SIZE) as u64;
            (&mut self.file).take(wanted).read_to_end(&mut self.bytes).map_err(Error::disk(self.path))?;
        }
        let start = (from - self.from) as usize;
        self.bytes.get(start..start + length).ok_or_else(|| Error::damaged(self.path, "it ends too early"))
    }
}

/// The first four bytes, which the caller has made sure of.
pub(crate) fn le_u32(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// The first eight bytes.
pub(crate) fn le_u64(bytes: &[u8]) -> u64 {
    u64::from(le_u32(bytes)) | u64::from(le_u32(&bytes[4..])) << 32
}

fn short(path: &Path, fault: std::io::Error) -> Error {
    match fault.kind() {
        ErrorKind::UnexpectedEof => Error::damaged(path, "it ends too early"),
        _ => Error::disk(path)(fault),
    }
}
