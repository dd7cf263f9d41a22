//! Numbers, texts, lists, ids.

use std::sync::Arc;

use syncline_sdk::{Actor, ActorKind, BatchId, Instant, IntentId, Key, LinkId, Precision, Version};
use uuid::Uuid;

use super::shape::{choices, fields};
use super::{DecodeError, Encoded, Reader, Writer};
use crate::mapping::MappingId;
use crate::{Side, Sides};

macro_rules! number {
    ($($type:ty, $write:ident, $read:ident, $wide:ty;)+) => { $(
        impl Encoded for $type {
            fn write(&self, out: &mut Writer) {
                out.$write(<$wide>::from(*self));
            }
            fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Self::try_from(input.$read()?)
                    .map_err(|_| DecodeError::Invalid(stringify!($type)))
            }
        }
    )+ };
}

number! {
    u8, unsigned, unsigned, u64;
    u16, unsigned, unsigned, u64;
    u32, unsigned, unsigned, u64;
    u64, unsigned, unsigned, u64;
    i16, signed, signed, i64;
    i32, signed, signed, i64;
    i64, signed, signed, i64;
}

impl Encoded for bool {
    fn write(&self, out: &mut Writer) {
        out.byte(u8::from(*self));
    }
    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match input.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            tag => Err(DecodeError::Tag { what: "boolean", tag }),
        }
    }
}

impl Encoded for String {
    fn write(&self, out: &mut Writer) {
        out.bytes(self.as_bytes());
    }
    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(input.text()?.to_owned())
    }
}

impl Encoded for Arc<str> {
    fn write(&self, out: &mut Writer) {
        out.bytes(self.as_bytes());
    }
    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(input.text()?.into())
    }
}

impl<T: Encoded> Encoded for Option<T> {
    fn write(&self, out: &mut Writer) {
        match self {
            None => out.byte(0),
            Some(value) => {
                out.byte(1);
                value.write(out);
            }
        }
    }
    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match input.byte()? {
            0 => Ok(None),
            1 => T::read(input).map(Some),
            tag => Err(DecodeError::Tag { what: "option", tag }),
        }
    }
}

impl<T: Encoded> Encoded for Vec<T> {
    fn write(&self, out: &mut Writer) {
        write_list(self, out);
    }
    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = input.length()?;
        // An item in memory is larger than its bytes; a length that lies is not paid for.
        let mut items = Self::with_capacity(length.min(64));
        for _ in 0..length {
            items.push(T::read(input)?);
        }
        Ok(items)
    }
}

/// A list: its length and its items.
pub(super) fn write_list<T: Encoded>(items: &[T], out: &mut Writer) {
    out.length(items.len());
    for item in items {
        item.write(out);
    }
}

impl<A: Encoded, B: Encoded> Encoded for (A, B) {
    fn write(&self, out: &mut Writer) {
        self.0.write(out);
        self.1.write(out);
    }
    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok((A::read(input)?, B::read(input)?))
    }
}

impl<A: Encoded, B: Encoded, C: Encoded> Encoded for (A, B, C) {
    fn write(&self, out: &mut Writer) {
        self.0.write(out);
        self.1.write(out);
        self.2.write(out);
    }
    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok((A::read(input)?, B::read(input)?, C::read(input)?))
    }
}

impl<T: Encoded> Encoded for Sides<T> {
    fn write(&self, out: &mut Writer) {
        self.left.write(out);
        self.right.write(out);
    }
    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { left: T::read(input)?, right: T::read(input)? })
    }
}

choices!(Side, "side" { 0 = Left, 1 = Right });
choices!(ActorKind, "kind of actor" { 0 = Unknown, 1 = Person, 2 = Automation, 3 = Sync });
fields!(Actor { id, kind });
fields!(IntentId { commit, ordinal });
fields!(BatchId { commit, ordinal });

/// The bytes of ids that mostly follow each other: each but the first as the step from the one
/// before it.
#[must_use]
pub fn encode_ids(ids: &[IntentId]) -> Vec<u8> {
    let mut out = Writer::versioned(super::VERSION);
    out.length(ids.len());
    let (mut commit, mut ordinal) = (0, 0);
    for id in ids {
        out.signed(id.commit.wrapping_sub(commit));
        out.signed(i64::from(id.ordinal) - ordinal);
        (commit, ordinal) = (id.commit, i64::from(id.ordinal));
    }
    out.into_bytes()
}

/// Reads what [`encode_ids`] made.
///
/// # Errors
/// As [`super::decode`].
pub fn decode_ids(bytes: &[u8]) -> Result<Vec<IntentId>, DecodeError> {
    let mut input = Reader::versioned(bytes)?;
    let length = input.length()?;
    let (mut commit, mut ordinal) = (0i64, 0i64);
    let mut ids = Vec::with_capacity(length);
    for _ in 0..length {
        commit = commit.wrapping_add(input.signed()?);
        ordinal = ordinal.wrapping_add(input.signed()?);
        let ordinal = i32::try_from(ordinal).map_err(|_| DecodeError::Invalid("ordinal"))?;
        ids.push(IntentId { commit, ordinal });
    }
    input.end()?;
    Ok(ids)
}

impl Encoded for MappingId {
    fn write(&self, out: &mut Writer) {
        self.0.write(out);
    }
    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        i32::read(input).map(Self)
    }
}

impl Encoded for Key {
    fn write(&self, out: &mut Writer) {
        out.bytes(self.as_str().as_bytes());
    }
    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self::new(input.text()?))
    }
}

impl Encoded for Version {
    fn write(&self, out: &mut Writer) {
        out.bytes(self.as_bytes());
    }
    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self::new(input.bytes()?))
    }
}

impl Encoded for Uuid {
    fn write(&self, out: &mut Writer) {
        out.raw(self.as_bytes());
    }
    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.array().map(Self::from_bytes)
    }
}

impl Encoded for LinkId {
    fn write(&self, out: &mut Writer) {
        self.0.write(out);
    }
    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Uuid::read(input).map(Self)
    }
}

/// Precision, then the count of its units since 1970.
impl Encoded for Instant {
    fn write(&self, out: &mut Writer) {
        let (tag, units) = units(*self);
        out.byte(tag);
        out.signed(units);
    }
    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let tag = input.byte()?;
        read_instant(tag, input)
    }
}

/// The number of an instant's precision and the instant in its units.
pub(super) fn units(instant: Instant) -> (u8, i64) {
    let precision = instant.precision();
    let tag = match precision {
        Precision::Second => 0,
        Precision::Milli => 1,
        Precision::Micro => 2,
    };
    if instant.micros() % precision.micros() == 0 {
        (tag, instant.micros() / precision.micros())
    } else {
        // Finer than it says it is; the microseconds count.
        (2, instant.micros())
    }
}

/// Reads the units of an instant whose precision was read already.
pub(super) fn read_instant(tag: u8, input: &mut Reader<'_>) -> Result<Instant, DecodeError> {
    let precision = match tag {
        0 => Precision::Second,
        1 => Precision::Milli,
        2 => Precision::Micro,
        tag => return Err(DecodeError::Tag { what: "precision", tag }),
    };
    let micros =
        input.signed()?.checked_mul(precision.micros()).ok_or(DecodeError::Invalid("instant"))?;
    Ok(Instant::new(micros, precision))
}
