//! The connector contract: the only thing that a connector and the rest of Syncline share.
//!
//! A connector turns one kind of system (a CRM, a database) into records, versions and guarded
//! writes. It knows nothing of mappings, links or the ledger. It never retries a write, never
//! sleeps to wait for a system, never logs a payload and never reads the environment: time,
//! retries and budgets belong to the engine.
//!
//! Start at [`Connector`]; its documentation is the contract that the conformance suite checks.

mod capability;
mod connector;
mod context;
mod decimal;
mod error;
mod feed;
mod filter;
mod grant;
mod history;
mod id;
mod instant;
mod normalizer;
mod read;
mod record;
mod schema;
mod value;
mod webhook;
mod write;

pub use capability::{Capabilities, Cas, FeedKind, Guarantee, HistoryKind, ReceiptKind};
pub use connector::{Connector, VersionOrder};
pub use context::{Context, Health, Piece, Purpose, Quota, Usage};
pub use decimal::{Decimal, ParseDecimalError};
pub use error::{Error, ErrorKind, Result, Scope};
pub use feed::{Change, ChangeKind, Feed, FeedBatch, Position};
pub use filter::{Comparison, Filter};
pub use grant::{Grant, Maker, Need, Step, Tool};
pub use history::{HistoryEntry, HistoryRequest};
pub use id::{
    BatchId, EntityName, FieldName, IntentId, Key, LinkId, ParseIdError, SystemName, Version,
};
pub use instant::{Instant, Precision};
pub use normalizer::Normalizer;
pub use read::{
    Absence, ChangesRequest, Cursor, FetchBy, FetchRequest, Fetched, Page, ScanRequest, Selection,
};
pub use record::{Actor, ActorKind, Record};
pub use schema::{EntityOutline, EntitySchema, FieldSchema, FieldType};
pub use value::Value;
pub use webhook::{Notice, Webhook, WebhookRefusal, WebhookReply, WebhookRequest};
pub use write::{
    Current, Expect, Settlement, UnknownWrite, Write, WriteBatch, WriteOp, WriteOutcome,
};
