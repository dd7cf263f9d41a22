//! Outbound messages: SOAP notifications that the org sends of itself (SOAP guide, outbound
//! messaging). Only which record changed is taken from them; the record is read again.

mod message;
mod outbound;
mod steps;
#[cfg(test)]
mod tests;

use message::{Message, read};
pub(crate) use outbound::OutboundMessages;
