//! The SOAP API at `/services/Soap/u/NN.0` (partner) and `/services/Soap/c/NN.0` (enterprise):
//! `login()` for old versions, and what REST does not have.

mod answer;
mod records;
mod request;
mod service;
mod xml;

pub(crate) use service::answer;
pub(crate) use xml::{escaped, read as read_xml};
