//! What the judge is shown.

use serde::Serialize;
use serde_json::json;
use syncline_core::{Side, Sides};

use crate::demo::world::{Kind, Pair};

/// A value of a field: text, or nothing.
pub(in crate::demo) type Text = Option<String>;

/// Who did it.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "lowercase")]
pub(in crate::demo) enum Author {
    /// A person, or anybody but us.
    Person,
    /// Syncline.
    Sync,
}

/// What was done to a record.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "lowercase")]
pub(in crate::demo) enum Op {
    /// It was made.
    Create,
    /// Some of its fields were changed.
    Update,
    /// It was deleted.
    Delete,
    /// It was brought back with the values it had.
    Undelete,
}

/// One committed save of one record, from a system's own history.
#[derive(Clone, PartialEq, Serialize, Debug)]
pub(in crate::demo) struct Event {
    /// Its place in the history of its side.
    pub seq: u64,
    /// Who.
    pub author: Author,
    /// What.
    pub op: Op,
    /// What the record is.
    pub kind: Kind,
    /// Its native id.
    pub record: String,
    /// The mapped fields that changed, with the value stored since.
    pub changes: Vec<(usize, Text)>,
}

/// What a player had read when writing a value.
#[derive(Clone, PartialEq, Serialize, Debug)]
pub(in crate::demo) struct Read {
    /// The record.
    pub pair: Pair,
    /// The field.
    pub field: usize,
    /// The value written.
    pub wrote: Text,
    /// The value read before.
    pub saw: Text,
}

/// An open question of the review queue.
#[derive(Clone, PartialEq, Serialize, Debug)]
pub(in crate::demo) struct Question {
    /// The record it is about.
    pub pair: Pair,
    /// The field; nothing for a question about the pair as a whole.
    pub field: Option<usize>,
    /// The values that it shows, of both sides.
    pub values: Vec<String>,
}

/// Everything the judge is shown.
#[derive(Clone, Debug, Default)]
pub(in crate::demo) struct Evidence {
    /// The histories, each in its side's order.
    pub events: Sides<Vec<Event>>,
    /// The last event of each side that is part of the seeds.
    pub seeded: Sides<u64>,
    /// The last event of each side when all had gone quiet.
    pub quiet: Sides<u64>,
    /// What players had read.
    pub reads: Vec<Read>,
    /// The open questions.
    pub questions: Vec<Question>,
}

impl Evidence {
    /// As lines of JSON, for those who want to judge for themselves.
    pub fn lines(&self) -> Vec<String> {
        let events = self.all().map(|(side, event)| json!({ "side": side, "event": event }));
        let reads = self.reads.iter().map(|read| json!({ "read": read }));
        let questions = self.questions.iter().map(|question| json!({ "question": question }));
        events.chain(reads).chain(questions).map(|line| line.to_string()).collect()
    }

    /// All events, side by side.
    pub fn all(&self) -> impl Iterator<Item = (Side, &Event)> {
        self.events.iter().flat_map(|(side, events)| events.iter().map(move |event| (side, event)))
    }
}
