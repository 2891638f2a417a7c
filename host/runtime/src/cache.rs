//! Compiled components, kept between runs. Loading compiled code means running it, so the folder is
//! private, and every file carries a message authentication code under a key that only this user has: a
//! file that we did not write is compiled anew, never loaded.

use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use hmac::{Hmac, Mac};
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;

use pegbox_manifest::digest;

/// One block of SHA-256, the longest key that HMAC takes as it is.
const KEY_BYTES: usize = 64;
const MAC_BYTES: usize = 32;

/// A private folder of compiled components.
pub struct Cache {
    folder: PathBuf,
    key: [u8; KEY_BYTES],
}

impl Cache {
    /// Opens the cache in `folder`, which is made if need be and closed to other users.
    ///
    /// # Errors
    /// The folder or its key cannot be made, read or closed.
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        make_private(folder, 0o700)?;
        let key = read_or_make_key(folder)?;
        Ok(Self { folder: folder.to_owned(), key })
    }

    /// Where the cache is; nobody else may write there.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The name under which `engine` keeps what it made of the component with this digest: another wasmtime,
    /// configuration or processor is another name.
    pub fn entry(engine: &Engine, component_digest: &str) -> String {
        let mut hasher = Sha256Hasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        env!("CARGO_PKG_VERSION").hash(&mut hasher);
        component_digest.hash(&mut hasher);
        digest::hex(&hasher.0.finalize())
    }

    /// The compiled code under that name, if it is there and is ours.
    pub fn get(&self, entry: &str) -> Option<Vec<u8>> {
        let mut file = fs::read(self.path(entry)).ok()?;
        // At the end, so that the code before it need not be moved.
        let (code, mac) = file.split_last_chunk::<MAC_BYTES>()?;
        match self.mac(entry, code).verify_slice(mac) {
            Ok(()) => {
                file.truncate(file.len() - MAC_BYTES);
                Some(file)
            }
            Err(_) => {
                tracing::warn!(
                    entry,
                    "a compiled plugin in the cache is damaged or foreign; compiling it again"
                );
                None
            }
        }
    }

    /// Keeps `code` under that name; the file appears whole or not at all.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn put(&self, entry: &str, code: &[u8]) -> io::Result<()> {
        let mac = self.mac(entry, code).finalize().into_bytes();
        write_whole(&self.folder, &self.path(entry), &[code, &mac])
    }

    fn path(&self, entry: &str) -> PathBuf {
        self.folder.join(format!("{entry}.compiled"))
    }

    /// Also over the name: one of our files under another's name is not what was asked for.
    fn mac(&self, entry: &str, code: &[u8]) -> Hmac<Sha256> {
        let mut mac = <Hmac<Sha256> as Mac>::new((&self.key).into());
        mac.update(entry.as_bytes());
        mac.update(code);
        mac
    }
}

fn read_or_make_key(folder: &Path) -> io::Result<[u8; KEY_BYTES]> {
    let path = folder.join("key");
    if let Ok(bytes) = fs::read(&path)
        && let Ok(key) = <[u8; KEY_BYTES]>::try_from(bytes)
    {
        make_private(&path, 0o600)?;
        return Ok(key);
    }
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
    // A temporary file is for this user only from the start. Two processes that start at once may each
    // write a key: the later one stays, and the other's files are compiled once more.
    write_whole(folder, &path, &[&key])?;
    Ok(key)
}

fn write_whole(folder: &Path, path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    fs::File::open(folder)?.sync_all()
}

#[cfg(unix)]
fn make_private(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// A user's cache folder on other systems is private by its place.
#[cfg(not(unix))]
fn make_private(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

/// Feeds whatever can be hashed to SHA-256.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Unused: the whole digest is taken.
    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_comes_back_also_to_the_next_process() {
        let folder = tempfile::tempdir().unwrap();
        Cache::open(folder.path()).unwrap().put("a", b"code").unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        assert_eq!(cache.get("a").as_deref(), Some(&b"code"[..]));
        assert_eq!(cache.get("b"), None);
    }

    #[test]
    fn a_file_that_was_changed_moved_or_foreign_is_not_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        cache.put("a", b"code").unwrap();
        let path = folder.path().join("a.compiled");
        let good = fs::read(&path).unwrap();
        for index in [0, MAC_BYTES, good.len() - 1] {
            let mut bad = good.clone();
            bad[index] ^= 1;
            fs::write(&path, bad).unwrap();
            assert_eq!(cache.get("a"), None, "byte {index}");
        }
        fs::write(&path, &good[..MAC_BYTES - 1]).unwrap();
        assert_eq!(cache.get("a"), None);
        fs::write(folder.path().join("b.compiled"), &good).unwrap();
        assert_eq!(cache.get("b"), None);
        fs::remove_file(folder.path().join("key")).unwrap();
        fs::write(&path, &good).unwrap();
        assert_eq!(Cache::open(folder.path()).unwrap().get("a"), None);
    }

    #[cfg(unix)]
    #[test]
    fn folder_and_key_are_closed_to_others() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("cache");
        Cache::open(&folder).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join("key")), 0o600);
    }
}
