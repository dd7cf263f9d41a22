//! The HTTP service: the data API, one file per resource, around the save pipeline and SOQL.

mod batch;
mod call;
mod collections;
mod composite;
mod conditional;
mod describe;
mod discovery;
mod external;
mod form;
mod graph;
mod http;
mod kind;
mod limits;
mod parts;
mod query;
mod replication;
mod requests;
mod route;
mod rows;
mod server;
mod service;
mod socket;
mod tls;
mod tree;

pub(crate) use call::{Caller, VERSION_MAX, VERSION_MIN, version_number};
pub(crate) use external::{Upserted, key_field as external_key, upsert};
pub(crate) use http::{Body, Http, Reply, decoded, pairs};
pub(crate) use query::Cursors;
pub(crate) use requests::RequestLog;
pub use requests::{RequestCounts, RequestEntry};
pub(crate) use rows::without_id;
pub use server::{Server, serve};
pub use tls::Tls;
