//! Webhooks: what a system sends unasked.

use crate::{EntityName, Key};

/// A delivery as it came over HTTP. Its way in was checked before: address, secret, size.
#[derive(Clone, Copy, Debug)]
pub struct WebhookRequest<'a> {
    /// The whole body.
    pub body: &'a [u8],
}

/// A notice in a delivery: that a record may have changed. Whatever else the delivery says of
/// the record is not trusted and not kept (protocol O4): it is read again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// The sender's own id of the notice: the same when it is sent again.
    pub id: String,
    /// The entity, as the system names it.
    pub entity: EntityName,
    /// The record, in the one form that the connector uses everywhere.
    pub key: Key,
}

/// What a delivery says, and what is to be answered to it once its notices are committed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebhookReply {
    /// Its notices, in its order.
    pub notices: Vec<Notice>,
    /// The type of the answer.
    pub content_type: &'static str,
    /// The answer. It says that the delivery is taken, so it is never sent before that is
    /// durable.
    pub body: String,
}

/// Why a delivery is not taken. The words are for the log and the list of deliveries; they
/// repeat no value of a record.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookRefusal {
    /// It is not what this kind of system sends.
    #[error("{0}")]
    Malformed(String),
    /// It comes from another installation of this kind of system.
    #[error("{0}")]
    Stranger(String),
    /// It cannot be judged yet; the sender tries again.
    #[error("{0}")]
    NotYet(String),
}

/// What reads the deliveries of one system. It is all that the HTTP surface ever gets of a
/// connector: it calls nobody and can write nothing.
pub trait Webhook: Send + Sync + 'static {
    /// Reads a delivery. Pure but for what the connector has learnt of its system.
    ///
    /// # Errors
    /// Why the delivery is not taken.
    fn read(&self, request: &WebhookRequest<'_>) -> Result<WebhookReply, WebhookRefusal>;

    /// The key that a text names, in the one form that the connector uses; nothing where no
    /// record can have it.
    fn key(&self, text: &str) -> Option<Key>;

    /// What an administrator does in the vendor's console so that changes of these entities are
    /// sent to an address, step by step.
    fn steps(&self, url: &str, entities: &[EntityName]) -> Vec<String>;
}
