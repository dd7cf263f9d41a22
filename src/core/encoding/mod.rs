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
mod encoded;
mod journal;
mod link;
mod primitive;
mod review;
mod shape;
mod value;

#[cfg(test)]
mod tests;

pub use bytes::{DecodeError, Reader, Writer};
pub use encoded::{Encoded, VERSION, decode, encode};
pub use journal::{EntryBody, encode_entry};
pub use link::{LinkBody, Origins, decode_link, encode_link};
pub use primitive::{decode_ids, encode_ids};
