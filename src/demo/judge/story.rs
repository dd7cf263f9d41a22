//! The histories told anew, pair by pair.

use std::collections::{BTreeMap, BTreeSet};

use syncline_core::{Side, Sides};

use super::event::{Author, Event, Evidence, Op, Text};
use crate::demo::world::{KEY, Pair};

/// A record of one side.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    /// Whether it is there.
    pub live: bool,
    /// Whether Syncline made it.
    pub by_sync: bool,
    /// Its mapped values; they outlive it, for it may be brought back.
    pub values: Vec<Text>,
}

/// What happened to one field of a pair. The values are the nodes of a graph: an edge goes from
/// a value to one that a person wrote in its place, having seen it. Equal values of both sides
/// are one node, since they are one edit once agreed.
#[derive(Clone, Debug, Default)]
pub(super) struct FieldStory {
    /// The values that people wrote.
    pub written: BTreeSet<Text>,
    /// What replaced what.
    pub followed: BTreeMap<Text, BTreeSet<Text>>,
    /// Values that a person deleted together with the record.
    pub deleted: BTreeSet<Text>,
}

impl FieldStory {
    fn follow(&mut self, old: &Text, new: &Text) {
        if old != new {
            self.followed.entry(old.clone()).or_default().insert(new.clone());
        }
    }

    /// Whether a person who wrote something else, or deleted the record, had seen the value. This
    /// also holds for a value that was withdrawn by writing the former one again.
    pub fn is_superseded(&self, value: &Text) -> bool {
        self.followed.contains_key(value) || self.deleted.contains(value)
    }

    /// Whether `newer` was written by somebody who knew of `older`, directly or through others.
    fn knows(&self, newer: &Text, older: &Text) -> bool {
        let mut reached = BTreeSet::from([older]);
        let mut next = vec![older];
        while let Some(value) = next.pop() {
            for follower in self.followed.get(value).into_iter().flatten() {
                if follower == newer {
                    return true;
                }
                if reached.insert(follower) {
                    next.push(follower);
                }
            }
        }
        false
    }

    /// Whether writing `new` over `old` brings back what was superseded: `old` knew of `new`, and
    /// nobody who knew `old` wrote `new` again.
    pub fn goes_back(&self, old: &Text, new: &Text) -> bool {
        self.knows(old, new) && !self.knows(new, old)
    }
}

/// A save by Syncline.
#[derive(Clone, Debug)]
pub(super) struct Write {
    /// Where.
    pub side: Side,
    /// What.
    pub op: Op,
    /// The record.
    pub record: String,
    /// The mapped fields: the value before and the one written.
    pub changes: Vec<(usize, Text, Text)>,
}

/// Everything that happened to one pair.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    /// By field.
    pub fields: Vec<FieldStory>,
    /// The records of each side, by native id.
    pub records: Sides<BTreeMap<String, Record>>,
    /// How many records people made.
    pub creates: Sides<u64>,
    /// How often people deleted one that nobody brought back by hand.
    pub deletes: u64,
    /// Saves by people.
    pub edits: u64,
    /// Saves by Syncline, side by side.
    pub writes: Vec<Write>,
    /// Values that people replaced without having read them.
    pub blind: u64,
}

impl Story {
    /// The live records of a side.
    pub fn live(&self, side: Side) -> impl Iterator<Item = &Record> {
        self.records[side].values().filter(|record| record.live)
    }

    fn tell(&mut self, side: Side, event: &Event, reads: &Reads<'_>, pair: &Pair) {
        let record = self.records[side].entry(event.record.clone()).or_default();
        record.values.resize(event.kind.fields().len(), None);
        self.fields.resize(event.kind.fields().len(), FieldStory::default());
        match event.op {
            Op::Create => {
                record.live = true;
                record.by_sync = event.author == Author::Sync;
            }
            Op::Update => {}
            Op::Delete => record.live = false,
            Op::Undelete => record.live = true,
        }
        let mut changes = Vec::new();
        for (field, new) in &event.changes {
            let old = std::mem::replace(&mut record.values[*field], new.clone());
            changes.push((*field, old, new.clone()));
        }
        if event.author == Author::Sync {
            let record = event.record.clone();
            self.writes.push(Write { side, op: event.op, record, changes });
            return;
        }
        self.edits += 1;
        match event.op {
            Op::Create => self.creates[side] += 1,
            Op::Delete => {
                self.deletes += 1;
                let values = record.values.iter();
                for (story, value) in self.fields.iter_mut().zip(values) {
                    story.deleted.insert(value.clone());
                }
            }
            Op::Undelete => self.deletes = self.deletes.saturating_sub(1),
            Op::Update => {}
        }
        for (field, old, new) in changes {
            let story = &mut self.fields[field];
            story.written.insert(new.clone());
            if event.op != Op::Create {
                story.follow(&old, &new);
            }
            // A value that was written twice, as when an edit is taken back, was read for twice.
            let seen = reads.get(&(pair, field, &new)).filter(|_| event.op == Op::Update);
            if let Some(seen) = seen {
                seen.iter().for_each(|saw| story.follow(saw, &new));
                self.blind += u64::from(!seen.contains(&&old));
            }
        }
    }
}

type Reads<'a> = BTreeMap<(&'a Pair, usize, &'a Text), Vec<&'a Text>>;

/// The stories of all pairs.
pub(super) fn stories(evidence: &Evidence) -> BTreeMap<Pair, Story> {
    let mut reads: Reads<'_> = BTreeMap::new();
    for read in &evidence.reads {
        let place = (&read.pair, read.field, &read.wrote);
        reads.entry(place).or_default().push(&read.saw);
    }
    let mut stories: BTreeMap<Pair, Story> = BTreeMap::new();
    let mut known: BTreeMap<(Side, String), Pair> = BTreeMap::new();
    for (side, event) in evidence.all() {
        let place = (side, event.record.clone());
        let pair = known.entry(place).or_insert_with(|| pair_of(event));
        stories.entry(pair.clone()).or_default().tell(side, event, &reads, pair);
    }
    stories
}

/// The pair of a record, by the key that it was made with. One without a key is a pair of its
/// own.
fn pair_of(event: &Event) -> Pair {
    let key = event.changes.iter().find(|(field, _)| *field == KEY);
    let key = key.and_then(|(_, value)| value.clone());
    Pair { kind: event.kind, key: key.unwrap_or_else(|| event.record.clone()) }
}
