//! Receipts: proof of what was applied, and the fence (protocol I5, I7).

use std::collections::BTreeSet;

use syncline_sdk::{
    Actor, ActorKind, Cas, Context, Current, EntityName, Instant, Key, ReceiptKind, Record,
    Settlement, UnknownWrite, Value, Version, WriteOp, WriteOutcome,
};

use crate::history::CopyId;
use crate::system::{Author, Copy, Effect, Row, State, Told, Watched, World};

/// What the receipt table says of a batch.
#[derive(Clone, Debug)]
pub(crate) struct Receipt {
    /// The commit that left it.
    sequence: u64,
    stamped: Instant,
    /// Left by the fence: nothing of the batch was applied and nothing ever will be.
    cancelled: bool,
    not_applied: BTreeSet<i32>,
}

impl Receipt {
    fn applied(&self, ordinal: i32) -> bool {
        !self.cancelled && !self.not_applied.contains(&ordinal)
    }
}

impl World {
    pub fn keep_receipt(&mut self, marker: &str, author: &Author, copy: &Copy, effects: &[Effect]) {
        let refused =
            copy.batch.writes.iter().zip(effects).filter(|(_, effect)| !effect.is_applied());
        let receipt = Receipt {
            sequence: author.sequence,
            stamped: author.stamped,
            cancelled: false,
            not_applied: refused.map(|(write, _)| write.ordinal).collect(),
        };
        self.receipts.insert(marker.into(), receipt);
    }

    /// The answer to a copy of a batch that another copy, or the fence, has decided.
    pub fn repeat(&mut self, id: CopyId, copy: &Copy, marker: &str) -> Vec<WriteOutcome> {
        let receipt = self.receipts.get(marker).cloned();
        let mut outcomes = Vec::with_capacity(copy.batch.writes.len());
        for (at, write) in copy.batch.writes.iter().enumerate() {
            self.note_write(id, copy, at, None, "repeat", None);
            let applied = receipt.as_ref().filter(|receipt| receipt.applied(write.ordinal));
            outcomes.push(match applied {
                Some(receipt) => {
                    let unknown = UnknownWrite {
                        batch: copy.batch.batch,
                        write: write.clone(),
                        may_arrive: false,
                        unseen: false,
                    };
                    let (version, stored, key) = self.evidence(&unknown, receipt);
                    WriteOutcome::Applied { version, stored, key }
                }
                None => WriteOutcome::Stale { current: Current::Unread, receipted: true },
            });
        }
        outcomes
    }

    pub fn settle(
        &mut self,
        cx: &Context,
        unknown: &UnknownWrite,
        watched: &mut Watched,
    ) -> Settlement {
        match self.effective(&unknown.write.selection).receipt {
            ReceiptKind::Table => self.settle_by_table(cx, unknown),
            ReceiptKind::Stream => self.settle_by_stream(cx, unknown, watched),
            ReceiptKind::MarkerField => self.settle_by_marker(cx, unknown),
            ReceiptKind::None => self.settle_by_version(unknown),
        }
    }

    /// The unique key of the table lets exactly one of a late copy and the fence win, so the
    /// outcome is known at once.
    fn settle_by_table(&mut self, cx: &Context, unknown: &UnknownWrite) -> Settlement {
        let marker = cx.batch_marker(unknown.batch);
        let fence = Receipt {
            sequence: self.sequence,
            stamped: self.clock(),
            cancelled: true,
            not_applied: BTreeSet::new(),
        };
        let receipt = self.receipts.entry(marker.into()).or_insert(fence).clone();
        if !receipt.applied(unknown.write.ordinal) {
            return Settlement::NotApplied;
        }
        let (version, stored, key) = self.evidence(unknown, &receipt);
        Settlement::Applied { version, stored, key }
    }

    /// What a receipt proves. The image is evidence only while the row still carries the
    /// receipt's own commit (protocol N3).
    fn evidence(
        &self,
        unknown: &UnknownWrite,
        receipt: &Receipt,
    ) -> (Option<Version>, Option<Vec<Value>>, Option<Key>) {
        let version = self.commit_version(receipt.sequence, receipt.stamped).encode();
        let created = (receipt.sequence, unknown.write.ordinal);
        let row = match unknown.write.op.key() {
            Some(key) => self.row(&unknown.write.selection.entity, key),
            None => self.table(&unknown.write.selection.entity).and_then(|table| {
                let mut rows = table.rows.values().map(|slot| &slot.row);
                rows.find(|row| row.created == created)
            }),
        };
        let stored = row
            .filter(|row| row.sequence == receipt.sequence)
            .and_then(|row| self.stored(&unknown.write.selection, &row.key));
        (Some(version), stored, row.map(|row| row.key.clone()))
    }

    /// Ends the copies that are still under way, as a connector ends its own backends, and
    /// decides once a feed of this client has passed that place.
    fn settle_by_stream(
        &mut self,
        cx: &Context,
        unknown: &UnknownWrite,
        watched: &mut Watched,
    ) -> Settlement {
        let batch = unknown.batch;
        self.under_way.retain(|_, copy| copy.batch.batch != batch || copy.cx.install != cx.install);
        let marker = cx.batch_marker(batch);
        let entity = &unknown.write.selection.entity;
        let created = |key: &Key, sequence: u64| {
            let row = self.row(entity, key);
            row.is_some_and(|row| row.created == (sequence, unknown.write.ordinal))
        };
        let found = watched.ours.iter().find(|entry| {
            let ours = entry.marker.as_deref() == Some(&marker) && entry.entity == *entity;
            ours && match unknown.write.op.key() {
                Some(key) => entry.key == *key,
                None => created(&entry.key, entry.sequence),
            }
        });
        if let Some(entry) = found {
            return Settlement::Applied {
                version: Some(self.commit_version(entry.sequence, entry.at).encode()),
                stored: None,
                key: Some(entry.key.clone()),
            };
        }
        if unknown.unseen {
            return undecided(self.current(unknown));
        }
        let fence = *watched.fences.entry(marker.into()).or_insert_with(|| self.emit_fence());
        if watched.has_passed(fence) { Settlement::NotApplied } else { Settlement::Awaited }
    }

    fn emit_fence(&mut self) -> u64 {
        let author = self.author(&Actor::default(), None);
        self.tell(&author, &EntityName::new(""), &Key::new(""), None, Told::Message);
        author.sequence
    }

    fn settle_by_marker(&mut self, cx: &Context, unknown: &UnknownWrite) -> Settlement {
        let selection = &unknown.write.selection;
        let row = self.named(unknown);
        let marked = selection.marker.as_ref().is_some_and(|field| {
            row.is_some_and(|row| {
                row.value(field).as_text() == Some(&cx.marker(unknown.write.intent))
            })
        });
        let marks = selection
            .marker
            .as_ref()
            .is_some_and(|field| row.is_some_and(|row| row.value(field).as_text().is_some()));
        // Gone, the link id alone may be that of an earlier record of the same link.
        let create = unknown.write.op.key().is_none();
        let Some(row) = row.filter(|row| !create || row.is_live() || marked) else {
            // A create that nobody can find: final once no copy can arrive and the search is
            // up to date.
            let searched = self.effective(selection).unique_external_id
                || self.profile.capabilities.search_lag.is_zero();
            return if create && !unknown.may_arrive && searched && !self.conditions.invisible {
                Settlement::NotApplied
            } else {
                undecided(Current::Unread)
            };
        };
        let applied =
            || Settlement::Applied { version: None, stored: None, key: Some(row.key.clone()) };
        match &unknown.write.op {
            // Nobody else writes this link id: the record is that of the create, unless it names
            // an earlier create of the same link.
            WriteOp::Insert { .. } if marked || !marks => applied(),
            WriteOp::Insert { .. } if unknown.may_arrive => Settlement::Awaited,
            WriteOp::Insert { .. } => Settlement::NotApplied,
            WriteOp::Update { .. } | WriteOp::Fence { .. } if marked => applied(),
            WriteOp::Update { .. } | WriteOp::Fence { .. } => self.settle_by_version(unknown),
            WriteOp::Delete { .. } => match &row.state {
                State::Deleted { by, .. } if by.kind == ActorKind::Sync => applied(),
                _ if unknown.may_arrive => undecided(self.current(unknown)),
                State::Purged => undecided(Current::Unread),
                _ => Settlement::NotApplied,
            },
            WriteOp::Undelete { .. } => match row.state {
                State::Deleted { .. } | State::Purged if !unknown.may_arrive => {
                    Settlement::NotApplied
                }
                _ => undecided(self.current(unknown)),
            },
        }
    }

    /// Without a receipt: a version guard that no copy can pass any more, or that no copy is
    /// left to pass, is the only proof.
    fn settle_by_version(&self, unknown: &UnknownWrite) -> Settlement {
        let current = self.current(unknown);
        let expected = match &unknown.write.op {
            WriteOp::Update { expect, .. } | WriteOp::Fence { expect, .. } => &expect.version,
            WriteOp::Delete { expect, .. } if self.profile.capabilities.conditional_delete => {
                &expect.version
            }
            _ => return undecided(current),
        };
        let by_version =
            matches!(self.profile.capabilities.cas, Cas::ExactRecord | Cas::Coarse { .. });
        let receipted = self.effective(&unknown.write.selection).receipt != ReceiptKind::None;
        let moved = match &current {
            Current::Record(record) => record.version != *expected,
            Current::Unread => match self.named(unknown) {
                Some(row) => !row.is_live() && !row.hidden && !self.conditions.invisible,
                None => false,
            },
        };
        match (by_version, receipted, moved) {
            // Moved without a receipt of ours: dead for ever (protocol I5.2).
            (true, true, true) => Settlement::NotApplied,
            // Still there: not applied so far, and final when no copy is left.
            (true, _, false) if !unknown.may_arrive && matches!(current, Current::Record(_)) => {
                Settlement::NotApplied
            }
            _ => undecided(current),
        }
    }

    /// The row that a write is about, by its key or, for a create, by its link id.
    fn named(&self, unknown: &UnknownWrite) -> Option<&Row> {
        let selection = &unknown.write.selection;
        if let Some(key) = unknown.write.op.key() {
            return self.row(&selection.entity, key).filter(|row| !row.hidden);
        }
        let table = self.table(&selection.entity)?;
        let rows = table.rows.values().map(|slot| &slot.row);
        let mut rows = rows
            .filter(|row| !row.hidden && self.link_of(selection, row) == Some(unknown.write.link));
        rows.find(|row| row.is_live()).or_else(|| {
            let rows = table.rows.values().map(|slot| &slot.row);
            let rows = rows.filter(|row| self.link_of(selection, row) == Some(unknown.write.link));
            rows.max_by_key(|row| row.created)
        })
    }
    fn current(&self, unknown: &UnknownWrite) -> Current {
        let found = self.named(unknown).filter(|row| row.is_live());
        match found {
            Some(row) if !self.conditions.invisible => {
                let record: Record = self.read_row(&unknown.write.selection, row, self.sequence);
                Current::Record(Box::new(record))
            }
            _ => Current::Unread,
        }
    }
}

fn undecided(current: Current) -> Settlement {
    Settlement::Undecided { current }
}
