//! Tests of values, filters and rules of a bound mapping.

mod filter;
mod rules;
mod translate;
