//! The bytes in which the ledger keeps images, decisions and questions.
//!
//! The first byte is the version of the encoding, so that rows written by an older release can
//! be read for ever. Behind it stand plain fields in a fixed order: whole numbers in seven-bit
//! groups, texts with their length, choices by a number that is never given twice. Small values
//! are small: a text of up to 127 bytes costs one byte more than itself, a whole number from 0 to
//! 63 costs one byte. What is at rest (nothing pending, nothing held) is not stored at all.
//!
//! Reading trusts nothing: bytes that nobody here wrote answer [`DecodeError`], never a panic and
//! never an allocation that grows with a number they merely claim.

mod bytes;
mod journal;
mod link;
mod primitive;
mod review;
mod shape;
mod value;

#[cfg(test)]
mod tests;

pub use bytes::{DecodeError, Reader, Writer};
pub use journal::{EntryBody, encode_entry};
pub use link::{LinkBody, Origins, decode_link, encode_link};
pub use primitive::{decode_ids, encode_ids};

/// The version that is written. Versions that can be read: this one.
pub const VERSION: u8 = 1;

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
