//! V9: a record is deleted by the sync only because a person deleted its partner, and never
//! together with an edit that nobody on the other side had seen.

use syncline_core::Side;
use syncline_core::mapping::{LeaveRule, MappingId};
use syncline_core::model::{LinkState, Verdict};
use syncline_sdk::Key;
use syncline_testkit::{Event, LogEntry};

use super::chains::{By, Chains};
use super::evidence::{Evidence, Violation, violation};
use super::filters::was_outside;
use super::twins;
use crate::setup::{ITEMS, field_name};

/// Judges every deletion made by the sync.
pub fn judge(evidence: &Evidence<'_>, chains: &Chains) -> Vec<Violation> {
    let mut found = Vec::new();
    for side in Side::BOTH {
        for (at, line) in evidence.history[side].iter().enumerate() {
            let Some(origin) = line.origin.as_ref().filter(|_| line.event == Event::Deleted) else {
                continue;
            };
            let step = evidence.world.order.steps[side].get(at).copied().unwrap_or(u32::MAX);
            let answered = evidence
                .decided(origin.link)
                .any(|decided| matches!(decided.verdict, Verdict::Answered(_)));
            if !answered
                && !partner_was_deleted(evidence, side.other(), line, origin.link, step)
                && !twins::is_retraction(evidence, side, line, step)
                && !is_copy_of_deleted(evidence, side, line, origin.link, step)
                && !partner_left(evidence, side.other(), line, origin.link)
            {
                let text =
                    format!("{side} {} {} was deleted, its partner was not", line.entity, line.key);
                found.push(violation("V9", text));
            }
            let brought_back = evidence.history[side][at..].iter().any(|later| {
                later.entity == line.entity
                    && later.key == line.key
                    && later.event == Event::Undeleted
            });
            if !answered && !brought_back {
                found.extend(unseen_edit(evidence, chains, side, line, origin.link, step));
            }
        }
    }
    found
}

/// Whether the record is a late copy of a create whose first record or its partner a person had
/// deleted: nobody ever asked for it.
fn is_copy_of_deleted(
    evidence: &Evidence<'_>,
    side: Side,
    line: &LogEntry,
    link: syncline_sdk::LinkId,
    step: u32,
) -> bool {
    let made_by = |made: &LogEntry| {
        let made_it = made.event == Event::Created && made.entity == line.entity;
        made.origin.as_ref().filter(|_| made_it).map(|origin| origin.intent)
    };
    let history = &evidence.history[side];
    let Some(create) = history.iter().filter(|made| made.key == line.key).find_map(made_by) else {
        return false;
    };
    let first = history.iter().find(|made| made_by(made) == Some(create));
    first.is_some_and(|first| first.key != line.key)
        && Side::BOTH.into_iter().any(|at| partner_was_deleted(evidence, at, line, link, step))
}

fn partner_was_deleted(
    evidence: &Evidence<'_>,
    other: Side,
    line: &LogEntry,
    link: syncline_sdk::LinkId,
    step: u32,
) -> bool {
    let Some(mapping) = evidence.mapping_of(&line.entity) else { return false };
    evidence.history[other].iter().enumerate().any(|(at, gone)| {
        let before = evidence.world.order.steps[other].get(at).is_some_and(|then| *then <= step);
        before
            && gone.entity == line.entity
            && gone.event == Event::Deleted
            && gone.origin.is_none()
            && was_of(evidence, mapping.id, other, &gone.key, link)
    })
}

/// Whether the mapping says to delete the partner of a record that leaves its filter, and one did.
fn partner_left(
    evidence: &Evidence<'_>,
    other: Side,
    line: &LogEntry,
    link: syncline_sdk::LinkId,
) -> bool {
    let Some(mapping) = evidence.mapping_of(&line.entity) else { return false };
    mapping.leave == LeaveRule::Delete
        && evidence.history[other].iter().any(|left| {
            left.entity == line.entity
                && was_of(evidence, mapping.id, other, &left.key, link)
                && was_outside(evidence, mapping, other, &left.key)
        })
}

/// Whether a record was the link's. One that was merged away since leads to the winner's link by
/// now, and its own link says so.
fn was_of(
    evidence: &Evidence<'_>,
    mapping: MappingId,
    side: Side,
    key: &Key,
    link: syncline_sdk::LinkId,
) -> bool {
    let Some(now) = evidence.link_of.get(&(mapping, side, key.clone())) else { return false };
    let merged = evidence.history[side]
        .iter()
        .any(|line| line.key == *key && matches!(line.event, Event::MergedInto(_)));
    let left = evidence.links.get(&link).is_some_and(|at| at.state == LinkState::Merged(*now));
    *now == link || (merged && left)
}

/// An edit of the deleted record that its partner's side never had, and that no question names.
fn unseen_edit(
    evidence: &Evidence<'_>,
    chains: &Chains,
    side: Side,
    line: &LogEntry,
    link: syncline_sdk::LinkId,
    step: u32,
) -> Option<Violation> {
    let mapping = &evidence.world.mappings[&ITEMS];
    if line.entity != mapping.sides[side].selection.entity {
        return None;
    }
    if evidence.links.get(&link).is_none_or(|link| link.state == LinkState::Ended) {
        return None;
    }
    for at in 0..evidence.world.plan.fields.len() {
        let unit = mapping.unit_of(side, at + 1).map(|unit| &mapping.units[unit]);
        if unit.is_none_or(|unit| !unit.direction.reaches(side.other())) {
            continue;
        }
        let field = field_name(at);
        let chain = chains.of.get(&(side, line.key.clone(), field.clone()))?;
        let Some(last) = chain.iter().rfind(|node| node.step <= step) else { continue };
        if last.by != By::Person || last.token.is_none() {
            continue;
        }
        let carried = chains.of.iter().any(|((at, _, named), chain)| {
            *at == side.other()
                && *named == field
                && chain.iter().any(|node| node.seen.contains(last.token))
        });
        let restored = chain.iter().filter(|node| node.token == last.token).count() > 1;
        let told = evidence.decided(link).any(|decided| {
            decided.left.contains(&last.value) || decided.right.contains(&last.value)
        });
        if !carried && !restored && !told {
            let text = format!("{side} {} was deleted with {:?}", line.key, last.value);
            return Some(violation("V9", text));
        }
    }
    None
}
