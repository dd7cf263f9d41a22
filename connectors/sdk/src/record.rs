//! Records as a side shows them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Instant, Key, LinkId, Value, Version};

/// Who made a change, as far as the side tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorKind {
    /// A person.
    Person,
    /// An automation of the side itself: a flow, a trigger, a nightly job.
    Automation,
    /// Syncline's own user. Never proof that the change is only ours (protocol E3).
    Sync,
    /// The side does not tell.
    #[default]
    Unknown,
}

/// Who made a change.
#[derive(Clone, PartialEq, Eq, Debug, Hash, Default, Serialize, Deserialize)]
pub struct Actor {
    /// The user's id or name on that side.
    pub id: Option<Arc<str>>,
    /// What kind of actor it is.
    pub kind: ActorKind,
}

/// One record as read: its values stand in the order of the [`crate::Selection`] it was read
/// with.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// Its native id.
    pub key: Key,
    /// How new this reading is.
    pub version: Version,
    /// One value a selected field, in the order of the selection.
    pub values: Vec<Value>,
    /// The link id that the record carries in its external-id field, where there is one
    /// (protocol O2').
    pub external_id: Option<LinkId>,
    /// The marker that the record carries: the id of the last intent that wrote it, in the form
    /// of [`crate::Context::marker`].
    pub marker: Option<Arc<str>>,
    /// Who changed it last.
    pub actor: Actor,
    /// When it was changed last, by the side's own clock.
    pub changed_at: Option<Instant>,
    /// Whether the version can no longer be shared by a later change: the side's clock is past
    /// the version's tick (protocol O6). Always true where versions are exact.
    pub closed: bool,
}
