//! The HTTP surface: liveness, readiness, metrics.
//!
//! It never holds a connector: what it tells comes from the ledger and from what the driver
//! says of itself, both behind [`Probe`].

mod health;
mod metrics;
mod serve;

pub use metrics::{Recorder, RecorderError, describe};
pub use serve::{Probe, Readiness, Sample, ServeError, serve};
