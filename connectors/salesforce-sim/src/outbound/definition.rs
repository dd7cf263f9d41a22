//! What is sent, and what became of it.

use serde::{Deserialize, Serialize};

use crate::org::Id;

/// An outbound message and the flow that sends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboundMessage {
    /// Its name.
    pub name: String,
    /// The object whose records it tells of.
    pub object: String,
    /// Where it is sent.
    pub url: String,
    /// The selected fields; `Id` is always sent.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Sent when a record is made.
    #[serde(default = "yes")]
    pub on_create: bool,
    /// Sent when a record is changed.
    #[serde(default = "yes")]
    pub on_update: bool,
    /// Not sent for what this user does.
    #[serde(default)]
    pub not_by: Option<String>,
}

fn yes() -> bool {
    true
}

impl OutboundMessage {
    /// One that tells of every save of an object's records.
    pub fn new(object: &str, url: &str) -> Self {
        Self {
            name: format!("Changed {object}"),
            object: object.to_owned(),
            url: url.to_owned(),
            fields: Vec::new(),
            on_create: true,
            on_update: true,
            not_by: None,
        }
    }
}

/// A notification that is not delivered yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboundPending {
    /// Its id.
    pub id: Id,
    /// The outbound message it belongs to.
    pub action: Id,
    /// The record it tells of.
    pub record: Id,
    /// How often it was sent.
    pub attempts: u32,
    /// Why the last attempt was not taken.
    pub last: Option<String>,
}

/// What became of the outbound messages of an org.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OutboundStatus {
    /// What there is to be sent, each with its id.
    pub messages: Vec<(Id, OutboundMessage)>,
    /// Notifications that are not delivered yet.
    pub pending: Vec<OutboundPending>,
    /// Notifications that were acknowledged.
    pub delivered: u64,
    /// Notifications that were given up, after 24 hours.
    pub given_up: u64,
    /// Messages that were sent, repetitions included.
    pub sent: u64,
}
