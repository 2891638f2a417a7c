//! The zip archive of `torch.save`: `NAME/data.pkl` is the pickle, `NAME/data/KEY` are the storages. PyTorch stores
//! them without compression, so a storage is a range of the file, and nothing can be larger than the file is.

use std::collections::HashMap;
use std::io::Cursor;
use std::ops::Range;

use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::pickle::Storage;
use crate::error::{Fault, quoted, said};

const BEGINNING: &[u8] = b"PK\x03\x04";

pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    entries: HashMap<String, Range<usize>>,
    /// The folder in the archive that everything is in.
    root: String,
}

pub(super) fn looks_like(bytes: &[u8]) -> bool {
    bytes.starts_with(BEGINNING)
}

impl<'a> Archive<'a> {
    pub fn open(bytes: &'a [u8]) -> Result<Self, Fault> {
        let wrong = |error: ZipError| Fault::damaged(format!("a damaged zip archive: {}", said(error)));
        let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(wrong)?;
        let mut entries = HashMap::new();
        for i in 0..zip.len() {
            let entry = zip.by_index_raw(i).map_err(wrong)?;
            let name = entry.name().map_err(wrong)?.into_owned();
            if entry.compression() != CompressionMethod::Stored || entry.encrypted() {
                return Err(Fault::unsupported(format!(
                    "the entry {} is compressed or encrypted, which PyTorch never does",
                    quoted(&name)
                )));
            }
            let range = entry.data_start().and_then(|start| within(start, entry.size(), bytes.len()));
            let range = range.filter(|_| entry.size() == entry.compressed_size()).ok_or_else(|| {
                Fault::damaged(format!(
                    "the entry {} of {} bytes is not in the file",
                    quoted(&name),
                    entry.size()
                ))
            })?;
            if entries.insert(name.clone(), range).is_some() {
                return Err(Fault::damaged(format!("the entry {} is there twice", quoted(&name))));
            }
        }
        no_overlap(&entries)?;
        let pickle = entries.keys().filter(|name| *name == "data.pkl" || name.ends_with("/data.pkl")).min();
        let root =
            pickle.and_then(|name| name.strip_suffix("data.pkl")).map(str::to_owned).ok_or_else(|| {
                Fault::unsupported("a zip archive without data.pkl, so `torch.save` did not write it")
            })?;
        let archive = Self { bytes, entries, root };
        match archive.entry("byteorder") {
            Some(order) if archive.bytes[order.clone()] != *b"little" => {
                Err(Fault::unsupported("it was written on a big-endian machine"))
            }
            _ => Ok(archive),
        }
    }

    pub fn pickle(&self) -> Result<&'a [u8], Fault> {
        let range = self.entry("data.pkl").ok_or_else(|| Fault::damaged("data.pkl is missing"))?;
        Ok(&self.bytes[range])
    }

    /// The bytes of the file that hold a storage.
    pub fn storage(&self, storage: &Storage<'_>) -> Result<Range<usize>, Fault> {
        self.entry(&format!("data/{}", storage.key))
            .ok_or_else(|| Fault::damaged(format!("the storage {} is missing", quoted(storage.key))))
    }

    fn entry(&self, name: &str) -> Option<Range<usize>> {
        self.entries.get(&format!("{}{name}", self.root)).cloned()
    }
}

fn within(start: u64, size: u64, length: usize) -> Option<Range<usize>> {
    let end = start.checked_add(size).filter(|end| *end <= length as u64)?;
    // Both are at most the file's length.
    Some(start as usize..end as usize)
}

fn no_overlap(entries: &HashMap<String, Range<usize>>) -> Result<(), Fault> {
    let mut ranges: Vec<_> = entries.iter().filter(|(_, range)| !range.is_empty()).collect();
    ranges.sort_by_key(|(_, range)| range.start);
    match ranges.windows(2).find(|pair| pair[1].1.start < pair[0].1.end) {
        None => Ok(()),
        Some(pair) => Err(Fault::damaged(format!(
            "the entries {} and {} overlap",
            quoted(pair[0].0),
            quoted(pair[1].0)
        ))),
    }
}
