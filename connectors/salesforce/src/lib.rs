//! The Salesforce connector: one org as records, versions and guarded writes.
//!
//! | Folder | What it does |
//! |---|---|
//! | `auth` | login: one renewal shared by all tasks, rotated refresh tokens handed out |
//! | `grants` | what an administrator sets up, with the exact metadata and clicks |
//! | `wire` | requests and answers: transport, the error table, the codec, SOQL, the schema |
//! | `read` | scans, polled changes, look-ups |
//! | `webhook` | outbound messages: reading them, and how they are set up |
//! | `write` | creates, guarded updates, fences, deletes, undeletes, and settling what is unknown |
//!
//! # What it promises
//! Salesforce compares a conditional update at one second, so the connector is of class 2
//! ([`syncline_sdk::Guarantee::Coarse`]): every update and fence goes out as a composite
//! sub-request with `If-Unmodified-Since`, and a record says whether the second of its stamp is
//! over (`Record::closed`, protocol O6). "Over" is judged by the server's clock alone, by a time
//! that it had certainly reached when it began to read.
//!
//! # What it cannot see
//! Records purged from the recycle bin leave no trace in a poll; a look-up answers
//! `NotVisible` for them, and only a sweep finds them. Formula fields change without a save of
//! the record and are not seen by a poll either.

mod auth;
mod check;
mod connector;
mod grants;
mod id;
mod limits;
mod org;
mod read;
mod settings;
mod version;
mod webhook;
mod wire;
mod write;

pub use auth::{Consent, MemoryTokenStore, TokenStore, TokenStoreError, WebLogin};
pub use connector::Salesforce;
pub use settings::{ApiVersion, Grant, SalesforceSettings};
