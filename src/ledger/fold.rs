//! What both ledgers do to a changeset before it is applied: one row an object.

use std::collections::BTreeMap;

use syncline_core::model::{Figure, Gap, Hint, HintReason, Link, LinkState, RecordName};

/// The name of a hint's record.
pub(crate) fn hint_key(hint: &Hint) -> RecordName {
    (hint.system.clone(), hint.entity.clone(), hint.key.clone())
}

/// One hint a record: the earliest due time, the tries of the last one added, and the reason of
/// all of them.
pub(crate) fn hints(hints: &[Hint]) -> BTreeMap<RecordName, Hint> {
    let mut folded: BTreeMap<RecordName, Hint> = BTreeMap::new();
    for hint in hints {
        let joined = joined(folded.get(&hint_key(hint)), hint.clone());
        folded.insert(hint_key(hint), joined);
    }
    folded
}

/// A hint as it stands once it is added to the one that is there.
pub(crate) fn joined(known: Option<&Hint>, hint: Hint) -> Hint {
    match known {
        None => hint,
        Some(known) => {
            Hint { due: known.due.min(hint.due), reason: known.reason.joined(hint.reason), ..hint }
        }
    }
}

/// What reads a record again that waited for another one.
pub(crate) fn woken((system, entity, key): RecordName) -> Hint {
    Hint { system, entity, key, seq: 0, due: 0, reason: HintReason::Parent, tries: 0 }
}

/// One row an object: the last one.
pub(crate) fn last<'a, T, K: Ord>(rows: &'a [T], key: impl Fn(&'a T) -> K) -> BTreeMap<K, &'a T> {
    rows.iter().map(|row| (key(row), row)).collect()
}

/// One gap a notice: closed when any says so.
pub(crate) fn gaps(gaps: &[Gap]) -> BTreeMap<(String, i64), Gap> {
    let mut folded: BTreeMap<(String, i64), Gap> = BTreeMap::new();
    for gap in gaps {
        folded
            .entry((gap.stream.clone(), gap.noticed_at))
            .and_modify(|known| known.closed_at = known.closed_at.or(gap.closed_at))
            .or_insert_with(|| gap.clone());
    }
    folded
}

/// The sum a figure.
pub(crate) fn figures(figures: &[(Figure, i64)]) -> BTreeMap<Figure, i64> {
    let mut folded = BTreeMap::new();
    for (figure, count) in figures {
        *folded.entry(*figure).or_insert(0) += count;
    }
    folded
}

/// Whether a link may have questions: those are looked up only then.
pub(crate) fn may_have_reviews(link: &Link) -> bool {
    matches!(link.state, LinkState::Held | LinkState::Merged(_))
        || !link.field_state.units.is_empty()
}
