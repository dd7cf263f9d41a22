//! The lowest layer: bytes, numbers, lengths.

/// Lists inside lists deeper than this are refused when read. Postgres arrays have six
/// dimensions at most.
const DEPTH_MAX: u8 = 32;

/// Bytes that are not what the encoding makes.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DecodeError {
    /// A version that this release does not know.
    #[error("encoding version {0} is not known; a newer release wrote it")]
    Version(u8),
    /// The bytes end inside a value.
    #[error("the bytes end early")]
    Short,
    /// Bytes are left behind the value.
    #[error("{0} bytes are left over")]
    Long(usize),
    /// A choice that does not exist.
    #[error("{what} has no choice {tag}")]
    Tag {
        /// What was read.
        what: &'static str,
        /// What stood there.
        tag: u8,
    },
    /// Something that is not a value of its kind.
    #[error("not a {0}")]
    Invalid(&'static str),
}

/// Collects bytes.
#[derive(Debug)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Starts with a version byte.
    #[must_use]
    pub fn versioned(version: u8) -> Self {
        // Most images and journal bodies fit without growing.
        let mut bytes = Vec::with_capacity(128);
        bytes.push(version);
        Self(bytes)
    }
    /// What was collected.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
    /// How much was collected.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
    /// Takes back what was collected behind `len`.
    pub(super) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }
    /// A part of what was collected.
    pub(super) fn part(&self, from: usize, to: usize) -> &[u8] {
        self.0.get(from..to).unwrap_or_default()
    }
    /// Replaces a byte written before.
    pub(super) fn replace(&mut self, at: usize, byte: u8) {
        if let Some(place) = self.0.get_mut(at) {
            *place = byte;
        }
    }
    /// One byte.
    pub fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }
    /// Bytes without their length.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
    /// A whole number in groups of seven bits, lowest first.
    pub fn unsigned(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(low_bits(number) | 0x80);
            number >>= 7;
        }
        self.0.push(low_bits(number));
    }
    /// A whole number with its sign in the lowest bit.
    pub fn signed(&mut self, number: i64) {
        self.unsigned((number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned());
    }
    /// A length.
    pub fn length(&mut self, length: usize) {
        self.unsigned(length as u64);
    }
    /// Bytes with their length.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.raw(bytes);
    }
}

fn low_bits(number: u64) -> u8 {
    number.to_le_bytes()[0] & 0x7f
}

/// Takes bytes apart.
#[derive(Debug)]
pub struct Reader<'a> {
    left: &'a [u8],
    depth: u8,
    version: u8,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes, depth: 0, version: super::VERSION }
    }
    /// Starts behind the version byte.
    ///
    /// # Errors
    /// When the version is not known.
    pub(super) fn versioned(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut input = Self::new(bytes);
        match input.byte()? {
            version @ 1..=super::VERSION => Ok(Self { version, ..input }),
            other => Err(DecodeError::Version(other)),
        }
    }
    /// The version that the bytes were written in.
    #[must_use]
    pub fn version(&self) -> u8 {
        self.version
    }
    /// One byte.
    ///
    /// # Errors
    /// When none is left.
    pub fn byte(&mut self) -> Result<u8, DecodeError> {
        let (first, left) = self.left.split_first().ok_or(DecodeError::Short)?;
        self.left = left;
        Ok(*first)
    }
    /// So many bytes.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn raw(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, left) = self.left.split_at_checked(length).ok_or(DecodeError::Short)?;
        self.left = left;
        Ok(taken)
    }
    /// So many bytes, as an array.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (taken, left) = self.left.split_first_chunk::<N>().ok_or(DecodeError::Short)?;
        self.left = left;
        Ok(*taken)
    }
    /// A number written by [`Writer::unsigned`].
    ///
    /// # Errors
    /// When it ends early or is larger than 64 bits.
    pub fn unsigned(&mut self) -> Result<u64, DecodeError> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(DecodeError::Invalid("number"))
    }
    /// A number written by [`Writer::signed`].
    ///
    /// # Errors
    /// As [`Reader::unsigned`].
    pub fn signed(&mut self) -> Result<i64, DecodeError> {
        let number = self.unsigned()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }
    /// The length of something that takes at least one byte an item.
    ///
    /// # Errors
    /// When more is announced than bytes are left.
    pub fn length(&mut self) -> Result<usize, DecodeError> {
        let length = usize::try_from(self.unsigned()?).map_err(|_| DecodeError::Short)?;
        if length > self.left.len() { Err(DecodeError::Short) } else { Ok(length) }
    }
    /// Bytes with their length.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.length()?;
        self.raw(length)
    }
    /// Text with its length.
    ///
    /// # Errors
    /// When bytes are missing or are not UTF-8.
    pub fn text(&mut self) -> Result<&'a str, DecodeError> {
        utf8(self.bytes()?)
    }
    /// Reads something that may hold its like.
    pub(super) fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        if self.depth == DEPTH_MAX {
            return Err(DecodeError::Invalid("list: nested too deeply"));
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }
    /// Checks that nothing is left.
    ///
    /// # Errors
    /// When something is.
    pub fn end(&self) -> Result<(), DecodeError> {
        if self.left.is_empty() { Ok(()) } else { Err(DecodeError::Long(self.left.len())) }
    }
}

/// Bytes as text.
pub(super) fn utf8(bytes: &[u8]) -> Result<&str, DecodeError> {
    std::str::from_utf8(bytes).map_err(|_| DecodeError::Invalid("text"))
}
