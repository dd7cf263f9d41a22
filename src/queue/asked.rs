//! What a question is about, in words.

use syncline_core::Side;
use syncline_core::model::ReviewKind;

use super::words::{count, plain};

/// What is asked. `other` is the side without a record, where one has none.
pub fn asked(kind: &ReviewKind, other: Side, system: &dyn Fn(Side) -> String) -> String {
    let (what, why) = asked_alike(kind, other, system);
    match why {
        Some(why) => format!("{what}: {why}"),
        None => what,
    }
}

/// What is asked, as it is told of all questions alike, and what is this one's own.
pub fn asked_alike(
    kind: &ReviewKind,
    other: Side,
    system: &dyn Fn(Side) -> String,
) -> (String, Option<String>) {
    let what = match kind {
        ReviewKind::NoImage(side, reason) => {
            let what = format!("{} cannot store the value", system(*side));
            return (what, Some(plain(&reason.to_string())));
        }
        ReviewKind::Candidate(side, record) => {
            let there = system(*side);
            let what =
                format!("changed in {there} in a record whose partner was merged into this one's");
            return (what, Some(format!("record {}", plain(record.as_str()))));
        }
        ReviewKind::Conflict => "changed on both sides".to_owned(),
        ReviewKind::Initial => "differed when first matched".to_owned(),
        ReviewKind::Anew => "differs by the rules as they are now".to_owned(),
        ReviewKind::DeleteUpdate(side) => {
            format!("deleted in {}, changed in {}", system(*side), system(side.other()))
        }
        ReviewKind::Delete(side) => format!("deleted in {}", system(*side)),
        ReviewKind::Leave(side) => format!("left the filter in {}", system(*side)),
        ReviewKind::Ambiguous(keys) if keys.is_empty() => {
            let system = system(other);
            format!("nothing tells which record of {system} is the partner, if one was made")
        }
        ReviewKind::Ambiguous(keys) => {
            let partners = count(i64::try_from(keys.len()).unwrap_or(i64::MAX), "record");
            format!("{partners} of {} could be the partner", system(other))
        }
        ReviewKind::Merged(side, Some(_)) => {
            let (merged, other) = (system(*side), system(side.other()));
            format!("two records of {merged} were merged, and each has a partner in {other}")
        }
        ReviewKind::Merged(side, None) => {
            let (merged, other) = (system(*side), system(side.other()));
            format!("a record of {merged} was merged into another, its partner in {other} is left")
        }
        ReviewKind::Oscillation => "written back and forth without end".to_owned(),
        ReviewKind::SuspectedDelete(side) => {
            format!("missing in {}, with no proof of a deletion", system(*side))
        }
        ReviewKind::Overwritten(side) => {
            format!("an edit in {} was overwritten before it could be read", system(*side))
        }
    };
    (what, None)
}
