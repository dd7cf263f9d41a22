//! What settings may be inserted from.

use std::io::{self, Read};
use std::path::Path;

/// The longest file that is inserted into settings, in bytes: a certificate chain has a tenth.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Where variables and files come from.
pub trait Environment {
    /// The value of a variable; nothing when it is not set or is not UTF-8.
    fn variable(&self, name: &str) -> Option<String>;
    /// The text of a file.
    ///
    /// # Errors
    /// When it cannot be read, is no UTF-8 or is longer than a secret can be.
    fn file(&self, path: &Path) -> io::Result<String>;
}

/// The environment of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &Path) -> io::Result<String> {
        let mut text = String::new();
        let file = std::fs::File::open(path)?;
        file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
        if text.len() as u64 > FILE_BYTES_MAX {
            let message = format!("the file has more than {FILE_BYTES_MAX} bytes");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        Ok(text)
    }
}
