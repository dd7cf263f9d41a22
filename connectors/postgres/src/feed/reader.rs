//! From messages to changes: the state of the stream between two answers.

use std::collections::HashMap;
use std::sync::Arc;

use pg_walstream::{LogicalReplicationMessage, LogicalReplicationParser, TupleData};
use syncline_sdk::{
    Actor, ActorKind, Change, ChangeKind, Error, ErrorKind, FeedBatch, Key, Position, Result,
    Selection, Value, Version,
};

use super::relation::{ColumnMessage, Relation, RelationMessage};
use super::row::{kept_key, key, value};
use super::transaction::{Removed, Transaction};
use super::transport::{Message, show_lsn};
use crate::receipt::StreamReceipts;
use crate::version::{event, full_xid};

/// What a message led to.
pub(crate) enum Step {
    More,
    /// An idle keepalive with nothing before it that is not answered yet.
    Idle(FeedBatch),
}

pub(crate) struct Reader {
    stream: Arc<str>,
    parser: LogicalReplicationParser,
    /// The selections, by schema and table.
    selections: HashMap<(String, String), Arc<Selection>>,
    /// The relations that were announced; nothing for those that are not selected.
    relations: HashMap<u32, Option<Arc<Relation>>>,
    /// A relation that was announced and is not looked up yet.
    unresolved: Option<RelationMessage>,
    transaction: Option<Transaction>,
    /// A full transaction id of about now: gives those in the stream their epoch.
    near: u64,
    /// The place that was answered last, or from which it reads: a server that still decodes what
    /// lies before tells places of there in its keepalives, and those would move ours back.
    kept: u64,
    /// The last idle place that could not be answered because changes were waiting.
    idle: Option<u64>,
    install_prefix: String,
    receipts: Arc<StreamReceipts>,
    batch: FeedBatch,
    end: Option<u64>,
}

impl Reader {
    pub(crate) fn new(
        stream: Arc<str>,
        selections: HashMap<(String, String), Arc<Selection>>,
        near: u64,
        from: u64,
        receipts: Arc<StreamReceipts>,
    ) -> Self {
        Self {
            stream,
            parser: LogicalReplicationParser::with_protocol_version(1),
            selections,
            relations: HashMap::new(),
            unresolved: None,
            transaction: None,
            near,
            kept: from,
            idle: None,
            install_prefix: String::new(),
            receipts,
            batch: FeedBatch::default(),
            end: None,
        }
    }

    pub(crate) fn stream(&self) -> &Arc<str> {
        &self.stream
    }

    /// Says whose markers are ours.
    pub(crate) fn install(&mut self, install: &str) {
        if self.install_prefix.strip_suffix(':') != Some(install) {
            self.install_prefix = format!("{install}:");
        }
    }

    /// How many changes wait to be answered.
    pub(crate) fn rows(&self) -> usize {
        self.batch.changes.len()
    }

    /// Whether there is something to answer with and no transaction is cut by answering.
    pub(crate) fn may_answer(&self) -> bool {
        self.transaction.is_none()
            && (self.end.is_some() || self.idle.is_some() || !self.batch.changes.is_empty())
    }

    /// The relation that must be looked up before the next message.
    pub(crate) fn unresolved(&self) -> Option<RelationMessage> {
        self.unresolved.clone()
    }

    pub(crate) fn selection(&self, message: &RelationMessage) -> Option<Arc<Selection>> {
        self.selections.get(&(message.schema.to_string(), message.name.to_string())).cloned()
    }

    pub(crate) fn resolved(&mut self, relation: Option<Relation>) {
        if let Some(message) = self.unresolved.take() {
            self.relations.insert(message.oid, relation.map(Arc::new));
        }
    }

    /// Everything taken since the last answer.
    pub(crate) fn batch(&mut self) -> FeedBatch {
        let mut batch = std::mem::take(&mut self.batch);
        batch.position = self.end.take().map(|end| self.position(end));
        if batch.changes.is_empty()
            && batch.markers.is_empty()
            && batch.position.is_none()
            && let Some(idle) = self.idle.take()
        {
            return self.idle_batch(idle);
        }
        batch
    }

    fn position(&self, lsn: u64) -> Position {
        Position { stream: self.stream.clone(), place: show_lsn(lsn).into() }
    }

    fn idle_batch(&mut self, lsn: u64) -> FeedBatch {
        self.kept = lsn;
        FeedBatch { position: Some(self.position(lsn)), idle: true, ..FeedBatch::default() }
    }

    /// Takes one message.
    pub(crate) fn take(&mut self, message: Message) -> Result<Step> {
        match message {
            Message::Begin { lsn, xid, micros } => {
                let xid = full_xid(self.near, xid);
                self.near = self.near.max(xid);
                self.transaction = Some(Transaction::begun(xid, lsn, micros));
            }
            Message::Commit { end } => self.commit(end)?,
            Message::Logical { prefix, content } => {
                if let Some(transaction) = &mut self.transaction {
                    transaction.logical(&prefix, &content, &self.install_prefix);
                }
            }
            Message::Data(data) => self.data(data)?,
            Message::KeepAlive { end } => {
                // Inside a transaction it says nothing that could be acknowledged.
                if self.transaction.is_none() && end > self.kept {
                    if self.end.is_some() || !self.batch.changes.is_empty() {
                        self.idle = Some(end);
                    } else {
                        return Ok(Step::Idle(self.idle_batch(end)));
                    }
                }
            }
        }
        Ok(Step::More)
    }

    fn commit(&mut self, end: u64) -> Result<()> {
        let Some(done) = self.transaction.take() else {
            return Err(protocol("a commit came without its begin"));
        };
        if let Some((marker, mut receipt)) = done.receipt {
            let version = event(done.xid, done.lsn, 0);
            if let Some(ours) = done.marker {
                self.batch.markers.push((ours, version.clone()));
            }
            receipt.xid = Some(done.xid);
            receipt.version = Some(version);
            self.receipts.committed(&marker, receipt);
        }
        if let Some(fence) = done.fence {
            self.receipts.passed(&fence);
        }
        self.end = Some(end);
        self.idle = None;
        self.kept = self.kept.max(end);
        Ok(())
    }

    fn data(&mut self, data: bytes::Bytes) -> Result<()> {
        let parsed = self.parser.parse_wal_message_bytes(data).map_err(|error| {
            protocol("a message of the stream was not understood").caused_by(error)
        })?;
        match parsed.message {
            LogicalReplicationMessage::Insert { relation_id, tuple } => {
                let moved = self.moved(relation_id, &tuple)?;
                self.upsert(relation_id, &tuple, None, moved)
            }
            LogicalReplicationMessage::Update { relation_id, old_tuple, new_tuple, .. } => {
                self.upsert(relation_id, &new_tuple, old_tuple.as_ref(), None)
            }
            LogicalReplicationMessage::Delete { relation_id, old_tuple, .. } => {
                let Some(relation) = self.relation(relation_id)? else {
                    return Ok(());
                };
                let key = key(&relation, &old_tuple, None)?;
                let kept = kept_key(&relation, &old_tuple)?;
                let actor = Actor::default();
                self.push(&relation, (key.clone(), None), ChangeKind::Delete, actor)?;
                if let Some(transaction) = &mut self.transaction {
                    let removed = |kept| Removed { relation: relation_id, key, kept };
                    transaction.removed = kept.map(removed);
                }
                Ok(())
            }
            LogicalReplicationMessage::Truncate { relation_ids, .. } => {
                for relation_id in relation_ids {
                    if let Some(relation) = self.relation(relation_id)? {
                        let key = (Key::new(""), None);
                        self.push(&relation, key, ChangeKind::Truncate, Actor::default())?;
                    }
                }
                Ok(())
            }
            LogicalReplicationMessage::Relation {
                relation_id,
                namespace,
                relation_name,
                columns,
                ..
            } => {
                let columns: Vec<ColumnMessage> = columns
                    .into_iter()
                    .map(|column| ColumnMessage {
                        in_identity: column.is_key(),
                        name: column.name,
                        type_oid: column.type_id,
                        typmod: column.type_modifier,
                    })
                    .collect();
                self.announced(RelationMessage {
                    oid: relation_id,
                    schema: namespace,
                    name: relation_name,
                    columns,
                });
                Ok(())
            }
            // Types are resolved by their oid when a relation is; origins are not needed, since
            // our own transactions carry a marker.
            LogicalReplicationMessage::Type { .. } | LogicalReplicationMessage::Origin { .. } => {
                Ok(())
            }
            other => Err(protocol(&format!(
                "a message came that was not asked for: {}",
                format!("{other:?}").split([' ', '{', '(']).next().unwrap_or_default()
            ))),
        }
    }

    fn announced(&mut self, message: RelationMessage) {
        let known = self.relations.get(&message.oid).and_then(Option::as_ref);
        if known.is_some_and(|known| known.message == message) {
            return;
        }
        if self.selection(&message).is_some() {
            self.unresolved = Some(message);
        } else {
            self.relations.insert(message.oid, None);
        }
    }

    fn relation(&self, oid: u32) -> Result<Option<Arc<Relation>>> {
        match self.relations.get(&oid) {
            Some(relation) => Ok(relation.clone()),
            None => Err(protocol(&format!("relation {oid} was never announced"))),
        }
    }

    /// The key that a row had in the partition from which it moves: an update that takes it to
    /// another one deletes it here and inserts it there, one right after the other. The deletion
    /// is none, and is taken back.
    fn moved(&mut self, oid: u32, row: &TupleData) -> Result<Option<Key>> {
        let removed = self.transaction.as_mut().and_then(|transaction| transaction.removed.take());
        let Some((removed, relation)) = removed.zip(self.relation(oid)?) else {
            return Ok(None);
        };
        let same = removed.relation == oid
            && kept_key(&relation, row)? == Some(removed.kept)
            && key(&relation, row, None)? != removed.key;
        if same {
            self.batch.changes.pop();
        }
        Ok(same.then_some(removed.key))
    }

    /// A row as it is by now. `moved` is the key that it had in another partition.
    fn upsert(
        &mut self,
        oid: u32,
        new: &TupleData,
        old: Option<&TupleData>,
        moved: Option<Key>,
    ) -> Result<()> {
        let Some(relation) = self.relation(oid)? else {
            return Ok(());
        };
        if new.column_count() != relation.message.columns.len() {
            return Err(protocol(&format!(
                "a row of {} has {} columns, {} were announced",
                relation.selection.entity,
                new.column_count(),
                relation.message.columns.len()
            )));
        }
        let whole = old.filter(|_| relation.full_old_rows);
        let new_key = key(&relation, new, whole)?;
        let old_key = match old {
            Some(old) => Some(key(&relation, old, None)?).filter(|old| *old != new_key),
            None => moved,
        };
        let values: Vec<Value> = relation
            .fields
            .iter()
            .map(|field| match field {
                Some((at, kind)) => value(new, whole, *at, kind),
                None => Value::Absent,
            })
            .collect();
        let actor = relation
            .actor
            .and_then(|at| new.get_column(at))
            .and_then(|data| data.as_str())
            .map(|text| Actor { id: Some(Arc::from(&*text)), kind: ActorKind::Unknown });
        let keys = (new_key, old_key);
        self.push(&relation, keys, ChangeKind::Upsert(values), actor.unwrap_or_default())
    }

    fn push(
        &mut self,
        relation: &Relation,
        (key, old_key): (Key, Option<Key>),
        kind: ChangeKind,
        actor: Actor,
    ) -> Result<()> {
        let Some(transaction) = &mut self.transaction else {
            return Err(protocol("a change came outside of a transaction"));
        };
        transaction.ordinal = transaction.ordinal.saturating_add(1);
        transaction.removed = None;
        let version: Version = event(transaction.xid, transaction.lsn, transaction.ordinal);
        self.batch.changes.push(Change {
            entity: relation.selection.entity.clone(),
            key,
            old_key,
            kind,
            version,
            marker: transaction.marker.clone(),
            group: transaction.xid,
            actor,
            at: Some(transaction.at),
        });
        Ok(())
    }
}

pub(crate) fn protocol(what: &str) -> Error {
    Error::new(ErrorKind::Protocol, "read feed", what)
}
