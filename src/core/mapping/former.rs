//! A former revision of a mapping, in terms of the present one.

use crate::Sides;

/// How a former revision of a mapping laid out what the ledger keeps of its links, told by what
/// has become of its fields and units. A base is only ever compared with what it was agreed
/// about: fields are found again by their names, wherever the file has them by now, and a unit
/// that another rule joins is agreed anew (protocol 1.10).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Former {
    /// The present place of each field of a side's former image; nothing for one that is not
    /// mapped any more.
    pub fields: Sides<Vec<Option<u16>>>,
    /// The present place of each former unit; nothing for one whose fields are not together any
    /// more.
    pub units: Vec<Option<u16>>,
    /// The present units of which something was agreed under another rule, ascending.
    pub changed: Vec<u16>,
    /// How many fields the present image of each side has.
    pub image_len: Sides<usize>,
    /// How many units there are at present.
    pub units_len: usize,
    /// Whether records have to be read for what was not asked of them before: a field that was
    /// not mapped, records that were outside, partners that were not looked for.
    pub widened: bool,
    /// Whether linked records may be outside by now.
    pub filtered: bool,
}

impl Former {
    /// Whether links of that revision can be read as they are.
    #[must_use]
    pub fn is_same(&self) -> bool {
        let stays = |places: &[Option<u16>], len: usize| {
            places.len() == len
                && places.iter().enumerate().all(|(at, place)| place.map(usize::from) == Some(at))
        };
        stays(&self.fields.left, self.image_len.left)
            && stays(&self.fields.right, self.image_len.right)
            && stays(&self.units, self.units_len)
            && self.changed.is_empty()
    }
    /// The present place of a unit.
    #[must_use]
    pub fn unit(&self, former: u16) -> Option<u16> {
        self.units.get(usize::from(former)).copied().flatten()
    }
    /// The present place of a field of a side's image.
    #[must_use]
    pub fn field(&self, side: crate::Side, former: u16) -> Option<u16> {
        self.fields[side].get(usize::from(former)).copied().flatten()
    }
}
