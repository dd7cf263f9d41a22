//! The receiver of webhooks, `POST /hooks/{system}/{secret}`.
//!
//! Here a delivery's way in is checked: the secret in its address, where it came from, how it
//! came, its size, its signature. What it says is read behind [`Receiver`], which also makes its
//! hints durable; only then is it answered. No secret is logged: neither an address nor a body
//! enters a message or a span.

mod door;
mod receiver;
mod refusal;
mod route;
mod signature;

pub use door::{Door, DoorError};
pub use receiver::{Arrival, Receipt, Receiver, Refused, Taken};
pub(crate) use route::{Hooks, routes};
pub use signature::{SigningKey, SigningKeyError};
