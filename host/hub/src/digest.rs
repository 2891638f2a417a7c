//! Digests of files: as servers state them, as we compute them, and as the cache remembers them.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::cache::read_json;
use crate::error::HubError;

/// A file's digest as a server states it, in small hex digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Digest {
    Sha256(String),
    /// What Git names a file by: SHA-1 over `blob <bytes>`, a zero byte, and the content. The hub states it for
    /// files that lie outside its large-file store.
    GitBlob(String),
}

impl Digest {
    pub(crate) fn sha256(text: &str) -> Option<Self> {
        hex(text, 64).map(Self::Sha256)
    }

    pub(crate) fn git_blob(text: &str) -> Option<Self> {
        hex(text, 40).map(Self::GitBlob)
    }

    /// Of an entity tag, quoted or not, strong or weak; none if it is something else.
    pub(crate) fn of_etag(tag: &str) -> Option<Self> {
        let text = tag.trim().trim_start_matches("W/").trim_matches('"');
        Self::sha256(text).or_else(|| Self::git_blob(text))
    }

    pub(crate) fn hex(&self) -> &str {
        match self {
            Self::Sha256(hex) | Self::GitBlob(hex) => hex,
        }
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "sha256",
            Self::GitBlob(_) => "git blob",
        }
    }

    /// The digest of the same kind that the file at `path` has.
    pub(crate) fn found_in(&self, path: &Path) -> Result<String, HubError> {
        match self {
            Self::Sha256(_) => sha256_of(path),
            Self::GitBlob(_) => {
                let bytes = fs::metadata(path).map_err(HubError::io(path, "read"))?.len();
                let mut hasher = Sha1::new();
                hasher.update(format!("blob {bytes}\0"));
                feed(path, |part| hasher.update(part))?;
                Ok(format!("{:x}", hasher.finalize()))
            }
        }
    }
}

fn hex(text: &str, digits: usize) -> Option<String> {
    let whole = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    whole.then(|| text.to_ascii_lowercase())
}

/// SHA-256 of a file, 64 hex digits.
pub(crate) fn sha256_of(path: &Path) -> Result<String, HubError> {
    let mut hasher = Sha256::new();
    feed(path, |part| hasher.update(part))?;
    Ok(format!("{:x}", hasher.finalize()))
}

pub(crate) fn sha256_of_text(text: &str) -> String {
    format!("{:x}", Sha256::digest(text.as_bytes()))
}

fn feed(path: &Path, mut take: impl FnMut(&[u8])) -> Result<(), HubError> {
    let mut file = File::open(path).map_err(HubError::io(path, "read"))?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).map_err(HubError::io(path, "read"))? {
            0 => return Ok(()),
            count => take(&buffer[..count]),
        }
    }
}

/// One digest for a whole model: over the names and digests of its files.
pub(crate) fn joint(files: &BTreeMap<String, String>) -> String {
    let mut hasher = Sha256::new();
    for (name, digest) in files {
        hasher.update(name.as_bytes());
        hasher.update([0]);
        hasher.update(digest.as_bytes());
        hasher.update([0]);
    }
    format!("sha256:{:x}", hasher.finalize())
}

/// Digests that were computed before, for files that have not been touched since: hashing gigabytes would be the
/// longest part of many commands.
pub(crate) struct Remembered {
    folder: PathBuf,
    /// Everything is read again, and remembered anew.
    pub thorough: bool,
}

/// What the file system says of a file whenever its content may have changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    path: PathBuf,
    bytes: u64,
    /// Nanoseconds since 1970, of the content and of the file's entry.
    modified: u128,
    changed: u128,
    inode: u64,
}

#[derive(Serialize, Deserialize)]
struct Memory {
    stamp: Stamp,
    sha256: String,
}

impl Remembered {
    pub(crate) fn new(folder: PathBuf, thorough: bool) -> Self {
        Self { folder, thorough }
    }

    /// SHA-256 of a file, 64 hex digits.
    pub(crate) fn sha256_of(&self, path: &Path) -> Result<String, HubError> {
        let real = fs::canonicalize(path).map_err(HubError::io(path, "read"))?;
        let metadata = fs::metadata(&real).map_err(HubError::io(path, "read"))?;
        let stamp = Stamp::of(&real, &metadata);
        let note = self.folder.join(format!("{}.json", sha256_of_text(&real.to_string_lossy())));
        if !self.thorough
            && let Some(memory) = read_json::<Memory>(&note)
            && memory.stamp == stamp
        {
            return Ok(memory.sha256);
        }
        let sha256 = sha256_of(&real)?;
        // A file that was touched a moment ago could be touched again within one tick of the file system's clock.
        if stamp.is_settled()
            && let Ok(text) = serde_json::to_vec(&Memory { stamp, sha256: sha256.clone() })
            && let Err(error) = pegbox_durable::write_file(&note, &text)
        {
            tracing::debug!(%error, "a digest cannot be remembered");
        }
        Ok(sha256)
    }
}

impl Stamp {
    fn of(path: &Path, metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified = modified.map_or(0, |since| since.as_nanos());
        let (changed, inode) = entry(metadata, modified);
        Self { path: path.to_owned(), bytes: metadata.len(), modified, changed, inode }
    }

    fn is_settled(&self) -> bool {
        let settled = Duration::from_secs(2).as_nanos() + self.modified.max(self.changed);
        SystemTime::now().duration_since(UNIX_EPOCH).is_ok_and(|now| now.as_nanos() > settled)
    }
}

#[cfg(unix)]
fn entry(metadata: &Metadata, _: u128) -> (u128, u64) {
    use std::os::unix::fs::MetadataExt;
    let seconds = u128::try_from(metadata.ctime()).unwrap_or(0);
    let nanoseconds = u128::try_from(metadata.ctime_nsec()).unwrap_or(0);
    (seconds * 1_000_000_000 + nanoseconds, metadata.ino())
}

#[cfg(not(unix))]
fn entry(_: &Metadata, modified: u128) -> (u128, u64) {
    (modified, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_names_a_file_by_its_length_and_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hello");
        fs::write(&path, "hello\n").unwrap();
        // What `git hash-object` says of it.
        let digest = Digest::of_etag("\"ce013625030ba8dba906f756967f9e9ca394464a\"").unwrap();
        assert_eq!(digest.found_in(&path).unwrap(), digest.hex());
        assert_eq!(Digest::of_etag("W/\"abc\""), None);
    }

    #[test]
    fn a_digest_is_remembered_until_the_file_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights");
        fs::write(&path, "a").unwrap();
        let remembered = Remembered::new(folder.path().join("digests"), false);
        let first = remembered.sha256_of(&path).unwrap();
        // Touched just now: not remembered, so a change that no clock shows is seen.
        fs::write(&path, "b").unwrap();
        assert_ne!(remembered.sha256_of(&path).unwrap(), first);
        assert!(!folder.path().join("digests").exists());

        std::thread::sleep(Duration::from_millis(2100));
        let second = remembered.sha256_of(&path).unwrap();
        let note = fs::read_dir(folder.path().join("digests")).unwrap().next().unwrap().unwrap().path();
        let forged = fs::read_to_string(&note).unwrap().replace(&second, &first);
        fs::write(&note, forged).unwrap();
        assert_eq!(remembered.sha256_of(&path).unwrap(), first, "it was not read again");
        fs::write(&path, "bb").unwrap();
        assert_eq!(remembered.sha256_of(&path).unwrap(), sha256_of(&path).unwrap());
        fs::write(&note, "nonsense").unwrap();
        assert_eq!(remembered.sha256_of(&path).unwrap(), sha256_of(&path).unwrap());
    }
}
