//! Running counts of each mapping, by direction: what reports and metrics tell.

use std::borrow::Cow;

use crate::Side;
use crate::mapping::MappingId;

/// What is counted of a direction of a mapping. Their names are few and stay few: kinds of errors
/// are a closed list.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Counted {
    /// Writes that were applied.
    Applied,
    /// Of these, those of which it is known when the edit was made.
    Measured,
    /// How long these took together, microseconds from the edit, by its side's clock, to the
    /// proof that it is on the other side.
    LagMicros,
    /// Of these, those that were carried within the objective of their mapping.
    Within,
    /// Writes that met a newer edit: they are planned again.
    Stale,
    /// Writes that met no record.
    Missing,
    /// Writes that met a lock of somebody else: they are tried again.
    Busy,
    /// Writes that were withdrawn before any copy could take effect.
    Cancelled,
    /// Writes that the side refused, by the kind of error.
    Refused(String),
    /// Records that were set aside.
    Parked,
    /// Questions that were asked; they belong to no direction.
    Asked,
    /// Answers of people that were applied; they belong to no direction.
    Answered,
}

/// The beginning of the names of refusals.
const REFUSED: &str = "refused.";

impl Counted {
    const PLAIN: [(Self, &'static str); 11] = [
        (Self::Applied, "applied"),
        (Self::Measured, "measured"),
        (Self::LagMicros, "lag_micros"),
        (Self::Within, "within"),
        (Self::Stale, "stale"),
        (Self::Missing, "missing"),
        (Self::Busy, "busy"),
        (Self::Cancelled, "cancelled"),
        (Self::Parked, "parked"),
        (Self::Asked, "asked"),
        (Self::Answered, "answered"),
    ];

    /// Its name in the ledger.
    #[must_use]
    pub fn name(&self) -> Cow<'static, str> {
        if let Self::Refused(kind) = self {
            return format!("{REFUSED}{kind}").into();
        }
        let known = Self::PLAIN.iter().find(|(counted, _)| counted == self);
        known.map_or_else(Cow::default, |(_, name)| (*name).into())
    }

    /// What has this name; nothing where another release counts something that this one does not.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        if let Some(kind) = name.strip_prefix(REFUSED) {
            return Some(Self::Refused(kind.to_owned()));
        }
        let known = Self::PLAIN.iter().find(|(_, known)| *known == name);
        known.map(|(counted, _)| counted.clone())
    }
}

/// What is counted, and of what.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Tally {
    /// The mapping.
    pub mapping: MappingId,
    /// The side that was written; nothing where it is of no direction.
    pub toward: Option<Side>,
    /// What.
    pub counted: Counted,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back() {
        let refused = Counted::Refused("invalid".to_owned());
        let all = Counted::PLAIN.iter().map(|(counted, _)| counted).chain([&refused]);
        for counted in all {
            assert_eq!(Counted::named(&counted.name()).as_ref(), Some(counted));
        }
        assert_eq!(Counted::named("of a later release"), None);
    }
}
