//! Receipts: what proves that a batch was applied, and which of its writes were not.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, PgConnection, Row};
use syncline_sdk::{Current, Error, ErrorKind, Key, Result, Version, WriteOutcome};

use crate::error::from_sqlx;
use crate::layout::text;
use crate::names::{ident, qualified};
use crate::version::Snapshot;

/// Receipts of the stream that are remembered after they were seen: far more than batches are
/// ever open at once.
const SEEN_MAX: usize = 4_096;

/// Why a write of a committed batch was not applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Refusal {
    Stale,
    Missing,
    Busy,
    Rejected,
}

/// The receipt of one batch.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Receipt {
    /// True when it only says that no copy of the batch may be applied.
    pub cancelled: bool,
    /// The writes that were not applied, by ordinal.
    pub refused: BTreeMap<i32, Refusal>,
    /// The keys of created rows, by ordinal.
    pub keys: BTreeMap<i32, Key>,
    /// The transaction that applied it, where known.
    pub xid: Option<u64>,
    /// The version that its writes produced, where known.
    pub version: Option<Version>,
}

#[derive(Serialize, Deserialize)]
struct Message<'a> {
    batch: std::borrow::Cow<'a, str>,
    refused: BTreeMap<i32, Refusal>,
    keys: BTreeMap<i32, Key>,
}

impl Receipt {
    pub(crate) fn refused_json(&self) -> String {
        serde_json::to_string(&self.refused).unwrap_or_else(|_| "{}".to_owned())
    }

    pub(crate) fn keys_json(&self) -> String {
        serde_json::to_string(&self.keys).unwrap_or_else(|_| "{}".to_owned())
    }

    /// The receipt as it travels in the stream.
    pub(crate) fn message(&self, marker: &str) -> String {
        let message = Message {
            batch: marker.into(),
            refused: self.refused.clone(),
            keys: self.keys.clone(),
        };
        serde_json::to_string(&message).unwrap_or_default()
    }

    /// The marker and the receipt of a message in the stream.
    pub(crate) fn from_message(content: &[u8]) -> Option<(String, Self)> {
        let message: Message<'_> = serde_json::from_slice(content).ok()?;
        let receipt = Self { refused: message.refused, keys: message.keys, ..Self::default() };
        Some((message.batch.into_owned(), receipt))
    }

    /// What a later copy of a batch answers for one of its writes.
    pub(crate) fn outcome(&self, ordinal: i32) -> WriteOutcome {
        let receipted = true;
        if self.cancelled {
            return WriteOutcome::Busy { receipted };
        }
        match self.refused.get(&ordinal) {
            None => WriteOutcome::Applied {
                version: self.version.clone(),
                stored: None,
                key: self.keys.get(&ordinal).cloned(),
            },
            Some(Refusal::Stale) => WriteOutcome::Stale { current: Current::Unread, receipted },
            Some(Refusal::Missing) => WriteOutcome::Missing { reason: None, receipted },
            Some(Refusal::Busy) => WriteOutcome::Busy { receipted },
            Some(Refusal::Rejected) => WriteOutcome::Rejected {
                error: Error::new(
                    ErrorKind::Invalid,
                    "push",
                    "an earlier copy of the batch was refused for this write",
                ),
                receipted,
            },
        }
    }
}

/// Where the receipts of a system are.
#[derive(Clone)]
pub(crate) enum Home {
    /// In a table of ours, committed with the writes.
    Table { schema: String, name: String, quoted: String },
    /// In the change stream.
    Stream(Arc<StreamReceipts>),
}

impl Home {
    pub(crate) fn table(schema: &str, name: &str) -> Self {
        Self::Table {
            schema: schema.to_owned(),
            name: name.to_owned(),
            quoted: qualified(schema, name),
        }
    }

    pub(crate) fn is_table(&self) -> bool {
        matches!(self, Self::Table { .. })
    }

    /// Whether it is the table of that name.
    pub(crate) fn is_named(&self, schema: Option<&str>, table: Option<&str>) -> bool {
        match self {
            Self::Table { schema: own, name, .. } => {
                schema == Some(own.as_str()) && table == Some(name.as_str())
            }
            Self::Stream(_) => false,
        }
    }

    /// The receipts of batches, by marker; none in the stream, which is not asked but watched.
    pub(crate) async fn find(
        &self,
        conn: &mut PgConnection,
        markers: &[String],
    ) -> Result<HashMap<String, Receipt>> {
        let Self::Table { quoted, .. } = self else {
            return Ok(HashMap::new());
        };
        let failed = |error| from_sqlx("settle", "the receipt table", error);
        let sql = format!(
            "select batch, cancelled, xid::text, snapshot::text, refused::text, keys::text \
             from {quoted} where batch = any($1)"
        );
        let rows =
            sqlx::query(AssertSqlSafe(sql)).bind(markers).fetch_all(conn).await.map_err(failed)?;
        let mut found = HashMap::with_capacity(rows.len());
        for row in &rows {
            let json = |at| text(row, at).map(|text| text.unwrap_or("{}").to_owned());
            let xid: Option<u64> = text(row, 2).map_err(failed)?.and_then(|xid| xid.parse().ok());
            let snapshot = text(row, 3).map_err(failed)?.and_then(Snapshot::parse);
            let receipt = Receipt {
                cancelled: row.try_get(1).map_err(failed)?,
                refused: serde_json::from_str(&json(4).map_err(failed)?).map_err(unreadable)?,
                keys: serde_json::from_str(&json(5).map_err(failed)?).map_err(unreadable)?,
                version: xid.zip(snapshot).map(|(xid, snapshot)| snapshot.written(xid)),
                xid,
            };
            found.insert(row.try_get(0).map_err(failed)?, receipt);
        }
        Ok(found)
    }
}

fn unreadable(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Protocol, "settle", "a receipt cannot be read").caused_by(error)
}

/// The statements that make the receipt table.
pub(crate) fn create(schema: &str, name: &str) -> String {
    format!(
        "create schema if not exists {}; create table if not exists {} ( \
         batch text primary key, xid xid8 not null, snapshot pg_snapshot not null, \
         cancelled boolean not null default false, refused jsonb not null default '{{}}', \
         keys jsonb not null default '{{}}', made timestamptz not null default now())",
        ident(schema),
        qualified(schema, name),
    )
}

/// The name of a session that sends a batch, as the server keeps it: at most 63 bytes.
pub(crate) fn session_name(marker: &str) -> String {
    let mut name = format!("syncline:{marker}");
    let mut end = name.len().min(63);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    name
}

/// What became of a batch, as far as the stream tells.
pub(crate) enum Seen {
    /// Its marker was seen to commit.
    Committed(Receipt),
    /// A fence that was set for it has passed without it.
    Fenced,
    /// A fence is under way.
    Waiting,
    /// Its marker may have been in a stream that was lost since, or among those dropped.
    Lost,
    /// Nothing is known.
    Nothing,
}

/// Receipts that the feed saw, and fences that it is to see (protocol I7). Shared between the
/// feed and the settling of lost answers.
#[derive(Default)]
pub(crate) struct StreamReceipts(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    committed: HashMap<String, Receipt>,
    order: VecDeque<String>,
    /// Batches with a fence, and whether it has passed.
    fences: HashMap<String, bool>,
    /// The last batches sent since a new stream began, or a receipt was dropped; nothing while
    /// neither has happened.
    since: Option<VecDeque<String>>,
}

impl StreamReceipts {
    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn committed(&self, marker: &str, receipt: Receipt) {
        let mut inner = self.inner();
        if inner.committed.insert(marker.to_owned(), receipt).is_none() {
            inner.order.push_back(marker.to_owned());
        }
        while inner.order.len() > SEEN_MAX {
            if let Some(oldest) = inner.order.pop_front() {
                inner.committed.remove(&oldest);
                // Of what was sent before, not having a receipt proves nothing any more.
                inner.since = Some(VecDeque::new());
            }
        }
    }

    /// Says that a new stream begins: what was in the old one and not seen is lost, with every
    /// fence in it.
    pub(crate) fn begins_anew(&self) {
        let mut inner = self.inner();
        inner.fences.clear();
        inner.since = Some(VecDeque::new());
    }

    /// Says that a batch is about to be sent.
    pub(crate) fn sends(&self, marker: &str) {
        if let Some(since) = &mut self.inner().since {
            since.push_back(marker.to_owned());
            if since.len() > SEEN_MAX {
                since.pop_front();
            }
        }
    }

    /// Says that a fence for the batch is about to be sent.
    pub(crate) fn expect(&self, marker: &str) {
        self.inner().fences.entry(marker.to_owned()).or_insert(false);
    }

    /// Says that the fence of the batch came by in the stream.
    pub(crate) fn passed(&self, marker: &str) {
        if let Some(passed) = self.inner().fences.get_mut(marker) {
            *passed = true;
        }
    }

    pub(crate) fn of(&self, marker: &str) -> Seen {
        let inner = self.inner();
        let lost =
            inner.since.as_ref().is_some_and(|since| !since.iter().any(|sent| sent == marker));
        match (inner.committed.get(marker), inner.fences.get(marker)) {
            (Some(receipt), _) => Seen::Committed(receipt.clone()),
            (None, _) if lost => Seen::Lost,
            (None, Some(true)) => Seen::Fenced,
            (None, Some(false)) => Seen::Waiting,
            (None, None) => Seen::Nothing,
        }
    }

    pub(crate) fn forget(&self, marker: &str) {
        let mut inner = self.inner();
        inner.fences.remove(marker);
        if let Some(since) = &mut inner.since {
            since.retain(|sent| sent != marker);
        }
        if inner.committed.remove(marker).is_some() {
            inner.order.retain(|known| known != marker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_stream_tells_nothing_of_what_was_sent_before() {
        let stream = StreamReceipts::default();
        stream.sends("old");
        stream.expect("old");
        assert!(matches!(stream.of("old"), Seen::Waiting));
        stream.begins_anew();
        stream.passed("old");
        assert!(matches!(stream.of("old"), Seen::Lost));
        stream.sends("new");
        assert!(matches!(stream.of("new"), Seen::Nothing));
        stream.expect("new");
        stream.passed("new");
        assert!(matches!(stream.of("new"), Seen::Fenced));
        stream.committed("old", Receipt::default());
        assert!(matches!(stream.of("old"), Seen::Committed(_)));
    }

    #[test]
    fn a_receipt_that_was_dropped_for_newer_ones_is_not_taken_for_none() {
        let stream = StreamReceipts::default();
        stream.committed("first", Receipt::default());
        for number in 0..SEEN_MAX {
            stream.committed(&number.to_string(), Receipt::default());
        }
        stream.expect("first");
        stream.passed("first");
        assert!(matches!(stream.of("first"), Seen::Lost));
    }
}
