//! What a link row keeps: base, pending, field state, origins.

use syncline_sdk::{LinkId, Version};

use super::primitive::write_list;
use super::shape::{choices, fields};
use super::{DecodeError, Encoded, Reader, VERSION, Writer};
use crate::Sides;
use crate::model::{
    Base, BothHalves, FieldState, Half, Link, LinkState, Origin, Pending, UnitState, UnitStatus,
    Watched,
};

fields!(Base { exists, image });
fields!(Pending { exists, values, actor, at, foreign, closed, entry });
fields!(Origin { side, actor, entry, at });
choices!(UnitStatus, "status of a unit" {
    0 = Free, 1 = Held, 2 = Parked, 3 = Frozen, 4 = Awaiting(tries), 5 = Changed, 6 = Returned,
    7 = LeftOut,
});
fields!(UnitState { status, bounces, replaced });
choices!(Half, "half of a decision" { 0 = Open, 1 = Applied(image), 2 = Refused });
fields!(BothHalves { units, seen, halves });
fields!(Watched { unit, would, values, shown });
fields!(FieldState {
    units,
    outside,
    overtaken,
    both,
    evidence,
    suspected,
    given_up,
    refusals,
    watched,
    stays,
});

/// The origins of a link's units. Most units of a link come from the same one or two decisions,
/// so each origin is stored once and the units refer to it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Origins(pub Vec<Option<Origin>>);

impl Encoded for Origins {
    fn write(&self, out: &mut Writer) {
        write_origins(&self.0, out);
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let distinct = Vec::<Option<Origin>>::read(input)?;
        let units = u16::read(input)?;
        if let [only] = distinct.as_slice() {
            return Ok(Self(vec![*only; usize::from(units)]));
        }
        let place = |input: &mut Reader<'_>| {
            let place = u16::read(input)?;
            distinct.get(usize::from(place)).copied().ok_or(DecodeError::Invalid("origin"))
        };
        (0..units).map(|_| place(input)).collect::<Result<_, _>>().map(Self)
    }
}

fn write_origins(origins: &[Option<Origin>], out: &mut Writer) {
    let mut distinct: Vec<Option<Origin>> = Vec::with_capacity(4);
    let places: Vec<usize> = origins
        .iter()
        .map(|origin| {
            distinct.iter().position(|known| known == origin).unwrap_or_else(|| {
                distinct.push(*origin);
                distinct.len() - 1
            })
        })
        .collect();
    write_list(&distinct, out);
    out.length(places.len());
    if distinct.len() > 1 {
        places.into_iter().for_each(|place| out.length(place));
    }
}

/// The part of a link that only its reader understands; names, guards and state stand beside it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LinkBody {
    /// The mapping revision that the base is written in.
    pub mapping_rev: i32,
    /// The link that the records of a merged one went into.
    pub merged_into: Option<LinkId>,
    /// The last agreed state.
    pub base: Sides<Option<Base>>,
    /// What differs from it now.
    pub pending: Sides<Pending>,
    /// What one side has and the other cannot express.
    pub complement: Vec<u8>,
    /// What is remembered beyond that.
    pub field_state: FieldState,
    /// How new the last observation of each side is.
    pub versions: Sides<Version>,
    /// Where the base of each unit comes from.
    pub origins: Origins,
}

// What is there at all, a bit each.
const BASE_LEFT: u8 = 1;
const BASE_RIGHT: u8 = 1 << 1;
const PENDING_LEFT: u8 = 1 << 2;
const PENDING_RIGHT: u8 = 1 << 3;
const COMPLEMENT: u8 = 1 << 4;
const FIELD_STATE: u8 = 1 << 5;
const ORIGINS: u8 = 1 << 6;
const MERGED_INTO: u8 = 1 << 7;

/// The bytes of a link's body, without taking the link apart. The bases stand last: most changes
/// leave them, and a log that leaves out what two row versions end with stays small.
#[must_use]
pub fn encode_link(link: &Link) -> Vec<u8> {
    let mut out = Writer::versioned(VERSION);
    let flags = [
        (BASE_LEFT, link.base.left.is_some()),
        (BASE_RIGHT, link.base.right.is_some()),
        (PENDING_LEFT, link.pending.left != Pending::default()),
        (PENDING_RIGHT, link.pending.right != Pending::default()),
        (COMPLEMENT, !link.complement.is_empty()),
        (FIELD_STATE, !link.field_state.is_empty()),
        (ORIGINS, !link.origins.is_empty()),
        (MERGED_INTO, matches!(link.state, LinkState::Merged(_))),
    ];
    let present = flags.iter().filter(|(_, there)| *there).fold(0, |all, (flag, _)| all | flag);
    out.byte(present);
    link.mapping_rev.write(&mut out);
    if let LinkState::Merged(into) = link.state {
        into.write(&mut out);
    }
    link.versions.write(&mut out);
    for (flag, pending) in
        [(PENDING_LEFT, &link.pending.left), (PENDING_RIGHT, &link.pending.right)]
    {
        if present & flag != 0 {
            pending.write(&mut out);
        }
    }
    if present & FIELD_STATE != 0 {
        link.field_state.write(&mut out);
    }
    if present & COMPLEMENT != 0 {
        out.bytes(&link.complement);
    }
    if present & ORIGINS != 0 {
        write_origins(&link.origins, &mut out);
    }
    for base in [&link.base.left, &link.base.right].into_iter().flatten() {
        base.write(&mut out);
    }
    out.into_bytes()
}

fn read_if<T: Encoded + Default>(present: bool, input: &mut Reader<'_>) -> Result<T, DecodeError> {
    if present { T::read(input) } else { Ok(T::default()) }
}

/// Reads a link's body back.
///
/// # Errors
/// As [`super::decode`].
pub fn decode_link(bytes: &[u8]) -> Result<LinkBody, DecodeError> {
    let mut input = Reader::versioned(bytes)?;
    let present = input.byte()?;
    let has = |flag: u8| present & flag != 0;
    let base = |flag: u8, input: &mut Reader<'_>| {
        if has(flag) { Base::read(input).map(Some) } else { Ok(None) }
    };
    // In the order in which they were written.
    let body = LinkBody {
        mapping_rev: i32::read(&mut input)?,
        merged_into: if has(MERGED_INTO) { Some(LinkId::read(&mut input)?) } else { None },
        versions: Sides::read(&mut input)?,
        pending: Sides {
            left: read_if(has(PENDING_LEFT), &mut input)?,
            right: read_if(has(PENDING_RIGHT), &mut input)?,
        },
        field_state: read_if(has(FIELD_STATE), &mut input)?,
        complement: if has(COMPLEMENT) { input.bytes()?.to_vec() } else { Vec::new() },
        origins: read_if(has(ORIGINS), &mut input)?,
        base: Sides { left: base(BASE_LEFT, &mut input)?, right: base(BASE_RIGHT, &mut input)? },
    };
    input.end()?;
    Ok(body)
}
