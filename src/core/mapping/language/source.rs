//! Texts that people write, and places in them.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

use super::{Diagnostic, Diagnostics};

/// The longest file that is read, in bytes. A mapping of a thousand fields has a tenth of it.
pub const FILE_BYTES_MAX: usize = 1 << 20;

/// A range of bytes in a [`Source`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte behind the last one.
    pub end: usize,
}

impl Span {
    /// The range of bytes from `start` to before `end`.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end: end.max(start) }
    }
    /// The same as a range.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// Something with its place. Two of them are equal when the things are, wherever they stand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Located<T> {
    /// The thing.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

impl<T> Located<T> {
    /// A thing with its place.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
    /// Another thing at the same place.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Located<U> {
        Located { value: change(self.value), span: self.span }
    }
}

impl<T: PartialEq> PartialEq for Located<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
impl<T: Eq> Eq for Located<T> {}

impl<T> Deref for Located<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// A file as it was read: its name for messages, and its text.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    path: Arc<str>,
    text: Arc<str>,
}

impl Source {
    /// A text under the name that messages give it.
    #[must_use]
    pub fn new(path: &str, text: &str) -> Arc<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Arc::new(Self { path: path.into(), text: text.into() })
    }
    /// The content of a file.
    ///
    /// # Errors
    /// When it is longer than [`FILE_BYTES_MAX`] or is not UTF-8, naming the first bad byte.
    pub fn from_bytes(path: &str, bytes: &[u8]) -> Result<Arc<Self>, Diagnostics> {
        if bytes.len() > FILE_BYTES_MAX {
            let message = format!("{path} has {} bytes", bytes.len());
            let help = format!("a file may have at most {FILE_BYTES_MAX} bytes: split it");
            return Err(Diagnostic::error(message).help(help).into());
        }
        std::str::from_utf8(bytes).map(|text| Self::new(path, text)).map_err(|error| {
            let valid = &bytes[..error.valid_up_to()];
            // What comes before the bad byte is shown, so that it can be found.
            let source = Self::new(path, &String::from_utf8_lossy(valid));
            let end = source.text.len();
            let bad = bytes.get(valid.len()).copied().unwrap_or_default();
            Diagnostic::error("the file is not UTF-8")
                .at(&source, Span::new(end, end))
                .label(format!("the byte 0x{bad:02x} behind this is not UTF-8"))
                .help("save the file as UTF-8")
                .into()
        })
    }
    /// The name of the file, for messages.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
    /// The line and the column of a byte, both counted from 1, the column in characters.
    #[must_use]
    pub fn position(&self, byte: usize) -> (usize, usize) {
        let byte = self.floor(byte);
        let before = &self.text[..byte];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }
    /// The same file with these ranges blotted out, for showing lines that hold secrets. Every
    /// other byte keeps its place.
    #[must_use]
    pub fn masked(&self, secrets: &[Span]) -> Arc<Self> {
        let mut text = String::with_capacity(self.text.len());
        for (at, c) in self.text.char_indices() {
            let hidden = secrets.iter().any(|span| span.range().contains(&at));
            if hidden && c != '\n' && c != '\r' {
                text.extend(std::iter::repeat_n('*', c.len_utf8()));
            } else {
                text.push(c);
            }
        }
        Arc::new(Self { path: Arc::clone(&self.path), text: text.into() })
    }
    /// The range as one that may be cut out of the text.
    pub(super) fn clamp(&self, span: Span) -> Span {
        Span::new(self.floor(span.start), self.floor(span.end))
    }
    fn floor(&self, byte: usize) -> usize {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        byte
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text may hold secrets.
        write!(f, "Source({:?}, {} bytes)", self.path, self.text.len())
    }
}
