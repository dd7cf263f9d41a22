//! V1, V5, V10: at the end both sides agree, nothing is there twice, references point to
//! partners. What a question names is excused.

use std::collections::BTreeMap;

use syncline_core::mapping::{DeleteRule, Mapping, MappingId, Pair};
use syncline_core::model::{Decided, Link, LinkState, ReviewStatus, UnitStatus, Verdict};
use syncline_core::{Side, Sides};
use syncline_sdk::{FieldName, Key, Value};
use syncline_testkit::Event;

use super::chains::{By, Chains};
use super::evidence::{Evidence, Violation, violation};
use super::filters::{is_excluded, is_outside, judge_pair, was_any_outside};
use super::merges::is_merged;
use crate::setup::{CODE, token};

type Records = BTreeMap<Key, BTreeMap<FieldName, Value>>;

/// Judges the state of both systems at the end.
pub fn judge(evidence: &Evidence<'_>, chains: &Chains) -> Vec<Violation> {
    let mut found = Vec::new();
    for mapping in evidence.world.mappings.values() {
        for side in Side::BOTH {
            let entity = &mapping.sides[side].selection.entity;
            let records = evidence.world.systems[side].records(entity);
            for (key, values) in &records {
                found.extend(record(evidence, chains, mapping, side, key, values));
            }
            found.extend(duplicates(evidence, mapping, side, &records));
        }
    }
    found
}

fn record(
    evidence: &Evidence<'_>,
    chains: &Chains,
    mapping: &Mapping,
    side: Side,
    key: &Key,
    values: &BTreeMap<FieldName, Value>,
) -> Option<Violation> {
    let entity = &mapping.sides[side].selection.entity;
    let outside = is_outside(evidence, mapping, side, values);
    let Some(link) = evidence.link_of.get(&(mapping.id, side, key.clone())) else {
        if outside {
            return None;
        }
        return Some(violation("V1", format!("{side} {entity} {key} belongs to no link")));
    };
    let link = &evidence.links[link];
    if evidence.is_asked(link.id, None) && held_as_a_whole(evidence, link) {
        return None;
    }
    let other = side.other();
    let partner = link.keys[other].as_ref().and_then(|key| {
        let entity = &mapping.sides[other].selection.entity;
        Some((key.clone(), evidence.world.systems[other].look(entity, key)?.values))
    });
    match (link.state, partner) {
        (LinkState::Ended, _) => None,
        (_, Some((_, theirs))) if outside || is_outside(evidence, mapping, other, &theirs) => {
            let outside = Sides::from_fn(|at| match at == side {
                true => outside,
                false => is_outside(evidence, mapping, other, &theirs),
            });
            judge_pair(evidence, mapping, link, outside)
        }
        (_, None) if outside => None,
        (_, Some((partner, theirs))) if link.keys[side].as_ref() == Some(key) => {
            (0..mapping.units.len()).find_map(|at| {
                unit(evidence, chains, mapping, link, at, side, (key, values), (&partner, &theirs))
            })
        }
        (LinkState::Seen(_), None) if !mapping.create[other] => None,
        (LinkState::Seen(_), None) if is_excluded(evidence, mapping, other, values) => None,
        _ if evidence.is_parked(link.id) || evidence.is_asked(link.id, None) => None,
        (state, _) => {
            let text =
                format!("{side} {entity} {key} has no partner; its link {} is {state:?}", link.id);
            Some(violation("V1", text))
        }
    }
}

/// Whether an open question is about the pair.
fn held_as_a_whole(evidence: &Evidence<'_>, link: &Link) -> bool {
    evidence.reviews.iter().any(|review| {
        review.key.link == link.id
            && review.key.unit.is_none()
            && review.status == ReviewStatus::Open
    })
}

#[expect(clippy::too_many_arguments, reason = "what is known of one unit of a pair")]
fn unit(
    evidence: &Evidence<'_>,
    chains: &Chains,
    mapping: &Mapping,
    link: &Link,
    at: usize,
    side: Side,
    (key, mine): (&Key, &BTreeMap<FieldName, Value>),
    (partner, theirs): (&Key, &BTreeMap<FieldName, Value>),
) -> Option<Violation> {
    // Each pair is looked at once.
    if side == Side::Right {
        return None;
    }
    let unit = &mapping.units[at];
    let pairs = unit.pairs.iter();
    let mut found = pairs.map(|pair| {
        differs(evidence, chains, mapping, link, at, pair, (key, mine), (partner, theirs))
    });
    found.find_map(|found| found)
}

#[expect(clippy::too_many_arguments, reason = "what is known of one field pair")]
fn differs(
    evidence: &Evidence<'_>,
    chains: &Chains,
    mapping: &Mapping,
    link: &Link,
    at: usize,
    pair: &Pair,
    (key, mine): (&Key, &BTreeMap<FieldName, Value>),
    (partner, theirs): (&Key, &BTreeMap<FieldName, Value>),
) -> Option<Violation> {
    let unit = &mapping.units[at];
    let name = |side: Side| mapping.field_name(side, pair.on(side)).clone();
    let left = mine.get(&name(Side::Left)).cloned().unwrap_or(Value::Null);
    let right = theirs.get(&name(Side::Right)).cloned().unwrap_or(Value::Null);
    let same = match pair.reference {
        Some(parents) => {
            parent(evidence, parents, Side::Left, &left)
                == parent(evidence, parents, Side::Right, &right)
        }
        None if at == 0 => left == right,
        None if is_merged(unit) => left == right,
        None => token(&left) == token(&right),
    };
    let status = link.field_state.unit(at).status;
    let parked = status == UnitStatus::Parked && evidence.is_parked(link.id);
    if same || parked || evidence.is_asked(link.id, Some(at)) {
        return None;
    }
    let records = Sides { left: key, right: partner };
    for to in Side::BOTH {
        // A person took the value of the side that does not lead, or typed it: both stay as they
        // are, until the side that leads is changed.
        let taken = [format!("take {to} "), "value ".to_owned()];
        let stays = |decided: &Decided| {
            let (leading, now) = match to {
                Side::Left => (&decided.right, &right),
                Side::Right => (&decided.left, &left),
            };
            let word = match &decided.verdict {
                Verdict::Answered(told) => taken.iter().any(|taken| told.starts_with(taken)),
                _ => false,
            };
            word && decided.unit == u16::try_from(at).ok() && leading.contains(now)
        };
        if !unit.direction.reaches(to.other()) && evidence.decided(link.id).any(stays) {
            return None;
        }
        if chains.last(to, records[to], &name(to)).is_some_and(|node| node.rewritten) {
            return None;
        }
        // So it is when an edit brought that image back, while the other side still has the
        // value of which it is one.
        let theirs = if to == Side::Left { &right } else { &left };
        if chains.image_again(to, records[to], &name(to)) == Some(token(theirs)) {
            return None;
        }
        // What was changed on the side that does not lead stays there.
        let own = chains
            .last(to, records[to], &name(to))
            .is_some_and(|node| !matches!(node.by, By::Sync(_)));
        // So does what the side that leads has not given a record that was made there.
        let from = to.other();
        let given = chains.last(from, records[from], &name(from));
        let never_given = given.is_none_or(|node| node.born);
        if !unit.direction.reaches(from) && (own || never_given) {
            return None;
        }
    }
    let kind = if pair.reference.is_some() { "V10" } else { "V1" };
    let text = format!(
        "link {} ({key} and {partner}) differs in {}: {left:?} and {right:?}; {status:?}, {:?}",
        link.id, unit.name, link.state
    );
    Some(violation(kind, text))
}

/// The link of the record that a reference names, as merges have left it (protocol 1.7).
fn parent(
    evidence: &Evidence<'_>,
    parents: MappingId,
    side: Side,
    value: &Value,
) -> Option<syncline_sdk::LinkId> {
    let key = Key::new(value.as_text()?);
    let mut link = evidence.link_of.get(&(parents, side, key)).copied()?;
    // No chain of merges is longer than there are links.
    for _ in 0..evidence.links.len() {
        match evidence.links.get(&link).map(|link| link.state) {
            Some(LinkState::Merged(into)) => link = into,
            _ => break,
        }
    }
    Some(link)
}

/// V5: no more records of one business key than people made, or one.
fn duplicates(
    evidence: &Evidence<'_>,
    mapping: &Mapping,
    side: Side,
    records: &Records,
) -> Vec<Violation> {
    let mut live: BTreeMap<&str, Vec<&Key>> = BTreeMap::new();
    for (key, values) in records {
        if let Some(code) = values.get(&FieldName::new(CODE)).and_then(Value::as_text) {
            live.entry(code).or_default().push(key);
        }
    }
    let mut found = Vec::new();
    for (code, keys) in live {
        let made = |at: Side| {
            let created = evidence.world.people.created.iter();
            created.filter(|(of, on, by)| *of == mapping.id && *on == at && by == code).count()
        };
        let allowed = if mapping.matches.is_empty() {
            // Without a business key nobody can tell what came back from what was made.
            made(Side::Left) + made(Side::Right) + came_back(evidence, mapping, code)
        } else {
            made(side).max(1)
        };
        let kept = keys.iter().filter(|key| is_kept(evidence, mapping, side, key)).count();
        let told = keys.iter().any(|key| {
            let link = evidence.link_of.get(&(mapping.id, side, (*key).clone()));
            link.is_some_and(|link| evidence.is_asked(*link, None))
                || evidence.world.answers.given.iter().any(|(_, review, _)| {
                    Some(&review.key.link) == link && review.key.unit.is_none()
                })
        });
        let unseen = was_any_outside(evidence, mapping, side, code);
        if keys.len() - kept > allowed && !told && !unseen {
            found.push(violation("V5", format!("{side} has {code} as {keys:?}")));
        }
    }
    found
}

/// How often people brought a record of a business key back, on both sides.
fn came_back(evidence: &Evidence<'_>, mapping: &Mapping, code: &str) -> usize {
    let of = |side: Side, key: &Key| {
        evidence.history[side].iter().any(|line| match &line.event {
            Event::Field { field, new, .. } => {
                line.key == *key && field.as_str() == CODE && new.as_text() == Some(code)
            }
            _ => false,
        })
    };
    let count = |side: Side| {
        let entity = &mapping.sides[side].selection.entity;
        let lines = evidence.history[side].iter();
        lines
            .filter(|line| line.event == Event::Undeleted && line.origin.is_none())
            .filter(|line| line.entity == *entity && of(side, &line.key))
            .count()
    };
    Side::BOTH.into_iter().map(count).sum()
}

/// Whether a record stays because a person deleted it or its partner on a side whose deletions are
/// not carried over: from then on both are theirs.
fn is_kept(evidence: &Evidence<'_>, mapping: &Mapping, side: Side, key: &Key) -> bool {
    let name = (mapping.id, side, key.clone());
    let Some(link) = evidence.link_of.get(&name) else { return false };
    let deleted_on = |at: Side| {
        evidence.history[at].iter().any(|line| {
            let record = (mapping.id, at, line.key.clone());
            matches!(line.event, Event::Deleted | Event::Truncated)
                && line.origin.is_none()
                && line.entity == mapping.sides[at].selection.entity
                && evidence.link_of.get(&record) == Some(link)
        })
    };
    let ended = evidence.links.get(link).is_some_and(|link| link.state == LinkState::Ended);
    mapping.delete[side.other()] == DeleteRule::Keep && deleted_on(side.other())
        || mapping.delete[side] == DeleteRule::Keep && ended && deleted_on(side)
}
