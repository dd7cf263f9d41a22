//! C6: where both sides made the same entity in the same minute, a record of ours that nobody
//! touched is taken back for theirs; only one that somebody touched is left to people.

use syncline_core::Side;
use syncline_core::machine::Limits;
use syncline_core::mapping::{DeleteRule, Mapping};
use syncline_core::model::{
    Entry, IntentKind, Link, LinkState, Outcome, Review, ReviewKind, ReviewStatus, Verdict,
};
use syncline_sdk::{FieldName, Key, LinkId, Value};
use syncline_testkit::{Event, LogEntry};

use super::evidence::{Evidence, Violation, violation};
use crate::setup::{CODE, PARENT};

/// How long after its create a record may be taken back, microseconds.
const WITHIN: i64 = 3_600_000_000;

/// Judges what is left to people.
pub fn judge(evidence: &Evidence<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    for review in &evidence.reviews {
        let asked = matches!(&review.kind, ReviewKind::Ambiguous(_))
            && review.status == ReviewStatus::Open
            && review.key.unit.is_none();
        let Some(link) = evidence.links.get(&review.key.link).filter(|_| asked) else { continue };
        for side in Side::BOTH {
            found.extend(question(evidence, review, link, side));
        }
    }
    note_coverage(evidence);
    found
}

/// Judges one question about a record of a side.
fn question(
    evidence: &Evidence<'_>,
    review: &Review,
    link: &Link,
    side: Side,
) -> Option<Violation> {
    let mapping = &evidence.world.mappings[&link.mapping];
    let theirs = link.keys[side].as_ref()?;
    let code = code_of(evidence, mapping, side, theirs)?;
    let made_by_a_person = is_made_by(evidence, mapping, side, theirs, None);
    // One that was deleted and came back beside ours is no twin: it had given its business key up
    // (protocol C1), and a person is asked who has it now.
    let came_back = lines(evidence, mapping, side, theirs).any(|line| line.event == Event::Deleted);
    if !made_by_a_person
        || came_back
        || link.keys[side.other()].is_some()
        || mapping.matches.is_empty()
    {
        return None;
    }
    let pair = evidence.links.values().find(|other| {
        let key = other.keys[side].as_ref();
        other.id != link.id
            && other.mapping == link.mapping
            && other.state == LinkState::Linked
            && key.is_some_and(|key| code_of(evidence, mapping, side, key) == Some(code.clone()))
    })?;
    let ours = pair.keys[side].as_ref()?;
    let left_to_people = is_made_by(evidence, mapping, side, ours, Some(pair.id))
        && is_live(evidence, mapping, side.other(), pair.keys[side.other()].as_ref()?)
        && is_untouched(evidence, mapping, side, ours)
        && may_retract(mapping, side)
        && !evidence.world.observed_at(review.asked_at)
        && was_ours(evidence, pair, side, review.asked_at)
        && !is_referred_to(evidence, mapping, side, ours);
    left_to_people.then(|| {
        let entity = &mapping.sides[side].selection.entity;
        let text = format!(
            "{side} {entity} {ours} is ours and untouched, and people were asked of {theirs}"
        );
        violation("C6", text)
    })
}

fn code_of(evidence: &Evidence<'_>, mapping: &Mapping, side: Side, key: &Key) -> Option<Value> {
    let entity = &mapping.sides[side].selection.entity;
    let record = evidence.world.systems[side].look(entity, key)?;
    record.values.get(&FieldName::new(CODE)).cloned()
}

fn is_live(evidence: &Evidence<'_>, mapping: &Mapping, side: Side, key: &Key) -> bool {
    let entity = &mapping.sides[side].selection.entity;
    evidence.world.systems[side].look(entity, key).is_some()
}

fn lines<'a>(
    evidence: &'a Evidence<'_>,
    mapping: &'a Mapping,
    side: Side,
    key: &'a Key,
) -> impl Iterator<Item = &'a LogEntry> {
    let entity = &mapping.sides[side].selection.entity;
    evidence.history[side].iter().filter(move |line| line.entity == *entity && line.key == *key)
}

/// Whether a record was made by a create of ours for a link, or by a person.
fn is_made_by(
    evidence: &Evidence<'_>,
    mapping: &Mapping,
    side: Side,
    key: &Key,
    link: Option<LinkId>,
) -> bool {
    let mut made = lines(evidence, mapping, side, key).filter(|line| line.event == Event::Created);
    made.any(|line| line.origin.as_ref().map(|origin| origin.link) == link)
}

/// Whether nobody but us changed a record.
fn is_untouched(evidence: &Evidence<'_>, mapping: &Mapping, side: Side, key: &Key) -> bool {
    lines(evidence, mapping, side, key).all(|line| line.origin.is_some())
}

fn may_retract(mapping: &Mapping, side: Side) -> bool {
    let capabilities = &mapping.sides[side].capabilities;
    let guarded = capabilities.conditional_delete || capabilities.recycle_bin.is_some();
    guarded && mapping.delete[side.other()] == DeleteRule::Propagate
}

/// Whether the engine could know that the record was ours alone when it asked: its create was
/// settled as applied, lately, nothing else was seen of the record, nobody chose anything about
/// the pair, no attempt to take it back had come to nothing, and no write to the pair had failed
/// so often that it was set aside.
fn was_ours(evidence: &Evidence<'_>, pair: &Link, side: Side, asked_at: i64) -> bool {
    let entries: Vec<&Entry> = evidence
        .by_link
        .get(&pair.id)
        .into_iter()
        .flatten()
        .filter_map(|id| evidence.entries.get(id))
        .collect();
    let create = entries.iter().rev().find(|entry| {
        let intent = entry.intent.as_ref();
        intent.is_some_and(|of| of.side == side && of.kind == IntentKind::Create)
    });
    let Some(create) = create else { return false };
    let applied = entries
        .iter()
        .flat_map(|entry| &entry.settled)
        .any(|settled| settled.intent == create.id && settled.outcome == Outcome::Applied);
    let since = entries.iter().filter(|entry| entry.id >= create.id);
    let told_otherwise = since.clone().any(|entry| {
        let seen = entry.observed.iter().any(|seen| seen.side == side && seen.marker.is_none());
        let chosen = entry.decided.iter().any(|decided| {
            matches!(decided.verdict, Verdict::Answered(_) | Verdict::Adopt(_) | Verdict::Rekey(_))
        });
        let tried = entry
            .intent
            .as_ref()
            .is_some_and(|intent| matches!(intent.kind, IntentKind::Delete | IntentKind::Undelete));
        seen || chosen || tried
    });
    let failures = since
        .clone()
        .filter(|entry| entry.at.micros() <= asked_at)
        .flat_map(|entry| &entry.settled)
        .filter(|settled| settled.outcome != Outcome::Applied);
    let set_aside = failures.count() >= usize::from(Limits::default().refusals_max);
    let settled_before = since
        .filter(|entry| entry.settled.iter().any(|settled| settled.intent == create.id))
        .all(|entry| entry.at.micros() <= asked_at);
    let lately = asked_at - create.at.micros() <= WITHIN;
    applied && !told_otherwise && !set_aside && settled_before && lately
}

/// Whether a child was ever put under a record.
fn is_referred_to(evidence: &Evidence<'_>, mapping: &Mapping, side: Side, key: &Key) -> bool {
    mapping.id == crate::setup::ITEMS
        && evidence.history[side].iter().any(|line| match &line.event {
            Event::Field { field, new, .. } => {
                field.as_str() == PARENT && new.as_text() == Some(key.as_str())
            }
            _ => false,
        })
}

/// Whether a deletion of the sync took back what a create of its own had made, beside a record of
/// the same business key that a person had made there by then.
pub(super) fn is_retraction(
    evidence: &Evidence<'_>,
    side: Side,
    gone: &LogEntry,
    step: u32,
) -> bool {
    let Some(origin) = &gone.origin else { return false };
    let Some(mapping) = evidence.mapping_of(&gone.entity) else { return false };
    let decided = evidence.entries.get(&origin.intent).is_some_and(|entry| {
        entry.decided.iter().any(|decided| decided.verdict == Verdict::Retract(side))
    });
    let ours = is_made_by(evidence, mapping, side, &gone.key, Some(origin.link));
    let code = |key: &Key| {
        lines(evidence, mapping, side, key).find_map(|line| match &line.event {
            Event::Field { field, new, .. } if field.as_str() == CODE => Some(new.clone()),
            _ => None,
        })
    };
    let own = code(&gone.key);
    let beside = || {
        evidence.history[side].iter().enumerate().any(|(at, line)| {
            let before = evidence.world.order.steps[side].get(at).is_some_and(|then| *then <= step);
            before
                && line.entity == gone.entity
                && line.event == Event::Created
                && line.origin.is_none()
                && line.key != gone.key
                && code(&line.key) == own
        })
    };
    decided && ours && own.is_some() && beside()
}

fn note_coverage(evidence: &Evidence<'_>) {
    let mut inner = evidence.world.desk.lock();
    for (link, entries) in &evidence.by_link {
        let entries = entries.iter().filter_map(|id| evidence.entries.get(id));
        let retracted = entries.flat_map(|entry| &entry.decided).find_map(|decided| {
            if let Verdict::Retract(side) = decided.verdict { Some(side) } else { None }
        });
        let Some(side) = retracted else { continue };
        let now = evidence.links.get(link);
        let pair = match now.map(|now| now.state) {
            Some(LinkState::Merged(into)) => evidence.links.get(&into),
            _ => now,
        };
        let mapping = pair.map(|pair| &evidence.world.mappings[&pair.mapping]);
        let theirs = pair.and_then(|pair| pair.keys[side].as_ref());
        let linked = pair.is_some_and(|pair| pair.state == LinkState::Linked)
            && mapping
                .zip(theirs)
                .is_some_and(|(mapping, theirs)| is_made_by(evidence, mapping, side, theirs, None));
        if linked {
            inner.coverage.hit("twins: linked to theirs");
        }
    }
    for review in &evidence.reviews {
        let Some(link) = evidence.links.get(&review.key.link) else { continue };
        let mapping = &evidence.world.mappings[&link.mapping];
        let twins = Side::BOTH.into_iter().any(|side| {
            let code = link.keys[side].as_ref().map(|key| code_of(evidence, mapping, side, key));
            evidence.links.values().any(|other| {
                let Some(key) = other.keys[side].as_ref() else { return false };
                other.id != link.id
                    && other.mapping == link.mapping
                    && code.clone().flatten().is_some()
                    && Some(code_of(evidence, mapping, side, key)) == code
                    && is_made_by(evidence, mapping, side, key, Some(other.id))
                    && !is_untouched(evidence, mapping, side, key)
            })
        });
        if twins && matches!(review.kind, ReviewKind::Ambiguous(_)) {
            inner.coverage.hit("twins: touched and asked");
        }
    }
}
