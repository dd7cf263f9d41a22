//! SOQL: lexer, parser, binding to the schema, plan and evaluation (SOQL and SOSL guide).

mod aggregate;
mod ast;
mod bind;
mod bound;
mod condition;
mod dates;
mod error;
mod eval;
mod filter;
mod lexer;
mod like;
mod operand;
mod parser;
mod plan;
mod render;
#[cfg(test)]
mod tests;

pub(crate) use bind::bind;
pub(crate) use bound::{Bound, Node, Shape};
pub(crate) use eval::{count, run};
pub(crate) use parser::parse;
pub(crate) use render::{aggregate_rows, child_ids, field_json, record_json};
