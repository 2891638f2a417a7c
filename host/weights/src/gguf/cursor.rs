//! Little-endian numbers and strings, one after the other, never beyond the end.

use crate::error::Fault;

/// A place in a file's bytes.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    pub fn position(&self) -> usize {
        self.position
    }

    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let rest = &self.bytes[self.position..];
        let taken = rest.get(..count).ok_or_else(|| {
            Fault::damaged(format!(
                "the file ends too early: {count} bytes are promised at byte {}, {} are there",
                self.position,
                rest.len()
            ))
        })?;
        self.position += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub fn u8(&mut self) -> Result<u8, Fault> {
        self.array().map(u8::from_le_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, Fault> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, Fault> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number of things that take at least `each` bytes: no more than there can still be.
    pub fn count(&mut self, each: usize, what: &str) -> Result<usize, Fault> {
        let position = self.position;
        let count = self.u64()?;
        usize::try_from(count).ok().filter(|count| *count <= self.remaining() / each).ok_or_else(|| {
            Fault::damaged(format!(
                "{count} {what} are promised at byte {position}, but only {} bytes are left",
                self.remaining()
            ))
        })
    }

    /// `count` values of `N` bytes.
    pub fn values<const N: usize, T>(
        &mut self,
        count: usize,
        read: fn([u8; N]) -> T,
    ) -> Result<Vec<T>, Fault> {
        let size = count.checked_mul(N).ok_or_else(|| Fault::damaged(format!("{count} values overflow")))?;
        Ok(self.take(size)?.as_chunks::<N>().0.iter().map(|bytes| read(*bytes)).collect())
    }

    /// Text, as long as it says.
    pub fn string(&mut self) -> Result<&'a str, Fault> {
        let position = self.position;
        let length = self.count(1, "bytes of text")?;
        std::str::from_utf8(self.take(length)?)
            .map_err(|_| Fault::damaged(format!("the text at byte {position} is not UTF-8")))
    }
}
