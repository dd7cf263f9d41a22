//! Chains: the values that each field of each record had, each with the edits it had seen.
//!
//! A value carries the number of the edit that made it, through every normaliser and every copy
//! that the sync makes. An edit has seen what it physically replaced, and all that had seen.

use std::collections::BTreeMap;

use syncline_core::model::{IntentKind, Verdict};
use syncline_core::{Side, Sides};
use syncline_sdk::{Cas, EntityName, FieldName, Key, Value};
use syncline_testkit::{Event, LogEntry, Origin};

use super::allowances::{is_never_given, is_own_word};
use super::evidence::{Evidence, Violation, violation};
use super::overwritten::{is_unguarded, judge_overwritten};
use crate::answers::TYPED;
use crate::setup::{entity_of, token};

/// Whether what a side shows of a field travels to the other.
fn leads(evidence: &Evidence<'_>, side: Side, field: &FieldName) -> bool {
    let mapping = &evidence.world.mappings[&crate::setup::ITEMS];
    let at = mapping.sides[side].selection.fields.iter().position(|name| name == field);
    let unit = at.and_then(|at| mapping.unit_of(side, at));
    unit.is_none_or(|unit| mapping.units[unit].direction.reaches(side.other()))
}

/// The unit of a field, by its number.
fn unit_of(evidence: &Evidence<'_>, side: Side, field: &FieldName) -> Option<u16> {
    let mapping = &evidence.world.mappings[&crate::setup::ITEMS];
    let at = mapping.sides[side].selection.fields.iter().position(|name| name == field)?;
    mapping.unit_of(side, at).and_then(|unit| u16::try_from(unit).ok())
}

/// A set of edits. 0 stands for the empty value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Seen([u64; 8]);

impl Seen {
    fn place(token: Option<u32>) -> usize {
        match token {
            None => 0,
            Some(token) if token < TYPED => (token as usize).min(399),
            Some(token) => (400 + (token - TYPED) as usize).min(511),
        }
    }
    /// Puts an edit in.
    pub fn insert(&mut self, token: Option<u32>) {
        let place = Self::place(token);
        self.0[place / 64] |= 1 << (place % 64);
    }
    /// Whether an edit is in.
    #[must_use]
    pub fn contains(&self, token: Option<u32>) -> bool {
        let place = Self::place(token);
        self.0[place / 64] & (1 << (place % 64)) != 0
    }
    fn join(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine |= theirs;
        }
    }
}

/// Who made a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum By {
    /// A person.
    Person,
    /// An automation of the system.
    Automation,
    /// The sync.
    Sync(Origin),
}

/// One value of a field.
#[derive(Clone, Debug)]
pub struct Node {
    /// The edit that it carries; nothing for an empty value.
    pub token: Option<u32>,
    /// The edit that was given to be stored: an automation may have made another of it at once.
    pub given: Option<u32>,
    /// As stored.
    pub value: Value,
    /// Who made it.
    pub by: By,
    /// Whether an automation rewrote in our own transaction what we had just written there: its
    /// value is the image of that write (protocol N2).
    pub rewritten: bool,
    /// Whether the record was given it in the very transaction of ours that made it, by the
    /// system itself: that is where the base begins, and no edit.
    pub born: bool,
    /// Whether it was committed only after the tick of its stamp was over: a transaction that no
    /// version on a coarse clock tells from what it replaced (protocol section 3, class 2).
    pub stamped_before: bool,
    /// In which step.
    pub step: u32,
    /// Everything that it had seen, itself included.
    pub seen: Seen,
}

/// The name of a chain.
pub type Place = (Side, Key, FieldName);

/// All chains of the mapped free fields.
#[derive(Default)]
pub struct Chains {
    /// By side, record and field.
    pub of: BTreeMap<Place, Vec<Node>>,
    /// What was found while they were built.
    pub violations: Vec<Violation>,
}

impl Chains {
    /// Builds the chains from both histories, in the order in which things happened.
    #[must_use]
    pub fn build(evidence: &Evidence<'_>) -> Self {
        let mut chains = Self::default();
        let mut at = Sides { left: 0_usize, right: 0_usize };
        let entity = entity_of(crate::setup::ITEMS);
        loop {
            let heads = Sides::from_fn(|side| {
                evidence.history[side].get(at[side])?;
                let place = evidence.world.order.places[side].get(at[side]).copied();
                Some(place.unwrap_or(u64::MAX))
            });
            let side = match (heads.left, heads.right) {
                (None, None) => return chains,
                (Some(_), None) => Side::Left,
                (None, Some(_)) => Side::Right,
                (Some(left), Some(right)) if left <= right => Side::Left,
                _ => Side::Right,
            };
            let place = at[side];
            at[side] += 1;
            let line = &evidence.history[side][place];
            let step = evidence.world.order.steps[side].get(place).copied().unwrap_or(u32::MAX);
            if line.entity == entity {
                chains.add(evidence, side, line, step, &entity);
            }
        }
    }

    fn add(
        &mut self,
        evidence: &Evidence<'_>,
        side: Side,
        line: &LogEntry,
        step: u32,
        entity: &EntityName,
    ) {
        let Event::Field { field, old, new, automatic, given } = &line.event else { return };
        if !field.as_str().starts_with('f') {
            return;
        }
        let place = (side, line.key.clone(), field.clone());
        let previous = self.of.get(&place).and_then(|chain| chain.last()).cloned();
        let rewritten = *automatic
            && previous.as_ref().is_some_and(|node| match (&node.by, &line.origin) {
                (By::Sync(before), Some(now)) => before == now,
                _ => false,
            });
        // Saving the value that is there is no edit: the image of our write stays that. Nor is it
        // one to bring that image back.
        let rewritten = rewritten
            || previous.as_ref().is_some_and(|node| node.rewritten && node.value == *new)
            || self.is_image_again(&place, new);
        let born = match &previous {
            // Nor is it an edit to leave a field empty that was never given anything.
            None => (*automatic && line.origin.is_some()) || (old.is_null() && new.is_null()),
            Some(node) => node.born && node.value == *new,
        };
        let by = match &line.origin {
            _ if *automatic => By::Automation,
            Some(origin) => By::Sync(origin.clone()),
            None if line.actor.kind == syncline_sdk::ActorKind::Automation => By::Automation,
            None => By::Person,
        };
        let cas = evidence.mapping_of(entity).map(|of| of.sides[side].capabilities.cas);
        let stamped_before = match cas {
            Some(Cas::Coarse { tick }) => {
                let tick = i64::try_from(tick.as_micros()).unwrap_or(i64::MAX);
                line.at.micros() / tick > line.stamped.micros() / tick
            }
            _ => false,
        };
        let token = token(new);
        let mut seen = previous.as_ref().map(|node| node.seen).unwrap_or_default();
        if let By::Sync(origin) = &by {
            let source = self.source(evidence, side, field, given, origin, previous.as_ref());
            let judged = self.judge_write(
                evidence,
                side,
                line,
                field,
                given,
                origin,
                previous.as_ref(),
                source.as_ref(),
            );
            if let Some(found) = judged {
                let key = &line.key;
                let what = format!("{side} {entity} {key} {field}: {}", found.what);
                self.violations.push(Violation { what, ..found });
            }
            if let Some(source) = source {
                seen.join(&source);
            }
        }
        seen.insert(token);
        let value = new.clone();
        let given = crate::setup::token(given);
        let node = Node { token, given, value, by, rewritten, born, stamped_before, step, seen };
        self.of.entry(place).or_default().push(node);
    }

    /// Whether a value is the one that an automation made of our last write there, and nothing
    /// that came since was carried to the other side: then that image is still the base.
    fn is_image_again(&self, place: &Place, new: &Value) -> bool {
        let (side, _, field) = place;
        let carried = |token: Option<u32>| {
            self.of.iter().any(|((at, _, named), chain)| {
                at != side
                    && named == field
                    && chain
                        .iter()
                        .any(|node| node.token == token && matches!(node.by, By::Sync(_)))
            })
        };
        for node in self.of.get(place).into_iter().flatten().rev() {
            if node.rewritten && node.value == *new {
                return true;
            }
            if matches!(node.by, By::Sync(_)) || carried(node.token) {
                return false;
            }
        }
        false
    }

    /// What the value that a write carries had seen on the other side: that of the reading that
    /// allows most, where a value was there more than once.
    fn source(
        &self,
        evidence: &Evidence<'_>,
        side: Side,
        field: &FieldName,
        given: &Value,
        origin: &Origin,
        replaced: Option<&Node>,
    ) -> Option<Seen> {
        let wanted = token(given);
        let other = side.other();
        let mut found: Option<Seen> = None;
        let replaced = replaced.map(|node| node.token);
        for ((at, key, named), chain) in &self.of {
            if *at != other || named != field {
                continue;
            }
            if wanted.is_none() && !evidence.belonged(origin.link, other, key) {
                continue;
            }
            for node in chain.iter().filter(|node| node.token == wanted) {
                let allows = replaced.is_some_and(|replaced| node.seen.contains(replaced));
                if found.is_none() || allows {
                    found = Some(node.seen);
                }
            }
        }
        if found.is_none() && wanted.is_some_and(|token| token >= TYPED) {
            let mut seen = Seen::default();
            seen.insert(wanted);
            found = Some(seen);
        }
        found
    }

    /// Judges one field of one write: what it carries was made by a person (V3), and what it
    /// replaces was seen by that person, or given up by a decision that is written down (V2, V4).
    #[expect(clippy::too_many_arguments, reason = "what is known of one written field")]
    fn judge_write(
        &self,
        evidence: &Evidence<'_>,
        side: Side,
        line: &LogEntry,
        field: &FieldName,
        given: &Value,
        origin: &Origin,
        replaced: Option<&Node>,
        source: Option<&Seen>,
    ) -> Option<Violation> {
        let intent = evidence.entries.get(&origin.intent).and_then(|entry| entry.intent.as_ref());
        let create = intent.is_some_and(|intent| intent.kind == IntentKind::Create);
        let answered = evidence.by_link.get(&origin.link).into_iter().flatten().any(|id| {
            id.commit == origin.intent.commit
                && evidence.entries[id]
                    .decided
                    .iter()
                    .any(|decided| is_own_word(&decided.verdict, given))
        });
        let Some(source) = source else {
            let never_given = || is_never_given(evidence, side, field, origin);
            if given.is_null() && (create || never_given()) || answered {
                return None;
            }
            let text = format!("{given:?} was written by {} and nobody made it", origin.intent);
            return Some(violation("V3", text));
        };
        let replaced = replaced?;
        let wanted = token(given);
        if create
            || replaced.rewritten
            || replaced.token == wanted
            || source.contains(replaced.token)
            || self.is_withdrawn(evidence, side, line, field, origin)
        {
            return None;
        }
        if self.is_decided(evidence, side, field, origin, &replaced.value) {
            return None;
        }
        if replaced.token.is_none() && !leads(evidence, side, field) {
            // There was nothing to keep, on the side that does not lead.
            return None;
        }
        let unguarded = is_unguarded(evidence, side, &line.entity);
        if unguarded || replaced.stamped_before {
            let unit = unit_of(evidence, side, field);
            return judge_overwritten(evidence, side, origin, unit, given, replaced);
        }
        let older = replaced.seen.contains(wanted);
        let text = format!(
            "{given:?} of {} replaced {:?}, which it had not seen, made in step {} by {:?}",
            origin.intent, replaced.value, replaced.step, replaced.by
        );
        Some(violation(if older { "V4" } else { "V2" }, text))
    }

    /// Whether a value is the image of our last write again, and nothing was agreed upon since:
    /// what it withdrew was never known on the other side (protocol section 2).
    fn is_withdrawn(
        &self,
        evidence: &Evidence<'_>,
        side: Side,
        line: &LogEntry,
        field: &FieldName,
        origin: &Origin,
    ) -> bool {
        let unit = unit_of(evidence, side, field);
        let mut decided = evidence.decided(origin.link).filter(|decided| decided.unit == unit);
        self.image_again(side, &line.key, field).is_some()
            && !decided.any(|decided| decided.verdict == Verdict::Agree)
    }

    /// Whether a value was given up by a decision that is written down with it.
    fn is_decided(
        &self,
        evidence: &Evidence<'_>,
        side: Side,
        field: &FieldName,
        origin: &Origin,
        value: &Value,
    ) -> bool {
        let unit = unit_of(evidence, side, field);
        let mut decided = evidence.decided(origin.link).filter(|decided| decided.unit == unit);
        decided.any(|decided| {
            let shown = match side {
                Side::Left => &decided.left,
                Side::Right => &decided.right,
            };
            let gives_up = match &decided.verdict {
                Verdict::PolicyTook(taken) => *taken != side,
                Verdict::Kept(kept) | Verdict::Reverted(kept) => *kept == side,
                Verdict::Merged => true,
                Verdict::Answered(_) => true,
                _ => false,
            };
            gives_up && shown.contains(value)
        })
    }

    /// Whether a field shows what a side made of our last write there (protocol N2): an edit that
    /// brings it back to that withdraws what it had seen, and is itself no edit to keep. Gives the
    /// edit that the write carried.
    #[must_use]
    pub fn image_again(&self, side: Side, key: &Key, field: &FieldName) -> Option<Option<u32>> {
        let chain = self.of.get(&(side, key.clone(), field.clone()))?;
        let written = chain.iter().rposition(|node| matches!(node.by, By::Sync(_)))?;
        let image = chain.get(written + 1).filter(|node| node.rewritten)?;
        (chain.last()?.value == image.value).then(|| chain[written].given)
    }

    /// The last value of a field.
    #[must_use]
    pub fn last(&self, side: Side, key: &Key, field: &FieldName) -> Option<&Node> {
        self.of.get(&(side, key.clone(), field.clone()))?.last()
    }
}
