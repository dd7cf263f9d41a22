//! A Salesforce org in a process, over HTTP.
//!
//! [`Org`] is the org: its records, users, clock, faults and history behind one cheap handle.
//! [`Server`] (or [`serve`]) answers its API: OAuth tokens, versions and describes, records and
//! external ids, conditional requests, SOQL with paging, `queryAll`, `updated` and `deleted`,
//! composite, batch, graph, tree and collections, Bulk 2.0 jobs, limits, and the SOAP calls
//! `login()`, `delete()`, `undelete()`, `emptyRecycleBin()`, `merge()`, `getServerTimestamp()` and
//! `getUserInfo()`. Bodies are packed with gzip both ways, and records, queries and describes are
//! XML for those who ask for it. Several orgs are several servers.
//! [`Server::start_with_tls`] speaks https too, on the same port.
//!
//! Logins: client credentials, username and password, JWT bearer, the web server flow with PKCE
//! (its page asks for the name and password of a user), refresh tokens, SOAP.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! let org = salesforce_sim::Org::new(7);
//! let server = salesforce_sim::Server::start(org.clone(), "127.0.0.1:0").await?;
//! let login = org.credentials(); // client id and secret for `grant_type=client_credentials`
//! // … talk to server.url() …
//! server.shutdown().await
//! # }
//! ```
//!
//! What the service does to a save is in the module `save`, one small function per rule. The
//! points that the documentation leaves open are the switches of [`Settings`].
//!
//! # Commit and stamps
//! A save is stamped with the current whole second and becomes visible at its commit. Usually
//! both are one instant; a person's edit with [`Person::committing_after`], the fault
//! [`FaultAction::CommitLate`] and [`Settings::commit_jitter_ms`] keep the transaction open in
//! between: its rows look unchanged and are locked. [`Org::commit_held`] ends the wait.
//!
//! # Control API
//! JSON under `/__sim`, on the same port, without authentication. A refusal has `code` and
//! `message`: 400 bad input, 404 no such thing, 422 refused by a save rule (with `fields`).
//!
//! | route | does |
//! |---|---|
//! | `GET /__sim` | org id, client id and secret, clock, last history number, row counts |
//! | `GET`, `PATCH /__sim/settings` | [`Settings`], whole or the members to change |
//! | `POST /__sim/users` | `{username, name?, password?, security_token?}` → `{id}` |
//! | `POST /__sim/seed` | `{user?, object, records: [{…}]}` → `{ids}`, one transaction |
//! | `POST /__sim/create` | `{user, object, fields, client?, commit_after_ms?}` → `{id, seq}` |
//! | `POST /__sim/update` | `{user, id, fields, client?, commit_after_ms?}` |
//! | `POST /__sim/delete`, `undelete`, `purge` | `{user, id, client?, commit_after_ms?}` |
//! | `POST /__sim/merge` | `{user, winner, losers, fields?}` |
//! | `GET /__sim/history?since=N&limit=M` | `{entries: [`[`HistoryEntry`]`], last_seq}` |
//! | `GET /__sim/record/{id}` | every field, deleted or not; `deletedBy` when in the bin |
//! | `GET /__sim/records/{Object}?bin=true` | `{records}`: live ones, or the recycle bin |
//! | `GET /__sim/requests?since=N`, `DELETE /__sim/requests` | `{requests: [`[`RequestEntry`]`]}` |
//! | `GET /__sim/requests/counts` | [`RequestCounts`] |
//! | `GET`, `POST`, `DELETE /__sim/faults`, `DELETE /__sim/faults/{n}` | [`Fault`]; POST → `{id}` |
//! | `POST`, `DELETE /__sim/locks` | `{id, ms}` locks a row; DELETE ends all such locks |
//! | `POST /__sim/held/commit` | commits all open transactions → `{committed}` |
//! | `GET`, `POST /__sim/clock` | `{offset_ms}`, `{advance_ms}`, `{freeze: ms?}`, `{resume: {}}` |
//! | `POST /__sim/tokens/expire`, `revoke` | `{user?}`: sessions, refresh tokens → `{ended}` |
//! | `POST /__sim/tokens/refresh` | `{user}` → `{refresh_token}` |
//! | `POST /__sim/tokens/secret` | `{secret}` replaces the client secret |
//! | `PATCH /__sim/app` | [`AppPatch`]: redirect addresses, certificate, policies of the app |
//! | `POST /__sim/locators/expire` | forgets all query locators |
//! | `POST /__sim/limits` | `{max, used}` of the daily API calls |
//! | `POST`, `DELETE /__sim/flows` | [`FlowRule`] |
//! | `GET`, `POST`, `DELETE /__sim/outbound` | [`OutboundStatus`]; [`OutboundMessage`] → `{id}` |
//! | `POST`, `DELETE /__sim/duplicate_rules` | [`DuplicateRule`] |
//! | `POST /__sim/features/{word}` | switches on `multi_currency` or `person_accounts` |
//! | `POST /__sim/schema/{Object}/record_types` | `{name, default?}` → `{id}` |
//! | `PATCH /__sim/schema/{Object}/record_types/{id}` | [`RecordTypePatch`] |
//! | `POST /__sim/schema/{Object}/history` | `{fields}`: tracks them in `{Object}History` |
//! | `POST /__sim/schema/objects` | `{name, label?, fields: [field]}` → `{prefix}` |
//! | `POST /__sim/schema/{Object}/fields` | [`NewField`] |
//! | `PATCH`, `DELETE /__sim/schema/{Object}/fields/{Field}` | [`FieldPatch`] |
//!
//! The kinds of call that [`Selector::kind`] and the request log name: `authorize`, `token`,
//! `revoke`, `introspect`, `identity`, `versions`, `resources`, `limits`, `record_count`,
//! `describe_global`, `basic_information`, `describe`, `get`, `create`, `update`, `upsert`,
//! `delete`, `query`, `query_all`, `query_more`, `updated`, `deleted`, `composite`, `batch`,
//! `graph`, `tree`, `collections_create`, `collections_update`, `collections_upsert`,
//! `collections_delete`, `collections_retrieve`, `bulk_create`, `bulk_upload`, `bulk_close`,
//! `bulk_info`, `bulk_results`, `bulk_query`, `bulk_query_results`, `soap`, `other`.
//!
//! # Not served
//! Pub/Sub and change events, search, the first version of Bulk.

mod bulk;
mod control;
mod faults;
mod history;
mod json;
mod limits;
mod oauth;
mod org;
mod outbound;
mod rest;
mod save;
mod schema;
mod soap;
mod soql;
mod xml;

pub use faults::{Fault, FaultAction, Selector};
pub use history::{HistoryChange, HistoryEntry};
pub use oauth::AppPatch;
pub use org::{
    ConditionalDelete, ConditionalStamp, Credentials, Id, NewUser, Org, Person, Refused, Settings,
};
pub use outbound::{OutboundMessage, OutboundPending, OutboundStatus};
pub use rest::{RequestCounts, RequestEntry, Server, Tls, serve};
pub use save::{DuplicateRule, FlowRule};
pub use schema::{FieldPatch, FieldType, NewField, RecordTypePatch};
