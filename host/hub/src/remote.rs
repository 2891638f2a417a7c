//! A file on a server, read in pieces: enough to learn a licence before gigabytes are fetched.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

use ureq::Agent;

use crate::error::HubError;
use crate::http::{failed, get, persist, refused};

const BLOCK: u64 = 64 << 10;
/// A card, metadata and an archive's table of contents are far smaller together.
const BLOCKS: usize = 256;

pub(crate) struct Remote<'a> {
    agent: &'a Agent,
    url: &'a str,
    length: u64,
    at: u64,
    blocks: BTreeMap<u64, Vec<u8>>,
}

impl<'a> Remote<'a> {
    /// # Errors
    /// The server does not send parts of files, or does not answer.
    pub(crate) fn open(agent: &'a Agent, url: &'a str) -> Result<Self, HubError> {
        let (first, length) = persist(|| block(agent, url, 0))?;
        Ok(Self { agent, url, length, at: 0, blocks: BTreeMap::from([(0, first)]) })
    }
}

/// One block, and the length of the whole file.
fn block(agent: &Agent, url: &str, number: u64) -> Result<(Vec<u8>, u64), HubError> {
    let start = number * BLOCK;
    let range = format!("bytes={start}-{}", start + BLOCK - 1);
    let mut answer = get(agent, url, &[("Range", &range), ("Accept-Encoding", "identity")], None)?;
    match answer.status() {
        206 => {}
        200 => return Err(failed(url, "the server sends no parts of files".into(), false)),
        status => return Err(refused(url, status)),
    }
    let total = answer.own_header("content-range").and_then(|range| range.rsplit_once('/')?.1.parse().ok());
    let total =
        total.ok_or_else(|| failed(url, "the server does not say how long the file is".into(), false))?;
    let mut bytes = Vec::new();
    let read = answer.response.body_mut().as_reader().take(BLOCK).read_to_end(&mut bytes);
    read.map_err(|error| failed(url, error.to_string(), true))?;
    Ok((bytes, total))
}

impl Read for Remote<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.length {
            return Ok(0);
        }
        let number = self.at / BLOCK;
        if !self.blocks.contains_key(&number) {
            if self.blocks.len() >= BLOCKS {
                return Err(io::Error::other("too much would have to be read"));
            }
            let (bytes, _) = persist(|| block(self.agent, self.url, number)).map_err(io::Error::other)?;
            self.blocks.insert(number, bytes);
        }
        let offset = usize::try_from(self.at % BLOCK).unwrap_or(usize::MAX);
        let rest = self.blocks.get(&number).and_then(|block| block.get(offset..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Remote<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.at.checked_add_signed(offset),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
