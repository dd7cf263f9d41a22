//! Records and changes of connectors as observations of the machine.

use std::sync::Arc;

use syncline_core::machine::{Bin, Missing, Observation, Source};
use syncline_sdk::{
    Absence, Actor, ActorKind, Change, ChangeKind, Instant, IntentId, Key, Record, Value, Version,
};

/// A record that was read.
#[must_use]
pub fn of_record(record: Record, source: Source, server_time: Option<Instant>) -> Observation {
    Observation {
        key: record.key,
        old_key: None,
        version: record.version,
        content: Ok(record.values),
        bin: None,
        external_id: record.external_id,
        closed: record.closed,
        actor: record.actor,
        at: record.changed_at,
        server_time,
        group: None,
        marker: None,
        marked: Arc::from([]),
        source,
    }
}

/// A record that was looked for and is not there; nothing when the side neither shows nor
/// explains it, which is no deletion (protocol O7).
#[must_use]
pub fn of_absence(
    key: Key,
    absence: Absence,
    source: Source,
    server_time: Option<Instant>,
) -> Option<Observation> {
    let (missing, actor, at, bin) = match absence {
        Absence::NotVisible => return None,
        Absence::MergedInto(winner) => (Missing::MergedInto(winner), Actor::default(), None, None),
        Absence::Deleted { by, at, image } => {
            let actor = by.unwrap_or_default();
            let ours = actor.kind == ActorKind::Sync;
            let bin = image.map(|record| Bin { values: record.values, ours });
            (Missing::Deleted, actor, at, bin)
        }
    };
    Some(gone(key, missing, actor, at, bin, source, server_time))
}

/// A record that is gone.
#[must_use]
pub fn gone(
    key: Key,
    missing: Missing,
    actor: Actor,
    at: Option<Instant>,
    bin: Option<Bin>,
    source: Source,
    server_time: Option<Instant>,
) -> Observation {
    Observation {
        key,
        old_key: None,
        version: Version::default(),
        content: Err(missing),
        bin,
        external_id: None,
        closed: true,
        actor,
        at,
        server_time,
        group: None,
        marker: None,
        marked: Arc::from([]),
        source,
    }
}

/// A change of a feed; nothing for a truncate, which is no change of a record.
#[must_use]
pub fn of_change(
    change: &Change,
    project: impl Fn(&[Value]) -> Vec<Value>,
    marked: Arc<[IntentId]>,
) -> Option<Observation> {
    let content = match &change.kind {
        ChangeKind::Upsert(values) => Ok(project(values)),
        ChangeKind::Delete => Err(Missing::Deleted),
        ChangeKind::Truncate => return None,
    };
    Some(Observation {
        key: change.key.clone(),
        old_key: change.old_key.clone(),
        version: change.version.clone(),
        content,
        bin: None,
        external_id: None,
        closed: true,
        actor: change.actor.clone(),
        at: change.at,
        server_time: None,
        group: Some(change.group),
        marker: change.marker.clone(),
        marked,
        source: Source::Feed,
    })
}
