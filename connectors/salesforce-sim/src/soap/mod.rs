//! The partner SOAP API at `/services/Soap/u/NN.0`: `login()` for old versions and
//! `undelete()`, which REST does not have.

mod envelope;
mod service;

pub(crate) use envelope::{escaped, leaves};
pub(crate) use service::answer;
