//! Requests and answers.

mod body;
mod call;
mod codec;
mod composite;
mod describe;
mod fault;
mod filter;
mod graph;
mod http;
mod record_type;
mod refusal;
mod row;
mod soap;
mod soql;
mod transport;

pub(crate) use body::Fields;
pub(crate) use call::{Body, Call, CallError, Reply};
pub(crate) use codec::{Wire, encode, instant};
pub(crate) use composite::{
    Headers, SubAnswer, SubRequest, composite_body, sub_answers, sub_bodies,
};
pub(crate) use describe::{Described, PERSON_FLAG, described};
pub(crate) use fault::{Disposition, Fault, Reach, classify, faults, message};
pub(crate) use filter::{fitting, superset};
pub(crate) use graph::{graph_answers, graphs_body};
pub(crate) use http::{http_client, read_limited};
pub(crate) use record_type::{RECORD_TYPE, RECORD_TYPE_ID};
pub(crate) use row::{QueryAnswer, Row, RowPlan, Shown};
pub(crate) use soap::undelete_answer;
pub(crate) use soql::{digits_pattern, encoded, quoted};
pub(crate) use transport::Transport;
