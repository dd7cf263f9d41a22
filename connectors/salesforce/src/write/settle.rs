//! Settling writes whose outcome is not known (protocol I5).
//!
//! The marker field names the last intent written to a record: finding ours there is a receipt.
//! Not finding it proves something only when no later write of ours can have replaced it, and
//! only together with a version that has strictly moved: then the guard lets no copy pass any
//! more.

use std::collections::HashMap;
use std::sync::Arc;

use syncline_sdk::{
    Absence, ActorKind, Context, Current, FetchBy, FetchRequest, IntentId, Key, Record, Result,
    Selection, Settlement, UnknownWrite, Version, WriteOp,
};

use super::outcome::after;
use crate::org::Org;
use crate::read::{by_text, fetch};
use crate::version::Stamp;

/// Settles each write, in order.
pub(crate) async fn settle(
    org: &Org,
    cx: &Context,
    unknown: &[UnknownWrite],
) -> Result<Vec<Settlement>> {
    let mut settled: Vec<Option<Settlement>> = unknown.iter().map(|_| None).collect();
    for (selection, group) in grouped(unknown) {
        let (creates, others): (Vec<_>, Vec<_>) =
            group.into_iter().partition(|at| unknown[*at].write.op.key().is_none());
        if !creates.is_empty() {
            let found = Creates::look(org, cx, &selection, unknown, &creates).await?;
            for at in creates {
                settled[at] = Some(found.settle(cx, &unknown[at]));
            }
        }
        if !others.is_empty() {
            let found = Records::look(org, &selection, unknown, &others).await?;
            for at in others {
                settled[at] = Some(found.settle(cx, &unknown[at]));
            }
        }
    }
    let undecided = || Settlement::Undecided { current: Current::Unread };
    Ok(settled.into_iter().map(|settlement| settlement.unwrap_or_else(undecided)).collect())
}

fn grouped(unknown: &[UnknownWrite]) -> Vec<(Arc<Selection>, Vec<usize>)> {
    let mut groups: Vec<(Arc<Selection>, Vec<usize>)> = Vec::new();
    for (at, unknown) in unknown.iter().enumerate() {
        let selection = &unknown.write.selection;
        match groups.iter_mut().find(|(known, _)| known == selection) {
            Some((_, group)) => group.push(at),
            None => groups.push((selection.clone(), vec![at])),
        }
    }
    groups
}

/// Looked-up records of updates, fences, deletes and undeletes.
struct Records {
    live: HashMap<Key, Record>,
    absent: HashMap<Key, Absence>,
    /// Whether writes leave a marker at all.
    marked: bool,
}

impl Records {
    async fn look(
        org: &Org,
        selection: &Arc<Selection>,
        unknown: &[UnknownWrite],
        group: &[usize],
    ) -> Result<Self> {
        let keys = group.iter().filter_map(|at| unknown[*at].write.op.key().cloned());
        let by = FetchBy::Keys(keys.collect());
        let request = FetchRequest { selection: selection.clone(), by };
        let fetched = fetch(org, &request).await?;
        let described = org.described(&selection.entity).await?;
        let live = fetched.records.into_iter().map(|record| (record.key.clone(), record));
        Ok(Self {
            live: live.collect(),
            absent: fetched.missing.into_iter().collect(),
            marked: described.marker_field(selection).is_some(),
        })
    }

    fn settle(&self, cx: &Context, unknown: &UnknownWrite) -> Settlement {
        let Some(key) = unknown.write.op.key() else {
            return undecided(None);
        };
        let key = crate::id::id18(key.as_str()).map_or_else(|| key.clone(), Key::new);
        let live = self.live.get(&key);
        let absent = self.absent.get(&key);
        match &unknown.write.op {
            WriteOp::Update { expect, .. } | WriteOp::Fence { expect, .. } => {
                self.guarded(cx, unknown, &expect.version, live, absent)
            }
            WriteOp::Delete { .. } => deleted(unknown, live, absent),
            WriteOp::Undelete { .. } => match live {
                // Alive is what the undelete wanted, whoever brought it about.
                Some(_) => applied(None),
                None => ended(unknown, None),
            },
            WriteOp::Insert { .. } => undecided(None),
        }
    }

    /// An update or fence: by its marker, else by the guard's version.
    fn guarded(
        &self,
        cx: &Context,
        unknown: &UnknownWrite,
        expected: &Version,
        live: Option<&Record>,
        absent: Option<&Absence>,
    ) -> Settlement {
        let in_bin = match absent {
            Some(Absence::Deleted { image: Some(image), .. }) => Some(image.as_ref()),
            _ => None,
        };
        let Some(record) = live.or(in_bin) else {
            // Merged, purged or hidden: its marker cannot be read. Once no copy can arrive, nothing
            // of ours can happen to it any more; what it was is compared by content.
            return ended(unknown, None);
        };
        let moved = match (Stamp::of(&record.version), Stamp::of(expected)) {
            (Some(now), Some(then)) => now > then,
            _ => false,
        };
        let receipt = match self.marked {
            true => receipt(cx, unknown.write.intent, record.marker.as_deref()),
            // Without a marker a moved version may be our write or another.
            false if moved => Receipt::Replaced,
            false => Receipt::None,
        };
        match receipt {
            Receipt::Ours => {
                Settlement::Applied { version: after(&unknown.write.op), stored: None, key: None }
            }
            Receipt::Replaced => undecided(live),
            Receipt::None if moved => Settlement::NotApplied,
            Receipt::None => ended(unknown, live),
        }
    }
}

/// What a marker says of an intent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Receipt {
    /// It is that intent's.
    Ours,
    /// Another write, perhaps a later one, may have replaced that intent's.
    Replaced,
    /// It is older than the intent, or there is none: the intent never wrote it.
    None,
}

fn receipt(cx: &Context, intent: IntentId, marker: Option<&str>) -> Receipt {
    let Some(marker) = marker else {
        return Receipt::None;
    };
    if marker == cx.marker(intent) {
        return Receipt::Ours;
    }
    let of_ours = marker
        .strip_prefix(&*cx.install)
        .and_then(|rest| rest.strip_prefix(':'))
        .and_then(|id| id.parse::<IntentId>().ok());
    match of_ours {
        Some(other) if other < intent => Receipt::None,
        // A later intent of ours, one of another installation, or a text that somebody typed.
        _ => Receipt::Replaced,
    }
}

/// A delete: the recycle bin says who made it.
fn deleted(unknown: &UnknownWrite, live: Option<&Record>, absent: Option<&Absence>) -> Settlement {
    match absent {
        Some(Absence::Deleted { by, .. })
            if by.as_ref().is_some_and(|by| by.kind == ActorKind::Sync) =>
        {
            applied(None)
        }
        // Merged, deleted by a person, purged, or still there.
        _ => ended(unknown, live),
    }
}

/// Creates found by their link id, or by their marker where there is no field for the link id.
struct Creates {
    live: Vec<Record>,
    in_bin: Vec<Record>,
    searched: bool,
}

impl Creates {
    async fn look(
        org: &Org,
        cx: &Context,
        selection: &Arc<Selection>,
        unknown: &[UnknownWrite],
        group: &[usize],
    ) -> Result<Self> {
        let mut found = Self { live: Vec::new(), in_bin: Vec::new(), searched: false };
        let described = org.described(&selection.entity).await?;
        let writes = group.iter().map(|at| &unknown[*at].write);
        let link = described.link_field(selection);
        let (field, texts): (_, Vec<String>) = match (link, described.marker_field(selection)) {
            (Some(field), _) => (field, writes.map(|write| write.link.to_string()).collect()),
            (None, Some(field)) => (field, writes.map(|write| cx.marker(write.intent)).collect()),
            (None, None) => return Ok(found),
        };
        // The bin too: a person may have deleted the record since.
        let fetched = by_text(org, selection, field, &texts).await?;
        found.live = fetched.records;
        for (_, absence) in fetched.missing {
            if let Absence::Deleted { image: Some(image), .. } = absence {
                found.in_bin.push(*image);
            }
        }
        found.searched = true;
        Ok(found)
    }

    fn settle(&self, cx: &Context, unknown: &UnknownWrite) -> Settlement {
        if !self.searched {
            return undecided(None);
        }
        let write = &unknown.write;
        let marker = cx.marker(write.intent);
        let marked = |record: &&Record| record.marker.as_deref() == Some(marker.as_str());
        let linked = |record: &&Record| record.external_id == Some(write.link);
        let live = self.live.iter().find(|record| linked(record) || marked(record));
        // A deleted record with the link id may be one of before; the marker tells.
        let found = live.or_else(|| self.in_bin.iter().find(marked));
        match found {
            // Made by an earlier create of the same link, of which a copy came late. It holds the
            // link id, so no copy of ours passes while it is there.
            Some(record) if record.marker.is_some() && !marked(&record) => {
                if unknown.may_arrive {
                    Settlement::Awaited
                } else {
                    Settlement::NotApplied
                }
            }
            Some(record) => applied(Some(record.key.clone())),
            None => ended(unknown, None),
        }
    }
}

fn applied(key: Option<Key>) -> Settlement {
    Settlement::Applied { version: None, stored: None, key }
}

/// There is no trace of the write: proved not applied once no copy can arrive, else undecided.
fn ended(unknown: &UnknownWrite, current: Option<&Record>) -> Settlement {
    if unknown.may_arrive { undecided(current) } else { Settlement::NotApplied }
}

fn undecided(current: Option<&Record>) -> Settlement {
    let current =
        current.map_or(Current::Unread, |record| Current::Record(Box::new(record.clone())));
    Settlement::Undecided { current }
}

#[cfg(test)]
mod tests;
