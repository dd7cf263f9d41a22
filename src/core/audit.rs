//! What the history of a side tells of a write of ours: the edits that it replaced without having
//! seen them (protocol W1). Where a side's writes cannot be made conditional on every edit, this is
//! what keeps an overwrite from being silent.

use std::collections::VecDeque;

use syncline_sdk::{Actor, ActorKind, HistoryEntry, Instant, Value, Version, VersionOrder};

use crate::model::{Intent, WrittenField};

/// An edit that a write of ours replaced, and that the write had not seen.
#[derive(Clone, PartialEq, Debug)]
pub struct Overwritten {
    /// Its field, by index in the image of the side that was written.
    pub field: u16,
    /// The value that it gave; absent where the side did not keep it.
    pub value: Value,
    /// Who made it.
    pub actor: Actor,
    /// When, by the side's clock.
    pub at: Option<Instant>,
}

/// The edits of one field of a record that writes of an intent replaced unseen. `entries` are the
/// history of that field since the reading that the intent was planned from, oldest first, in any
/// order within one version; `writes` are the intents that wrote the record on that side since, the
/// intent itself among them.
///
/// An edit was seen when a later write was planned from a reading that showed it. So a late copy of
/// a write is told from a write that follows an edit by what was known of the record, and not by
/// the values alone (protocol W1: a copy may restore the very value that is agreed).
#[must_use]
pub fn overwritten(
    intent: &Intent,
    field: u16,
    entries: &[HistoryEntry],
    writes: &[Intent],
    order: &dyn Fn(&Version, &Version) -> VersionOrder,
) -> Vec<Overwritten> {
    let chain = since(intent, entries, order);
    let mut found: Vec<Overwritten> = Vec::new();
    for (at, entry) in chain.iter().enumerate() {
        if entry.actor.kind != ActorKind::Sync
            || !is_of(intent, field, entry, &chain, writes, order)
        {
            continue;
        }
        let Some(edit) = at.checked_sub(1).map(|before| chain[before]) else { continue };
        // A late copy of this write may have taken back what a later one of ours had carried here.
        let mut later = writes.iter().filter(|write| write.id > intent.id);
        let foreign = edit.actor.kind != ActorKind::Sync
            || later.any(|write| is_of(write, field, edit, &chain, writes, order));
        if !foreign || was_seen(field, edit, entry, writes, order) {
            continue;
        }
        let value = if edit.new.is_present() { &edit.new } else { &entry.old };
        if value.is_present() && *value == entry.new {
            continue;
        }
        found.push(Overwritten {
            field,
            value: value.clone(),
            actor: edit.actor.clone(),
            at: edit.at,
        });
    }
    found
}

/// Whether a change of ours may have replaced what the intent's plan had not seen, as far as the
/// history alone can tell: only then is the journal worth reading.
#[must_use]
pub fn is_suspicious(
    intent: &Intent,
    field: &WrittenField,
    entries: &[HistoryEntry],
    order: &dyn Fn(&Version, &Version) -> VersionOrder,
) -> bool {
    let chain = since(intent, entries, order);
    let planned_on = |before: &HistoryEntry| {
        let read = order(&before.version, &intent.version);
        before.new == field.expected && matches!(read, VersionOrder::Older | VersionOrder::Same)
    };
    let pairs = chain.iter().zip(chain.iter().skip(1));
    let mut ours = pairs.filter(|(_, entry)| entry.actor.kind == ActorKind::Sync);
    ours.any(|(before, _)| !planned_on(before))
}

/// The changes since the reading that an intent was planned from, in the order in which they
/// happened.
fn since<'a>(
    intent: &Intent,
    entries: &'a [HistoryEntry],
    order: &dyn Fn(&Version, &Version) -> VersionOrder,
) -> Vec<&'a HistoryEntry> {
    let newer = |entry: &&HistoryEntry| {
        let after = order(&entry.version, &intent.version);
        intent.version.is_none() || after != VersionOrder::Older
    };
    let entries: Vec<&HistoryEntry> = entries.iter().filter(newer).collect();
    chained(&entries, order)
}

/// Whether an intent gave a field that value.
fn gave(intent: &Intent, field: u16, value: &Value) -> bool {
    let mut written = intent.fields.iter().filter(|of| of.field == field && of.is_written());
    written.any(|of| *value == of.value || *value == of.image)
}

/// Whether a change of ours is the doing of an intent: it left the intent's value, or one that no
/// other intent gave (a system may store another image), and none was planned later, before such
/// an image was first seen: a late copy leaves it once more.
fn is_of(
    intent: &Intent,
    field: u16,
    entry: &HistoryEntry,
    chain: &[&HistoryEntry],
    writes: &[Intent],
    order: &dyn Fn(&Version, &Version) -> VersionOrder,
) -> bool {
    if gave(intent, field, &entry.new) {
        return true;
    }
    let same = |of: &&&HistoryEntry| of.actor.kind == ActorKind::Sync && of.new == entry.new;
    let first = chain.iter().find(same).map_or(entry, |first| *first);
    let planned = |write: &&Intent| {
        let writes = write.fields.iter().any(|of| of.field == field && of.is_written());
        // What a write did is newer than the reading that it was planned from.
        writes && order(&write.version, &first.version) == VersionOrder::Older
    };
    let last = writes.iter().filter(planned).map(|write| write.id).max();
    let unclaimed = !writes.iter().any(|write| gave(write, field, &entry.new));
    unclaimed && last.is_none_or(|last| last == intent.id)
}

/// Whether a write was planned from a reading that showed the edit, before a write of ours took it
/// back.
fn was_seen(
    field: u16,
    edit: &HistoryEntry,
    taken_back: &HistoryEntry,
    writes: &[Intent],
    order: &dyn Fn(&Version, &Version) -> VersionOrder,
) -> bool {
    writes.iter().any(|write| {
        let of = write.fields.iter().find(|of| of.field == field);
        let shows = of.is_some_and(|of| edit.new.is_present() && of.expected == edit.new);
        let read = order(&edit.version, &write.version);
        let between = matches!(read, VersionOrder::Older | VersionOrder::Same)
            && order(&write.version, &taken_back.version) == VersionOrder::Older;
        shows && (write.version.is_none() || between)
    })
}

/// The changes in the order in which they happened: within one version that is told by what each
/// of them replaced, as far as the side kept it.
fn chained<'a>(
    entries: &[&'a HistoryEntry],
    order: &dyn Fn(&Version, &Version) -> VersionOrder,
) -> Vec<&'a HistoryEntry> {
    let mut chain: Vec<&HistoryEntry> = Vec::with_capacity(entries.len());
    let mut rest: VecDeque<&HistoryEntry> = entries.iter().copied().collect();
    while let Some(first) = rest.front().copied() {
        let same = rest
            .iter()
            .take_while(|entry| order(&entry.version, &first.version) == VersionOrder::Same)
            .count();
        let mut group: Vec<&HistoryEntry> = rest.drain(..same.max(1)).collect();
        while !group.is_empty() {
            let at = next_of(&group, chain.last().map(|last| &last.new));
            chain.push(group.remove(at));
        }
    }
    chain
}

/// Which change of a group of one version came first: the one that replaced what was there, else
/// one that replaced what no other of them gave.
fn next_of(group: &[&HistoryEntry], before: Option<&Value>) -> usize {
    let follows = |entry: &&HistoryEntry| {
        entry.old.is_present() && before.is_some_and(|before| *before == entry.old)
    };
    let begins = |entry: &&HistoryEntry| {
        entry.old.is_present() && !group.iter().any(|other| other.new == entry.old)
    };
    let place = group.iter().position(follows).or_else(|| group.iter().position(begins));
    place.unwrap_or_default()
}

#[cfg(test)]
mod tests;
