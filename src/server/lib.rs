//! The HTTP surface: liveness, readiness, metrics, webhooks, the JSON API.
//!
//! It never holds a connector: what it tells comes from the ledger and from what the driver
//! says of itself, behind [`Probe`] and [`api::Book`]; what systems send it hands to a
//! [`Receiver`].

pub mod api;
mod connections;
mod health;
mod hooks;
mod metrics;
mod origin;
mod problem;
mod serve;
#[cfg(test)]
mod suite;
mod tls;

pub use hooks::{
    Arrival, Door, DoorError, Receipt, Receiver, Refused, SigningKey, SigningKeyError, Taken,
};
pub use metrics::{Recorder, RecorderError, describe};
pub use origin::{Fingerprint, Peer, TrustedProxies};
pub use serve::{Probe, Readiness, Sample, Surface, serve};
pub use syncline_ledger::Verdict;
pub use tls::{Pins, TlsError, TlsFiles};
