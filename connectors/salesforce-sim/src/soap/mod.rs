//! The SOAP API at `/services/Soap/u/NN.0` (partner) and `/services/Soap/c/NN.0` (enterprise):
//! `login()` for old versions, and what REST does not have.

mod answer;
mod records;
mod request;
mod service;

pub(crate) use service::answer;
