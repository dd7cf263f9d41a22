//! P7', 5.1: of counters and sets each change of a person counts exactly once, whichever side it
//! was made on and whatever broke on the way.

use syncline_core::mapping::{Policy, Unit};
use syncline_core::model::{Link, LinkState, UnitStatus, Verdict};
use syncline_core::{Side, Sides};
use syncline_sdk::{FieldName, Key, ReceiptKind, Value};
use syncline_testkit::Event;

use super::evidence::{Evidence, Violation, violation};
use crate::setup::{COUNT, ITEMS, TAGS};

/// Whether both sides' changes of a unit are kept.
pub(super) fn is_merged(unit: &Unit) -> bool {
    matches!(unit.conflict, Policy::Counter | Policy::MergeSet)
}

/// Judges the pairs of which both records were there from the first agreement to the end.
pub fn judge(evidence: &Evidence<'_>) -> Vec<Violation> {
    if !evidence.world.plan.merges {
        return Vec::new();
    }
    let mut found = Vec::new();
    let pairs = evidence.links.values().filter(|link| link.mapping == ITEMS);
    for link in pairs {
        let Some(keys) = undisturbed(evidence, link) else { continue };
        found.extend(counted(evidence, link, &keys));
        found.extend(gathered(evidence, link, &keys));
    }
    found
}

/// The two records of a pair, where somebody made one, the other was made from it and neither ever
/// went away: of others it hangs on rules for deletions and first matches above what a change was
/// made.
fn undisturbed<'a>(evidence: &Evidence<'_>, link: &'a Link) -> Option<Sides<&'a Key>> {
    if link.state != LinkState::Linked || evidence.is_asked(link.id, None) {
        return None;
    }
    let keys = Sides { left: link.keys.left.as_ref()?, right: link.keys.right.as_ref()? };
    let moved = evidence.decided(link.id).any(|decided| {
        let kept = matches!(
            decided.verdict,
            Verdict::Write(_)
                | Verdict::Agree
                | Verdict::Merged
                | Verdict::Create(_)
                | Verdict::HalfWritten
        );
        let merged = decided.unit.is_none_or(|unit| {
            let mapping = &evidence.world.mappings[&ITEMS];
            mapping.units.get(usize::from(unit)).is_some_and(is_merged)
        });
        merged && !kept
    });
    let went = Side::BOTH.into_iter().any(|side| {
        evidence.history[side].iter().any(|line| {
            let gone = !matches!(line.event, Event::Created | Event::Field { .. } | Event::Fenced);
            line.key == *keys[side] && gone
        })
    });
    let made = Side::BOTH.into_iter().any(|side| {
        evidence.history[side].iter().any(|line| {
            line.key == *keys[side] && line.event == Event::Created && line.origin.is_none()
        })
    });
    (!moved && !went && made).then_some(keys)
}

/// The values that people gave a field of both records: before and after.
fn given<'a>(
    evidence: &'a Evidence<'_>,
    keys: &'a Sides<&Key>,
    name: &'static str,
) -> impl Iterator<Item = (&'a Value, &'a Value)> {
    let lines = Side::BOTH.into_iter().flat_map(move |side| {
        let entity = &evidence.world.mappings[&ITEMS].sides[side].selection.entity;
        evidence.history[side]
            .iter()
            .filter(move |line| line.key == *keys[side] && line.entity == *entity)
    });
    lines.filter(|line| line.origin.is_none()).filter_map(move |line| match &line.event {
        Event::Field { field, old, new, .. } if field.as_str() == name => Some((old, new)),
        _ => None,
    })
}

/// What both records show, unless something keeps the field from being agreed.
fn shown(
    evidence: &Evidence<'_>,
    link: &Link,
    keys: &Sides<&Key>,
    name: &str,
) -> Option<[Value; 2]> {
    let mapping = &evidence.world.mappings[&ITEMS];
    let at = mapping.units.iter().position(|unit| &*unit.name == name)?;
    let kept = matches!(link.field_state.unit(at).status, UnitStatus::Frozen | UnitStatus::Parked);
    if kept || evidence.is_asked(link.id, Some(at)) || evidence.is_parked(link.id) {
        return None;
    }
    let value = |side: Side| {
        let entity = &mapping.sides[side].selection.entity;
        evidence.world.systems[side].value(entity, keys[side], &FieldName::new(name))
    };
    Some([value(Side::Left)?, value(Side::Right)?])
}

/// Members that a write of ours put into a set and somebody took away again, where a lost stream
/// leaves it to the content whether that write was applied: what puts back the value that a write
/// replaced withdraws what it had seen, and is itself no edit to keep (protocol section 2). Where
/// the stream was lost, and somebody put something beside it, the member itself looks like theirs.
fn withdrawn(evidence: &Evidence<'_>, keys: &Sides<&Key>) -> Vec<Value> {
    let mut found = Vec::new();
    for side in Side::BOTH {
        let mapped = &evidence.world.mappings[&ITEMS].sides[side];
        if mapped.capabilities.receipt != ReceiptKind::Stream {
            continue;
        }
        let mut put: Vec<Value> = Vec::new();
        let lines = evidence.history[side].iter();
        for line in lines.filter(|line| line.key == *keys[side]) {
            let Event::Field { field, old, new, .. } = &line.event else { continue };
            if field.as_str() != TAGS || line.entity != mapped.selection.entity {
                continue;
            }
            let (old, new) = (members(old), members(new));
            if line.origin.is_some() {
                put.extend(new.into_iter().filter(|member| !old.contains(member)));
            } else {
                let taken = old.into_iter().filter(|member| !new.contains(member));
                found.extend(taken.filter(|member| put.contains(member)));
            }
        }
        if evidence.world.lost_streams.iter().any(|(lost, _)| *lost == side) {
            found.append(&mut put);
        }
    }
    found
}

fn members(value: &Value) -> Vec<Value> {
    match value {
        Value::List(members) => members.to_vec(),
        _ => Vec::new(),
    }
}

fn counted(evidence: &Evidence<'_>, link: &Link, keys: &Sides<&Key>) -> Option<Violation> {
    let number = |value: &Value| match value {
        Value::Int(number) => *number,
        _ => 0,
    };
    let now = shown(evidence, link, keys, COUNT)?;
    evidence.world.desk.lock().coverage.hit("merges: judged");
    let sum: i64 = given(evidence, keys, COUNT).map(|(old, new)| number(new) - number(old)).sum();
    let right = now.iter().all(|value| number(value) == sum);
    let text = || format!("people counted {sum} in link {}, the sides show {now:?}", link.id);
    (!right).then(|| violation("V3", text()))
}

fn gathered(evidence: &Evidence<'_>, link: &Link, keys: &Sides<&Key>) -> Option<Violation> {
    let now = shown(evidence, link, keys, TAGS)?.map(|value| members(&value));
    let (mut added, mut taken) = (Vec::new(), Vec::new());
    for (old, new) in given(evidence, keys, TAGS) {
        let (old, new) = (members(old), members(new));
        added.extend(new.iter().filter(|member| !old.contains(member)).cloned());
        taken.extend(old.into_iter().filter(|member| !new.contains(member)));
    }
    let withdrawn = withdrawn(evidence, keys);
    added.retain(|member| !taken.contains(member));
    let right = now.iter().all(|shown| {
        let kept = shown.iter().all(|member| added.contains(member) || withdrawn.contains(member));
        kept && added.iter().all(|member| shown.contains(member)) && shown.len() == now[0].len()
    });
    let text = || format!("people gathered {added:?} in link {}, the sides show {now:?}", link.id);
    (!right).then(|| violation("V3", text()))
}
