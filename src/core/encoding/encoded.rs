//! Whole values to bytes and back, the version first.

use super::bytes::{DecodeError, Reader, Writer};

/// The version that is written. Those before it can be read: entries of version 1 do not tell
/// their revision. It stays below 128: the ledger marks what it encrypts by a first byte above.
pub const VERSION: u8 = 2;

/// Something that has a place in the encoding.
pub trait Encoded: Sized {
    /// Appends it.
    fn write(&self, out: &mut Writer);
    /// Reads it back.
    ///
    /// # Errors
    /// When the bytes are not what [`Encoded::write`] makes.
    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

/// The bytes of a value, version first.
#[must_use]
pub fn encode<T: Encoded>(value: &T) -> Vec<u8> {
    let mut out = Writer::versioned(VERSION);
    value.write(&mut out);
    out.into_bytes()
}

/// Reads a value back from all of the bytes.
///
/// # Errors
/// When the version is unknown, the bytes end early or go on behind the value, or say what no
/// value says.
pub fn decode<T: Encoded>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut input = Reader::versioned(bytes)?;
    let value = T::read(&mut input)?;
    input.end()?;
    Ok(value)
}
