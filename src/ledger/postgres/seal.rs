//! Sealing: of secrets that systems gave us, and of the keys of links.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, Generate, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretBox, SecretSlice, SecretString};

/// The version of a sealed secret: its first byte.
const VERSION: u8 = 1;
const NONCE_LEN: usize = 24;
/// The bytes of a key.
pub(super) const KEY_LEN: usize = 32;

/// Why there is no key to seal with.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The file cannot be read or made.
    #[error("the key file {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Others than its owner can read the file.
    #[error("the key file {path} can be read by others; run chmod 600 on it and renew the logins")]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// It is not a key.
    #[error("{place} is not a key: 64 hexadecimal digits are")]
    Malformed {
        /// Where it stands.
        place: String,
    },
}

/// 32 bytes that seal and open: XChaCha20-Poly1305, bound to a place.
pub(super) struct Cipher(SecretBox<[u8; KEY_LEN]>);

impl Cipher {
    /// A new one, from the operating system's generator.
    pub(super) fn generate() -> Self {
        let key = chacha20poly1305::aead::Key::<XChaCha20Poly1305>::generate();
        Self::new(Box::new(key.into()))
    }

    /// That of a key.
    pub(super) fn new(key: Box<[u8; KEY_LEN]>) -> Self {
        Self(SecretBox::new(key))
    }

    /// Its key.
    pub(super) fn key(&self) -> &[u8; KEY_LEN] {
        self.0.expose_secret()
    }

    /// Seals bytes for a place: they open nowhere else. The first byte is `version`, then the
    /// nonce.
    pub(super) fn seal(&self, version: u8, place: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        // The operating system's generator: a nonce must never repeat, in no process.
        let nonce = XNonce::generate();
        let payload = Payload { msg: plain, aad: place };
        let sealed = self.aead().encrypt(&nonce, payload).ok()?;
        let mut bytes = Vec::with_capacity(1 + NONCE_LEN + sealed.len());
        bytes.push(version);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        Some(bytes)
    }

    /// Opens what was sealed for a place.
    pub(super) fn open(&self, version: u8, place: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
        let (first, rest) = bytes.split_first()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        if *first != version {
            return None;
        }
        let payload = Payload { msg: sealed, aad: place };
        self.aead().decrypt(&XNonce::from(*nonce), payload).ok()
    }

    fn aead(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&(*self.0.expose_secret()).into())
    }
}

/// The key that secrets are sealed with. It is not in the ledger: who reads a copy of the
/// database reads no secret.
pub struct SealKey {
    cipher: Cipher,
    place: String,
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey")
    }
}

impl SealKey {
    /// The key given as 64 hexadecimal digits; `place` says where, for the message.
    ///
    /// # Errors
    /// [`SealError::Malformed`] when it is not that.
    pub fn parse(text: &SecretString, place: &str) -> Result<Self, SealError> {
        let malformed = || SealError::Malformed { place: place.to_owned() };
        let digits = text.expose_secret().trim().as_bytes();
        if digits.len() != 2 * KEY_LEN {
            return Err(malformed());
        }
        let mut key = SecretBox::<[u8; KEY_LEN]>::new(Box::default());
        for (byte, pair) in secrecy::ExposeSecretMut::expose_secret_mut(&mut key)
            .iter_mut()
            .zip(digits.chunks_exact(2))
        {
            let pair = std::str::from_utf8(pair).map_err(|_| malformed())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| malformed())?;
        }
        Ok(Self { cipher: Cipher(key), place: place.to_owned() })
    }

    /// Where it stands, for messages.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The key in a file that only its owner can read; made with a new key where there is none.
    ///
    /// # Errors
    /// When the file cannot be read or made, is open to others, or holds no key.
    pub fn from_file(path: &Path) -> Result<Self, SealError> {
        let failed = |source| SealError::File { path: path.to_owned(), source };
        let text = match fs::read_to_string(path) {
            Ok(text) => SecretString::from(text),
            Err(error) if error.kind() == ErrorKind::NotFound => match make(path) {
                // Another process was quicker.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    SecretString::from(fs::read_to_string(path).map_err(failed)?)
                }
                made => made.map_err(failed)?,
            },
            Err(error) => return Err(failed(error)),
        };
        let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(SealError::Open { path: path.to_owned() });
        }
        Self::parse(&text, &format!("the content of {}", path.display()))
    }

    /// Seals a secret for a place: it opens nowhere else.
    pub(super) fn seal(&self, place: &str, secret: &SecretString) -> Option<Vec<u8>> {
        self.cipher.seal(VERSION, place.as_bytes(), secret.expose_secret().as_bytes())
    }

    /// Opens what was sealed for a place.
    pub(super) fn open(&self, place: &str, bytes: &[u8]) -> Option<SecretString> {
        let secret = self.cipher.open(VERSION, place.as_bytes(), bytes)?;
        String::from_utf8(secret).ok().map(SecretString::from)
    }

    /// Seals the key of a link.
    pub(super) fn seal_key(&self, place: &str, key: &Cipher) -> Option<Vec<u8>> {
        self.cipher.seal(VERSION, place.as_bytes(), key.key())
    }

    /// Opens the key of a link.
    pub(super) fn open_key(&self, place: &str, bytes: &[u8]) -> Option<Cipher> {
        let key = SecretSlice::from(self.cipher.open(VERSION, place.as_bytes(), bytes)?);
        Some(Cipher::new(Box::new(key.expose_secret().try_into().ok()?)))
    }
}

/// Makes a key file, whole or not at all as far as its name goes.
fn make(path: &Path) -> std::io::Result<SecretString> {
    let key = chacha20poly1305::aead::Key::<XChaCha20Poly1305>::generate();
    let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(name);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| {
            file.write_all(digits.as_bytes())?;
            file.sync_all()
        })
        // Unlike a rename, a link does not replace a key that somebody else has made.
        .and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    written.and(removed)?;
    Ok(SecretString::from(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digits: &str) -> SealKey {
        SealKey::parse(&SecretString::from(digits), "the test").unwrap()
    }

    #[test]
    fn a_secret_opens_only_with_its_key_and_in_its_place() {
        let ours = key(&"0f".repeat(32));
        let sealed = ours.seal("crm/refresh", &"hunter2".into()).unwrap();
        assert!(!sealed.windows(7).any(|part| part == b"hunter2"));
        assert_eq!(ours.open("crm/refresh", &sealed).unwrap().expose_secret(), "hunter2");
        assert!(ours.open("ops/refresh", &sealed).is_none());
        assert!(key(&"1f".repeat(32)).open("crm/refresh", &sealed).is_none());
        let mut spoilt = sealed.clone();
        spoilt[30] ^= 1;
        assert!(ours.open("crm/refresh", &spoilt).is_none());
        assert!(ours.open("crm/refresh", &[]).is_none());
        assert_ne!(ours.seal("crm/refresh", &"hunter2".into()).unwrap(), sealed);
    }

    #[test]
    fn a_key_file_is_made_once_and_for_its_owner_alone() {
        let folder = std::env::temp_dir().join(format!("syncline-seal-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("key");
        let sealed = SealKey::from_file(&path).unwrap().seal("a", &"b".into()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = SealKey::from_file(&path).unwrap();
        assert_eq!(again.open("a", &sealed).unwrap().expose_secret(), "b");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(SealKey::from_file(&path), Err(SealError::Open { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "not a key").unwrap();
        assert!(matches!(SealKey::from_file(&path), Err(SealError::Malformed { .. })));
        fs::remove_dir_all(&folder).unwrap();
    }
}
