//! Outbound messages: SOAP notifications that the org sends of itself when records are saved
//! (SOAP guide, outbound messaging). A flow with the action "outbound message" is an
//! [`OutboundMessage`] here.
//!
//! Every commit that makes or changes a record of the object queues a notification. Up to 100
//! go into one message, built from the rows as they are when it is sent. Anything but a 200 with
//! a well-formed `Ack` of `true` has all of them sent again, with growing gaps of up to two
//! hours, for 24 hours. Deletions are not told of.

mod ack;
mod definition;
mod envelope;
mod queue;
mod sender;

pub use definition::{OutboundMessage, OutboundPending, OutboundStatus};
pub(crate) use queue::Outbound;
pub(crate) use sender::run;
