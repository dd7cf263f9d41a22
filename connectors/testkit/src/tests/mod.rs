//! Tests of the in-memory system, and the suite against it.

mod conformance;
mod fixture;
mod liar;
mod people;
mod reads;
mod scripts;
mod under_way;
