//! Ed25519 keys: files, names, trust. A key's file is PEM: PKCS#8 for a secret key, SPKI for a public one.

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use crate::error::RegistryError;

/// Where keys lie instead of the user's data folder.
const VARIABLE: &str = "PEGBOX_KEYS";
const SCHEME: &str = "ed25519:";
/// A key's file has a few hundred bytes.
const LARGEST_FILE: u64 = 16 << 10;

/// Who signed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(VerifyingKey);

/// What signs. Its bytes are wiped from memory when it is dropped, and no message shows them.
pub struct SecretKey(SigningKey);

/// Keys of this user: `NAME.pem` and `NAME.pub`, and those of others under `trusted/`.
#[derive(Clone, Debug)]
pub struct KeyStore {
    folder: PathBuf,
}

/// A key that [`KeyStore::list`] found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedKey {
    pub name: String,
    pub key: PublicKey,
    /// Whether it is the user's own, to sign with.
    pub own: bool,
}

impl PublicKey {
    /// Reads `ed25519:` and Base64, or a PEM block.
    ///
    /// # Errors
    /// It is neither, or a key that verifies forged signatures.
    pub fn parse(text: &str) -> Result<Self, RegistryError> {
        let fail =
            || RegistryError::Key { what: "the public key".to_owned(), fault: "is not one".to_owned() };
        let text = text.trim();
        let key = match text.strip_prefix(SCHEME) {
            Some(encoded) => {
                let bytes = BASE64.decode(encoded).map_err(|_| fail())?;
                let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| fail())?;
                VerifyingKey::from_bytes(&bytes).map_err(|_| fail())?
            }
            None => VerifyingKey::from_public_key_pem(text).map_err(|_| fail())?,
        };
        if key.is_weak() { Err(fail()) } else { Ok(Self(key)) }
    }

    /// A short name that follows from the key: the first half of its SHA-256 in hex digits.
    pub fn fingerprint(&self) -> String {
        pegbox_manifest::digest::hex(&Sha256::digest(self.0.as_bytes())[..16])
    }

    /// Whether `signature` is this key's over `message`.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }

    fn to_pem(self) -> Result<String, RegistryError> {
        self.0.to_public_key_pem(LineEnding::LF).map_err(|_| RegistryError::Key {
            what: "the public key".to_owned(),
            fault: "cannot be written as PEM".to_owned(),
        })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", BASE64.encode(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl SecretKey {
    /// From the operating system's random numbers.
    ///
    /// # Errors
    /// The operating system has none.
    pub fn generate() -> Result<Self, RegistryError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|fault| RegistryError::Key {
            what: "a new key".to_owned(),
            fault: format!("needs random numbers: {fault}"),
        })?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// Reads a PEM file.
    ///
    /// # Errors
    /// It cannot be read, is not a secret key, or others than its owner may read it.
    pub fn read(path: &Path) -> Result<Self, RegistryError> {
        let fail = |fault: &str| RegistryError::Key {
            what: format!("the secret key {}", path.display()),
            fault: fault.to_owned(),
        };
        if is_open_to_others(path)? {
            return Err(RegistryError::OpenKey { path: path.to_owned() });
        }
        let text = read_small(path)?;
        let key = SigningKey::from_pkcs8_pem(&text)
            .map_err(|_| fail("is not an Ed25519 key in PKCS#8, unencrypted"))?;
        Ok(Self(key))
    }

    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(message).to_bytes().to_vec()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.public())
    }
}

impl KeyStore {
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// `PEGBOX_KEYS`, else `pegbox/keys` in the user's data folder.
    ///
    /// # Errors
    /// There is no home folder.
    pub fn locate() -> Result<Self, RegistryError> {
        match env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
            Some(folder) => Ok(Self::new(Path::new(&folder))),
            None => Ok(Self::new(&crate::store::data_folder()?.join("keys"))),
        }
    }

    /// Makes a key; the secret half is for its owner's eyes only.
    ///
    /// # Errors
    /// The name is taken or not a plain one; the disk's.
    pub fn create(&self, name: &str) -> Result<PublicKey, RegistryError> {
        let path = self.path(name, "pem")?;
        let key = SecretKey::generate()?;
        let pem = key.0.to_pkcs8_pem(LineEnding::LF).map_err(|_| RegistryError::Key {
            what: "the new key".to_owned(),
            fault: "cannot be written as PEM".to_owned(),
        })?;
        fs::create_dir_all(&self.folder).map_err(RegistryError::disk(&self.folder))?;
        write_secret(&path, pem.as_bytes())?;
        let public = self.path(name, "pub")?;
        pegbox_durable::write_file(&public, key.public().to_pem()?.as_bytes())
            .map_err(RegistryError::disk(&public))?;
        Ok(key.public())
    }

    /// The secret key of this name, or at this path.
    ///
    /// # Errors
    /// There is none, or it cannot be used.
    pub fn secret(&self, name_or_path: &str) -> Result<SecretKey, RegistryError> {
        if is_plain(name_or_path) {
            let path = self.path(name_or_path, "pem")?;
            return if path.exists() {
                SecretKey::read(&path)
            } else {
                Err(RegistryError::NoKey { name: name_or_path.to_owned(), folder: self.folder.clone() })
            };
        }
        SecretKey::read(Path::new(name_or_path))
    }

    /// Trusts another's key under a name.
    ///
    /// # Errors
    /// The name stands for another key, or is not a plain one; the disk's.
    pub fn trust(&self, name: &str, key: PublicKey) -> Result<(), RegistryError> {
        let path = self.trusted_path(name)?;
        if path.exists() && PublicKey::parse(&read_small(&path)?)? != key {
            return Err(RegistryError::Key {
                what: format!("the name {name}"),
                fault: format!("already stands for another key; remove {} first", path.display()),
            });
        }
        pegbox_durable::write_file(&path, key.to_pem()?.as_bytes()).map_err(RegistryError::disk(&path))
    }

    /// The user's own keys and those of others, by name.
    ///
    /// # Errors
    /// A file cannot be read or holds no key.
    pub fn list(&self) -> Result<Vec<ListedKey>, RegistryError> {
        let mut found = Vec::new();
        for (folder, own) in [(self.folder.clone(), true), (self.folder.join("trusted"), false)] {
            for (name, key) in public_keys(&folder)? {
                found.push(ListedKey { name, key, own });
            }
        }
        Ok(found)
    }

    /// Every key whose signature counts: the user's own and the trusted ones. Where both have a name, the
    /// user's own stands.
    ///
    /// # Errors
    /// As [`KeyStore::list`].
    pub fn trusted(&self) -> Result<BTreeMap<String, PublicKey>, RegistryError> {
        Ok(self.list()?.into_iter().rev().map(|listed| (listed.name, listed.key)).collect())
    }

    fn path(&self, name: &str, ending: &str) -> Result<PathBuf, RegistryError> {
        if is_plain(name) {
            return Ok(self.folder.join(format!("{name}.{ending}")));
        }
        Err(RegistryError::Key {
            what: format!("the name `{name}`"),
            fault: "is not plain: a-z, 0-9, `-` and `_`".to_owned(),
        })
    }

    fn trusted_path(&self, name: &str) -> Result<PathBuf, RegistryError> {
        Self::new(&self.folder.join("trusted")).path(name, "pub")
    }
}

fn public_keys(folder: &Path) -> Result<BTreeMap<String, PublicKey>, RegistryError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(fault) => return Err(RegistryError::disk(folder)(fault)),
    };
    let mut found = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(RegistryError::disk(folder))?.path();
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if path.extension().is_some_and(|ending| ending == "pub") && is_plain(&name) {
            let key = PublicKey::parse(&read_small(&path)?).map_err(|_| RegistryError::Key {
                what: path.display().to_string(),
                fault: "is not an Ed25519 public key".to_owned(),
            })?;
            found.insert(name, key);
        }
    }
    Ok(found)
}

/// Whether it is a name that becomes a file's.
pub(crate) fn is_plain(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    !name.is_empty() && name.len() <= 64 && !name.starts_with('-') && name.bytes().all(plain)
}

fn read_small(path: &Path) -> Result<String, RegistryError> {
    let size = fs::metadata(path).map_err(RegistryError::disk(path))?.len();
    if size > LARGEST_FILE {
        return Err(RegistryError::TooLarge { what: path.display().to_string(), limit: LARGEST_FILE });
    }
    fs::read_to_string(path).map_err(RegistryError::disk(path))
}

/// Never replaces a file, and nobody else can read it at any instant.
fn write_secret(path: &Path, content: &[u8]) -> Result<(), RegistryError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path).map_err(|fault| match fault.kind() {
        ErrorKind::AlreadyExists => RegistryError::Key {
            what: format!("{}", path.display()),
            fault: "is there already; a key is never replaced".to_owned(),
        },
        _ => RegistryError::disk(path)(fault),
    })?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(RegistryError::disk(path))
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> Result<bool, RegistryError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map_err(RegistryError::disk(path))?.permissions().mode();
    Ok(mode & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(path: &Path) -> Result<bool, RegistryError> {
    fs::metadata(path).map_err(RegistryError::disk(path))?;
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_read_and_listed() {
        let folder = tempfile::tempdir().unwrap();
        let store = KeyStore::new(folder.path());
        let public = store.create("release").unwrap();
        assert_eq!(store.secret("release").unwrap().public(), public);
        let path = folder.path().join("release.pem");
        assert_eq!(store.secret(path.to_str().unwrap()).unwrap().public(), public);
        assert_eq!(PublicKey::parse(&public.to_string()).unwrap(), public);
        let other = SecretKey::generate().unwrap().public();
        store.trust("friend", other).unwrap();
        let listed = store.list().unwrap();
        assert_eq!(listed[0], ListedKey { name: "release".to_owned(), key: public, own: true });
        assert_eq!(listed[1], ListedKey { name: "friend".to_owned(), key: other, own: false });
        assert_eq!(store.trusted().unwrap().len(), 2);
    }

    #[test]
    fn a_key_is_never_replaced_and_a_name_keeps_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let store = KeyStore::new(folder.path());
        store.create("release").unwrap();
        assert!(store.create("release").unwrap_err().to_string().contains("never replaced"));
        store.trust("friend", SecretKey::generate().unwrap().public()).unwrap();
        let error = store.trust("friend", SecretKey::generate().unwrap().public()).unwrap_err();
        assert!(error.to_string().contains("already stands for another key"), "{error}");
        assert!(store.create("../escape").is_err());
        assert!(store.secret("nobody").unwrap_err().help().unwrap().contains("plugin keys new nobody"));
    }

    #[cfg(unix)]
    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let store = KeyStore::new(folder.path());
        store.create("release").unwrap();
        let path = folder.path().join("release.pem");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = store.secret("release").unwrap_err();
        assert!(error.help().unwrap().contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_secret_is_never_shown() {
        let key = SecretKey::generate().unwrap();
        assert_eq!(format!("{key:?}"), format!("SecretKey({})", key.public()));
    }

    #[test]
    fn a_key_of_openssl_is_read() {
        // RFC 8410, section 10.1 and 10.3: a private key and its public key.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rfc.pem");
        let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
        write_secret(&path, pem.as_bytes()).unwrap();
        let expected = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
        let public = SecretKey::read(&path).unwrap().public();
        assert_eq!(public, PublicKey::parse(expected).unwrap());
        assert_eq!(public.to_pem().unwrap(), expected);
    }

    #[test]
    fn a_weak_key_is_refused() {
        // The neutral element verifies what nobody signed.
        let mut bytes = [0; 32];
        bytes[0] = 1;
        assert!(PublicKey::parse(&format!("ed25519:{}", BASE64.encode(bytes))).is_err());
        assert!(PublicKey::parse("ed25519:AAAA").is_err());
    }
}
